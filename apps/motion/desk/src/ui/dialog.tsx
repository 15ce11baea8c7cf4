/** Windows above the window: the browser's own dialog keeps the focus inside and closes on Esc. The first field has the focus. */
import { useEffect, useId, useRef, useState, type FormEvent, type ReactElement, type ReactNode } from "react";
import { Button, IconButton, TextArea, TextField } from "./controls.tsx";
import { describe } from "./errors.ts";

export function Dialog({ title, onClose, children, wide = false }: {
  title: string; onClose: () => void; children: ReactNode; wide?: boolean;
}): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const [opener] = useState(() => document.activeElement as HTMLElement | null);
  const id = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
    return () => opener?.focus(); // the browser gives the focus back only when it closes the dialog itself
  }, [opener]);
  return (
    <dialog
      ref={dialog}
      className={wide ? "dialog wide" : "dialog"}
      aria-labelledby={id}
      onClose={onClose}
      onPointerDown={(event) => event.target === dialog.current && dialog.current.close()}
    >
      <div className="dialog-inside">
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={() => dialog.current?.close()} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** A dialog whose form does one thing: it closes when that has worked, and says what went wrong when not. */
export function FormDialog({ title, submit, danger = false, onSubmit, onClose, children }: {
  title: string; submit: string; danger?: boolean; onSubmit: () => Promise<unknown>; onClose: () => void; children: ReactNode;
}): ReactElement {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await onSubmit();
      onClose();
    } catch (error) {
      setProblem(describe(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="form" onSubmit={(event) => void send(event)}>
        {children}
        {problem && <p className="problem" role="alert">{problem}</p>}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={danger ? "danger" : "primary"} busy={busy}>{submit}</Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Ask for a reason, then do something that can be undone or has to be explained. */
export function ReasonDialog({ title, text, submit, danger = false, required = false, onReason, onClose }: {
  title: string; text: ReactNode; submit: string; danger?: boolean; required?: boolean; onReason: (reason: string) => Promise<unknown>; onClose: () => void;
}): ReactElement {
  const [reason, setReason] = useState("");
  return (
    <FormDialog title={title} submit={submit} danger={danger} onSubmit={() => onReason(reason.trim())} onClose={onClose}>
      <p>{text}</p>
      <TextArea label={required ? "Reason" : "Reason (optional)"} rows={3} maxLength={2000} required={required} value={reason} onChange={(event) => setReason(event.target.value)} />
    </FormDialog>
  );
}

/** Do what cannot be undone, once its words have been typed. */
export function ConfirmDialog({ title, text, submit, words, onConfirmed, onClose }: {
  title: string; text: ReactNode; submit: string; words: string; onConfirmed: () => Promise<unknown>; onClose: () => void;
}): ReactElement {
  const [typed, setTyped] = useState("");
  const send = async (): Promise<void> => {
    if (typed.trim().toLowerCase() !== words.toLowerCase()) throw new Error(`this is not ${words}`);
    await onConfirmed();
  };
  return (
    <FormDialog title={title} submit={submit} danger onSubmit={send} onClose={onClose}>
      <p>{text}</p>
      <TextField label={`Type ${words} to confirm`} required autoComplete="off" autoCapitalize="none" value={typed} onChange={(event) => setTyped(event.target.value)} />
    </FormDialog>
  );
}
