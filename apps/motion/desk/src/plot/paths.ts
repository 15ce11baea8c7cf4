/** How a series is drawn: as a line; as columns where there are more samples than pixels; as a band where strides run into each other. */
import type uPlot from "uplot";
import { columnsIn, evenEnd, joined, samplesIn, type Run } from "./columns.ts";

/** More samples in a pixel than this are columns: to outline a thick line is much dearer than to fill a polygon. */
const LINE_BELOW = 2;
/** An isolated sample is so much wider than the line. */
const DOT = 2;

type Builder = (plot: uPlot, series: number, first: number, last: number) => uPlot.Series.Paths | null;

/** Make the builder of a series' paths; `bandOf` tells the width of a band's columns. What is filled has the series' colour of filling. */
export function pathsOf(bandOf: () => number | null): Builder {
  return (plot, series, first, last) => {
    const [at, values] = [plot.data[0] as Float64Array, plot.data[series] as Float64Array];
    const pen = new Pen(plot, plot.series[series]!.width!);
    const band = bandOf();
    if (band) {
      const width = Math.max(band, pen.pixel);
      const runs = columnsIn(at, values, first, last, width).map((run) => evenEnd(run, width, at.at(-1)!));
      return { stroke: pen.lines(runs), fill: pen.polygons(runs, 0) };
    }
    if ((last - first) * devicePixelRatio < LINE_BELOW * plot.bbox.width) return { stroke: pen.lines(samplesIn(at, values, first, last)), fill: null };
    return { stroke: null, fill: pen.polygons(columnsIn(at, values, first, last, pen.pixel).map(joined), pen.half) };
  };
}

/** Turns runs into paths on the canvas of a plot. */
class Pen {
  /** The seconds in a CSS pixel. */
  readonly pixel: number;
  /** Half of the line's width, on the canvas. */
  readonly half: number;
  readonly #x: (place: number) => number;
  readonly #y: (value: number) => number;

  constructor({ bbox: { left, top, width, height }, scales }: uPlot, lineWidth: number) {
    const [from, to, low, high] = [scales["x"]!.min!, scales["x"]!.max!, scales["y"]!.min!, scales["y"]!.max!];
    this.pixel = ((to - from) / width) * devicePixelRatio;
    this.half = (lineWidth / 2) * devicePixelRatio;
    this.#x = (place) => left + ((place - from) / (to - from)) * width;
    this.#y = (value) => top + ((high - value) / (high - low)) * height;
  }

  /** Trace the upper edges; of a value by itself a dot. */
  lines(runs: readonly Run[]): Path2D {
    const path = new Path2D();
    for (const { at, high } of runs) {
      path.moveTo(this.#x(at[0]!) - (at.length === 1 ? DOT * this.half : 0), this.#y(high[0]!));
      for (let index = 1; index < at.length; index += 1) path.lineTo(this.#x(at[index]!), this.#y(high[index]!));
      if (at.length === 1) path.lineTo(this.#x(at[0]!) + DOT * this.half, this.#y(high[0]!));
    }
    return path;
  }

  /** Trace the upper edges from left to right and the lower ones back, both so far out. */
  polygons(runs: readonly Run[], out: number): Path2D {
    const path = new Path2D();
    for (const { at, low, high } of runs) {
      const [begin, end] = [this.#x(at[0]!) - this.half, this.#x(at.at(-1)!) + this.half];
      path.moveTo(begin, this.#y(high[0]!) - out);
      for (let index = 0; index < at.length; index += 1) path.lineTo(this.#x(at[index]!), this.#y(high[index]!) - out);
      path.lineTo(end, this.#y(high.at(-1)!) - out);
      path.lineTo(end, this.#y(low.at(-1)!) + out);
      for (let index = at.length - 1; index >= 0; index -= 1) path.lineTo(this.#x(at[index]!), this.#y(low[index]!) + out);
      path.lineTo(begin, this.#y(low[0]!) + out);
      path.closePath();
    }
    return path;
  }
}
