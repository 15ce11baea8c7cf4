/** How long the client waits for what. */

/** Limits for everything that is waited for, in milliseconds. */
export interface Timeouts {
  /** To open the socket, TLS and the WebSocket handshake included. */
  readonly connect: number;
  /** For the server's first message. */
  readonly welcome: number;
  /** For the token callable. */
  readonly token: number;
  /**
   * For the answer to a query, mutation or action, from the call on, offline time included; while arrays are transferred,
   * from one frame to the next. null: no limit. Each call can set its own.
   */
  readonly request: number | null;
  /** Between two pings; made shorter when the server's idle timeout demands it. */
  readonly pingInterval: number;
  /** For a sign of life after a ping. */
  readonly pong: number;
  /** For a mutation's answer after a transition that may already show it, while its optimistic update is shown. */
  readonly settle: number;
  /** For the results from before a break to be confirmed, while they go on being shown as they were. */
  readonly resume: number;
}

export const TIMEOUTS: Timeouts = {
  connect: 10_000,
  welcome: 10_000,
  token: 10_000,
  request: 60_000,
  pingInterval: 10_000,
  pong: 10_000,
  settle: 100,
  resume: 5_000,
};

/** Fill in what is not given. RangeError for what is not positive. */
export function timeoutsOf(given: Partial<Timeouts>): Timeouts {
  for (const [name, value] of Object.entries(given)) {
    if (value !== null && !(value > 0)) throw new RangeError(`the timeout ${name} must be positive, not ${value}`);
  }
  return { ...TIMEOUTS, ...given };
}
