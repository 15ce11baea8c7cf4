/** How a series is drawn: as a line, or where strides run into each other as a band with an upper edge. */
import uPlot from "uplot";

type Builder = (plot: uPlot, series: number, first: number, last: number) => uPlot.Series.Paths | null;

const line = uPlot.paths.linear!() as Builder;

/** Make the builder of a series' paths; a band has few corners, and costs far less to paint than a line that goes up and down in every pixel. */
export function pathsOf(isBand: () => boolean): Builder {
  return (plot, series, first, last) => {
    if (isBand()) return band(plot, series, first, last);
    const drawn = line(plot, series, first, last);
    return drawn && { ...drawn, fill: null };
  };
}

/** Trace the maxima of the pixels from left to right, and the minima back. */
function band(plot: uPlot, series: number, first: number, last: number): uPlot.Series.Paths {
  const [at, values] = [plot.data[0], plot.data[series]!];
  const { left, width } = plot.bbox;
  const { min, max } = plot.scales["x"]!;
  const scale = width / (max! - min!);
  const fill = new Path2D();
  const stroke = new Path2D();
  const bottoms: [x: number, y: number][] = [];
  let [column, low, high] = [NaN, Infinity, -Infinity];
  const finish = (): void => {
    if (low > high) return;
    const [x, top] = [left + column, plot.valToPos(high, "y", true)];
    fill.lineTo(x, top);
    stroke.lineTo(x, top);
    bottoms.push([x, plot.valToPos(low, "y", true)]);
  };
  for (let index = first; index <= last; index += 1) {
    const here = Math.round((at[index]! - min!) * scale);
    if (here !== column) {
      finish();
      [column, low, high] = [here, Infinity, -Infinity];
    }
    const value = values[index]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  finish();
  for (const [x, y] of bottoms.reverse()) fill.lineTo(x, y);
  return { fill, stroke };
}
