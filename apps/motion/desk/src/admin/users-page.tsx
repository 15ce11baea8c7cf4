import { useDeferredValue, useState, type ReactElement } from "react";
import { usePaginatedQuery } from "synovia-client/react";
import { api, type UserView } from "../api/api.ts";
import { useMe } from "../session/me.ts";
import { ROLE_NAMES, type Role } from "../people/roles.ts";
import { Avatar, Badge, Button, Empty, Segmented, Skeleton } from "../ui/controls.tsx";
import { dateOf } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { Page, type PageProps } from "../ui/page.tsx";
import { UserDialogs, type UserTask } from "./user-dialogs.tsx";

type Shown = "active" | "archived";

const PAGE_SIZE = 50;

export function UsersPage({ openMenu }: PageProps): ReactElement {
  const [text, setText] = useState("");
  const [role, setRole] = useState<Role | "">("");
  const [shown, setShown] = useState<Shown>("active");
  const [task, setTask] = useState<UserTask | null>(null);
  const search = useDeferredValue(text.trim());
  const args = { archived: shown === "archived", ...(role && { role }), ...(search && { search }) };
  const { results, status, loadMore } = usePaginatedQuery(api.admin.listUsers, args, { pageSize: PAGE_SIZE });
  return (
    <Page title="Users" text="Who has an account. Recordings are not shown here: they are medical data." openMenu={openMenu}>
      <div className="toolbar">
        <div className="search">
          <Icon name="search" size={16} />
          <input type="search" aria-label="Search users" placeholder="Name or e-mail address" value={text} onChange={(event) => setText(event.target.value)} />
        </div>
        <select aria-label="Role" value={role} onChange={(event) => setRole(event.target.value as Role | "")}>
          <option value="">All roles</option>
          {Object.entries(ROLE_NAMES).map(([value, name]) => <option key={value} value={value}>{name}s</option>)}
        </select>
        <Segmented label="Accounts" value={shown} choices={[{ value: "active", label: "Active" }, { value: "archived", label: "Archived" }]} onChoose={setShown} />
      </div>
      {status === "LoadingFirstPage" && <Skeleton rows={6} />}
      {status === "Exhausted" && results.length === 0 && <Empty icon="contacts" title={search || role ? "Nobody matches" : "Nobody here"} />}
      {results.length > 0 && (
        <ul className="rows" aria-label="Users">{results.map((user) => <Row key={user._id} user={user} onTask={setTask} />)}</ul>
      )}
      {status === "CanLoadMore" && <Button onClick={() => loadMore()}>Show more</Button>}
      <UserDialogs task={task} onClose={() => setTask(null)} />
    </Page>
  );
}

function Row({ user, onTask }: { user: UserView; onTask: (task: UserTask) => void }): ReactElement {
  const isMe = useMe()._id === user._id;
  const does = (what: UserTask["what"]): (() => void) => () => onTask({ what, user });
  const items: MenuItem[] = [
    ...(isMe || user.isArchived ? [] : [{ label: "Look as this user", icon: "eye", run: does("look") } as const]),
    { label: "Change role", icon: "shield", run: does("role") },
    user.isArchived ? { label: "Restore", icon: "restore", run: does("restore") } : { label: "Archive", icon: "archive", run: does("archive") },
    { label: "Delete for good", icon: "trash", danger: true, run: does("delete") },
  ];
  return (
    <li className="row">
      <Avatar name={user.name} size={40} />
      <div className="row-words">
        <strong>{user.name}{isMe && <span className="muted"> (you)</span>}</strong>
        <span>{user.email}</span>
        {user.archiveReason && <span className="recording-reason">“{user.archiveReason}”</span>}
      </div>
      {user.isArchived && <Badge tone="warn">Archived</Badge>}
      <Badge tone={user.role === "admin" ? "bad" : user.role === "physiotherapist" ? "accent" : "neutral"}>{ROLE_NAMES[user.role]}</Badge>
      <span className="row-when">since {dateOf(user.createdAt)}</span>
      <Menu label={`More for ${user.name}`} items={items}><Icon name="more" /></Menu>
    </li>
  );
}
