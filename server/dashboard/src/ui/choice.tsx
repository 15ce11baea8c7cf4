/** A choice among a few, of which the empty one is every one. */
interface ChoiceProps {
  readonly label: string;
  readonly all: string;
  readonly value: string;
  readonly choices: readonly (string | readonly [value: string, text: string])[];
  readonly change: (value: string) => void;
}

export function Choice({ label, all, value, choices, change }: ChoiceProps) {
  return (
    <select aria-label={label} value={value} onChange={({ target }) => change(target.value)}>
      <option value="">{all}</option>
      {choices.map((each) => {
        const [given, text] = typeof each === "string" ? [each, each] : each;
        return (
          <option key={given} value={given}>
            {text}
          </option>
        );
      })}
    </select>
  );
}
