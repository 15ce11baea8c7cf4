/** A limit for everything that is waited for: time without progress, or the caller's own signal. */
import { Deadline, type Clock } from "./clock.js";
import { RequestTimeout } from "./errors.js";

/** Options of every call. */
export interface CallOptions {
  /** Milliseconds without an answer (or progress of an array) after which to give up; null: no limit. */
  readonly timeout?: number | null;
  /** Gives up when it is aborted, with its reason. */
  readonly signal?: AbortSignal;
}

/** The limit of one call. */
export interface Limit {
  /** There was progress: the time starts over. */
  extend(): void;
  /** Throw if the caller has given up. */
  check(): void;
  /** Call a function when the caller gives up. */
  onGivenUp(run: () => void): void;
}

/**
 * Run something, until it is done or its caller gives up.
 * @param expired Makes the text of the RequestTimeout.
 */
export async function limited<T>(
  clock: Clock,
  timeout: number | null,
  signal: AbortSignal | undefined,
  expired: () => string,
  run: (limit: Limit) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  let reason: { error: unknown } | null = null;
  let tell = (): void => undefined;
  let giveUp = (_: unknown): void => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = (error) => {
      reason ??= { error };
      reject(error as Error);
      tell();
    };
  });
  const aborted = (): void => giveUp(signal!.reason);
  const deadline = new Deadline(clock, timeout, () => giveUp(new RequestTimeout(expired())));
  signal?.addEventListener("abort", aborted);
  const check = (): void => {
    if (reason) throw reason.error;
  };
  const onGivenUp = (run: () => void): void => void (tell = run);
  try {
    return await Promise.race([run({ extend: () => deadline.extend(), check, onGivenUp }), givenUp]);
  } finally {
    deadline.stop();
    signal?.removeEventListener("abort", aborted);
  }
}
