/** What an address names that is not there. */
import type { ReactNode } from "react";

interface NotFoundProps {
  readonly title: string;
  readonly children: ReactNode;
}

export function NotFound({ title, children }: NotFoundProps) {
  return (
    <div className="empty" role="alert">
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  );
}
