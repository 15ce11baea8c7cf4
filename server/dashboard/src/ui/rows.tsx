/** A table of any number of rows, of which only those in view are in the page. */
import { useCallback, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

export interface Column<T> {
  readonly name: string;
  readonly title: ReactNode;
  /** As in `grid-template-columns`. */
  readonly width: string;
  readonly kind?: "number" | "mark";
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
const BEYOND = 12;

export function Rows<T>({ label, columns, rows, keyOf, rowClass, selected, open, more, footer, empty }: RowsProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });

  const look = useCallback(() => {
    const element = box.current;
    if (!element) return;
    setView((before) =>
      before.top === element.scrollTop && before.height === element.clientHeight ? before : { top: element.scrollTop, height: element.clientHeight },
    );
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

  const template = columns.map((column) => column.width).join(" ");
  const least = columns.reduce((sum, { width }) => sum + parseInt(width.replace("minmax(", ""), 10), 0);
  return (
    <div className="rows" role="group" aria-label={`${label}, to scroll`} ref={box} onScroll={look} onKeyDown={onKey} tabIndex={0}>
      <div role="table" aria-label={label} aria-rowcount={rows.length + 1} className="grid" style={{ minWidth: least }}>
        <div className="row head" role="row" style={{ gridTemplateColumns: template }}>
          {columns.map((column) => (
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
                {columns.map((column) => (
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
