/** Who uses a page: signing in and out, and what all pages show around themselves. */
import { createContext, StrictMode, useContext, useEffect, useState, type FormEvent, type ReactElement, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { localTokens, SynoviaClient } from "synovia-client";
import { SynoviaProvider, useAuth, useConnectionState } from "synovia-client/react";
import { Boundary, Field, Problem, useAct } from "./ui.tsx";
import "./style.css";

export interface Page {
  /** Names what the browser keeps for it. */
  readonly name: string;
  readonly title: string;
  readonly words: string;
  /** What is filled in where one signs in for development. */
  readonly development: { readonly email: string; readonly tenant: string };
  /** The claim of a token that names the tenant; without one, the application knows who belongs where. */
  readonly claim?: string;
}

/** Show a page to whoever has signed in. */
export function open(page: Page, children: ReactNode): void {
  // a development token is no secret and signs in anew after a reload; of others the hub's own tokens are kept
  const client = new SynoviaClient(document.baseURI, { token: localStorage.getItem(page.name), tokens: localTokens(`${page.name}:tokens`) });
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <SynoviaProvider client={client}>
        <Door page={page}>{children}</Door>
      </SynoviaProvider>
    </StrictMode>,
  );
}

function Door({ page, children }: { page: Page; children: ReactNode }): ReactElement {
  const auth = useAuth();
  const { isConnected, state } = useConnectionState();
  const signOut = (): void => {
    localStorage.removeItem(page.name);
    void auth.signOut().catch(() => undefined).finally(() => location.reload());
  };
  return (
    <>
      {!isConnected && state !== "connecting" && <p className="banner" role="status">The connection is away. Changes are sent when it is back.</p>}
      {auth.isLoading ? <p className="quiet centre" role="status">Loading …</p>
        : auth.isAuthenticated ? <Boundary onLeave={signOut}><SignOut.Provider value={signOut}>{children}</SignOut.Provider></Boundary>
        : <SignIn page={page} />}
    </>
  );
}

interface Ways {
  readonly development?: boolean;
}

function SignIn({ page }: { page: Page }): ReactElement {
  const auth = useAuth();
  const [ways, setWays] = useState<Ways | null>(null);
  const [email, setEmail] = useState(page.development.email);
  const [tenant, setTenant] = useState(page.development.tenant);
  const [token, setToken] = useState("");
  const { act, busy, problem } = useAct();
  useEffect(() => void fetch("auth/config").then(async (answer) => setWays(answer.ok ? ((await answer.json()) as Ways) : {}), () => setWays({})), []);
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const given = ways?.development ? `dev:${email.trim()}${page.claim ? `?${page.claim}=${encodeURIComponent(tenant.trim())}` : ""}` : token.trim();
    void act(async () => {
      await auth.signIn(given);
      if (ways?.development) localStorage.setItem(page.name, given);
    });
  };
  return (
    <main className="door">
      <form className="card" onSubmit={send}>
        <h1><img src="mark.svg" alt="" width="36" height="36" />{page.title}</h1>
        <p className="quiet">{page.words}</p>
        {ways?.development && (
          <>
            <Field label="E-mail address"><input type="email" required value={email} onChange={(event) => setEmail(event.target.value)} /></Field>
            {page.claim && <Field label="Organization"><input required value={tenant} onChange={(event) => setTenant(event.target.value)} /></Field>}
          </>
        )}
        {ways && !ways.development && (
          <Field label="Token of your identity provider"><input required autoComplete="off" value={token} onChange={(event) => setToken(event.target.value)} /></Field>
        )}
        <Problem error={problem} />
        <button className="primary" disabled={!ways || busy}>Sign in</button>
      </form>
    </main>
  );
}

const SignOut = createContext<() => void>(() => undefined);

/** The line on top: what this is, whose it is, and who looks at it. */
export function TopBar({ title, tenant, user, role, children }: { title: string; tenant: string; user: string; role: string; children?: ReactNode }): ReactElement {
  const signOut = useContext(SignOut);
  return (
    <header className="top">
      <h1><img src="mark.svg" alt="" width="26" height="26" />{title}</h1>
      <span className="tenant">{tenant}</span>
      {children}
      <span className="person"><strong>{user}</strong><small>{role}</small></span>
      <button className="plain" onClick={signOut}>Sign out</button>
    </header>
  );
}
