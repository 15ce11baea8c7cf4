/** Asks before documents are deleted, and says what goes along, what loses its reference, and what forbids it. */
import { useLive } from "../browser/live.ts";
import { PATHS, type Consequence, type Consequences } from "../api/hub.ts";
import { Confirm } from "../ui/confirm.tsx";
import { count, plural } from "../ui/format.ts";

interface DeleteQuestionProps {
  readonly table: string;
  readonly ids: readonly string[];
  readonly confirm: () => void;
  readonly cancel: () => void;
}

/** The hub looks ahead for so many. */
const MOST = 200;

export function DeleteQuestion({ table, ids, confirm, cancel }: DeleteQuestionProps) {
  const { value: told, error } = useLive<Consequences>(PATHS.consequences, { table, ids: ids.slice(0, MOST) });
  return (
    <Confirm
      title={ids.length === 1 ? "Delete this document?" : `Delete ${plural(ids.length, "document")}?`}
      verb="Delete"
      isAllowed={told?.isAllowed ?? Boolean(error)}
      confirm={confirm}
      cancel={cancel}
    >
      <p>
        {ids.length === 1 && (
          <>
            <code>{ids[0]}</code>{" "}
          </>
        )}
        {ids.length === 1 ? "of" : "From"} <code>{table}</code>. This cannot be taken back; it is written to the audit table.
      </p>
      {error && <p className="alert">{error.message}</p>}
      {!told && !error && <p className="hint">Looking for what refers to {ids.length === 1 ? "it" : "them"}…</p>}
      {told && (told.consequences.length ? <Told told={told} isOne={ids.length === 1} /> : <p className="hint">Nothing that is declared as a reference names {ids.length === 1 ? "it" : "them"}.</p>)}
      {ids.length > MOST && <p className="hint">Only the first {count(MOST)} were looked at.</p>}
    </Confirm>
  );
}

function Told({ told, isOne }: { told: Consequences; isOne: boolean }) {
  return (
    <>
      <ul className="consequences">
        {told.consequences.map((each) => (
          <li key={`${each.table} ${each.field} ${each.happens}`} className={each.happens}>
            <span className={each.happens === "restrict" ? "dot bad" : each.happens === "cascade" ? "dot warn" : "dot"} />
            <span>{words(each, told.isAll)}</span>
          </li>
        ))}
      </ul>
      {!told.isAllowed && <p className="alert">So {isOne ? "it" : "they"} cannot be deleted.</p>}
    </>
  );
}

function words({ table, field, happens, count: number, example }: Consequence, isAll: boolean) {
  const many = (
    <>
      {isAll ? count(number) : `at least ${count(number)}`} of <code>{table}</code>
    </>
  );
  if (happens === "cascade") return <>{many} go along, by <code>{field}</code></>;
  if (happens === "unset") return <>{many} stay, and lose their <code>{field}</code></>;
  return <>{many} forbid it by their <code>{field}</code>, as <code>{example}</code></>;
}
