import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { Authenticated, AuthLoading, Unauthenticated, useConvexAuth, useConvexConnectionState, useMutation, useQuery } from "convex/react";
import { api } from "../convex/_generated/api";
import type { Doc, Id } from "../convex/_generated/dataModel";
import { Channels } from "./Channels";
import { Messages } from "./Messages";
import { usePerson } from "./sign-in";

export function App(): ReactNode {
  const me = useStoredUser();
  const channels = useQuery(api.queries.channels.list, {});
  const [chosen, choose] = useState<Id<"channels"> | null>(null);
  const channel = channels?.find((each) => each._id === chosen) ?? channels?.[0];
  return (
    <div className="app">
      <Header me={me} />
      <Offline />
      <Channels channels={channels} chosen={channel?._id} choose={choose} mayCreate={Boolean(me)} />
      <main>
        {channel ? (
          <Messages key={channel._id} channel={channel} me={me ?? null} />
        ) : (
          <p className="empty">{channels ? "There is no channel yet. Sign in to begin." : "Loading…"}</p>
        )}
      </main>
    </div>
  );
}

/** Let the backend know who has signed in, and give what it knows of them. */
function useStoredUser(): Doc<"users"> | null | undefined {
  const { isAuthenticated } = useConvexAuth();
  const { name } = usePerson();
  const store = useMutation(api.mutations.users.store);
  const me = useQuery(api.queries.users.me, isAuthenticated ? {} : "skip");
  useEffect(() => {
    if (isAuthenticated) void store();
  }, [isAuthenticated, name, store]);
  return isAuthenticated ? me : null;
}

function Header({ me }: { me: Doc<"users"> | null | undefined }): ReactNode {
  const { signOut } = usePerson();
  return (
    <header>
      <strong className="brand">Chat</strong>
      <AuthLoading>
        <span className="quiet">Signing in…</span>
      </AuthLoading>
      <Unauthenticated>
        <SignInForm />
      </Unauthenticated>
      <Authenticated>
        <span className="me">{me?.name ?? "…"}</span>
        <button className="plain" onClick={signOut}>
          Sign out
        </button>
      </Authenticated>
    </header>
  );
}

function SignInForm(): ReactNode {
  const { signIn } = usePerson();
  const [name, setName] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim()) signIn(name.trim());
  };
  return (
    <form className="sign-in" onSubmit={submit}>
      <input aria-label="Your name" placeholder="Your name" value={name} onChange={(event) => setName(event.target.value)} />
      <button>Sign in</button>
    </form>
  );
}

function Offline(): ReactNode {
  const { isWebSocketConnected, hasEverConnected } = useConvexConnectionState();
  if (isWebSocketConnected || !hasEverConnected) return null;
  return (
    <p className="offline" role="status">
      You are offline. What you write is sent when the connection is back.
    </p>
  );
}
