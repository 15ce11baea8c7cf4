/** What the window shows: who waits, or how one signs in. */
import { useAuth, useConnectionState } from "synovia-client/react";
import { Line } from "./line.tsx";
import { SignIn } from "./sign-in.tsx";

export function App() {
  const { isAuthenticated, isLoading, signOut } = useAuth();
  const { state, trouble } = useConnectionState();
  return (
    <>
      <header>
        <h1>Reception</h1>
        {isAuthenticated && <button className="quiet" onClick={() => void signOut()}>Sign out</button>}
      </header>
      {state !== "connected" && trouble && <p className="offline" role="status">No connection. What you do is sent when it is back. <small>{trouble}</small></p>}
      <main>{isAuthenticated ? <Line /> : isLoading ? <p className="quiet">Signing in …</p> : <SignIn />}</main>
    </>
  );
}
