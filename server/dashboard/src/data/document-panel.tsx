/** One document: its fields, its arrays as plots, and its JSON to edit. */
import { useEffect, useState } from "react";
import { ArrayRef } from "synovia-client";
import { useSynovia } from "synovia-client/react";
import { useLive } from "../browser/live.ts";
import { linkTo } from "../browser/route.ts";
import { PATHS, type TableInfo, type WholeDocument } from "../api/hub.ts";
import { Icon } from "../ui/icons.tsx";
import { Panel } from "../ui/panel.tsx";
import { act, say } from "../ui/toasts.tsx";
import { ArrayPlot } from "./array-plot.tsx";
import { DeleteQuestion } from "./delete-question.tsx";
import { FilePreview } from "./file-preview.tsx";

interface DocumentPanelProps {
  readonly table: TableInfo;
  readonly tables: readonly TableInfo[];
  readonly id: string;
  readonly close: () => void;
  readonly duplicate: (text: string) => void;
  readonly mayChange: boolean;
}

export function DocumentPanel({ table, id, close, duplicate, mayChange }: DocumentPanelProps) {
  const client = useSynovia();
  const { value: whole, error, isLoading } = useLive<WholeDocument | null>(PATHS.document, { table: table.name, id });
  const [text, setText] = useState<string | null>(null);
  const [base, setBase] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [isDeleting, setDeleting] = useState(false);
  useEffect(() => setFault(null), [text]);

  if (!whole) {
    return (
      <Panel title={<code>{id}</code>} label="Document" close={close}>
        {error ? <p className="alert">{error.message}</p> : !isLoading && <p className="hint">There is no such document in {table.name}.</p>}
      </Panel>
    );
  }

  const shown = text ?? whole.jsonText;
  const isChanged = text !== null && text !== whole.jsonText;
  const hasMoved = isChanged && base !== null && base !== whole.jsonText;

  function edit(next: string): void {
    if (text === null) setBase(whole!.jsonText);
    setText(next);
  }

  async function save(): Promise<void> {
    try {
      await client.mutation(PATHS.update, { table: table.name, id, jsonText: shown });
      setText(null);
      say("Saved");
    } catch (failure) {
      setFault((failure as Error).message);
    }
  }

  const references = table.fields.filter(({ kind, refersTo, name }) => refersTo && (kind === "id" || kind === "list") && [whole.document[name] ?? []].flat().length > 0);
  const arrays = Object.entries(whole.document).filter((entry): entry is [string, ArrayRef] => entry[1] instanceof ArrayRef);
  return (
    <Panel
      label={`Document ${id}`}
      title={<code>{id}</code>}
      close={close}
      actions={
        <>
          <button className="icon" aria-label="Copy as JSON" title="Copy as JSON" onClick={() => void navigator.clipboard.writeText(whole.jsonText).then(() => say("Copied"))}>
            <Icon name="copy" />
          </button>
          {mayChange && (
            <>
              <button onClick={() => duplicate(withoutId(whole.jsonText))}>Duplicate</button>
              <button className="icon" aria-label="Delete this document" title="Delete" onClick={() => setDeleting(true)}>
                <Icon name="trash" />
              </button>
            </>
          )}
        </>
      }
    >
      {whole.misfit && (
        <p className="misfit-note">
          <Icon name="warning" />
          <span>
            This document does not fit its table: <code>{whole.misfit.field || "the whole"}</code>, {whole.misfit.reason}.
          </span>
        </p>
      )}
      {references.length > 0 && (
        <dl className="references">
          {references.map(({ name, refersTo }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {[whole.document[name]].flat().slice(0, 20).map((each) => (
                  <a key={String(each)} className="reference mono" href={linkTo(["data", refersTo!], { id: String(each) })}>
                    {refersTo} {String(each)}
                  </a>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {arrays.map(([name, ref]) => (
        <ArrayPlot key={name} name={name} array={ref} />
      ))}
      {whole.files.map((file) => (
        <FilePreview key={file.field} file={file} />
      ))}
      <div className="editor">
        <label htmlFor="document-json">{mayChange ? "Content" : "Content (read only)"}</label>
        <textarea
          id="document-json"
          spellCheck={false}
          readOnly={!mayChange}
          rows={Math.min(28, shown.split("\n").length + 1)}
          value={shown}
          onChange={({ target }) => edit(target.value)}
          onKeyDown={(event) => {
            if ((event.metaKey || event.ctrlKey) && event.key === "Enter" && isChanged) void save();
            if (event.key === "Escape" && isChanged) event.preventDefault();
          }}
        />
        {hasMoved && <p className="hint">Somebody has changed it meanwhile. Saving keeps your text.</p>}
        {fault && (
          <p className="alert" role="alert">
            {fault}
          </p>
        )}
        {isChanged && (
          <div className="buttons">
            <button className="primary" onClick={() => void save()}>
              Save
            </button>
            <button onClick={() => setText(null)}>Discard</button>
          </div>
        )}
      </div>
      {isDeleting && (
        <DeleteQuestion
          table={table.name}
          ids={[id]}
          cancel={() => setDeleting(false)}
          confirm={() => (setDeleting(false), void act(() => client.mutation(PATHS.delete, { table: table.name, ids: [id] }), "Deleted").then((isDone) => isDone && close()))}
        />
      )}
    </Panel>
  );
}

function withoutId(text: string): string {
  const { _id: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest, null, 2);
}
