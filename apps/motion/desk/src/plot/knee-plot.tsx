/** The plot of a recording: zoom by dragging, wheel, pinch or keys, move along, double-click for all of it. */
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { useIsDark } from "../browser/theme.ts";
import { decimalsFor, degrees, timeIn } from "../ui/format.ts";
import { KneeChart } from "./chart.ts";
import { clamped, moved, zoomed, type View } from "./fetching.ts";
import { useGestures } from "./gestures.ts";
import { bandFor } from "./bands.ts";
import type { Layer } from "./layers.ts";
import type { Side } from "./sides.ts";

const STEP = 1.5;
const PAN = 0.2;

export interface KneePlotProps {
  readonly layer: Layer;
  /** The knees that were measured. */
  readonly sides: readonly Side[];
  /** 1, or -1 if flexion is negative in the samples. */
  readonly sign: 1 | -1;
  readonly sampleRate: number;
  readonly count: number;
  readonly view: View;
  /** Degrees shown at least, flexion positive. */
  readonly bounds: readonly [low: number, high: number];
  readonly onView: (view: View) => void;
  readonly onWidth: (pixels: number) => void;
}

export function KneePlot(props: KneePlotProps): ReactElement {
  const { layer, sign, sampleRate, count, view, bounds, onView, onWidth } = props;
  const root = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const [chart, setChart] = useState<KneeChart | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const dark = useIsDark();
  useLayoutEffect(() => {
    const made = new KneeChart(root.current!, {
      onSelect: (from, to) => {
        const { sampleRate: rate, count: length, onView: show } = latest.current;
        show(clamped({ from: from * rate, to: to * rate }, length));
      },
      onPoint: (index) => tell(readout.current!, index, latest.current),
    });
    setChart(made);
    const observer = new ResizeObserver(() => onWidth(made.width));
    observer.observe(root.current!);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [onWidth]);
  useEffect(() => chart?.setBounds(bounds[0], bounds[1]), [chart, bounds]);
  useEffect(() => chart?.setSeries([layer.at.map((at) => at / sampleRate), signed(layer.left, sign), signed(layer.right, sign)]), [chart, layer, sign, sampleRate]);
  useEffect(() => chart?.setView(view.from / sampleRate, view.to / sampleRate), [chart, view, sampleRate]);
  useEffect(() => chart?.setBand(bandFor(layer, (view.to - view.from) / chart.width, sampleRate)), [chart, layer, view, sampleRate]);
  useEffect(() => chart?.repaint(), [chart, dark]);
  useGestures(root, chart, latest);
  const middle = (view.from + view.to) / 2;
  const keys: Record<string, () => View> = {
    "+": () => zoomed(view, 1 / STEP, middle, count),
    "=": () => zoomed(view, 1 / STEP, middle, count),
    "-": () => zoomed(view, STEP, middle, count),
    ArrowLeft: () => moved(view, -PAN, count),
    ArrowRight: () => moved(view, PAN, count),
    "0": () => clamped({ from: 0, to: count }, count),
  };
  const pressed = (event: KeyboardEvent): void => {
    const change = event.ctrlKey || event.metaKey ? undefined : keys[event.key];
    if (!change) return;
    event.preventDefault();
    onView(change());
  };
  return (
    <div className="plot">
      <div
        className="plot-area" ref={root} tabIndex={0} role="application" aria-roledescription="plot" onKeyDown={pressed}
        aria-label="Knee angles over time. Plus and minus zoom, arrow keys move, zero shows everything."
        onDoubleClick={() => onView(clamped({ from: 0, to: count }, count))}
      />
      <p className="readout" ref={readout} aria-hidden="true" />
    </div>
  );
}

function signed(values: Float64Array, sign: 1 | -1): Float64Array {
  return sign > 0 ? values : values.map((value) => -value);
}

/** Say what is under the pointer; not by rendering, which would be too slow for a moving pointer. */
function tell(readout: HTMLElement, index: number | null, { layer, sides, sign, sampleRate }: KneePlotProps): void {
  const at = index === null ? undefined : layer.at[index];
  readout.hidden = at === undefined;
  if (index === null || at === undefined) return;
  const value = (side: Side): HTMLElement => {
    const angle = layer[side][index]!;
    const text = document.createElement("span");
    text.className = side;
    text.textContent = Number.isNaN(angle) ? "–" : degrees(angle * sign);
    return text;
  };
  readout.replaceChildren(timeIn(at / sampleRate, decimalsFor(1 / sampleRate)), ...sides.map(value));
}
