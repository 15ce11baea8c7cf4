/** How one can sign in here, as the server tells. */
import { useEffect, useState } from "react";

export interface Ways {
  readonly googleClientId: string | null;
  readonly email: boolean;
  readonly development: boolean;
}

const NONE: Ways = { googleClientId: null, email: false, development: false };
const AGAIN_MS = 3_000;

/** The ways; null until the server has told. A server without sign-in has none. */
export function useWays(): Ways | null {
  const [ways, setWays] = useState<Ways | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const ask = async (): Promise<void> => {
      const found = await fetchWays().catch(() => null);
      if (gone) return;
      if (found) setWays(found);
      else timer = setTimeout(() => void ask(), AGAIN_MS);
    };
    void ask();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  return ways;
}

async function fetchWays(): Promise<Ways> {
  const response = await fetch("auth/config");
  if (response.status === 404) return NONE;
  if (!response.ok) throw new Error(`the ways to sign in: HTTP status ${response.status}`);
  return { ...NONE, ...((await response.json()) as Partial<Ways>) };
}
