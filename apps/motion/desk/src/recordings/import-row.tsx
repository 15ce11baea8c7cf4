/** A file on its way: how far it is, what was noticed, or why it was refused and what may be said so that it is read. */
import { useState, type FormEvent, type ReactElement } from "react";
import { linkTo } from "../browser/route.ts";
import { Button, IconButton } from "../ui/controls.tsx";
import { sentence } from "../ui/errors.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { dismissImport, importAgain, type Import } from "./importing.ts";
import { ReadingFields, withOption, type Reading } from "./reading-fields.tsx";
import type { Refusal } from "./refusal.ts";

export function ImportRow({ import: one }: { import: Import }): ReactElement {
  const { id, file, progress, state, warnings = [], recordingId, refusal } = one;
  const isWarned = warnings.length > 0;
  const icon: IconName = state === "failed" || isWarned ? "alert" : state === "done" ? "check" : "upload";
  return (
    <div className={`import-one ${isWarned ? "warned" : state}`} role={state === "failed" ? "alert" : "status"}>
      <Icon name={icon} />
      <div>
        <strong>{file.name}</strong>
        <span className="import-state">{stateOf(one)}{recordingId && <> · <a href={linkTo("recordings", recordingId)}>Open</a></>}</span>
        {isWarned && <ul className="import-warnings">{warnings.map((warning) => <li key={warning}>{sentence(warning)}</li>)}</ul>}
        {state === "failed" && refusal && refusal.options.length > 0 && <Remedy key={refusal.message} import={one} refusal={refusal} />}
        {(state === "sending" || state === "waiting") && (
          <div className="progress" role="progressbar" aria-label={`Importing ${file.name}`} aria-valuenow={Math.round(progress * 100)} aria-valuemin={0} aria-valuemax={100}>
            <div style={{ width: `${progress * 100}%` }} />
          </div>
        )}
      </div>
      {(state === "failed" || state === "done") && <IconButton icon="close" label="Dismiss" onClick={() => dismissImport(id)} />}
    </div>
  );
}

function stateOf({ state, progress, warnings = [], refusal }: Import): string {
  if (state === "waiting") return "Waiting";
  if (state === "sending") return progress < 1 ? `${Math.round(progress * 100)} %` : "Reading the file…";
  if (state === "failed") return refusal?.message ?? "Failed";
  return warnings.length === 0 ? "Imported" : warnings.length === 1 ? "Imported, with a warning" : "Imported, with warnings";
}

/** Asks how to read a refused file. */
function Remedy({ import: one, refusal: { options, columns } }: { import: Import; refusal: Refusal }): ReactElement {
  const first = options.includes("fillGaps") ? withOption({}, "fillGaps", "true") : {};
  const [reading, setReading] = useState<Reading>(first);
  const send = (event: FormEvent): void => {
    event.preventDefault();
    void importAgain(one, reading);
  };
  return (
    <form className="import-remedy" aria-label={`How to read ${one.file.name}`} onSubmit={send}>
      <ReadingFields options={options} columns={columns} reading={reading} onReading={setReading} />
      <Button type="submit" disabled={Object.keys(reading).length === 0}>Import again</Button>
    </form>
  );
}
