/** Times, durations and numbers for people. */

const DAY_MS = 86_400_000;
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export const timeOfDay = (ms: number): string => time.format(ms);
export const dateOf = (ms: number): string => date.format(ms);
export const dateAndTime = (ms: number): string => both.format(ms);

/** The day as the heading of a list: "Today", "Yesterday", a weekday of this year, or a date. */
export function dayHeading(ms: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(ms)) / DAY_MS);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? day.format(ms) : dayOfYear.format(ms);
}

function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** How far off something is: "in 6 days", "3 hours ago". */
export function fromNow(ms: number, now: number): string {
  const seconds = (ms - now) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, "minute");
}

/** A duration: "0.8 s", "12.4 s", "3:05", "1:02:03". */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return clock(ms / 1000);
}

/** Seconds as on a clock: "0:05", "3:05", "1:02:03". */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A place in a recording: "12.40 s", from a minute on (or another time) "3:05.20". */
export function timeIn(seconds: number, decimals: number, clockFrom = 60): string {
  if (seconds < clockFrom) return `${seconds.toFixed(decimals)} s`;
  const parts = Math.round(seconds * 10 ** decimals);
  const fraction = decimals ? `.${String(parts % 10 ** decimals).padStart(decimals, "0")}` : "";
  return clock(parts / 10 ** decimals) + fraction;
}

/** The decimals, three at most, with which places so many seconds apart read differently. */
export const decimalsFor = (step: number): number => Math.min(3, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));

/** A rate: "100 Hz", "59.94 Hz". */
export const hertz = (rate: number): string => `${Number(rate.toFixed(2))} Hz`;

/** An angle with one decimal and a true minus. */
export const degrees = (value: number): string => `${value.toFixed(1).replace("-", "−")}°`;

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number.toLocaleString()} ${number === 1 ? one : many}`;

/** Up to two letters for a person. */
export function initials(name: string): string {
  const words = name.replace(/@.*/, "").split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return letters.map((word) => [...word][0]!.toUpperCase()).join("") || "?";
}
