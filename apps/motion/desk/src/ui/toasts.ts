/** Short notices that go by themselves. */
import { useSyncExternalStore } from "react";
import { describe } from "./errors.ts";

export interface Toast {
  readonly id: number;
  readonly kind: "info" | "error";
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

const LASTS_MS = { info: 5_000, error: 9_000 };
const MOST = 4;

class Toasts {
  #shown: readonly Toast[] = [];
  #next = 0;
  readonly #listeners = new Set<() => void>();

  get = (): readonly Toast[] => this.#shown;

  listen = (changed: () => void): (() => void) => {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  };

  say(text: string, action?: Toast["action"]): void {
    this.#add({ kind: "info", text, ...(action && { action }) });
  }

  error(problem: unknown): void {
    this.#add({ kind: "error", text: typeof problem === "string" ? problem : describe(problem) });
  }

  dismiss = (id: number): void => this.#show(this.#shown.filter((toast) => toast.id !== id));

  #add(toast: Omit<Toast, "id">): void {
    const id = this.#next++;
    const others = this.#shown.filter(({ text }) => text !== toast.text);
    this.#show([...others, { ...toast, id }].slice(-MOST));
    setTimeout(() => this.dismiss(id), LASTS_MS[toast.kind]);
  }

  #show(shown: readonly Toast[]): void {
    this.#shown = shown;
    for (const listener of this.#listeners) listener();
  }
}

export const toasts = new Toasts();

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(toasts.listen, toasts.get);
}
