import { describe, expect, it } from "vitest";
import { linkTo, routeOf } from "../src/browser/route.ts";
import { conditionsOf, typed } from "../src/data/conditions.tsx";
import { bytes, duration } from "../src/ui/format.ts";
import type { TableInfo } from "../src/api/hub.ts";

const TABLE: TableInfo = {
  name: "notes",
  count: 0,
  declared: true,
  system: false,
  indexes: [],
  wholeReads: [],
  fields: [
    { name: "text", kind: "text", type: "str", choices: [], required: true },
    { name: "size", kind: "number", type: "int", choices: [], required: true },
  ],
};

describe("where one is", () => {
  it("is read from the address as it was written", () => {
    const link = linkTo(["data", "a/b c"], { id: "x&y", view: undefined });
    const { parts, query } = routeOf(link);
    expect(parts).toEqual(["data", "a/b c"]);
    expect(query.get("id")).toBe("x&y");
    expect(query.has("view")).toBe(false);
  });

  it("bears an address that is none", () => {
    expect(routeOf("#/data/%E0%A4%A").parts).toEqual(["data", "%E0%A4%A"]);
    expect(routeOf("").parts).toEqual([]);
  });
});

describe("conditions", () => {
  it("take what is typed as what the field holds", () => {
    const drafts = [
      { field: "text", test: "eq", text: "5" },
      { field: "size", test: "gt", text: "5" },
      { field: "_id", test: "eq", text: "007" },
      { field: "size", test: "contains", text: "5" },
      { field: "size", test: "missing", text: "" },
    ] as const;
    expect(conditionsOf(drafts, TABLE).map(({ value }) => value)).toEqual(["5", 5, "007", "5", ""]);
  });

  it("leave out what is not typed yet", () => {
    expect(conditionsOf([{ field: "text", test: "eq", text: "" }], TABLE)).toEqual([]);
  });

  it("read values as they look", () => {
    expect(["true", "null", "-2.5", '"5"', "five", " "].map(typed)).toEqual([true, null, -2.5, "5", "five", " "]);
  });
});

describe("figures", () => {
  it("are short", () => {
    expect([0, 999, 1_000, 12_345, 5_600_000, 7e9].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "12 kB", "5.6 MB", "7.0 GB"]);
    expect([0.25, 15, 1_500, 90_000, 7_200_000, 1e9].map(duration)).toEqual(["0.3 ms", "15 ms", "1.5 s", "1 min", "2 h", "11 d"]);
  });
});
