import type { ReactElement } from "react";
import { useQuery } from "synovia-client/react";
import { api, type Statistics } from "../api/api.ts";
import { Skeleton } from "../ui/controls.tsx";
import { Page, type PageProps } from "../ui/page.tsx";

const TILES: readonly (readonly [keyof Statistics, string])[] = [
  ["physiotherapists", "Physiotherapists"],
  ["patients", "Patients"],
  ["admins", "Administrators"],
  ["archivedUsers", "Archived accounts"],
  ["recordings", "Recordings"],
  ["runningSessions", "Live sessions now"],
  ["pendingInvites", "Open invitations"],
];

export function StatisticsPage({ openMenu }: PageProps): ReactElement {
  const statistics = useQuery(api.admin.statistics, {});
  return (
    <Page title="Statistics" text="How much of everything there is, as it changes." openMenu={openMenu}>
      {!statistics && <Skeleton rows={3} />}
      {statistics && (
        <dl className="tiles">
          {TILES.map(([name, label]) => <div key={name} className="tile"><dt>{label}</dt><dd>{statistics[name].toLocaleString()}</dd></div>)}
        </dl>
      )}
    </Page>
  );
}
