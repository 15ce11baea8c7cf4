/** uPlot, set up for two knees. */
import uPlot from "uplot";
import { decimalsFor, timeIn } from "../ui/format.ts";
import { coloursOf, type Colours } from "./colours.ts";
import { pathsOf } from "./paths.ts";

export type Series = [at: Float64Array, left: Float64Array, right: Float64Array];

export interface ChartOptions {
  /** A range has been drawn with the pointer, in the unit of the places. */
  readonly onSelect?: (from: number, to: number) => void;
  /** The pointer is over this index of the series; null: over none. */
  readonly onPoint?: (index: number | null) => void;
  readonly axes?: boolean;
}

const AXIS_FONT = "12px -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif";
/** Room for half of the last time on the axis. */
const PADDING: uPlot.Padding = [10, 28, 0, 0];
const TIME_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400,
];
const NOTHING: Series = [new Float64Array(0), new Float64Array(0), new Float64Array(0)];

/** Samples at least so far apart are marked, in CSS pixels. */
const MARKED_PX = 14;

/** A chart in an element, whose size it follows: places in seconds, values in degrees. However much is set, it draws once a frame. */
export class KneeChart {
  readonly plot: uPlot;
  #colours: Colours;
  #view: [number, number] = [0, 1];
  #bounds: [number, number] = [-10, 80];
  #band: number | null = null;
  #series = NOTHING;
  #frame = 0;
  readonly #observer: ResizeObserver;

  constructor(readonly root: HTMLElement, { onSelect, onPoint, axes = true }: ChartOptions = {}) {
    this.#colours = coloursOf(root);
    this.plot = new uPlot(this.#options(axes, onSelect, onPoint), NOTHING as never, root);
    this.#observer = new ResizeObserver(() => this.plot.setSize(sizeOf(root)));
    this.#observer.observe(root);
  }

  /** The width of what is drawn on, in CSS pixels. */
  get width(): number {
    return this.plot.bbox.width / devicePixelRatio; // not the element's: asking it would lay out the page
  }

  setSeries(series: Series): void {
    this.#series = series;
    this.#draw();
  }

  setView(from: number, to: number): void {
    this.#view = [from, to];
    this.#draw();
  }

  setBounds(low: number, high: number): void {
    this.#bounds = [low, high];
    this.#draw();
  }

  /** Draw bands whose columns are so many seconds wide; null: lines. */
  setBand(seconds: number | null): void {
    this.#band = seconds;
    this.#draw();
  }

  /** Read the colours again. */
  repaint(): void {
    this.#colours = coloursOf(this.root);
    this.#draw();
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.#observer.disconnect();
    this.plot.destroy();
  }

  #draw(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.plot.batch(() => {
        if (this.plot.data !== (this.#series as never)) this.plot.setData(this.#series as never, false);
        this.plot.setScale("x", { min: this.#view[0], max: this.#view[1] });
        this.plot.setScale("y", { min: this.#bounds[0], max: this.#bounds[1] });
      });
    });
  }

  #options(axes: boolean, onSelect: ChartOptions["onSelect"], onPoint: ChartOptions["onPoint"]): uPlot.Options {
    const line = (side: "left" | "right"): uPlot.Series => ({
      stroke: () => this.#colours[side],
      fill: () => this.#colours[this.#band ? (`${side}Band` as const) : side],
      width: 1.75,
      points: { show: isSparse, size: 5, width: 0, fill: () => this.#colours[side] },
      paths: pathsOf(() => this.#band),
    });
    const axis = { stroke: () => this.#colours.ink, font: AXIS_FONT, ticks: { show: false }, show: axes };
    const grid = { stroke: () => this.#colours.grid, width: 1 };
    return {
      ...sizeOf(this.root),
      padding: PADDING,
      legend: { show: false },
      cursor: {
        x: onPoint !== undefined,
        y: false,
        points: { size: 8, width: 2 },
        drag: { x: onSelect !== undefined, y: false, setScale: false },
        bind: { dblclick: () => null },
      },
      scales: { x: { time: false, auto: false }, y: { auto: false } },
      series: [{}, line("left"), line("right")],
      axes: [
        { ...axis, grid: { show: false }, size: 30, space: 90, incrs: TIME_STEPS, values: (_, splits) => splits.map((seconds) => label(seconds, splits)) },
        { ...axis, grid, size: 46, space: 34, values: (_, splits) => splits.map((value) => `${String(value).replace("-", "−")}°`) },
      ],
      hooks: {
        drawAxes: [(plot) => this.#drawZero(plot)],
        setCursor: [(plot) => onPoint?.(plot.cursor.idx ?? null)],
        setSelect: [(plot) => selected(plot, onSelect)],
      },
    };
  }

  #drawZero(plot: uPlot): void {
    const y = Math.round(plot.valToPos(0, "y", true)) + 0.5;
    if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) return;
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = this.#colours.zero;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(plot.bbox.left, y);
    ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

function isSparse(plot: uPlot, _: number, first: number, last: number): boolean {
  return (last - first) * MARKED_PX * devicePixelRatio <= plot.bbox.width;
}

const LEAST_DRAG_PX = 4;

function selected(plot: uPlot, onSelect: ChartOptions["onSelect"]): void {
  const { left, width } = plot.select;
  if (width >= LEAST_DRAG_PX) onSelect?.(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  if (width > 0) plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: Math.max(60, clientWidth), height: Math.max(40, clientHeight) };
}

/** Seconds on an axis: with as many decimals as its steps need below a minute, as a clock above. */
function label(seconds: number, splits: readonly number[]): string {
  const step = splits.length > 1 ? splits[1]! - splits[0]! : 1;
  const decimals = decimalsFor(step);
  return splits.at(-1)! < 120 ? `${seconds.toFixed(decimals)} s` : timeIn(seconds, decimals, 0);
}
