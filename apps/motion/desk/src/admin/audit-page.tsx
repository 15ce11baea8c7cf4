import type { ReactElement } from "react";
import { usePaginatedQuery } from "synovia-client/react";
import { api } from "../api/api.ts";
import type { PageProps } from "../app/shell.tsx";
import { Button, Empty, Skeleton } from "../ui/controls.tsx";
import { dateAndTime } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";

const PAGE_SIZE = 50;
const ACTIONS: Readonly<Record<string, string>> = {
  "users.impersonate": "Looked as another user",
  "users.change_role": "Changed a role",
  "users.archive": "Archived an account",
  "users.restore": "Restored an account",
  "users.delete": "Deleted an account",
};

export function AuditPage({ openMenu }: PageProps): ReactElement {
  const { results, status, loadMore } = usePaginatedQuery(api.admin.audit, {}, { pageSize: PAGE_SIZE });
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
                  <td>{entry.actor ?? "nobody"}</td>
                  <td>{ACTIONS[entry.action] ?? entry.action}</td>
                  <td>{entry.subject ?? ""}</td>
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
