/** What opens beside a list: one thing in full. Escape closes it. */
import { useEffect, useRef, type ReactNode } from "react";
import { Icon } from "./icons.tsx";

interface PanelProps {
  readonly title: ReactNode;
  readonly label: string;
  readonly close: () => void;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Panel({ title, label, close, actions, children }: PanelProps) {
  const panel = useRef<HTMLElement>(null);
  const closing = useRef(close);
  closing.current = close;
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus({ preventScroll: true });
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !event.defaultPrevented) closing.current();
    };
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("keydown", onKey);
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <section className="panel" ref={panel} tabIndex={-1} aria-label={label}>
      <header>
        <h2>{title}</h2>
        {actions}
        <button className="icon" onClick={close} aria-label="Close">
          <Icon name="close" />
        </button>
      </header>
      <div className="panel-body">{children}</div>
    </section>
  );
}
