/** The plot of a recording with everything around it: the strip of the whole, the numbers, the ways to zoom. */
import { useCallback, useMemo, useState, type ReactElement } from "react";
import type { Recording } from "../api/api.ts";
import { IconButton } from "../ui/controls.tsx";
import { describe } from "../ui/errors.ts";
import { decimalsFor, timeIn } from "../ui/format.ts";
import { DENSE_S } from "./bands.ts";
import { clamped, zoomed, type View } from "./fetching.ts";
import { KneePlot } from "./knee-plot.tsx";
import { extremesIn } from "./layers.ts";
import { flexionSign, type Extremes } from "./numbers.ts";
import { Numbers } from "./numbers-panel.tsx";
import { Overview } from "./overview.tsx";
import { NAMES, sidesOf } from "./sides.ts";
import { useLayers } from "./use-layers.ts";

const STEP = 1.6;
const FIRST_WIDTH = 800;

export function RecordingPlot({ recording }: { recording: Recording }): ReactElement {
  const { sampleCount: count, sampleRate } = recording;
  const whole = useMemo(() => clamped({ from: 0, to: count }, count), [count]);
  const sides = useMemo(() => sidesOf(recording), [recording]);
  const [view, setView] = useState<View>(whole);
  const [pixels, setPixels] = useState(FIRST_WIDTH);
  const onWidth = useCallback((width: number) => setPixels(width), []);
  const { layer, outline, progress, isRefining, error } = useLayers(recording, view, pixels);
  const all = useMemo(() => outline && extremesIn(outline, { from: 0, to: count }), [outline, count]);
  const sign = all ? flexionSign(all.left, all.right) : 1;
  const bounds = useMemo(() => boundsOf(sign, all?.left ?? null, all?.right ?? null), [sign, all]);
  const isWhole = view.from <= whole.from && view.to >= whole.to;
  const shown = layer && (isWhole ? all : extremesIn(layer, view));
  if (error) return <p className="plot-card problem" role="alert">{describe(error)}</p>;
  const decimals = Math.max(1, decimalsFor((view.to - view.from) / sampleRate / 100));
  const at = (sample: number): string => timeIn(sample / sampleRate, decimals);
  const middle = (view.from + view.to) / 2;
  return (
    <>
      <section className="plot-card" aria-label="Knee angles">
        <header>
          <h2>Knee flexion</h2>
          <p className="legend">{sides.map((side) => <span key={side} className={side}>{NAMES[side]}</span>)}</p>
          <p className="view" aria-live="polite">{isWhole ? "Whole recording" : `${at(view.from)} – ${at(view.to)}`}</p>
          <span className={isRefining ? "refining on" : "refining"} aria-hidden="true" />
          <div className="zoom" role="group" aria-label="Zoom">
            <IconButton icon="minus" label="Zoom out" disabled={isWhole} onClick={() => setView(zoomed(view, STEP, middle, count))} />
            <IconButton icon="plus" label="Zoom in" onClick={() => setView(zoomed(view, 1 / STEP, middle, count))} />
            <button type="button" className="link" disabled={isWhole} onClick={() => setView(whole)}>Show all</button>
          </div>
        </header>
        {layer && outline ? (
          <>
            <KneePlot layer={layer} sides={sides} sign={sign} sampleRate={sampleRate} count={count} view={view} bounds={bounds} onView={setView} onWidth={onWidth} />
            <Overview outline={outline} sign={sign} count={count} view={view} bounds={bounds} isDense={count / sampleRate / pixels > DENSE_S} onView={setView} />
          </>
        ) : (
          <div className="plot-loading" role="progressbar" aria-label="Loading samples" aria-valuenow={Math.round(progress * 100)}>
            <div style={{ width: `${progress * 100}%` }} />
          </div>
        )}
      </section>
      {shown && <Numbers left={shown.left} right={shown.right} sign={sign} scope={isWhole ? "whole recording" : "in view"} sides={sides} />}
    </>
  );
}

/** The degrees shown: all there are with some air, and never less than a small movement's worth. */
function boundsOf(sign: 1 | -1, ...knees: readonly (Extremes | null)[]): [number, number] {
  const values = knees.flatMap((knee) => (knee ? [knee.min * sign, knee.max * sign] : []));
  const [low, high] = [Math.min(0, ...values), Math.max(20, ...values)];
  const air = (high - low) * 0.06;
  return [low - air, high + air];
}
