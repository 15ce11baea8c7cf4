/** Days as the planner counts them: in UTC, each from its midnight to the next one. */
export const DAY = 86_400_000;

export function today(): number {
  return Math.floor(Date.now() / DAY) * DAY;
}

/** Give the Monday on or before a day. */
export function monday(day: number): number {
  return day - ((new Date(day).getUTCDay() + 6) % 7) * DAY;
}

/** Write a day as an input of the type date does. */
export function asInput(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

export function fromInput(text: string): number {
  return Date.parse(`${text}T00:00:00Z`);
}

const FORMATS = {
  day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }),
  long: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }),
  moment: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
};

export function written(at: number, how: keyof typeof FORMATS): string {
  return FORMATS[how].format(at);
}

/** Write the days from a start to an end, which is the midnight after the last one. */
export function span(start: number, end: number): string {
  return end - start <= DAY ? written(start, "day") : `${written(start, "day")} – ${written(end - DAY, "day")}`;
}
