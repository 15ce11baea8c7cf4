/** Where the link in a sign-in mail leads. */
import { useEffect, useState, type ReactElement } from "react";
import { goInstead, routeOf } from "../browser/route.ts";
import { sessions, useSession } from "../session/session.ts";
import { Button } from "../ui/controls.tsx";
import { codeOf } from "../ui/errors.ts";
import { toasts } from "../ui/toasts.ts";
import { hasAskedLately } from "./email-code.ts";
import { Welcome } from "./welcome.tsx";

const LINK = "email-link:";

/** The token of the link that is open, taken out of the address: `null` if there is none. */
export function takenLink(): string | null {
  const [place, token] = routeOf(location.hash);
  if (place !== "link" || !token) return null;
  goInstead();
  // no other kind of token: an address must not sign anybody in as whoever has written it
  return token.startsWith(LINK) ? token : null;
}

/**
 * Sign in by a link: at once where this browser has asked for the mail and nobody is signed in. Otherwise somebody else may have asked
 * for it in their own name and passed the link on, so that what one writes from then on is theirs: one is asked.
 */
export function LinkPage({ token, onDone }: { token: string; onDone: () => void }): ReactElement | null {
  const { account } = useSession();
  const [busy, setBusy] = useState(false);
  const [isOwn] = useState(() => account === null && hasAskedLately());
  const signIn = async (): Promise<void> => {
    setBusy(true);
    try {
      await sessions.signIn(null, token);
    } catch (error) {
      toasts.error(codeOf(error) === "invalid_token" ? "This link has been used already, or is too old." : error);
    }
    onDone();
  };
  useEffect(() => {
    if (isOwn) void signIn();
  }, []);
  if (isOwn) return null;
  return (
    <Welcome>
      <h1>Sign in by this link?</h1>
      <p className="lead">Go on only if you have asked for the mail yourself. If somebody has sent you this link, you would work in their account, and they would see what you save.</p>
      {account !== null && <p>Who is signed in here is signed out by it.</p>}
      <div className="form">
        <Button kind="primary" busy={busy} onClick={() => void signIn()}>Sign in</Button>
        <Button kind="plain" onClick={onDone}>Do not sign in</Button>
      </div>
    </Welcome>
  );
}
