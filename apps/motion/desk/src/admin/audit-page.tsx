import { useMemo, type ReactElement } from "react";
import { usePaginatedQuery, useQuery } from "synovia-client/react";
import { api } from "../api/api.ts";
import { Button, Empty, Skeleton } from "../ui/controls.tsx";
import { dateAndTime } from "../ui/format.ts";
import { Page, type PageProps } from "../ui/page.tsx";

const PAGE_SIZE = 50;
const ACTIONS: Readonly<Record<string, string>> = {
  impersonate: "Looked as another user",
  "impersonate.end": "Stopped looking as another user",
  "users.appoint": "Made somebody an administrator",
  "users.change_role": "Changed a role",
  "users.archive": "Archived an account",
  "users.restore": "Restored an account",
  "users.delete": "Deleted an account",
};

export function AuditPage({ openMenu }: PageProps): ReactElement {
  const { results, status, loadMore } = usePaginatedQuery(api.admin.audit, {}, { pageSize: PAGE_SIZE });
  const nameOf = useNames();
  return (
    <Page title="Audit log" text="Who did what that others may have to account for. Entries are added, never changed." openMenu={openMenu}>
      {status === "LoadingFirstPage" && <Skeleton rows={6} />}
      {status === "Exhausted" && results.length === 0 && <Empty icon="eye" title="Nothing yet">Looking as another user, and changes to accounts, are written down here.</Empty>}
      {results.length > 0 && (
        <div className="table-frame">
          <table>
            <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Whom</th><th scope="col">Why</th></tr></thead>
            <tbody>
              {results.map((entry) => (
                <tr key={entry._id}>
                  <td className="nowrap">{dateAndTime(entry.at)}</td>
                  <td>{nameOf(entry.actor)}</td>
                  <td>{ACTIONS[entry.action] ?? entry.action}</td>
                  <td>{nameOf(entry.subject)}</td>
                  <td>{entry.reason ?? ""}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {status === "CanLoadMore" && <Button onClick={() => loadMore()}>Show more</Button>}
    </Page>
  );
}

const MOST_USERS = 200;

/** Give what makes a name of an id, or of the key of a sign-in; the operator's command line is "application". */
function useNames(): (key: string | undefined) => string {
  const users = useQuery(api.admin.listUsers, { limit: MOST_USERS });
  const names = useMemo(() => new Map(users?.items.flatMap(({ _id, email, name }) => [[_id as string, name], [email, name]])), [users]);
  return (key) => {
    if (key === undefined) return "";
    const subject = key.slice(key.indexOf("|") + 1);
    return names.get(subject) ?? (subject === "application" ? "Server" : subject);
  };
}
