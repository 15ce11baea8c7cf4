/** A figure with its last two minutes as a line. */
const WIDTH = 240;
const HEIGHT = 44;

interface SparkProps {
  readonly title: string;
  readonly text: string;
  readonly note: string;
  readonly values: readonly number[];
  readonly isBad?: boolean;
}

export function Spark({ title, text, note, values, isBad = false }: SparkProps) {
  const most = Math.max(1e-9, ...values);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 6)).toFixed(1)}`);
  return (
    <div className={isBad ? "card spark bad" : "card spark"}>
      <h2 className="label">{title}</h2>
      <p className="figure">{text}</p>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {points.length > 1 && (
          <>
            <polygon points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
            <polyline points={points.join(" ")} />
          </>
        )}
      </svg>
      <p className="hint">{note}</p>
    </div>
  );
}
