/** The last seconds of a session, moving. */
import { useEffect, useRef, useState, type ReactElement } from "react";
import { useIsDark } from "../browser/theme.ts";
import { KneeChart, type Series } from "../plot/chart.ts";
import { flexionSign } from "../plot/numbers.ts";
import { Segmented } from "../ui/controls.tsx";
import type { LiveBuffer } from "./buffer.ts";
import { Playhead } from "./playhead.ts";

type Span = "5" | "10" | "30";

const SPANS: readonly { value: Span; label: string }[] = [
  { value: "5", label: "5 s" },
  { value: "10", label: "10 s" },
  { value: "30", label: "30 s" },
];

export function LivePlot({ buffer, sampleRate, isRunning }: { buffer: LiveBuffer; sampleRate: number; isRunning: boolean }): ReactElement {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<KneeChart | null>(null);
  const [span, setSpan] = useState<Span>("10");
  const dark = useIsDark();
  useEffect(() => {
    const made = (chart.current = new KneeChart(root.current!));
    return () => made.destroy();
  }, []);
  useEffect(() => chart.current?.repaint(), [dark]);
  useEffect(() => animate(chart.current!, buffer, sampleRate, Number(span)), [buffer, sampleRate, span]);
  return (
    <section className="plot-card" aria-label="Live knee angles">
      <header>
        <h2>Knee flexion</h2>
        <p className="legend"><span className="left">Left</span><span className="right">Right</span></p>
        <p className="view">{isRunning ? `Last ${span} seconds` : "Finished"}</p>
        <div className="zoom"><Segmented label="Seconds shown" value={span} choices={SPANS} onChoose={setSpan} /></div>
      </header>
      <div className="plot-area live" ref={root} role="img" aria-label="Knee angles of the last seconds" />
    </section>
  );
}

/** Draw the newest samples with each frame; give what ends that. */
function animate(chart: KneeChart, buffer: LiveBuffer, sampleRate: number, span: number): () => void {
  const playhead = new Playhead(buffer.end / sampleRate);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let before = performance.now();
  let drawn = -1;
  let frame = requestAnimationFrame(function draw(now) {
    const newest = buffer.end / sampleRate;
    const at = still ? newest : playhead.move(newest, (now - before) / 1000);
    before = now;
    if (at !== drawn) show(chart, buffer, sampleRate, at, span);
    drawn = at;
    frame = requestAnimationFrame(draw);
  });
  return () => cancelAnimationFrame(frame);
}

function show(chart: KneeChart, buffer: LiveBuffer, sampleRate: number, at: number, span: number): void {
  const { left, right } = buffer.extremes;
  const sign = flexionSign(left, right);
  const [low, high] = sign > 0 ? [left?.min ?? 0, left?.max ?? 0] : [-(left?.max ?? 0), -(left?.min ?? 0)];
  const first = Math.max(buffer.begin, Math.floor((at - span) * sampleRate) - 1);
  const last = Math.min(buffer.end, Math.ceil(at * sampleRate) + 1);
  const part = (samples: Float64Array): Float64Array => {
    const shown = samples.subarray(first - buffer.begin, last - buffer.begin);
    return sign > 0 ? shown : shown.map((value) => -value);
  };
  const times = Float64Array.from({ length: Math.max(0, last - first) }, (_, index) => (first + index) / sampleRate);
  chart.setBounds(Math.min(-5, low - 5), Math.max(70, high + 8));
  chart.setView(Math.max(0, at - span), Math.max(span, at));
  chart.setSeries([times, part(buffer.left), part(buffer.right)] as Series);
}
