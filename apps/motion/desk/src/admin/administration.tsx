import type { ReactElement } from "react";
import type { PageProps } from "../ui/page.tsx";
import { AuditPage } from "./audit-page.tsx";
import { PermissionsPage } from "./permissions-page.tsx";
import { StatisticsPage } from "./statistics-page.tsx";
import { UsersPage } from "./users-page.tsx";

const PAGES: Readonly<Record<string, (props: PageProps) => ReactElement>> = {
  users: UsersPage,
  statistics: StatisticsPage,
  permissions: PermissionsPage,
  audit: AuditPage,
};

export function Administration({ place, openMenu }: { place: string } & PageProps): ReactElement {
  const Chosen = PAGES[place]!;
  return <Chosen openMenu={openMenu} />;
}
