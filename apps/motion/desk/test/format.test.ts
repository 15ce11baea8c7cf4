import { expect, test } from "vitest";
import { clock, dayHeading, decimalsFor, degrees, duration, hertz, initials, timeIn } from "../src/ui/format.ts";

test("durations grow from seconds to a clock", () => {
  expect([800, 12_400, 59_900, 60_000, 185_000, 3_723_000].map(duration)).toEqual(["0.8 s", "12.4 s", "59.9 s", "1:00", "3:05", "1:02:03"]);
  expect(clock(5)).toBe("0:05");
});

test("places have as many decimals as tell them apart", () => {
  expect([60, 1, 0.1, 0.054, 0.01, 0.001, 0.0001].map(decimalsFor)).toEqual([0, 0, 1, 2, 2, 3, 3]);
});

test("a place in a recording keeps its decimals, and carries them over", () => {
  expect(timeIn(12.4, 2)).toBe("12.40 s");
  expect(timeIn(1799.99, 2)).toBe("29:59.99");
  expect(timeIn(119.999, 1)).toBe("2:00.0");
  expect(timeIn(0, 0, 0)).toBe("0:00");
});

test("days are named from today on", () => {
  const now = new Date(2026, 10, 21, 1, 0).getTime();
  expect(dayHeading(now, now)).toBe("Today");
  expect(dayHeading(now - 2 * 3_600_000, now)).toBe("Yesterday");
  expect(dayHeading(new Date(2025, 0, 2).getTime(), now)).toContain("2025");
});

test("angles have a true minus, rates no needless decimals", () => {
  expect(degrees(-1.25)).toBe("−1.3°");
  expect(hertz(100)).toBe("100 Hz");
  expect(hertz(59.9401)).toBe("59.94 Hz");
});

test("initials come from the first and the last word, also of an address", () => {
  expect(["Anna Keller", "anna.keller@example.org", "Élodie", "張 偉", "  "].map(initials)).toEqual(["AK", "AK", "É", "張偉", "?"]);
});
