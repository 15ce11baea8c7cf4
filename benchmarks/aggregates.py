"""Sums, ranks and medians of tables with aggregate indexes, and inserting into them, in one process without sockets.

The peers are the same questions in a table of 1,000 rows, adding up all documents afresh, and insertions into a table with
a plain index, one after the other and 50 at once. ``--full`` takes a million rows, which are not added up: that takes longer
than a query may.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Iterator

from bson import ObjectId

from benchmarks import aggregated
from benchmarks.calls_compared import Call, compare, filled_apps
from benchmarks.results import Aim, Result, Row, Setting, compared
from synovia.store.base import Write
from synovia.testing import TestApp

ROWS, FEW, MANY = 100_000, 5_000, 1_000_000
SMALL = 1_000
AT_ONCE = 50
_RANGE = 1_000_000


async def run(setting: Setting) -> Result:
    """Measure on both stores."""
    rows: list[Row] = []
    async for store, app in filled_apps(aggregated, lambda: _writes(setting), setting):
        rows += await _measure(app, setting, store)
    return Result("aggregates", tuple(rows))


def _number(setting: Setting) -> int:
    return MANY if setting.full else FEW if setting.quick else ROWS


def _writes(setting: Setting) -> Iterator[Write]:
    chance = random.Random(1)
    for table, number in (("small", SMALL), ("large", _number(setting))):
        for _ in range(number):
            document = {"_id": ObjectId(), "game": "chess", "points": chance.randrange(_RANGE)}
            yield Write(table, document["_id"], None, document)


async def _measure(app: TestApp, setting: Setting, store: str) -> list[Row]:
    number, chance = _number(setting), random.Random(2)
    added: list[str] = []
    begin = time.perf_counter()
    await app.server.aggregates.rebuild()
    made = time.perf_counter() - begin

    def asked(table: str) -> Call:
        return lambda: app.trusted.query("aggregated:kept", {"table": table, "points": chance.randrange(_RANGE)})

    def adding(table: str, at_once: int = 1) -> Call:
        def add() -> Awaitable[object]:
            added.append(table)
            return app.trusted.mutation(f"aggregated:add_{table}", {"points": chance.randrange(_RANGE)})

        async def add_all() -> None:
            await asyncio.gather(*(add() for _ in range(at_once)))

        return add_all

    async def added_up() -> object:
        return await app.trusted.query("aggregated:added_up")

    title, outdated = f"{store}, {number:,} rows", app.engine.stage.outdated
    rows = [
        _told(f"{title}: making the sums of 1,000 rows", 1_000_000 * made / number),
        await compare(f"{title}: sum, rank, median", asked("large"), "1,000 rows", asked("small"), setting),
        await compare(f"{title}: an insert", adding("large"), "a plain index", adding("plain"), setting),
        await compare(
            f"{title}: {AT_ONCE} inserts at once",
            adding("large", AT_ONCE),
            "a plain index",
            adding("plain", AT_ONCE),
            setting,
        ),
    ]
    if number <= ROWS:
        asking, adding_up = await _once(asked("large")), await _once(added_up)
        rows.append(compared(f"{title}: sum, rank, median", "ms", [asking], "adding up all", [adding_up]))
    again = app.engine.stage.outdated - outdated
    rows.append(Row(f"{title}: inserts run again", again, "", "inserts", len(added), again / len(added), Aim(0.0)))
    begin, changes = time.perf_counter(), app.server.aggregates.changes
    await app.server.aggregates.catch_up()
    seconds, folded = time.perf_counter() - begin, app.server.aggregates.changes - changes
    rows.append(_told(f"{title}: a change into the sums", 1_000 * seconds / max(1, folded)))
    return rows


async def _once(call: Call) -> float:
    """Tell how many milliseconds a call takes that is too slow to be made often."""
    begin = time.perf_counter()
    await call()
    return 1_000 * (time.perf_counter() - begin)


def _told(name: str, milliseconds: float) -> Row:
    """Tell a figure that has no peer."""
    return compared(name, "ms", [milliseconds], "", [milliseconds])
