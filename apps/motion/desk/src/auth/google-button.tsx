/** Google's own button, from Google's own script. */
import { useEffect, useRef, useState, type ReactElement } from "react";
import { toasts } from "../ui/toasts.ts";
import { sessions } from "../session/session.ts";
import { useIsDark } from "../browser/theme.ts";
import { emailOf } from "./id-token.ts";

interface GoogleIdentity {
  initialize(options: { client_id: string; callback: (answer: { credential: string }) => void; use_fedcm_for_prompt: boolean }): void;
  renderButton(parent: HTMLElement, options: Record<string, string | number>): void;
}

declare global {
  interface Window {
    google?: { accounts: { id: GoogleIdentity } };
  }
}

const SCRIPT = "https://accounts.google.com/gsi/client";

function loadScript(): Promise<GoogleIdentity> {
  return new Promise((resolve, reject) => {
    if (window.google) return resolve(window.google.accounts.id);
    const script = document.createElement("script");
    script.src = SCRIPT;
    script.async = true;
    script.onload = () => resolve(window.google!.accounts.id);
    script.onerror = () => reject(new Error("Google cannot be reached at the moment"));
    document.head.append(script);
  });
}

async function signIn(credential: string): Promise<void> {
  await sessions.signIn(emailOf(credential), credential).catch((error: unknown) => toasts.error(error));
}

export function GoogleButton({ clientId }: { clientId: string }): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const dark = useIsDark();
  useEffect(() => {
    loadScript().then(
      (google) => {
        if (!place.current) return;
        google.initialize({ client_id: clientId, callback: ({ credential }) => void signIn(credential), use_fedcm_for_prompt: true });
        place.current.replaceChildren();
        google.renderButton(place.current, { theme: dark ? "filled_black" : "outline", size: "large", text: "continue_with", width: 336 });
      },
      (error: Error) => setProblem(error.message),
    );
  }, [clientId, dark]);
  return problem ? <p className="hint" role="status">{problem}.</p> : <div className="google" ref={place} />;
}
