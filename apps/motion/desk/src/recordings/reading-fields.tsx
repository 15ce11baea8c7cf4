/** How a file is to be read, where it does not tell: fields for what the server may be told. */
import type { ReactElement } from "react";
import { Select, TextField } from "../ui/controls.tsx";

/** What the server may be told, as it calls it. */
export type ReadingOption = "leftColumn" | "rightColumn" | "timeColumn" | "sampleRate" | "timeUnit" | "radians" | "fillGaps";

export type Reading = { readonly [option in ReadingOption]?: string };

interface Props {
  readonly options: readonly string[];
  /** The names of the columns to choose from. */
  readonly columns?: readonly string[];
  readonly reading: Reading;
  readonly onReading: (reading: Reading) => void;
}

const COLUMNS = [["leftColumn", "Left knee"], ["rightColumn", "Right knee"], ["timeColumn", "Time"]] as const;

export function ReadingFields({ options, columns = [], reading, onReading }: Props): ReactElement {
  const set = (option: ReadingOption) => (event: { target: { value: string } }): void => onReading(withOption(reading, option, event.target.value));
  const asked = (option: ReadingOption): boolean => options.includes(option);
  return (
    <>
      {columns.length > 0 && COLUMNS.filter(([option]) => asked(option)).map(([option, label]) => (
        <Select key={option} label={label} value={reading[option] ?? ""} onChange={set(option)}>
          <option value="">As its name tells</option>
          {[...new Set(columns)].map((column) => <option key={column} value={column}>{column}</option>)}
        </Select>
      ))}
      {asked("sampleRate") && (
        <TextField
          label="Sample rate" type="number" inputMode="decimal" min="0.1" max="20000" step="any" placeholder="100" hint="In hertz, for files without times."
          value={reading.sampleRate ?? ""} onChange={set("sampleRate")}
        />
      )}
      {asked("timeUnit") && (
        <Select label="Unit of the times" value={reading.timeUnit ?? ""} onChange={set("timeUnit")}>
          <option value="">As the file tells</option>
          <option value="s">Seconds</option>
          <option value="ms">Milliseconds</option>
          <option value="us">Microseconds</option>
          <option value="ns">Nanoseconds</option>
          <option value="min">Minutes</option>
          <option value="days">Days</option>
        </Select>
      )}
      {asked("radians") && (
        <Select label="Unit of the angles" value={reading.radians ?? ""} onChange={set("radians")}>
          <option value="">As the file tells</option>
          <option value="false">Degrees</option>
          <option value="true">Radians</option>
        </Select>
      )}
      {asked("fillGaps") && (
        <Select label="Missing samples" value={reading.fillGaps ?? ""} onChange={set("fillGaps")}>
          <option value="">Refuse files with gaps</option>
          <option value="true">Interpolate over gaps</option>
        </Select>
      )}
    </>
  );
}

/** Say something, or no longer. */
export function withOption(reading: Reading, option: ReadingOption, value: string): Reading {
  const { [option]: _, ...rest } = reading;
  return value ? { ...rest, [option]: value } : rest;
}
