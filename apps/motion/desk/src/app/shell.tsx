/** The window: where one can go on the left, where one is on the right. */
import { useState, type ReactElement } from "react";
import { Administration } from "../admin/administration.tsx";
import { useRoute } from "../browser/route.ts";
import { LivePage } from "../live/live-page.tsx";
import { ContactsPage } from "../people/contacts-page.tsx";
import { InvitesPage } from "../people/invites-page.tsx";
import { DropZone } from "../recordings/drop-zone.tsx";
import { RecordingsPage } from "../recordings/recordings-page.tsx";
import { useMe } from "../session/me.ts";
import { useSession } from "../session/session.ts";
import type { PageProps } from "../ui/page.tsx";
import { Banners } from "./banners.tsx";
import { Boundary } from "./boundary.tsx";
import { homeOf, placesOf } from "./places.ts";
import { Shortcuts } from "./shortcuts.tsx";
import { Sidebar } from "./sidebar.tsx";

export function Shell(): ReactElement {
  const me = useMe();
  const { look } = useSession();
  const [asked = homeOf(me.role), id, detail] = useRoute();
  const [menu, setMenu] = useState(false);
  const places = placesOf(me.role);
  const place = places.find(({ path }) => path === asked)?.path ?? homeOf(me.role);
  return (
    <div className={menu ? "window menu-open" : "window"}>
      <a className="skip" href="#main" onClick={skipToMain}>Skip to content</a>
      <Sidebar places={places} place={place} onGone={() => setMenu(false)} />
      <div className="stage">
        <Banners />
        <main id="main" className="main" tabIndex={-1}>
          <Boundary place={`${place}/${id}`}>
            <Content place={place} id={id} detail={detail} openMenu={() => setMenu(true)} />
          </Boundary>
        </main>
      </div>
      <div className="scrim" onClick={() => setMenu(false)} />
      {me.role !== "admin" && !look && <DropZone />}
      <Shortcuts places={places} />
    </div>
  );
}

function Content({ place, id, detail, openMenu }: { place: string; id: string | undefined; detail: string | undefined } & PageProps): ReactElement {
  switch (place) {
    case "live":
      return <LivePage id={id} openMenu={openMenu} />;
    case "contacts":
      return <ContactsPage openMenu={openMenu} />;
    case "invites":
      return <InvitesPage openMenu={openMenu} />;
    case "users":
    case "statistics":
    case "permissions":
    case "audit":
      return <Administration place={place} openMenu={openMenu} />;
    default:
      return <RecordingsPage key={place} place={place} id={id === "of" ? undefined : id} of={id === "of" ? detail : undefined} openMenu={openMenu} />;
  }
}

// The address stays what it is: its hash says where one is, not where on the page.
function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
