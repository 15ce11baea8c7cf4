/** What rows have to satisfy: a line for each condition. */
import { useState } from "react";
import type { Condition, TableInfo } from "../api/hub.ts";
import { Icon } from "../ui/icons.tsx";

const TESTS: readonly (readonly [Condition["test"], string])[] = [
  ["eq", "is"],
  ["ne", "is not"],
  ["contains", "contains"],
  ["gt", ">"],
  ["ge", "≥"],
  ["lt", "<"],
  ["le", "≤"],
  ["exists", "is there"],
  ["missing", "is missing"],
];

/** Read what was typed as the value that it looks like. */
export function typed(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  if (text.trim() !== "" && /^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text);
  const quoted = /^"(.*)"$/s.exec(text);
  return quoted ? quoted[1] : text;
}

interface Draft {
  readonly field: string;
  readonly test: Condition["test"];
  readonly text: string;
}

export function conditionsOf(drafts: readonly Draft[], table: TableInfo): Condition[] {
  return drafts
    .filter(({ test, text }) => test === "exists" || test === "missing" || text !== "")
    .map(({ field, test, text }) => {
      const kind = table.fields.find(({ name }) => name === field)?.kind;
      const isText = test === "contains" || kind === "text" || kind === "id" || kind === "choice" || field === "_id";
      return { field, test, value: isText ? text.replace(/^"(.*)"$/s, "$1") : typed(text) };
    });
}

interface ConditionsProps {
  /** The fields that the table declares, and others that its documents have. */
  readonly names: readonly string[];
  readonly drafts: readonly Draft[];
  readonly change: (drafts: readonly Draft[]) => void;
}

export function Conditions({ names, drafts, change }: ConditionsProps) {
  const fields = ["_id", ...names];
  const set = (place: number, part: Partial<Draft>): void => change(drafts.map((draft, at) => (at === place ? { ...draft, ...part } : draft)));
  return (
    <div className="conditions">
      {drafts.map((draft, place) => (
        <div className="condition" key={place}>
          <select aria-label="Field" value={draft.field} onChange={(event) => set(place, { field: event.target.value })}>
            {fields.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <select aria-label="Comparison" value={draft.test} onChange={(event) => set(place, { test: event.target.value as Condition["test"] })}>
            {TESTS.map(([test, words]) => (
              <option key={test} value={test}>
                {words}
              </option>
            ))}
          </select>
          {draft.test !== "exists" && draft.test !== "missing" && <ValueInput key={place} text={draft.text} change={(text) => set(place, { text })} />}
          <button className="icon" aria-label="Remove this condition" onClick={() => change(drafts.filter((_, at) => at !== place))}>
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button onClick={() => change([...drafts, { field: fields[1] ?? "_id", test: "eq", text: "" }])}>
        <Icon name="plus" /> Condition
      </button>
    </div>
  );
}

/** Hands on what was typed after a pause, so that not every letter is a query. */
function ValueInput({ text, change }: { text: string; change: (text: string) => void }) {
  const [shown, setShown] = useState(text);
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>();
  return (
    <input
      aria-label="Value"
      value={shown}
      autoFocus={text === ""}
      placeholder="value"
      onChange={({ target }) => {
        setShown(target.value);
        clearTimeout(timer);
        setTimer(setTimeout(() => change(target.value), 250));
      }}
    />
  );
}

export type { Draft };
