/** Two knees over three strides, as an ornament. */
import type { ReactElement } from "react";
import { flexionAt } from "../live/gait.ts";

const WIDTH = 560;
const HEIGHT = 220;
const STRIDES = 3;

function path(shift: number): string {
  const points = Array.from({ length: 241 }, (_, index) => {
    const x = (index / 240) * WIDTH;
    const y = HEIGHT - 12 - flexionAt((index / 240) * STRIDES + shift) * 2.9;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}

const LEFT = path(0.1);
const RIGHT = path(0.6);

export function Strides(): ReactElement {
  return (
    <svg className="strides" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
      <path className="right" d={RIGHT} />
      <path className="left" d={LEFT} />
    </svg>
  );
}
