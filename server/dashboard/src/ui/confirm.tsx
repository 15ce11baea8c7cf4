/** A question before something that cannot be taken back. */
import { useEffect, useRef, type ReactNode } from "react";

interface ConfirmProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly verb: string;
  /** Whether it can be done at all, as far as is known. */
  readonly isAllowed?: boolean;
  readonly confirm: () => void;
  readonly cancel: () => void;
}

export function Confirm({ title, children, verb, isAllowed = true, confirm, cancel }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="confirm-title" onCancel={(event) => (event.preventDefault(), event.stopPropagation(), cancel())}>
      <h2 id="confirm-title">{title}</h2>
      <div>{children}</div>
      <footer>
        <button onClick={cancel}>Cancel</button>
        <button className="danger" disabled={!isAllowed} onClick={confirm}>
          {verb}
        </button>
      </footer>
    </dialog>
  );
}
