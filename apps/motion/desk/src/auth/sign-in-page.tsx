import { useEffect, type ReactElement, type ReactNode } from "react";
import { Skeleton } from "../ui/controls.tsx";
import { GoogleButton } from "./google-button.tsx";
import { CodeForm, DevelopmentForm } from "./sign-in-forms.tsx";
import { Welcome } from "./welcome.tsx";
import { useWays } from "./ways.ts";

export function SignInPage({ ended }: { ended: boolean }): ReactElement {
  useEffect(() => {
    document.title = "Sign in · Motion Desk";
  }, []);
  return (
    <Welcome>
      <h1>Sign in</h1>
      <p className="lead">{ended ? "Your session has ended. Sign in again to go on." : "Recordings, live from the measuring room to the patient."}</p>
      <SignInWays />
    </Welcome>
  );
}

/** Every way to sign in that the server offers. */
export function SignInWays(): ReactElement {
  const ways = useWays();
  if (!ways) return <Skeleton rows={2} />;
  const shown: ReactNode[] = [];
  if (ways.googleClientId) shown.push(<GoogleButton key="google" clientId={ways.googleClientId} />);
  if (ways.email) shown.push(<CodeForm key="email" />);
  if (ways.development) shown.push(<DevelopmentForm key="development" />);
  if (!shown.length) return <p role="alert" className="problem">No way to sign in is set up on this server. Its operator finds them in docs/security.md.</p>;
  return <div className="ways">{shown}</div>;
}
