/** Short messages in the corner: what was done, and what could not be. */
import { useSyncExternalStore } from "react";

interface Toast {
  readonly number: number;
  readonly text: string;
  readonly isBad: boolean;
}

const SECONDS = 5;
let toasts: readonly Toast[] = [];
let numbers = 0;
const listeners = new Set<() => void>();

function put(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function say(text: string, isBad = false): void {
  const toast = { number: ++numbers, text, isBad };
  put([...toasts.slice(-2), toast]);
  setTimeout(() => put(toasts.filter((each) => each !== toast)), SECONDS * 1000);
}

/** Do something, and say what came of it. Tells whether it was done. */
export async function act(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done) say(done);
    return true;
  } catch (error) {
    say((error as Error).message, true);
    return false;
  }
}

export function ToastList() {
  const shown = useSyncExternalStore(
    (changed) => (listeners.add(changed), () => void listeners.delete(changed)),
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <p key={toast.number} className={toast.isBad ? "toast bad" : "toast"}>
          {toast.text}
        </p>
      ))}
    </div>
  );
}
