/** Single HTTP requests whose answers are JSON. */
import type { SignInCode } from "./errors.js";
import { SignInError } from "./errors.js";

/** What makes requests: the platform's `fetch`, or one that is not bound to a page's origin. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** An answer: its status, and the JSON object in it; an empty one if there is none. */
export interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

/** Makes requests for one attempt to sign in. */
export class Http {
  /** @param timeout Milliseconds for one answer. */
  constructor(
    readonly fetch: Fetch,
    readonly signal: AbortSignal,
    readonly timeout = 10_000,
  ) {}

  /** Get a document. SignInError with `code`: whom `name` calls cannot be reached, or is in trouble. */
  get(url: string, name: string, code: SignInCode): Promise<Answer> {
    return this.#ask(url, {}, name, code);
  }

  /** Post a form. SignInError with `code`: whom `name` calls cannot be reached, or is in trouble. */
  post(url: string, fields: Record<string, string>, name: string, code: SignInCode): Promise<Answer> {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    return this.#ask(url, { method: "POST", headers, body: new URLSearchParams(fields).toString() }, name, code);
  }

  async #ask(url: string, init: RequestInit, name: string, code: SignInCode): Promise<Answer> {
    const answer = await this.#fetched(url, init).catch((cause: unknown) => {
      this.signal.throwIfAborted();
      throw new SignInError(code, `${name} cannot be reached`, { cause });
    });
    if (answer.status >= 500 || answer.status === 429) throw new SignInError(code, `${name} answered with status ${answer.status}`);
    return answer;
  }

  async #fetched(url: string, init: RequestInit): Promise<Answer> {
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(this.timeout)]);
    // no redirect is followed: a code belongs to the endpoint that the issuer has named
    const response = await this.fetch(url, { ...init, signal, redirect: "manual", cache: "no-store", credentials: "omit" });
    return { status: response.status, json: objectIn(await response.text()) };
  }
}

/** Give the JSON object in a text; an empty one if there is none. */
export function objectIn(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
