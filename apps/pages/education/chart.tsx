/** Points of a goal over time, the line of least squares through them, the baseline and the target. */
import type { ReactElement } from "react";
import type { Goal, ProgressData } from "./api/api.ts";
import { day, round } from "./words.ts";

const WIDTH = 560;
const HEIGHT = 180;
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 8, 12, 22];

export function Chart({ goal, points }: { goal: Goal; points: readonly ProgressData[] }): ReactElement {
  const { value: base, date } = goal.baselineData;
  const { target, measurement } = goal.targetCriteria;
  const times = [date, ...points.map(({ recordedDate }) => recordedDate)];
  const values = [base, target, ...points.map(({ measurementValue }) => measurementValue)];
  const [first, last] = [Math.min(...times), Math.max(...times, Math.min(...times) + 86_400_000)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || 1) * 0.08;
  const x = (time: number): number => LEFT + ((time - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - ((value - low + room) / (high - low + 2 * room)) * (HEIGHT - TOP - BOTTOM);
  const line = through(points);
  const told = `${points.length} points in ${measurement}, from ${round(base)} towards ${round(target)}`;
  return (
    <svg className="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={told}>
      {[base, target].map((value, index) => (
        <g key={index} className={index === 1 ? "target" : "base"}>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 6} y={y(value) + 4} textAnchor="end">{round(value, 0)}</text>
        </g>
      ))}
      {line && <line className="trend" x1={x(line.from)} y1={y(line.at(line.from))} x2={x(line.to)} y2={y(line.at(line.to))} />}
      {points.map(({ _id, recordedDate, measurementValue }) => <circle key={_id} cx={x(recordedDate)} cy={y(measurementValue)} r="3.6"><title>{`${day(recordedDate)}: ${round(measurementValue)}`}</title></circle>)}
      <text x={LEFT} y={HEIGHT - 5}>{day(first)}</text>
      <text x={WIDTH - RIGHT} y={HEIGHT - 5} textAnchor="end">{day(last)}</text>
    </svg>
  );
}

/** The line of least squares, for the eye: the numbers beside it are the hub's. */
function through(points: readonly ProgressData[]): { from: number; to: number; at: (time: number) => number } | null {
  if (points.length < 2) return null;
  const mean = (of: (point: ProgressData) => number): number => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [mx, my] = [mean((point) => point.recordedDate), mean((point) => point.measurementValue)];
  const spread = mean((point) => (point.recordedDate - mx) ** 2);
  if (spread === 0) return null;
  const slope = mean((point) => (point.recordedDate - mx) * (point.measurementValue - my)) / spread;
  const times = points.map(({ recordedDate }) => recordedDate);
  return { from: Math.min(...times), to: Math.max(...times), at: (time) => my + slope * (time - mx) };
}
