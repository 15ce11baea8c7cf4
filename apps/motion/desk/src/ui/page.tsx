/** The frame of a page that is not a list of recordings. */
import { useEffect, type ReactElement, type ReactNode } from "react";
import { IconButton } from "./controls.tsx";

/** What every page is given. */
export interface PageProps {
  /** Show the menu, which a phone hides. */
  readonly openMenu: () => void;
}

export function Page({ title, text, actions, openMenu, children }: {
  title: string; text?: ReactNode; actions?: ReactNode; children: ReactNode;
} & PageProps): ReactElement {
  useEffect(() => {
    document.title = `${title} · Motion Desk`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <IconButton icon="menu" label="Menu" className="menu-button" onClick={openMenu} />
        <div>
          <h1>{title}</h1>
          {text && <p>{text}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
