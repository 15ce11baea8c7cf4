/** What is shown: the desk, or the way in. */
import { useEffect, useLayoutEffect, useState, type ReactElement } from "react";
import { SynoviaProvider, useAuth, useQueryResult } from "synovia-client/react";
import { api } from "../api/api.ts";
import { InvitePage } from "../auth/invite-page.tsx";
import { LinkPage, takenLink } from "../auth/link-page.tsx";
import { SignInPage } from "../auth/sign-in-page.tsx";
import { WelcomePage } from "../auth/welcome-page.tsx";
import { useRoute } from "../browser/route.ts";
import { MeContext } from "../session/me.ts";
import { sessions, useSession } from "../session/session.ts";
import { Button } from "../ui/controls.tsx";
import { describe } from "../ui/errors.ts";
import { Mark } from "../ui/icons.tsx";
import { ToastList } from "../ui/toast-list.tsx";
import { toasts } from "../ui/toasts.ts";
import { Boundary } from "./boundary.tsx";
import { Shell } from "./shell.tsx";

export function App(): ReactElement {
  const { client } = useSession();
  return (
    <Boundary>
      <SynoviaProvider client={client}>
        <Gate />
      </SynoviaProvider>
      <ToastList />
    </Boundary>
  );
}

function Gate(): ReactElement {
  const { account, look } = useSession();
  const { isAuthenticated, isLoading, error } = useAuth();
  const [place, token] = useRoute();
  const [link, setLink] = useState<string | null>(null);
  useLayoutEffect(() => {
    const taken = place === "link" ? takenLink() : null;
    if (taken !== null) setLink(taken); // it is in the address once only, and stays until it is used
  }, [place]);
  const signedIn = isAuthenticated || (isLoading && (account !== null || look !== null));
  const ended = !signedIn && !isLoading && look !== null;
  useEffect(() => {
    if (!ended) return;
    sessions.stopLooking();
    toasts.error("Looking as somebody else has ended.");
  }, [ended]);
  if (link !== null) return <LinkPage token={link} onDone={() => setLink(null)} />;
  if (place === "invite" && token) return <InvitePage token={token} signedIn={signedIn} />;
  if (!signedIn) return <SignInPage ended={account !== null && error !== null} />;
  return <Signed />;
}

function Signed(): ReactElement {
  const { value: me, error, isLoading } = useQueryResult(api.users.me, {});
  if (error && me === undefined) return <Refused text={describe(error)} />;
  if (isLoading || me === undefined) return <Splash />;
  if (me === null) return <WelcomePage />;
  if (me.isArchived) return <Refused text="This account has been archived. Nothing is lost: an administrator can restore it." />;
  return (
    <MeContext value={me}>
      <Shell />
    </MeContext>
  );
}

function Splash(): ReactElement {
  return (
    <main className="splash" aria-busy="true">
      <Mark size={44} />
      <p role="status">Opening Motion Desk…</p>
    </main>
  );
}

function Refused({ text }: { text: string }): ReactElement {
  return (
    <main className="splash">
      <Mark size={44} />
      <p role="alert">{text}</p>
      <Button kind="primary" onClick={() => void sessions.signOut()}>Sign out</Button>
    </main>
  );
}
