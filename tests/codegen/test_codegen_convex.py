"""What is written for npm ``convex`` type-checks with the real package: right calls do, wrong ones do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from helpers.compiling import EVERYTHING, GOLDEN, check_convex, expected
from helpers.written_applications import write_application
from synovia.codegen import CodegenError, generate
from synovia.functions.registry import load_application

PROGRAM = """
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { useAction, useMutation, useQueries, useQuery } from "convex/react";
import { getFunctionName, type FunctionArgs, type FunctionReturnType } from "convex/server";
import { api, internal } from "./_generated/api";
import type { DataModel, Doc, Id, TableNames, Thing } from "./_generated/dataModel";

declare const client: ConvexClient;
declare const http: ConvexHttpClient;
declare const id: Id<"things">;

type Shown = FunctionReturnType<typeof api.things.list>[number];
const args: FunctionArgs<typeof api.things.get> = { thingId: id };
const name: TableNames = "things";
const nobody: TableNames = "users"; // wrong: TS2322
const same: Shown = null as unknown as Doc<"things">;
const row: DataModel["things"]["document"] = same;

export async function calls(): Promise<void> {
  const all: Thing[] = await client.query(api.things.list, { limit: 3 });
  const none: null = await client.query(api.things.nothingNeeded, {});
  const sent: boolean = await client.action(api.mailBox.send, { to: "ada@example.org" });
  const made: Id<"things">[] = await client.mutation(api.shop.orders.new.create, { thingId: id });
  const one = await http.query(api.things.get, args);
  client.onUpdate(api.things.list, {}, (things) => things.map((each) => each._creationTime + each.ratio));
  if (one) {
    const at: number = one.at;
    const raw: ArrayBuffer = one.raw;
    const shape: number[] = one.series.shape;
    const big: bigint = one.big; // wrong: TS2322
    console.log(at, raw, shape, big, one.maybe?.length, one["odd key"], one.missing); // wrong: TS2339
  }
  await client.query(api.things.lst, {}); // wrong: TS2551
  await client.query(api.things.get, {}); // wrong: TS2741
  await client.query(api.things.get, { thingId: "x" }); // wrong: TS2322
  await client.query(api.things.list, { limit: "3" }); // wrong: TS2322
  await client.mutation(api.things.list, {}); // wrong: TS2345
  await client.query(api.things.hidden, {}); // wrong: TS2339
  await client.mutation(internal.things.hidden, {}); // wrong: TS2339
  console.log(all, none, sent, made, name, nobody, row, getFunctionName(api.shop.count));
}

export function Component(): number {
  const things = useQuery(api.things.list, {});
  const skipped = useQuery(api.things.get, things ? { thingId: things[0]!._id } : "skip");
  const create = useMutation(api.shop.orders.new.create).withOptimisticUpdate((store, given) => {
    const known = store.getQuery(api.things.list, {});
    if (known) store.setQuery(api.things.list, {}, known.filter((each) => each._id !== given.thingId));
    store.setQuery(api.things.list, {}, [{ _id: 1 }]); // wrong: TS2322
  });
  const send = useAction(api.mailBox.send);
  const many = useQueries({ one: { query: api.shop.count, args: {} } });
  useQuery(api.shop.count, { of: 1 }); // wrong: TS2322
  void create({ thingId: id, howMany: 2 });
  void send({ to: "x", text: "y" });
  return (skipped?.ratio ?? 0) + Object.keys(many).length;
}
"""


@pytest.mark.slow
def test_wrong_calls_do_not_compile_and_right_ones_do(tmp_path: Path) -> None:
    (found,) = generate(load_application(EVERYTHING), convex=tmp_path / "_generated")
    found.apply()
    assert check_convex(PROGRAM, tmp_path) == expected(PROGRAM)


def test_the_output_is_that_which_was_looked_at(tmp_path: Path) -> None:
    """When it is to be another: synovia codegen tests/apps/everything --convex tests/codegen/golden/convex."""
    (found,) = generate(load_application(EVERYTHING), convex=GOLDEN / "convex")
    assert not found, f"it is not what is in {GOLDEN / 'convex'}"
    assert "token" not in (GOLDEN / "convex" / "dataModel.d.ts").read_text()  # what only internal functions show


def test_only_what_was_generated_is_replaced(tmp_path: Path) -> None:
    registry = load_application(EVERYTHING)
    for found in generate(registry, convex=tmp_path):
        found.apply()
    assert not any(generate(registry, convex=tmp_path))
    (tmp_path / "api.js").write_text("export const api = 1;\n")
    with pytest.raises(CodegenError, match="was not written by"):
        generate(registry, convex=tmp_path)


@pytest.mark.parametrize("name", ["Doc", "DataModel", "GenericId"])
def test_names_that_have_a_meaning_there(tmp_path: Path, name: str) -> None:
    source = f"class {name}(Model):\n    a: int\n@query(public=True)\nasync def f(ctx: QueryContext) -> {name}: ...\n"
    registry = load_application(write_application(tmp_path, source))
    with pytest.raises(CodegenError, match=f"{name}: the name has a meaning"):
        generate(registry, convex=tmp_path / "_generated")


MARKED = """
class Row(Table, name="rows"):
    big: Int64
    several: list[Int64] = []
    maybe: Nullable[str] = None
    absent: str | None = None

@query(public=True)
async def page(ctx: QueryContext, size: Int64, pagination_opts: PaginationOptions) -> Page[Row]: ...
"""


@pytest.mark.slow
def test_what_only_clients_of_convex_are_told(tmp_path: Path) -> None:
    (found,) = generate(load_application(write_application(tmp_path, MARKED)), convex=tmp_path / "_generated")
    found.apply()
    model = (tmp_path / "_generated" / "dataModel.d.ts").read_text()
    for line in ("big: bigint;", "several: bigint[];", "maybe: string | null;", "absent?: string;"):
        assert f"  {line}\n" in model
    program = """
import { usePaginatedQuery } from "convex/react";
import { api } from "./_generated/api";

const MODULE = "MODULE_NAME";

export function Rows(): number {
  const { results } = usePaginatedQuery(api[MODULE].page, { size: 5n }, { initialNumItems: 5 });
  usePaginatedQuery(api[MODULE].page, { size: 5 }, { initialNumItems: 5 }); // wrong: TS2322
  return results.reduce((sum, row) => sum + row._creationTime + Number(row.big) + (row.maybe?.length ?? 0), 0);
}
"""
    (name,) = (path.stem for path in tmp_path.glob("written_*.py"))
    program = program.replace("MODULE_NAME", to_camel(name))
    assert check_convex(program, tmp_path) == expected(program)
