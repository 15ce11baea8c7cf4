/** The page: signing in, and then the shell with the connection. */
import { useEffect, useState } from "react";
import { SynoviaClient } from "synovia-client";
import { SynoviaProvider } from "synovia-client/react";
import { SignInPage } from "../session/sign-in-page.tsx";
import { endSession, forgetSession, openSession, recallSession, SessionRefused, type Session } from "../session/session.ts";
import { Shell } from "./shell.tsx";

interface Signed {
  readonly session: Session;
  readonly client: SynoviaClient;
}

/** The hub beside which this page is: all below `/_synovia/` is the dashboard's. */
function hubUrl(): string {
  return new URL("../sync", document.baseURI).href.replace(/^http/, "ws");
}

function connect(session: Session): Signed {
  return { session, client: new SynoviaClient(hubUrl(), { token: session.token }) };
}

export function App() {
  const [signed, setSigned] = useState<Signed | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isReady, setReady] = useState(false);

  // On a hub that is developed on, nothing has to be typed.
  useEffect(() => {
    let isOver = false;
    const known = recallSession();
    (known ? Promise.resolve(known) : openSession(null))
      .then((session) => void (isOver || setSigned(connect(session))))
      .catch((error: unknown) => {
        if (!(error instanceof SessionRefused && error.code === "unauthenticated")) setTrouble((error as Error).message);
      })
      .finally(() => void (isOver || setReady(true)));
    return () => void (isOver = true);
  }, []);

  useEffect(() => {
    if (!signed) return;
    const { session, client } = signed;
    const end = (why: string): void => {
      forgetSession();
      client.close();
      setTrouble(why);
      setSigned(null);
    };
    const timer = setTimeout(() => end("The session is over: they last an hour."), Math.max(0, session.expiresAt - Date.now()));
    const forget = client.onAuthChange(() => {
      if (client.auth.error) end(`The session has ended: ${client.auth.error.message}`);
    });
    return () => {
      clearTimeout(timer);
      forget();
    };
  }, [signed]);

  if (!isReady) return <div className="blank" role="status" aria-label="Connecting" />;
  if (!signed) return <SignInPage trouble={trouble} open={async (key) => setSigned(connect(await openSession(key)))} />;
  const leave = (): void => {
    signed.client.close();
    setTrouble(null);
    setSigned(null);
    void endSession(signed.session);
  };
  return (
    <SynoviaProvider client={signed.client}>
      <Shell session={signed.session} leave={leave} />
    </SynoviaProvider>
  );
}
