/** A table of any number of rows, of which only those in view are in the page. */
import { useCallback, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

export interface Column<T> {
  readonly name: string;
  readonly title: ReactNode;
  /** As in `grid-template-columns`. */
  readonly width: string;
  readonly kind?: "number" | "mark";
  /** Left out where there is no room for all, the greatest first; another page, or what opens beside the list, has it too. */
  readonly drop?: number;
  readonly cell: (row: T) => ReactNode;
}

interface RowsProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string | number;
  readonly rowClass?: (row: T) => string;
  readonly selected?: string | number | null;
  readonly open?: (row: T) => void;
  /** Called when the end comes near. */
  readonly more?: () => void;
  readonly footer?: ReactNode;
  readonly empty?: ReactNode;
}

const HEIGHT = 32;
const WIDE = 1_280;
const BEYOND = 12;

function leastOf<T>(columns: readonly Column<T>[]): number {
  return columns.reduce((sum, { width }) => sum + parseInt(width.replace("minmax(", ""), 10), 0);
}

/** The columns for which there is room: of those that may be left out the last to be so go first. */
export function fitting<T>(columns: readonly Column<T>[], width: number): readonly Column<T>[] {
  const shown = [...columns];
  const order = columns.filter(({ drop }) => drop !== undefined).sort((one, other) => other.drop! - one.drop!);
  for (const column of order) {
    if (leastOf(shown) <= width) break;
    shown.splice(shown.indexOf(column), 1);
  }
  return shown;
}

export function Rows<T>({ label, columns, rows, keyOf, rowClass, selected, open, more, footer, empty }: RowsProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, width: WIDE });

  const look = useCallback(() => {
    const element = box.current;
    if (!element) return;
    const { scrollTop: top, clientHeight: height, clientWidth: width } = element;
    setView((before) => (before.top === top && before.height === height && before.width === width ? before : { top, height, width }));
  }, []);

  useLayoutEffect(() => {
    look();
    const observer = new ResizeObserver(look);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [look]);

  const first = Math.max(0, Math.floor(view.top / HEIGHT) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / HEIGHT) + BEYOND);
  useLayoutEffect(() => {
    if (more && last >= rows.length - 20) more();
  }, [more, last, rows.length]);

  function onKey(event: KeyboardEvent<HTMLDivElement>): void {
    if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) || !open) return;
    const at = rows.findIndex((row) => keyOf(row) === selected);
    const next = event.key === "Home" ? 0 : event.key === "End" ? rows.length - 1 : at + (event.key === "ArrowDown" ? 1 : -1);
    const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
    if (!row) return;
    event.preventDefault();
    open(row);
    const place = rows.indexOf(row) * HEIGHT;
    const element = box.current!;
    if (place < element.scrollTop) element.scrollTop = place;
    else if (place + 2 * HEIGHT > element.scrollTop + element.clientHeight) element.scrollTop = place + 2 * HEIGHT - element.clientHeight;
  }

  const shown = useMemo(() => fitting(columns, view.width), [columns, view.width]);
  const template = shown.map((column) => column.width).join(" ");
  return (
    <div className="rows" role="group" aria-label={`${label}, to scroll`} ref={box} onScroll={look} onKeyDown={onKey} tabIndex={0}>
      <div role="table" aria-label={label} aria-rowcount={rows.length + 1} className="grid" style={{ minWidth: leastOf(shown) }}>
        <div className="row head" role="row" style={{ gridTemplateColumns: template }}>
          {shown.map((column) => (
            <div key={column.name} role="columnheader" className={column.kind}>
              {column.title}
            </div>
          ))}
        </div>
        <div className="rows-inner" role="rowgroup" style={{ height: rows.length * HEIGHT }}>
          {rows.slice(first, last).map((row, place) => {
            const key = keyOf(row);
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={first + place + 2}
                aria-selected={key === selected}
                className={`row ${open ? "opens" : ""} ${rowClass?.(row) ?? ""}`}
                style={{ gridTemplateColumns: template, transform: `translateY(${(first + place) * HEIGHT}px)` }}
                onClick={open && (() => open(row))}
              >
                {shown.map((column) => (
                  <div key={column.name} role="cell" className={column.kind}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {rows.length === 0 && empty}
      {footer}
    </div>
  );
}
