/** What one has to know all the time: no connection, or looking as somebody else. */
import { useEffect, useState, type ReactElement } from "react";
import { useConnectionState, useSynovia } from "synovia-client/react";
import { sessions, useSession } from "../session/session.ts";
import { count } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";

/** A break that is over before anybody could read of it is not worth a banner. */
const PATIENCE_MS = 1_200;
const LOOK_MS = 500;

export function Banners(): ReactElement {
  return (
    <div className="banners" aria-live="polite">
      <LookBanner />
      <OfflineBanner />
    </div>
  );
}

function LookBanner(): ReactElement | null {
  const { look } = useSession();
  if (!look) return null;
  return (
    <div className="banner look" role="status">
      <Icon name="eye" />
      <p>You are looking at the desk as <strong>{look.name}</strong>. Nothing can be changed, and this is in the audit log.</p>
      <button type="button" onClick={() => sessions.stopLooking()}>Stop looking</button>
    </div>
  );
}

function OfflineBanner(): ReactElement | null {
  const { isConnected, state } = useConnectionState();
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (isConnected) return;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isConnected]);
  if (isConnected || !late) return null;
  if (state === "failed") {
    return (
      <div className="banner offline" role="alert">
        <Icon name="alert" />
        <p>The server refuses this page. Reload it to get the newest one.</p>
        <button type="button" onClick={() => location.reload()}>Reload</button>
      </div>
    );
  }
  return (
    <div className="banner offline" role="status">
      <Icon name="wifiOff" />
      <p><strong>You are offline.</strong> You see what was there before. <Queued /></p>
    </div>
  );
}

function Queued(): ReactElement {
  const client = useSynovia();
  const [queued, setQueued] = useState(client.unanswered);
  useEffect(() => {
    const timer = setInterval(() => setQueued(client.unanswered), LOOK_MS);
    return () => clearInterval(timer);
  }, [client]);
  return <>{queued ? `${count(queued, "change")} will be saved when the connection is back.` : "Changes are kept, and saved when the connection is back."}</>;
}
