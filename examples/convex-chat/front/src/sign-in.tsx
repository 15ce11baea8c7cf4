/** Signing in at the issuer; what `useAuth` of ConvexProviderWithAuth asks for. */
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";

const KEY = "chat.name";

interface SignIn {
  name: string | null;
  signIn(name: string): void;
  signOut(): void;
}

const Context = createContext<SignIn | null>(null);

export function SignInProvider({ children }: { children: ReactNode }): ReactNode {
  const [name, setName] = useState(() => localStorage.getItem(KEY));
  const value = useMemo<SignIn>(
    () => ({
      name,
      signIn(chosen) {
        localStorage.setItem(KEY, chosen);
        setName(chosen);
      },
      signOut() {
        localStorage.removeItem(KEY);
        setName(null);
      },
    }),
    [name],
  );
  return <Context value={value}>{children}</Context>;
}

export function usePerson(): SignIn {
  const found = useContext(Context);
  if (!found) throw new Error("there is no SignInProvider");
  return found;
}

export function useSignIn(): {
  isLoading: boolean;
  isAuthenticated: boolean;
  fetchAccessToken: (options: { forceRefreshToken: boolean }) => Promise<string | null>;
} {
  const { name } = usePerson();
  const fetchAccessToken = useCallback(
    async ({ forceRefreshToken }: { forceRefreshToken: boolean }): Promise<string | null> => (name ? tokenOf(name, forceRefreshToken) : null),
    [name],
  );
  return useMemo(() => ({ isLoading: false, isAuthenticated: name !== null, fetchAccessToken }), [name, fetchAccessToken]);
}

const tokens = new Map<string, string>();

async function tokenOf(name: string, fresh: boolean): Promise<string> {
  const known = tokens.get(name);
  if (known && !fresh) return known;
  const response = await fetch(`/issuer/token?name=${encodeURIComponent(name)}`);
  const { token } = (await response.json()) as { token: string };
  tokens.set(name, token);
  return token;
}
