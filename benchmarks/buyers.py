"""200 clients that all change one document, as buyers of one tier do, against the same clients with a document each.

Each changes it again as soon as it is answered, reading it first. The peer is the hub itself, in the same round.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.databases import database
from benchmarks.drivers import drivers
from benchmarks.hub import hub
from benchmarks.probe import furnish
from benchmarks.results import Aim, Result, Row, Setting, compared

BUYERS = 200
SECONDS = 1.5
_AIM = Aim(2.0)


async def run(setting: Setting, buyers: int = BUYERS) -> Result:
    """Measure each store in alternating rounds."""
    return Result("buyers", tuple([await _row(setting, store, buyers) for store in ("SQLite", "MongoDB")]))


async def _row(setting: Setting, store: str, buyers: int) -> Row:
    one, each = list[float](), list[float]()
    async with (
        _address(setting, store) as url,
        hub(url, setting, f"buyers {store}") as running,
        drivers() as clients,
    ):
        own = await furnish(running.url, "tiers", buyers)
        await clients.join(running.port, own)
        await clients.rate(SECONDS)
        for _ in range(setting.rounds(5)):
            for sensors, times in ((own[:1] * buyers, one), (own, each)):
                await clients.assign(sensors)
                times.append(buyers / await clients.rate(SECONDS) * 1000)
    return compared(f"{buyers} buyers of one tier, {store}", "ms", one, "a tier each", each, _AIM)


@asynccontextmanager
async def _address(setting: Setting, store: str) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        if store == "MongoDB":
            yield (await stack.enter_async_context(database(setting))).url
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="synovia-buyers-"))
            yield f"sqlite:///{folder}/buyers.sqlite"
