import type { ReactElement } from "react";
import { useQuery } from "synovia-client/react";
import { api } from "../api/api.ts";
import { ROLE_NAMES, type Role } from "../people/roles.ts";
import { Skeleton } from "../ui/controls.tsx";
import { Icon } from "../ui/icons.tsx";
import { Page, type PageProps } from "../ui/page.tsx";

const WORDS: Readonly<Record<string, string>> = {
  "recordings.keep": "Keep recordings: save, edit, share and archive their own",
  "contacts.keep": "Keep contacts",
  "invites.send": "Invite people by e-mail",
  "users.manage": "Manage users",
  "users.impersonate": "Look at the desk as another user, audited",
  "audit.read": "Read the audit log",
  "statistics.read": "See statistics",
};

export function PermissionsPage({ openMenu }: PageProps): ReactElement {
  const grants = useQuery(api.admin.grants, {});
  const capabilities = [...new Set(grants?.flatMap((grant) => grant.capabilities))].sort();
  return (
    <Page title="Permissions" text="What each role may do. The table is part of the application and enforced by the server." openMenu={openMenu}>
      {!grants && <Skeleton rows={5} />}
      {grants && (
        <div className="table-frame">
          <table>
            <thead>
              <tr><th scope="col">May</th>{grants.map(({ role }) => <th key={role} scope="col">{ROLE_NAMES[role as Role] ?? role}</th>)}</tr>
            </thead>
            <tbody>
              {capabilities.map((capability) => (
                <tr key={capability}>
                  <th scope="row">{WORDS[capability] ?? capability}<small>{capability}</small></th>
                  {grants.map(({ role, capabilities: granted }) => (
                    <td key={role}>{granted.includes(capability) ? <><Icon name="check" /><span className="unseen">yes</span></> : <span className="muted" aria-label="no">–</span>}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Page>
  );
}
