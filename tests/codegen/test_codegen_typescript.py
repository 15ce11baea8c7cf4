"""The compiler finds every wrong call of a generated TypeScript client, and nothing wrong with right ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.compiling import GOLDEN, ROOT, check_typescript, expected
from synovia.codegen import generate
from synovia.functions.registry import load_application

EVERYTHING = """
import { ArrayRef, NdArray, type SynoviaClient } from "synovia-client";
import { usePaginatedQuery, useQuery } from "synovia-client/react";
import { api, type Id, type Page, type Part, type PartInput, type Thing } from "./api.js";

declare const client: SynoviaClient;
declare const id: Id<"things">;
declare const other: Id<"others">;
declare const ref: ArrayRef;
const { things, mailBox, shop } = api;

const part: PartInput = { owner: id, parts: [{ owner: id }] };
const right = {
  flag: true, big: 2n ** 60n, ratio: 1, raw: new Uint8Array(1), at: new Date(), role: "reader" as const,
  series: new Float64Array(3), pictures: [new Int8Array(1), new NdArray(new Float32Array(4), [2, 2]), ref],
  parts: [part], table: { a: [1, null] },
};

export async function calls(): Promise<void> {
  const thing: Thing | null = await client.query(things.get, { thingId: id });
  const all: Thing[] = await client.query(things.list);
  const page: Page<Thing> = await client.query(things.page, { cursor: null, limit: 3 });
  const nothing: null = await client.query(things.nothingNeeded);
  const saved: Id<"things"> = await client.mutation(things.save, { ...right, plain: { snake_case: 1 }, anything: [1] });
  const sent: boolean = await client.action(mailBox.send, { to: "ada@example.org" }, { timeout: 5 });
  const made: Id<"things">[] = await client.mutation(shop.orders.new.create, { thingId: id, howMany: 2 });
  const parts: Part[] = await client.query(shop.orders.new.list, { owner: made[0]! });
  const counted: number = (await client.query(shop.count)) + parts.length;
  await client.query(shop.orders.list); // wrong: TS2339
  await client.query(shop.orders.new.list, { owner: other }); // wrong: TS2322
  const { first, second } = await client.query(things.pairs);
  const animal = second[0]!.second[0]!;
  const name: string = animal.kind === "dog" ? animal.name : String(animal.lives);
  const [color, count]: ["red" | "dark blue", number] = await client.query(things.colors);
  const text: string = saved;
  await client.query(things.animals, { kept: [{ kind: "cat", lives: 9 }] });
  client.onUpdate(things.page, {}, ({ items }) => items.map((each) => each.series.length));
  if (thing) {
    const either: string | (number | null)[] | undefined = thing.either;
    const parts: Part[] = thing.part.parts;
    const odd: number = thing["odd key"] + thing.for + thing.twice + first;
    await client.array(thing.series);
    console.log(either, parts, odd, thing.at.getTime(), thing.raw.length, thing.big === 1n);
    const maybe: string = thing.maybe; // wrong: TS2322
    const big: number = thing.big; // wrong: TS2322
    const nullable: string | null = thing.maybe ?? null;
    thing.series.at(0); // wrong: TS2339
    console.log(maybe, big, nullable, thing.nme); // wrong: TS2551
  }
  console.log(all, page, nothing, sent, name, color, count, text, counted);

  await client.query(things.lst); // wrong: TS2551
  await client.query(api.thing.list); // wrong: TS2551
  await client.query(things.hidden); // wrong: TS2339
  await client.query(things.get); // wrong: TS2554
  await client.query(things.get, {}); // wrong: TS2741
  await client.query(things.get, { thing_id: id }); // wrong: TS2561
  await client.query(things.get, { thingId: "65f0c0ffee65f0c0ffee65f0" }); // wrong: TS2322
  await client.query(things.get, { thingId: other }); // wrong: TS2322
  await client.query(things.list, { limit: "3" }); // wrong: TS2322
  await client.query(things.list, { limits: 3 }); // wrong: TS2561
  await client.query(things.nothingNeeded, { some: 1 }); // wrong: TS2322
  await client.query(things.save, right); // wrong: TS2345
  await client.mutation(things.list); // wrong: TS2554
  await client.mutation(things.save, { ...right, role: "owner" }); // wrong: TS2322
  await client.mutation(things.save, { ...right, series: [1, 2] }); // wrong: TS2322
  await client.mutation(things.save, { ...right, series: new Float32Array(2) }); // wrong: TS2322
  await client.mutation(things.save, { ...right, table: { a: ["1"] } }); // wrong: TS2322
  await client.query(things.animals, { kept: [{ lives: 9 }] }); // wrong: TS2322
  const wrong: string[] = await client.query(things.list); // wrong: TS2322
  console.log(wrong);
}

export function Hooks(): number {
  const shown: Thing | null | undefined = useQuery(things.get, "skip");
  const pages = usePaginatedQuery(things.page, {}, { pageSize: 3 });
  const series: ArrayRef | undefined = pages.results[0]?.series;
  useQuery(things.nothingNeeded);
  useQuery(things.get); // wrong: TS2554
  return (shown?.count ?? 0) + (series?.length ?? 0);
}
"""

MOTION = """
import type { SynoviaClient } from "synovia-client";
import { api, type Id, type Recording } from "./api.js";

export async function rename(
  client: SynoviaClient, samples: Float64Array, recordingId: Id<"recordings">,
): Promise<Recording[]> {
  await client.mutation(api.recordings.rename, { recordingId, notes: "left knee" });
  await client.mutation(api.recordings.save, { leftKnee: samples, rightKnee: samples, sampleRate: 100 });
  await client.mutation(api.recordings.rename, { recordingId }); // wrong: TS2741
  return client.query(api.recordings.listMine, { limit: 20 });
}
"""


@pytest.mark.slow
def test_wrong_calls_do_not_compile_and_right_ones_do(tmp_path: Path) -> None:
    assert check_typescript(EVERYTHING, tmp_path, GOLDEN / "ts") == expected(EVERYTHING)


@pytest.mark.slow
def test_the_motion_application_has_a_client_that_compiles(tmp_path: Path) -> None:
    (found,) = generate(load_application(ROOT / "apps" / "motion"), ts=tmp_path / "ts")
    found.apply()
    assert check_typescript(MOTION, tmp_path, tmp_path / "ts") == expected(MOTION)
