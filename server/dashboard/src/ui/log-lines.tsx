/** What a function has logged and printed. */
interface LogLinesProps {
  readonly lines: readonly { readonly level: string; readonly text: string }[];
}

export function LogLines({ lines }: LogLinesProps) {
  if (!lines.length) return null;
  return (
    <section>
      <h3>Logged</h3>
      <ol className="lines">
        {lines.map((line, place) => (
          <li key={place} className={line.level}>
            <span>{line.level}</span>
            {line.text}
          </li>
        ))}
      </ol>
    </section>
  );
}
