/** The frame of the pages before the desk: what it is on one side, the way in on the other. */
import type { ReactElement, ReactNode } from "react";
import { Mark } from "../ui/icons.tsx";
import { Strides } from "./strides.tsx";

export function Welcome({ children }: { children: ReactNode }): ReactElement {
  return (
    <div className="welcome">
      <section className="welcome-story" aria-hidden="true">
        <div className="brand"><Mark size={34} /><span>Motion Desk</span></div>
        <Strides />
        <blockquote>
          <p>Every step, measured once.<br />Seen by everyone who helps.</p>
          <footer>Knee motion, left and right, at a hundred samples a second.</footer>
        </blockquote>
      </section>
      <main className="welcome-card" id="main">{children}</main>
    </div>
  );
}
