/** The connection and who is signed in, in components. */
import { useMemo } from "react";
import type { AuthState, Token } from "../credentials.js";
import type { ConnectionState } from "../state.js";
import { useSynovia } from "./context.js";
import { useStore } from "./use-query.js";

/** The state of the connection. */
export interface ConnectionInfo {
  readonly state: ConnectionState;
  readonly isConnected: boolean;
  /** Why there is no connection, for people; null while there is one. */
  readonly trouble: string | null;
}

/** Watch the connection. */
export function useConnectionState(): ConnectionInfo {
  const client = useSynovia();
  const store = useMemo(() => {
    let known: ConnectionInfo | undefined;
    return {
      listen: (changed: () => void) => client.onStateChange(changed),
      get: (): ConnectionInfo => {
        const { state, trouble } = client;
        if (known?.state !== state || known.trouble !== trouble) known = { state, trouble, isConnected: state === "connected" };
        return known;
      },
    };
  }, [client]);
  return useStore(store);
}

/** Who is signed in, and ways to change that. */
export interface Auth extends AuthState {
  /** Sign in; rejects with an AuthenticationError when the token is not accepted. */
  readonly signIn: (token: Token) => Promise<void>;
  /** Sign out, here and on the server. */
  readonly signOut: () => Promise<void>;
}

/** Watch who is signed in. */
export function useAuth(): Auth {
  const client = useSynovia();
  const store = useMemo(() => ({ listen: (changed: () => void) => client.onAuthChange(changed), get: () => client.auth }), [client]);
  const state = useStore(store);
  return useMemo(
    () => ({ ...state, signIn: (token) => client.authenticate(token), signOut: () => client.signOut() }),
    [client, state],
  );
}
