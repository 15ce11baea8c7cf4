import type { ReactElement } from "react";
import { IconButton } from "./controls.tsx";
import { Icon } from "./icons.tsx";
import { toasts, useToasts } from "./toasts.ts";

export function ToastList(): ReactElement {
  return (
    <div className="toasts" role="region" aria-label="Notices" aria-live="polite">
      {useToasts().map(({ id, kind, text, action }) => (
        <div key={id} className={`toast ${kind}`} role={kind === "error" ? "alert" : "status"}>
          <Icon name={kind === "error" ? "alert" : "check"} />
          <p>{text}</p>
          {action && <button type="button" className="link" onClick={() => { toasts.dismiss(id); action.run(); }}>{action.label}</button>}
          <IconButton icon="close" label="Dismiss" onClick={() => toasts.dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
