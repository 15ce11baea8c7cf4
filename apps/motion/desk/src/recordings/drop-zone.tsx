/** Takes files that are dropped anywhere on the window, and shows how far they are. */
import { useEffect, useState, type ReactElement } from "react";
import { Icon } from "../ui/icons.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { ImportRow } from "./import-row.tsx";
import { importFiles, SHOW_IMPORT, useImports } from "./importing.ts";

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
          <div><Icon name="upload" size={40} /><strong>Drop to import</strong><span>Knee angles as .mot, .csv, .xlsx, .c3d or .mvnx</span></div>
        </div>
      )}
      {imports.length > 0 && (
        <section className="imports" aria-label="Imports">
          {imports.map((one) => <ImportRow key={one.id} import={one} />)}
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
