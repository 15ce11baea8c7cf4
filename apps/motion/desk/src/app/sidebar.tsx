/** Where one can go, how the connection is, and who one is. */
import { useState, type ReactElement } from "react";
import { useConnectionState, useQueryResult } from "synovia-client/react";
import { api } from "../api/api.ts";
import { linkTo } from "../browser/route.ts";
import { choose, useIsDark, useTheme } from "../browser/theme.ts";
import { AccountDialogs, type AccountDialog } from "../people/account-dialogs.tsx";
import { showImport } from "../recordings/importing.ts";
import { useMe } from "../session/me.ts";
import { sessions, useSession } from "../session/session.ts";
import { Avatar, Button } from "../ui/controls.tsx";
import { Icon, Mark } from "../ui/icons.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import type { Place } from "./places.ts";
import { showShortcuts } from "./shortcuts.tsx";

export function Sidebar({ places, place, onGone }: { places: readonly Place[]; place: string; onGone: () => void }): ReactElement {
  const { role } = useMe();
  const { look } = useSession();
  const groups = [...new Set(places.map(({ group }) => group))];
  return (
    <aside className="sidebar" aria-label="Motion Desk">
      <div className="brand">
        <Mark />
        <span>Motion Desk</span>
      </div>
      {role !== "admin" && !look && (
        <Button kind="primary" icon="upload" className="import" onClick={showImport}>
          Import recording
        </Button>
      )}
      <nav aria-label="Main">
        {groups.map((group) => (
          <div key={group} className="places" role="group" aria-label={group}>
            <h2>{group}</h2>
            {places.filter((one) => one.group === group).map(({ path, label, icon }) => (
              <a key={path} href={linkTo(path)} aria-current={path === place ? "page" : undefined} onClick={onGone}>
                <Icon name={icon} />
                <span>{label}</span>
                <Count path={path} />
              </a>
            ))}
          </div>
        ))}
      </nav>
      <Connection />
      <AccountMenu />
    </aside>
  );
}

/** What waits there: sessions that run, invitations to answer. */
function Count({ path }: { path: string }): ReactElement | null {
  const running = useQueryResult(api.live.listRunning, path === "live" ? {} : "skip").value?.length ?? 0;
  const received = useQueryResult(api.invites.listReceived, path === "invites" ? {} : "skip").value?.length ?? 0;
  if (running) return <span className="count live" aria-label={`${running} running`}>{running}</span>;
  return received ? <span className="count" aria-label={`${received} to answer`}>{received}</span> : null;
}

function Connection(): ReactElement {
  const { state, isConnected } = useConnectionState();
  const text = isConnected ? "Up to date" : state === "connecting" ? "Connecting…" : state === "failed" ? "Refused" : "Offline";
  return (
    <p className={isConnected ? "connection good" : "connection"}>
      <span className="dot" aria-hidden="true" />
      {text}
    </p>
  );
}

function AccountMenu(): ReactElement {
  const me = useMe();
  const { look } = useSession();
  const dark = useIsDark();
  const isChosen = useTheme() !== "system";
  const [dialog, setDialog] = useState<AccountDialog>(null);
  const items: MenuItem[] = [
    { label: dark ? "Light appearance" : "Dark appearance", icon: dark ? "sun" : "moon", run: () => choose(dark ? "light" : "dark") },
    ...(isChosen ? [{ label: "Appearance of the system", icon: "restore", run: () => choose("system") } as const] : []),
    { label: "Keyboard shortcuts", icon: "help", run: showShortcuts },
  ];
  const own: MenuItem[] = [
    { label: "Change name", icon: "edit", run: () => setDialog("rename") },
    { label: "Sign out", icon: "signOut", run: () => void sessions.signOut() },
    { label: "Delete account", icon: "trash", danger: true, run: () => setDialog("delete") },
  ];
  return (
    <>
      <Menu label={`Account of ${me.name}`} className="account" up items={look ? items : [...items, ...own]}>
        <Avatar name={me.name} />
        <span className="who">
          <strong>{me.name}</strong>
          <small>{me.role === "admin" ? "Administrator" : me.role === "patient" ? "Patient" : "Physiotherapist"}</small>
        </span>
        <Icon name="more" />
      </Menu>
      <AccountDialogs open={dialog} onClose={() => setDialog(null)} />
    </>
  );
}
