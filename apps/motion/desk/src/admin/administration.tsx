import type { ReactElement } from "react";
export function Administration({ place }: { place: string; openMenu: () => void }): ReactElement {
  return <p>{place}</p>;
}
