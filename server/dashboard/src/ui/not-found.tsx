/** What an address names that is not there. */
import type { ReactNode } from "react";

interface NotFoundProps {
  /** Whether it stands instead of a page, and not within one. */
  readonly isPage?: boolean;
  readonly title: string;
  readonly children: ReactNode;
}

export function NotFound({ title, isPage = false, children }: NotFoundProps) {
  return (
    <div className="empty" role="alert">
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      <p>{children}</p>
    </div>
  );
}
