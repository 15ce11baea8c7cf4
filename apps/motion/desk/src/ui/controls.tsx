/** Buttons, fields and other small things. */
import { useId, type ButtonHTMLAttributes, type InputHTMLAttributes, type ReactElement, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import { initials } from "./format.ts";
import { Icon, type IconName } from "./icons.tsx";

type Kind = "primary" | "quiet" | "plain" | "danger";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly kind?: Kind;
  readonly icon?: IconName;
  readonly busy?: boolean;
}

export function Button({ kind = "quiet", icon, busy = false, children, className = "", disabled, ...rest }: ButtonProps): ReactElement {
  return (
    <button type="button" className={`button ${kind} ${className}`} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>
      {busy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  readonly label: string;
}

/** A button that shows only an icon; the label is its name and its tooltip. */
export function IconButton({ icon, label, className = "", ...rest }: IconButtonProps): ReactElement {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

interface Labelled {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly problem?: string | null | undefined;
}

function Field({ label, hint, problem, children }: Labelled & { children: (id: string, described: string | undefined) => ReactNode }): ReactElement {
  const id = useId();
  const below = problem ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, below ? `${id}-below` : undefined)}
      {below && <p id={`${id}-below`} className={problem ? "problem" : "hint"} role={problem ? "alert" : undefined}>{below}</p>}
    </div>
  );
}

export function TextField({ label, hint, problem, ...rest }: Labelled & InputHTMLAttributes<HTMLInputElement>): ReactElement {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(id, described) => <input id={id} aria-describedby={described} aria-invalid={problem ? true : undefined} {...rest} />}
    </Field>
  );
}

export function TextArea({ label, hint, problem, ...rest }: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>): ReactElement {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(id, described) => <textarea id={id} aria-describedby={described} {...rest} />}
    </Field>
  );
}

export function Select({ label, hint, children, ...rest }: Labelled & SelectHTMLAttributes<HTMLSelectElement>): ReactElement {
  return (
    <Field label={label} hint={hint}>
      {(id, described) => <select id={id} aria-describedby={described} {...rest}>{children}</select>}
    </Field>
  );
}

interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly icon?: IconName;
}

/** A few choices side by side, of which one holds. */
export function Segmented<T extends string>({ label, value, choices, onChoose }: {
  label: string; value: T; choices: readonly Choice<T>[]; onChoose: (value: T) => void;
}): ReactElement {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button key={choice.value} type="button" aria-pressed={choice.value === value} onClick={() => onChoose(choice.value)}>
          {choice.icon && <Icon name={choice.icon} size={16} />}
          {choice.label}
        </button>
      ))}
    </div>
  );
}

const TINTS = 6;

/** A person's initials on a colour of their own. */
export function Avatar({ name, size = 32 }: { name: string; size?: number }): ReactElement {
  const tint = [...name].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % TINTS;
  return (
    <span className={`avatar tint-${tint}`} style={{ width: size, height: size, fontSize: size * 0.38 }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

export function Badge({ tone = "neutral", children }: { tone?: "neutral" | "good" | "warn" | "bad" | "accent"; children: ReactNode }): ReactElement {
  return <span className={`badge ${tone}`}>{children}</span>;
}

/** What is shown where nothing is. */
export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }): ReactElement {
  return (
    <div className="empty">
      <span className="empty-icon"><Icon name={icon} size={26} /></span>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** Grey bars where a list is on its way. */
export function Skeleton({ rows = 6 }: { rows?: number }): ReactElement {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => <div key={row} className="skeleton-row" />)}
    </div>
  );
}
