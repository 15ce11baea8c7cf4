import type { ReactElement } from "react";
import type { Recording } from "../api/api.ts";
import { dateAndTime, duration, hertz } from "../ui/format.ts";

export function Details({ recording }: { recording: Recording }): ReactElement {
  const rows: [string, string][] = [
    ["Recorded", dateAndTime(recording.startTime)],
    ["Duration", duration(recording.durationMs)],
    ["Sample rate", hertz(recording.sampleRate)],
    ["Samples", `${recording.sampleCount.toLocaleString()} a side`],
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
