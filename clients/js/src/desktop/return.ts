/** Where the browser comes back (RFC 8252, section 7.3): what it brought, and what it is shown. */
import { SignInError } from "./errors.js";
import { plain } from "./issuer.js";

/** What the browser is shown. */
export interface ReturnPage {
  readonly status: number;
  /** A whole document, without scripts. */
  readonly html: string;
}

/** Takes the whole address of a request at the port, and gives what to answer; a listener that cannot wait need not. */
export type Arrived = (url: string) => Promise<ReturnPage>;

/** A port of this machine on which one listens. */
export interface Listener {
  /** Where the browser is sent back to, as `http://127.0.0.1:PORT/`. */
  readonly address: string;
  /** Close the port, when the answers that are due have gone out. */
  close(): void | Promise<void>;
}

/** Listens at a free port of 127.0.0.1, of nobody but this machine. */
export type Listen = (arrived: Arrived) => Promise<Listener>;

/** What the browser shows at the end, in the program's words; an error's own text comes after `failed`. */
export interface ReturnTexts {
  readonly title: string;
  readonly text: string;
  readonly failed: string;
}

const TEXTS: ReturnTexts = {
  title: "You are signed in",
  text: "You can close this page and go back to the program.",
  failed: "You are not signed in",
};
const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}";

/** Waits for one answer of one issuer to one attempt; everything else that comes to the port changes nothing. */
export class ReturnPoint {
  /** The code that the browser came back with; a SignInError if it came back with none. */
  readonly code: Promise<string>;
  address: string | null = null;
  readonly #texts: ReturnTexts;
  readonly #outcome: Promise<SignInError | null>;
  #settle!: (outcome: SignInError | null) => void;
  #bring!: (code: string | Promise<never>) => void;
  #used = false;

  constructor(
    readonly state: string,
    readonly issuer: string,
    texts: Partial<ReturnTexts> = {},
  ) {
    this.#texts = { ...TEXTS, ...texts };
    this.code = new Promise((resolve) => (this.#bring = resolve));
    this.code.catch(() => undefined); // also if nobody waits any more
    this.#outcome = new Promise((resolve) => (this.#settle = resolve));
  }

  /** Tell the browser what came of it: an error, or null for none. */
  settle(outcome: SignInError | null): void {
    this.#settle(outcome);
  }

  readonly arrived: Arrived = async (url) => {
    const asked = URL.canParse(url) ? new URL(url) : null;
    if (!asked || `${asked.origin}${asked.pathname}` !== this.address) return this.#refusal(404, "There is no such page.");
    if (!asked.search) return this.#refusal(400, "This is where a browser comes back from signing in.");
    if (this.#used) return this.#refusal(409, "This address was used already.");
    this.#used = true;
    const read = async (): Promise<string> => this.#read(asked.searchParams);
    this.#bring(read() as Promise<never>);
    const outcome = await this.#outcome;
    return outcome ? this.#refusal(400, outcome.message) : page(200, this.#texts.title, this.#texts.text);
  };

  #refusal(status: number, text: string): ReturnPage {
    return page(status, this.#texts.failed, text);
  }

  #read(fields: URLSearchParams): string {
    const names = [...fields.keys()];
    if (new Set(names).size < names.length) throw new SignInError("issuer_error", "the browser came back with a field twice");
    if (fields.get("state") !== this.state) {
      throw new SignInError("state_mismatch", "the browser came back from another sign-in than this one");
    }
    if ((fields.get("iss") ?? this.issuer) !== this.issuer) {
      throw new SignInError("issuer_mismatch", "the browser came back from another issuer");
    }
    const error = fields.get("error");
    if (error !== null) {
      const said = plain(fields.get("error_description") || error);
      throw new SignInError(error === "access_denied" ? "denied" : "issuer_error", `the issuer says: ${said}`);
    }
    const code = fields.get("code");
    if (!code) throw new SignInError("issuer_error", "the browser came back without a code");
    return code;
  }
}

/** Make a page. */
export function page(status: number, title: string, text: string): ReturnPage {
  const [heading, body] = [escaped(title), escaped(text)];
  const html =
    `<!doctype html><html><head><meta charset="utf-8"><title>${heading}</title><style>${STYLE}</style></head>` +
    `<body><h1>${heading}</h1><p>${body}</p></body></html>`;
  return { status, html };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
