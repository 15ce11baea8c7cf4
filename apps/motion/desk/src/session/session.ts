/** Who uses the desk: the client that speaks for them, and how it changes when somebody signs in, out, or looks as another. */
import { useSyncExternalStore } from "react";
import { indexedDbOutbox, localTokens, SynoviaClient, type Recovered } from "synovia-client";
import { describe } from "../ui/errors.ts";
import { toasts } from "../ui/toasts.ts";
import { recall, remember } from "../browser/storage.ts";

const ACCOUNT = "motion-desk:account";
const TOKENS = "motion-desk:tokens";

/** Whose tokens this browser keeps. The name keeps the queued changes of several people apart. */
interface Account {
  readonly name: string;
  /** What signs in anew after a reload: only development tokens, which are no secret. */
  readonly token?: string;
}

/** Somebody else, as whom an admin looks at the desk. */
export interface Look {
  readonly name: string;
  readonly token: string;
}

export interface Session {
  readonly client: SynoviaClient;
  readonly account: Account | null;
  readonly look: Look | null;
}

class Sessions {
  #own: Session;
  #current: Session;
  readonly #listeners = new Set<() => void>();

  constructor() {
    this.#own = this.#current = this.#open(recall<Account>(ACCOUNT));
    addEventListener("storage", ({ key }) => {
      if (key === ACCOUNT) this.#replace(this.#open(recall<Account>(ACCOUNT)));
    });
  }

  get = (): Session => this.#current;

  listen = (changed: () => void): (() => void) => {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  };

  /**
   * Sign in; rejects with an AuthenticationError when the token is not accepted.
   * @param name The e-mail address, or null if it is not known.
   */
  async signIn(name: string | null, token: string): Promise<void> {
    // by a client without an outbox: what somebody else has queued here before must not be sent as this one
    const client = new SynoviaClient(document.baseURI, { tokens: localTokens(TOKENS) });
    await client.authenticate(token).finally(() => client.close());
    const account = { name: name ?? `unnamed-${Date.now()}`, ...(token.startsWith("dev:") && { token }) };
    remember(ACCOUNT, account);
    this.#replace(this.#open(account));
  }

  async signOut(): Promise<void> {
    await this.#own.client.signOut().catch(() => undefined); // offline: the tokens are forgotten here all the same
    this.forget();
  }

  /** Go on as nobody, after the account or its session has ended. */
  forget(): void {
    remember(ACCOUNT, null);
    remember(TOKENS, null);
    this.#replace(this.#open(null));
  }

  /** Look at the desk as somebody else, until `stopLooking` or a reload. */
  lookAs(look: Look): void {
    this.stopLooking();
    this.#show({ ...this.#own, client: new SynoviaClient(document.baseURI, { token: look.token }), look });
  }

  stopLooking(): void {
    if (!this.#current.look) return;
    this.#current.client.close();
    this.#show(this.#own);
  }

  #open(account: Account | null): Session {
    const outbox = account && { name: `motion-desk:${account.name}`, storage: indexedDbOutbox(), onRecovered: told };
    const client = new SynoviaClient(document.baseURI, { token: account?.token ?? null, tokens: localTokens(TOKENS), ...(outbox && { outbox }) });
    return { client, account, look: null };
  }

  #replace(session: Session): void {
    this.stopLooking();
    this.#own.client.close();
    this.#own = session;
    this.#show(session);
  }

  #show(session: Session): void {
    this.#current = session;
    for (const listener of [...this.#listeners]) listener();
  }
}

function told({ error }: Recovered): void {
  if (error) toasts.error(`A change made before could not be saved. ${describe(error)}`);
  else toasts.say("A change made before has been saved.");
}

export const sessions = new Sessions();

export function useSession(): Session {
  return useSyncExternalStore(sessions.listen, sessions.get);
}

/** The token to send over HTTP as the one who is signed in. */
export function bearerToken(): string | null {
  const { account, look } = sessions.get();
  return look?.token ?? account?.token ?? localTokens(TOKENS).load()?.token ?? null;
}
