/** The colours of the style sheets, for what is painted on a canvas. */

export interface Colours {
  readonly left: string;
  readonly right: string;
  readonly leftBand: string;
  readonly rightBand: string;
  readonly ink: string;
  readonly grid: string;
  readonly zero: string;
}

/** Read them where an element is; what they depend on (light, dark) is resolved. */
export function coloursOf(element: HTMLElement): Colours {
  const probe = document.createElement("span");
  probe.style.transition = "none"; // or it would still have the colour before: less motion is a transition of next to no time
  element.append(probe);
  const read = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = { left: read("--left"), right: read("--right"), leftBand: read("--left-band"), rightBand: read("--right-band"), ink: read("--ink-3"), grid: read("--grid"), zero: read("--line-strong") };
  probe.remove();
  return colours;
}
