"""A hub that dies or stands still amid a commit must not keep the others from committing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.mongod import ReplicaSet
from synovia.store.mongo.driver import Driver
from synovia_client import Client
from torture.processes import HubProcess, running_hubs
from torture.run import fresh_database

HOLD_THE_FENCE = """
import asyncio, sys
from synovia.store.mongo.catalog import FENCE, FENCE_ID
from synovia.store.mongo.driver import Driver

async def main():
    driver = Driver(sys.argv[1], None, 10.0)
    async with driver.session() as session:
        await session.start_transaction()
        update = {"q": {"_id": FENCE_ID}, "u": {"$inc": {"n": 1}}}
        await driver.command({"update": FENCE, "updates": [update]}, session=session)
        print("open", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""

pytestmark = pytest.mark.mongodb


@pytest.fixture
async def store(members: ReplicaSet) -> AsyncIterator[str]:
    async with fresh_database(members) as store:
        yield store


@contextmanager
def holding_the_fence(store: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has advanced the fence as a hub does, and goes no further."""
    process = subprocess.Popen([sys.executable, "-c", HOLD_THE_FENCE, store], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def test_a_transaction_that_a_killed_hub_left_open_holds_nobody_up_for_long(store: str, tmp_path: Path) -> None:
    hub = HubProcess(store, tmp_path / "hub.log")
    async with running_hubs(hub), Client(hub.url, proxy=None) as client:
        assert await client.mutation("counters:increment", {"name": "c"}) == 1
        with holding_the_fence(store) as holder:
            holder.kill()
            holder.wait()
            began = time.monotonic()
            assert await client.mutation("counters:increment", {"name": "c"}, timeout=50) == 2
            print(f"\nwaited {time.monotonic() - began:.1f} s")
            assert time.monotonic() - began < 8
        assert await client.mutation("counters:increment", {"name": "c"}) == 3


async def test_a_hub_that_stands_still_holds_nobody_up_and_others_transactions_are_left_alone(
    store: str, tmp_path: Path
) -> None:
    """Somebody else's transaction, on documents of their own, outlives a hub's search for orphans."""
    hub = HubProcess(store, tmp_path / "hub.log")
    other = Driver(store.replace("?", "_other?"), None, 10.0)
    await other.command({"create": "things"})  # in the transaction it would hold up the log itself
    async with running_hubs(hub), Client(hub.url, proxy=None) as client, other.session() as session:
        await session.start_transaction()
        await other.command({"insert": "things", "documents": [{"_id": os.urandom(4)}]}, session=session)
        with holding_the_fence(store):
            began = time.monotonic()
            await client.mutation("counters:increment", {"name": "c"}, timeout=30)
            assert time.monotonic() - began < 8
        await session.commit_transaction()
    await other.command({"dropDatabase": 1})
    await other.close()
