/** Schedules as bars over days; those that change do so under the reader's eyes. */
import type { CSSProperties, ReactElement } from "react";
import type { Schedule } from "./api/api.ts";
import { DAY, span, today, written } from "./days.ts";

export function Timeline({ start, days, schedules, names, onOpen }: {
  start: number; days: number; schedules: readonly Schedule[] | undefined; names: ReadonlyMap<string, string>; onOpen: (schedule: Schedule) => void;
}): ReactElement {
  const now = (today() - start) / DAY;
  return (
    <section className="card timeline" aria-label="Calendar" style={{ "--days": days } as CSSProperties}>
      <div className="weeks" aria-hidden="true">
        {Array.from({ length: days / 7 }, (_, week) => <span key={week}>{written(start + week * 7 * DAY, "day")}</span>)}
      </div>
      {now >= 0 && now < days && <i className="now" style={{ "--at": now + 0.5 } as CSSProperties} aria-hidden="true" />}
      <ul className="bars">
        {schedules?.map((schedule) => {
          const from = Math.max(0, (schedule.startDate - start) / DAY);
          const to = Math.min(days, (schedule.endDate - start) / DAY);
          return (
            <li key={schedule._id} style={{ "--from": from, "--to": to } as CSSProperties}>
              <button className={`bar ${schedule.status} ${from > days / 2 ? "late" : ""}`} onClick={() => onOpen(schedule)}>
                <i />
                <span className="label">
                  <strong>{schedule.title}</strong>
                  <small>{span(schedule.startDate, schedule.endDate)} · {names.get(schedule.userId)}</small>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {schedules?.length === 0 && <p className="quiet empty">Nothing is planned in these weeks.</p>}
    </section>
  );
}
