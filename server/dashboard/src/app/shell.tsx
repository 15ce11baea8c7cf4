/** What is around every page: where one can go, who one is, and whether the hub is there. */
import { lazy, Suspense, useEffect, type ComponentType } from "react";
import { useConnectionState } from "synovia-client/react";
import { SessionContext } from "../session/use-session.ts";
import { mayChange, type Session } from "../session/session.ts";
import { Boundary } from "../ui/boundary.tsx";
import { Icon, type IconName } from "../ui/icons.tsx";
import { NotFound } from "../ui/not-found.tsx";
import { ToastList } from "../ui/toasts.tsx";
import { go, linkTo, useRoute } from "../browser/route.ts";
import { chooseTheme, useTheme, type Theme } from "../browser/theme.ts";

interface Place {
  readonly path: string;
  readonly name: string;
  /** For narrow windows. */
  readonly short?: string;
  readonly icon: IconName;
  readonly key: string;
  readonly Page: ComponentType;
}

const PLACES: readonly Place[] = [
  { path: "data", name: "Data", icon: "data", key: "d", Page: lazy(() => import("../data/data-page.tsx")) },
  { path: "functions", name: "Functions", icon: "functions", key: "f", Page: lazy(() => import("../functions/functions-page.tsx")) },
  { path: "logs", name: "Logs", icon: "logs", key: "l", Page: lazy(() => import("../logs/logs-page.tsx")) },
  { path: "live", name: "Live queries", short: "Live", icon: "live", key: "q", Page: lazy(() => import("../live/live-page.tsx")) },
  { path: "clients", name: "Clients", icon: "clients", key: "c", Page: lazy(() => import("../clients/clients-page.tsx")) },
  { path: "calls", name: "Calls to come", short: "Calls", icon: "calls", key: "s", Page: lazy(() => import("../calls/calls-page.tsx")) },
  { path: "health", name: "Health", icon: "health", key: "h", Page: lazy(() => import("../health/health-page.tsx")) },
];
const NEXT_THEME: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };

export function Shell({ session, leave }: { session: Session; leave: () => void }) {
  const { parts } = useRoute();
  const place = parts[0] === undefined ? PLACES[0]! : PLACES.find(({ path }) => path === parts[0]);
  const { isConnected, trouble } = useConnectionState();
  const theme = useTheme();

  useEffect(() => void (document.title = `${place?.name ?? "No such page"} · Synovia`), [place]);
  useEffect(() => {
    let isGoing = false;
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.metaKey || event.ctrlKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
      if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("main input[type=search]");
        if (search) (event.preventDefault(), search.focus());
      }
      const there = isGoing ? PLACES.find(({ key }) => key === event.key) : undefined;
      isGoing = event.key === "g";
      if (there) go([there.path]);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  return (
    <SessionContext value={session}>
      <div className="shell">
        <nav className="side" aria-label="Main">
          <a className="brand" href={linkTo(["data"])}>
            <img src="mark.svg" alt="" width="22" height="22" />
            <span>Synovia</span>
          </a>
          <ul>
            {PLACES.map(({ path, name, short, icon, key }) => (
              <li key={path}>
                <a href={linkTo([path])} aria-current={path === place?.path ? "page" : undefined} title={`${name} (g ${key})`}>
                  <Icon name={icon} />
                  <span className={short ? "wide" : undefined}>{name}</span>
                  {short && (
                    <span className="narrow" aria-hidden="true">
                      {short}
                    </span>
                  )}
                </a>
              </li>
            ))}
          </ul>
          <div className="side-end">
            <p className="who" title={mayChange(session) ? "May look and change" : "May only look"}>
              <span className={isConnected ? "dot good" : "dot warn"} />
              <span className="who-name">{session.name}</span>
              {!mayChange(session) && <span className="tag">read only</span>}
            </p>
            <button className="icon" onClick={() => chooseTheme(NEXT_THEME[theme])} aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`}>
              <Icon name={THEME_ICON[theme]} />
            </button>
            <button className="icon" onClick={leave} aria-label="Sign out" title="Sign out">
              <Icon name="out" />
            </button>
          </div>
        </nav>
        <main>
          {!isConnected && trouble && (
            <p className="banner" role="status">
              <Icon name="warning" /> No connection to the hub: {trouble}. What is shown may be old.
            </p>
          )}
          {place ? (
            <Boundary key={place.path}>
              <Suspense fallback={<div className="blank" role="status" aria-label="Loading" />}>
                <place.Page />
              </Suspense>
            </Boundary>
          ) : (
            <NotFound title="No such page" isPage>
              The dashboard has no page <code>{parts[0]}</code>. <a href={linkTo(["data"])}>To the data</a>
            </NotFound>
          )}
        </main>
        <ToastList />
      </div>
    </SessionContext>
  );
}
