"""``python -m benchmarks.varied [QUERIES]``: what queries with varied arguments, asked once each, leave in a hub's memory.

One client asks them over a socket, some at a time, each with a result of about 1 MB, of a hub with default limits; on both
stores. What they leave for clients that come back has a bound in bytes (``MAX_LINGERING_BYTES_PER_ADDRESS``), so memory must
not grow with their number. Exit code 1 if it does.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import AsyncExitStack

from benchmarks.databases import database
from benchmarks.hub import EMBEDDED, hub
from benchmarks.results import Setting
from helpers.mongod import running_mongod
from synovia.limits.settings import HubLimits
from synovia_client import Client

QUERIES = 800
SENSORS = 100
_MORE = "x" * 10_000
MOST_MIB = 400.0
"""The bound of what lingers, the bound of what is held while some are under way, and room for what runs."""
_AT_ONCE = 32


async def peak(store: str, name: str, queries: int) -> tuple[float, float]:
    """Ask so many; tell the most memory that the hub had before them and after them, in MiB."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(store, Setting(mongodb=""), f"varied {name}", HubLimits()))
        client = await stack.enter_async_context(Client(running.url, proxy=None))
        await client.mutation("sensors:add_many", {"room": "large", "first": 0, "count": SENSORS, "more": _MORE})
        before, places = await running.memory(), asyncio.Semaphore(_AT_ONCE)

        async def ask(number: int) -> None:
            async with places:
                args = {"room": "large", "number": number}
                rows = await client.query("sensors:listing", args, timeout=None)
                if len(rows) != SENSORS:
                    raise RuntimeError(f"{len(rows)} rows")

        async with asyncio.TaskGroup() as asking:
            for number in range(queries):
                asking.create_task(ask(number))
        return before, await running.memory()


async def _all(uri: str, queries: int) -> bool:
    fits = True
    async with database(Setting(uri)) as chosen:
        for name, store in (("embedded", EMBEDDED), ("MongoDB", chosen.url)):
            before, after = await peak(store, name, queries)
            fits = fits and after - before < MOST_MIB
            print(f"{queries} queries of 1 MB, {name}: at most {before:.0f} MiB before and {after:.0f} MiB after")
    return fits


def main() -> int:
    """Measure and print."""
    logging.disable(logging.WARNING)
    queries = int(sys.argv[1]) if len(sys.argv) > 1 else QUERIES
    with running_mongod() as uri:
        return 0 if asyncio.run(_all(uri, queries)) else 1


if __name__ == "__main__":
    sys.exit(main())
