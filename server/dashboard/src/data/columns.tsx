/** Which columns of a table are shown; kept by the browser for each table. */
import { useEffect, useRef, useState } from "react";
import { Icon } from "../ui/icons.tsx";

const KEY = "synovia-dashboard:hidden-columns:";

function recall(table: string): readonly string[] {
  try {
    const known: unknown = JSON.parse(localStorage.getItem(KEY + table) ?? "[]");
    return Array.isArray(known) ? known.filter((each) => typeof each === "string") : [];
  } catch {
    return []; // a browser that keeps nothing, or something else under this name
  }
}

/** The names of hidden columns, and a way to change them. */
export function useHiddenColumns(table: string): [ReadonlySet<string>, (hidden: ReadonlySet<string>) => void] {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(() => new Set(recall(table)));
  const change = (next: ReadonlySet<string>): void => {
    setHidden(next);
    try {
      localStorage.setItem(KEY + table, JSON.stringify([...next]));
    } catch {
      // it holds until the page is left
    }
  };
  return [hidden, change];
}

interface ColumnChoiceProps {
  readonly names: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly change: (hidden: ReadonlySet<string>) => void;
}

export function ColumnChoice({ names, hidden, change }: ColumnChoiceProps) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const count = names.filter((name) => hidden.has(name)).length;

  useEffect(() => {
    if (!isOpen) return;
    const leave = (event: Event): void => void (box.current?.contains(event.target as Node) || setOpen(false));
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      setOpen(false);
      box.current?.querySelector("button")?.focus();
    };
    addEventListener("pointerdown", leave);
    addEventListener("keydown", onKey, true);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("keydown", onKey, true);
    };
  }, [isOpen]);

  const toggle = (name: string): void => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    change(next);
  };
  return (
    <div className="menu" ref={box}>
      <button aria-expanded={isOpen} aria-haspopup="true" onClick={() => setOpen(!isOpen)}>
        Columns{count > 0 && ` −${count}`} <Icon name="down" size={12} />
      </button>
      {isOpen && (
        <fieldset className="menu-list">
          <legend className="hidden">Columns that are shown</legend>
          {names.map((name) => (
            <label key={name}>
              <input type="checkbox" checked={!hidden.has(name)} onChange={() => toggle(name)} />
              <code>{name}</code>
            </label>
          ))}
          {count > 0 && (
            <button className="link" onClick={() => change(new Set())}>
              Show all
            </button>
          )}
        </fieldset>
      )}
    </div>
  );
}
