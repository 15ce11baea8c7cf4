/** A document that is to be added. */
import { useState } from "react";
import { useSynovia } from "synovia-client/react";
import { PATHS, type FieldInfo, type TableInfo } from "../api/hub.ts";
import { Panel } from "../ui/panel.tsx";
import { say } from "../ui/toasts.tsx";

interface NewDocumentProps {
  readonly table: TableInfo;
  /** What to begin with; empty: a value of each required field. */
  readonly text: string;
  /** The id of the document that it is a duplicate of. */
  readonly like: string | null;
  readonly close: () => void;
  readonly made: (id: string) => void;
}

export function NewDocument({ table, text: given, like, close, made }: NewDocumentProps) {
  const client = useSynovia();
  const [text, setText] = useState(given || blank(table.fields));
  const [fault, setFault] = useState<string | null>(null);

  async function add(): Promise<void> {
    try {
      const id = (await client.mutation(PATHS.insert, { table: table.name, jsonText: text, like })) as string;
      say("Added");
      made(id);
    } catch (failure) {
      setFault((failure as Error).message);
    }
  }

  return (
    <Panel title={`New in ${table.name}`} label="New document" close={close}>
      <div className="editor">
        <label htmlFor="new-json">Content</label>
        <textarea
          id="new-json"
          spellCheck={false}
          rows={Math.max(8, text.split("\n").length + 1)}
          value={text}
          onChange={({ target }) => (setText(target.value), setFault(null))}
          onKeyDown={(event) => (event.metaKey || event.ctrlKey) && event.key === "Enter" && void add()}
        />
        {fault && (
          <p className="alert" role="alert">
            {fault}
          </p>
        )}
        <div className="buttons">
          <button className="primary" onClick={() => void add()}>
            Add
          </button>
          <button onClick={close}>Cancel</button>
        </div>
      </div>
      <div>
        <h3>Fields</h3>
        <ul className="fields">
          {table.fields.map(({ name, type, required }) => (
            <li key={name}>
              <code>{name}</code> <span className="hint">{type}</span> {required && <span className="tag">required</span>}
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

const FIRST: Partial<Record<FieldInfo["kind"], unknown>> = { number: 0, bool: false, list: [], map: {} };

function blank(fields: readonly FieldInfo[]): string {
  const required = fields.filter((field) => field.required);
  return JSON.stringify(Object.fromEntries(required.map(({ name, kind, choices }) => [name, choices[0] ?? FIRST[kind] ?? ""])), null, 2);
}
