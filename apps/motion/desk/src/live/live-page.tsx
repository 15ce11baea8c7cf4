import type { ReactElement } from "react";
export function LivePage({ id }: { id: string | undefined; openMenu: () => void }): ReactElement {
  return <p>{id}</p>;
}
