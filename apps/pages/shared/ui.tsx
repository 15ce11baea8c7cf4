/** Small things that pages are made of. */
import { cloneElement, Component, useEffect, useId, useRef, useState, type ReactElement, type ReactNode } from "react";

/** A field under its label. */
export function Field({ label, children, hint }: { label: string; children: ReactElement<{ id?: string }>; hint?: string }): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {cloneElement(children, { id })}
      {hint && <small>{hint}</small>}
    </div>
  );
}

/** A few choices side by side, of which one holds. */
export function Choices<T extends string>({ label, value, choices, onChoose }: {
  label: string; value: T; choices: Readonly<Record<T, string>>; onChoose: (value: T) => void;
}): ReactElement {
  return (
    <div className="choices" role="group" aria-label={label}>
      {(Object.entries(choices) as [T, string][]).map(([choice, text]) => (
        <button key={choice} type="button" aria-pressed={choice === value} onClick={() => onChoose(choice)}>{text}</button>
      ))}
    </div>
  );
}

/** A window above the page: the browser's own keeps the focus inside and closes on Esc. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} onPointerDown={(event) => event.target === dialog.current && dialog.current.close()}>
      <div className="inside">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" className="plain" aria-label="Close" onClick={() => dialog.current?.close()}>✕</button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** What went wrong, where it did. */
export function Problem({ error }: { error: unknown }): ReactElement | null {
  return error ? <p className="problem" role="alert">{describe(error)}</p> : null;
}

/** Say what an error means. */
export function describe(error: unknown): string {
  const { code, message, data } = error as { code?: string; message?: string; data?: unknown };
  const faults = code === "invalid_arguments" && Array.isArray(data) ? (data as { at: string; message: string }[]) : [];
  const text = faults.map((fault) => `${fault.at}: ${fault.message}`).join("; ") || message || "Something went wrong";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Do something that may fail: whether it is under way, and what went wrong the last time. */
export function useAct(): { act: (work: () => Promise<unknown>) => Promise<boolean>; busy: boolean; problem: unknown } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const act = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { act, busy, problem };
}

/** Where a query fails, what it says stands in the place of the page. */
export class Boundary extends Component<{ children: ReactNode; onLeave: () => void }, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <main className="door">
        <div className="card">
          <h1>This cannot be shown</h1>
          <Problem error={this.state.error} />
          <button className="primary" onClick={() => this.setState({ error: null })}>Try again</button>
          <button className="plain" onClick={this.props.onLeave}>Sign in as somebody else</button>
        </div>
      </main>
    );
  }
}
