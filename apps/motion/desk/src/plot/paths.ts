/** How a series is drawn: as a line; as columns where there are more samples than pixels; as a band where strides run into each other. */
import type uPlot from "uplot";
import { columnsIn, joined, samplesIn, type Run } from "./columns.ts";

/** More samples in a pixel than this are columns: the outline of a thick line is much dearer than a polygon. */
const LINE_BELOW = 2;

type Builder = (plot: uPlot, series: number, first: number, last: number) => uPlot.Series.Paths | null;

/** Make the builder of a series' paths. What is filled has the series' colour of filling. */
export function pathsOf(isBand: () => boolean): Builder {
  return (plot, series, first, last) => {
    const [at, values] = [plot.data[0] as Float64Array, plot.data[series] as Float64Array];
    const { left, top, width, height } = plot.bbox;
    const [{ min: from, max: to }, { min: low, max: high }] = [plot.scales["x"]!, plot.scales["y"]!];
    const screen = { x: (place: number) => left + ((place - from!) / (to! - from!)) * width, column: devicePixelRatio };
    const y = (value: number): number => top + ((high! - value) / (high! - low!)) * height;
    const thickness = plot.series[series]!.width! * devicePixelRatio;
    const isLine = (last - first) * devicePixelRatio < LINE_BELOW * width;
    if (isLine && !isBand()) return { stroke: lines(samplesIn(at, values, first, last, screen), y, thickness), fill: null };
    const runs = columnsIn(at, values, first, last, screen);
    if (isBand()) return { stroke: lines(runs, y, thickness), fill: polygons(runs, y, 0) };
    return { stroke: null, fill: polygons(runs.map(joined), y, thickness) };
  };
}

type Place = (value: number) => number;

/** Trace the upper edges; of a value by itself a dot. */
function lines(runs: readonly Run[], y: Place, thickness: number): Path2D {
  const path = new Path2D();
  for (const { x, high } of runs) {
    if (x.length === 1) path.moveTo(x[0]! - thickness / 2, y(high[0]!));
    else path.moveTo(x[0]!, y(high[0]!));
    for (let index = 1; index < x.length; index += 1) path.lineTo(x[index]!, y(high[index]!));
    if (x.length === 1) path.lineTo(x[0]! + thickness / 2, y(high[0]!));
  }
  return path;
}

/** Trace the upper edges from left to right, and the lower ones back. */
function polygons(runs: readonly Run[], y: Place, thickness: number): Path2D {
  const path = new Path2D();
  for (const { x, low, high } of runs) {
    const [begin, end] = [x[0]! - thickness / 2, x.at(-1)! + thickness / 2];
    path.moveTo(begin, y(high[0]!) - thickness / 2);
    for (let index = 0; index < x.length; index += 1) path.lineTo(x[index]!, y(high[index]!) - thickness / 2);
    path.lineTo(end, y(high.at(-1)!) - thickness / 2);
    path.lineTo(end, y(low.at(-1)!) + thickness / 2);
    for (let index = x.length - 1; index >= 0; index -= 1) path.lineTo(x[index]!, y(low[index]!) + thickness / 2);
    path.lineTo(begin, y(low[0]!) + thickness / 2);
    path.closePath();
  }
  return path;
}
