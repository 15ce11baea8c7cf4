/** Calling what a user gave us, without letting its mistakes into our own work. */

/** Call it; what it throws is reported as an uncaught error is, and goes nowhere else. */
export function callSafely<A extends unknown[]>(callback: ((...args: A) => unknown) | undefined, ...args: A): void {
  try {
    callback?.(...args);
  } catch (error) {
    report(error);
  }
}

/** Report an error that nobody waits for. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}

export type Unsubscribe = () => void;

/** Those who want to be told; each `add` counts by itself, even of the same function. */
export class Listeners<A extends unknown[] = []> {
  readonly #callbacks = new Set<{ readonly call: (...args: A) => unknown }>();

  add(call: (...args: A) => unknown): Unsubscribe {
    const entry = { call };
    this.#callbacks.add(entry);
    return () => void this.#callbacks.delete(entry);
  }

  /** Tell everyone who is still listening when its turn comes. */
  emit(...args: A): void {
    for (const entry of [...this.#callbacks]) if (this.#callbacks.has(entry)) callSafely(entry.call, ...args);
  }
}
