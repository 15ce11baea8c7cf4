"""What reading 1,000 rows with an encrypted field costs, beside the same rows in the clear: the whole of a query at the hub.

    python -m benchmarks.encrypted

Each query is run anew (nothing of the run before is remembered), in turns with its peer, on the embedded store; the least
time of many counts. Writing is told too: inserting 1,000 rows in one mutation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from sys import modules

from synovia import Encrypted, EncryptedSearchable, Index, MutationContext, QueryContext, Table, mutation, query
from synovia.engine.engine import Engine
from synovia.functions.access import CallOrigin
from synovia.functions.registry import collect
from synovia.sealing.keyring import SEARCH, new_entry, read_keys
from synovia.store import open_store

ROWS = 1_000
ROUNDS = 15
TEXT = "2011-04-05, and a few words about it"


class Clear(Table, name="clear", indexes=[Index("by_name", "name")]):
    name: str
    note: str


class Sealed(Table, name="sealed", indexes=[Index("by_name", "name")]):
    name: str
    note: Encrypted[str]


class Searchable(Table, name="searchable", indexes=[Index("by_note", "note")]):
    name: str
    note: EncryptedSearchable[str]


TABLES: dict[str, type[Clear | Sealed | Searchable]] = {"clear": Clear, "sealed": Sealed, "searchable": Searchable}


@mutation(internal=True)
async def fill(ctx: MutationContext, table: str, again: int) -> None:
    await ctx.db.insert_many(TABLES[table](name=f"{again} {number}", note=f"{TEXT} {number}") for number in range(ROWS))


@query(internal=True)
async def clear(ctx: QueryContext) -> list[Clear]:
    return await ctx.db.query(Clear).take(ROWS)


@query(internal=True)
async def sealed(ctx: QueryContext) -> list[Sealed]:
    return await ctx.db.query(Sealed).take(ROWS)


@query(internal=True)
async def searchable(ctx: QueryContext) -> list[Searchable]:
    return await ctx.db.query(Searchable).take(ROWS)


async def least(work: dict[str, Callable[[], Awaitable[object]]]) -> dict[str, float]:
    """Do several things in turns, and give the least seconds of each."""
    found = dict.fromkeys(work, float("inf"))
    for _ in range(ROUNDS):
        for name, each in work.items():
            began = time.perf_counter()
            await each()
            found[name] = min(found[name], time.perf_counter() - began)
    return found


async def measure() -> dict[str, tuple[float, float]]:
    """Give the seconds of reading and of inserting 1,000 rows of each table."""
    registry, store = collect("encrypted", [modules[__name__]]), open_store("sqlite://:memory:")
    await store.open(registry.tables)
    engine = Engine(store, registry, keyring=read_keys(f"{new_entry('key')} {new_entry(SEARCH)}"))
    await engine.start()
    times = iter(range(10**6))
    try:
        written = await least({name: partial(_insert, engine, name, times) for name in TABLES})
        read = await least({name: partial(_read, engine, name) for name in TABLES})
    finally:
        await engine.stop()
        await store.close()
    return {name: (read[name], written[name]) for name in TABLES}


async def _read(engine: Engine, name: str) -> None:
    path = f"{__name__.rpartition('.')[2]}:{name}"
    rows = (await engine.query(path, {}, None, origin=CallOrigin.APPLICATION)).value()
    if len(rows) != ROWS or not rows[0]["note"].startswith(TEXT):
        raise RuntimeError(f"{path} gave something else")


async def _insert(engine: Engine, name: str, times: Iterator[int]) -> None:
    given = {"table": name, "again": next(times)}
    outcome = await engine.mutate(f"{__name__.rpartition('.')[2]}:fill", given, None, origin=CallOrigin.APPLICATION)
    outcome.value()


def main() -> None:
    """Measure, and print a table."""
    found = asyncio.run(measure())
    read, written = found["clear"]
    for name, (reading, writing) in found.items():
        ratios = f"{reading / read:.2f} times, {writing / written:.2f} times"
        print(f"{name:12}{reading * 1e3:8.2f} ms to read, {writing * 1e3:8.2f} ms to insert {ROWS:,} rows: {ratios}")


if __name__ == "__main__":
    main()
