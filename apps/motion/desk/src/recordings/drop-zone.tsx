/** Takes files that are dropped anywhere on the window, and shows how far they are. */
import { useEffect, useState, type ReactElement } from "react";
import { linkTo } from "../browser/route.ts";
import { IconButton } from "../ui/controls.tsx";
import { Icon } from "../ui/icons.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { dismissImport, importFiles, SHOW_IMPORT, useImports, type Import } from "./importing.ts";

export function DropZone(): ReactElement {
  const over = useDrop((files) => void importFiles(files));
  const imports = useImports();
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    const ask = (): void => setAsking(true);
    addEventListener(SHOW_IMPORT, ask);
    return () => removeEventListener(SHOW_IMPORT, ask);
  }, []);
  return (
    <>
      {asking && <ImportDialog onClose={() => setAsking(false)} />}
      {over && (
        <div className="drop-target" aria-hidden="true">
          <div><Icon name="upload" size={40} /><strong>Drop to import</strong><span>.mot, .sto or .csv with both knees</span></div>
        </div>
      )}
      {imports.length > 0 && (
        <section className="imports" aria-label="Imports">
          {imports.map((one) => <Progress key={one.id} import={one} />)}
        </section>
      )}
    </>
  );
}

/** Whether files are being dragged over the window. */
function useDrop(take: (files: File[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0; // enter and leave come for every element on the way
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    const on = (name: "dragenter" | "dragleave" | "dragover" | "drop", handle: (event: DragEvent) => void): (() => void) => {
      const listener = (event: DragEvent): void => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        handle(event);
        setOver(depth > 0);
      };
      addEventListener(name, listener);
      return () => removeEventListener(name, listener);
    };
    const stops = [
      on("dragenter", () => (depth += 1)),
      on("dragleave", () => (depth -= 1)),
      on("dragover", () => undefined),
      on("drop", (event) => {
        depth = 0;
        take([...event.dataTransfer!.files]);
      }),
    ];
    return () => stops.forEach((stop) => stop());
  }, []);
  return over;
}

function Progress({ import: { id, name, progress, state, problem, recordingId } }: { import: Import }): ReactElement {
  const text = { waiting: "Waiting", sending: progress < 1 ? `${Math.round(progress * 100)} %` : "Reading the file…", done: "Imported", failed: problem ?? "Failed" }[state];
  return (
    <div className={`import-one ${state}`} role={state === "failed" ? "alert" : "status"}>
      <Icon name={state === "failed" ? "alert" : state === "done" ? "check" : "upload"} />
      <div>
        <strong>{name}</strong>
        <span>{text}{recordingId && <> · <a href={linkTo("recordings", recordingId)}>Open</a></>}</span>
        {(state === "sending" || state === "waiting") && (
          <div className="progress" role="progressbar" aria-label={`Importing ${name}`} aria-valuenow={Math.round(progress * 100)} aria-valuemin={0} aria-valuemax={100}>
            <div style={{ width: `${progress * 100}%` }} />
          </div>
        )}
      </div>
      {(state === "failed" || state === "done") && <IconButton icon="close" label="Dismiss" onClick={() => dismissImport(id)} />}
    </div>
  );
}
