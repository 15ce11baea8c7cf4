/** Keys that work everywhere, and the overlay that tells of them. */
import { useEffect, useState, type ReactElement } from "react";
import { isTyping } from "../browser/keyboard.ts";
import { go } from "../browser/route.ts";
import { showImport } from "../recordings/importing.ts";
import { Dialog } from "../ui/dialog.tsx";
import type { Place } from "./places.ts";

const SHOW = "desk:shortcuts";
const SECOND_KEY_MS = 1_500;

export function showShortcuts(): void {
  dispatchEvent(new Event(SHOW));
}

export function Shortcuts({ places }: { places: readonly Place[] }): ReactElement | null {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    let leader = 0;
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
      const place = event.timeStamp - leader < SECOND_KEY_MS ? places.find(({ key }) => key === event.key) : undefined;
      leader = event.key === "g" ? event.timeStamp : 0;
      if (place) go(place.path);
      else if (event.key === "?") setOpen(true);
      else if (event.key === "i" && places.some(({ path }) => path === "recordings")) showImport();
      else if (event.key === "/") document.querySelector<HTMLElement>("input[type=search]")?.focus();
      else return;
      event.preventDefault();
    };
    const show = (): void => setOpen(true);
    addEventListener("keydown", pressed);
    addEventListener(SHOW, show);
    return () => {
      removeEventListener("keydown", pressed);
      removeEventListener(SHOW, show);
    };
  }, [places]);
  return open ? <Overlay places={places} onClose={() => setOpen(false)} /> : null;
}

const LIST: readonly (readonly [string, string])[] = [
  ["↑ ↓", "Move through a list"],
  ["Enter", "Open the selected recording"],
  ["Esc", "Close, or leave a field unchanged"],
  ["/", "Search"],
  ["i", "Import a file"],
];
const PLOT: readonly (readonly [string, string])[] = [
  ["+ −", "Zoom in and out"],
  ["← →", "Move along the recording"],
  ["0", "Show all of it"],
  ["Drag", "Zoom to a range; double-click shows all"],
];

function Overlay({ places, onClose }: { places: readonly Place[]; onClose: () => void }): ReactElement {
  const ways = places.map(({ key, label }) => [`g ${key}`, label] as const);
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} wide>
      <div className="shortcuts">
        <Keys title="Everywhere" keys={[...LIST, ["?", "This overview"]]} />
        <Keys title="In the plot" keys={PLOT} />
        <Keys title="Go to" keys={ways} />
      </div>
    </Dialog>
  );
}

function Keys({ title, keys }: { title: string; keys: readonly (readonly [string, string])[] }): ReactElement {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {keys.map(([key, text]) => (
          <div key={key}>
            <dt>{key.split(" ").map((part) => <kbd key={part}>{part}</kbd>)}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
