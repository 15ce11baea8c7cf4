/** An array as a plot: thinned by the hub to what the width can show, with every peak kept. */
import { useEffect, useRef, useState } from "react";
import type { ArrayRef } from "synovia-client";
import { useArray } from "synovia-client/react";
import { useIsDark } from "../browser/theme.ts";
import { count } from "../ui/format.ts";

const HEIGHT = 132;

export function ArrayPlot({ name, array }: { name: string; array: ArrayRef }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(480);
  const isDark = useIsDark();
  const { data, error } = useArray(array, { points: 2 * width });
  const values = data as ArrayLike<number> | undefined;

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(120, Math.round(entry!.contentRect.width))));
    if (canvas.current) observer.observe(canvas.current.parentElement!);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const element = canvas.current;
    if (element && values) paint(element, values, width);
  }, [values, width, isDark]);

  let [least, most] = [Infinity, -Infinity];
  for (let at = 0; values && at < values.length; at += 1) {
    const value = Number(values[at]);
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const range = values?.length && Number.isFinite(least) ? `${figure(least)} to ${figure(most)}` : "";
  return (
    <figure className="plot">
      <figcaption>
        <code>{name}</code>
        <span className="hint">
          {array.dtype} × {array.shape.map((each) => count(Number(each))).join(" × ")}
          {range && `, ${range}`}
        </span>
      </figcaption>
      {error ? <p className="hint">{error.message}</p> : <canvas ref={canvas} role="img" aria-label={`Plot of ${name}: ${range}`} style={{ height: HEIGHT }} />}
    </figure>
  );
}

function figure(value: number): string {
  return Number(value.toPrecision(5)).toString();
}

function paint(canvas: HTMLCanvasElement, values: ArrayLike<number>, width: number): void {
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = HEIGHT * scale;
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  const finite = Array.from(values, Number).filter(Number.isFinite);
  if (!finite.length) return;
  const least = finite.reduce((a, b) => Math.min(a, b));
  const span = finite.reduce((a, b) => Math.max(a, b)) - least || 1;
  const style = getComputedStyle(canvas);
  context.strokeStyle = style.getPropertyValue("color");
  context.lineWidth = 1.25;
  context.lineJoin = "round";
  context.beginPath();
  for (let at = 0; at < values.length; at += 1) {
    const value = Number(values[at]);
    if (!Number.isFinite(value)) continue;
    const x = (at / Math.max(1, values.length - 1)) * (width - 2) + 1;
    const y = HEIGHT - 6 - ((value - least) / span) * (HEIGHT - 12);
    if (at) context.lineTo(x, y);
    else context.moveTo(x, y);
  }
  context.stroke();
}
