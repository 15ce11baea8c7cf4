/** A schedule, to be read or changed. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Schedule } from "./api/api.ts";
import { asInput, DAY, fromInput, today } from "./days.ts";
import { STATUSES, type Status } from "./planner.tsx";

export function ScheduleDialog({ schedule, mayPlan, owner, onClose }: { schedule: Schedule | null; mayPlan: boolean; owner: string; onClose: () => void }): ReactElement {
  const create = useMutation(api.mutations.schedules.create);
  const update = useMutation(api.mutations.schedules.update);
  const remove = useMutation(api.mutations.schedules.remove);
  const { act, busy, problem } = useAct();
  const [title, setTitle] = useState(schedule?.title ?? "");
  const [description, setDescription] = useState(schedule?.description ?? "");
  const [status, setStatus] = useState<Status>(schedule?.status ?? "draft");
  const [first, setFirst] = useState(asInput(schedule?.startDate ?? today()));
  const [last, setLast] = useState(asInput((schedule?.endDate ?? today() + 5 * DAY) - DAY));
  const closeAfter = (work: () => Promise<unknown>): void => void act(work).then((good) => good && onClose());
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const plan = { title, description, status, startDate: fromInput(first), endDate: fromInput(last) + DAY };
    closeAfter(() => (schedule ? update({ scheduleId: schedule._id, ...plan }) : create({ plans: [plan] })));
  };
  return (
    <Dialog title={schedule ? (mayPlan ? "Change schedule" : schedule.title) : "New schedule"} onClose={onClose}>
      <form onSubmit={send}>
        <fieldset disabled={!mayPlan}>
          <Field label="Title"><input required maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} /></Field>
          <div className="pair">
            <Field label="First day"><input type="date" required value={first} onChange={(event) => setFirst(event.target.value)} /></Field>
            <Field label="Last day"><input type="date" required min={first} value={last} onChange={(event) => setLast(event.target.value)} /></Field>
          </div>
          <Field label="Status">
            <select value={status} onChange={(event) => setStatus(event.target.value as Status)}>
              {Object.entries(STATUSES).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
            </select>
          </Field>
          <Field label="Description"><textarea maxLength={5000} value={description} onChange={(event) => setDescription(event.target.value)} /></Field>
        </fieldset>
        {owner && <small>Planned by {owner}</small>}
        <Problem error={problem} />
        {mayPlan && (
          <footer>
            {schedule && <button type="button" className="plain danger" disabled={busy} onClick={() => closeAfter(() => remove({ scheduleIds: [schedule._id] }))}>Delete</button>}
            <button className="primary" disabled={busy}>{schedule ? "Save" : "Plan it"}</button>
          </footer>
        )}
      </form>
    </Dialog>
  );
}
