import type { ReactElement } from "react";
import type { Recording } from "../api/api.ts";
import { sidesOf } from "../plot/sides.ts";
import { dateAndTime, duration, hertz } from "../ui/format.ts";

export function Details({ recording }: { recording: Recording }): ReactElement {
  const sides = sidesOf(recording);
  const rows: [string, string][] = [
    ["Recorded", dateAndTime(recording.startTime)],
    ["Duration", duration(recording.durationMs)],
    ["Sample rate", hertz(recording.sampleRate)],
    ["Samples", `${recording.sampleCount.toLocaleString()} ${sides.length > 1 ? "a side" : `of the ${sides[0]} knee`}`],
    ["Saved", dateAndTime(recording.createdAt)],
  ];
  return (
    <section className="card" aria-label="Details">
      <h2>Details</h2>
      <dl className="facts">
        {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </section>
  );
}
