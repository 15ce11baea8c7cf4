/** All of a recording in one strip, with a frame around what the plot shows. */
import { useEffect, useRef, type PointerEvent, type ReactElement } from "react";
import { useIsDark } from "../browser/theme.ts";
import { coloursOf } from "./colours.ts";
import { columnsIn, joined, samplesIn, type Run } from "./columns.ts";
import { clamped, type View } from "./fetching.ts";
import type { Layer } from "./layers.ts";

interface Props {
  readonly outline: Layer;
  readonly sign: 1 | -1;
  readonly count: number;
  readonly view: View;
  readonly bounds: readonly [number, number];
  /** Strides run into each other. */
  readonly isDense: boolean;
  readonly onView: (view: View) => void;
}

const PAD = 4;

type Grip = "from" | "to" | "both";

export function Overview({ outline, sign, count, view, bounds, isDense, onView }: Props): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ grip: Grip; at: number; view: View } | null>(null);
  const dark = useIsDark();
  useEffect(() => {
    const draw = (): void => paint(canvas.current!, outline, sign, bounds, isDense);
    const observer = new ResizeObserver(draw);
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, [outline, sign, bounds, isDense, dark]);
  const percent = (sample: number): string => `${(100 * sample) / Math.max(1, count - 1)}%`;
  const begin = (grip: Grip) => (event: PointerEvent) => {
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { grip, at: event.clientX, view };
  };
  const move = (event: PointerEvent): void => {
    if (!drag.current) return;
    const { grip, at, view: before } = drag.current;
    const by = ((event.clientX - at) / canvas.current!.clientWidth) * count;
    const to = grip === "from" ? before.to : before.to + by;
    const from = grip === "to" ? before.from : before.from + by;
    onView(clamped({ from: Math.min(from, to), to: Math.max(from, to) }, count));
  };
  const jump = (event: PointerEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    const middle = ((event.clientX - box.left) / box.width) * count;
    const half = (view.to - view.from) / 2;
    onView(clamped({ from: middle - half, to: middle + half }, count));
  };
  return (
    <div
      className="overview"
      aria-hidden="true"
      onMouseDown={(event) => event.preventDefault()} // selects no text, and drags none that is selected
      onPointerDown={jump}
      onPointerMove={move}
      onPointerUp={() => (drag.current = null)}
      onPointerCancel={() => (drag.current = null)}
    >
      <canvas ref={canvas} />
      <div className="overview-rest" style={{ left: 0, width: percent(view.from) }} />
      <div className="overview-rest" style={{ left: percent(view.to), right: 0 }} />
      <div className="overview-frame" style={{ left: percent(view.from), width: percent(view.to - view.from) }} onPointerDown={begin("both")}>
        <span className="grip" onPointerDown={begin("from")} />
        <span className="grip" onPointerDown={begin("to")} />
      </div>
    </div>
  );
}

function paint(canvas: HTMLCanvasElement, layer: Layer, sign: 1 | -1, [low, high]: readonly [number, number], isDense: boolean): void {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const context = canvas.getContext("2d")!;
  context.scale(devicePixelRatio, devicePixelRatio);
  const colours = coloursOf(canvas.parentElement!);
  const perPixel = Math.max(1, layer.stop - 1) / width;
  const x = (at: number): number => at / perPixel;
  const y = (value: number): number => height - PAD - ((value * sign - low) / (high - low)) * (height - 2 * PAD);
  for (const side of ["right", "left"] as const) {
    const [at, values, last] = [layer.at, layer[side], layer.at.length - 1];
    context.fillStyle = colours[isDense ? (`${side}Band` as const) : side];
    context.strokeStyle = colours[side];
    if (isDense) for (const run of columnsIn(at, values, 0, last, perPixel)) fillColumns(context, run, x, y, 0);
    else if (last > width) for (const run of columnsIn(at, values, 0, last, perPixel)) fillColumns(context, joined(run), x, y, 1);
    else for (const run of samplesIn(at, values, 0, last)) strokeLine(context, run, x, y);
  }
}

type Place = (value: number) => number;

function strokeLine(context: CanvasRenderingContext2D, { at, high }: Run, x: Place, y: Place): void {
  context.beginPath();
  context.moveTo(x(at[0]!) - 0.5, y(high[0]!));
  for (const [index, place] of at.entries()) context.lineTo(x(place) + 0.5, y(high[index]!));
  context.stroke();
}

/** Fill each pixel's column from its least to its largest value, and so high at least. */
function fillColumns(context: CanvasRenderingContext2D, { at, low, high }: Run, x: Place, y: Place, least: number): void {
  for (const [index, place] of at.entries()) {
    const [one, other] = [y(low[index]!), y(high[index]!)]; // either may be the upper one: the sign is in y
    context.fillRect(x(place) - 0.5, Math.min(one, other), 1, Math.max(least, Math.abs(one - other)));
  }
}
