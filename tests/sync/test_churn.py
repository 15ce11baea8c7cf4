"""Clients that come and go leave nothing behind: neither a task nor a timer, a connection or an entry anywhere."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from helpers.churn import come_and_go, left
from helpers.sync_server import serving
from helpers.waiting import until

CLIENTS, ROUNDS = 10, 3


@pytest.mark.slow
async def test_nothing_is_left_of_clients_that_have_gone() -> None:
    async with serving(development=True, max_authentications_per_minute_per_address=10_000) as running:
        await asyncio.gather(*(come_and_go(running, number) for number in range(CLIENTS)))
        await until(lambda: (left(running)["connections"], left(running)["http"]) == (0, 0))
        gc.collect()
        blocks, before = sys.getallocatedblocks(), left(running)
        for _ in range(ROUNDS):
            await asyncio.gather(*(come_and_go(running, number) for number in range(CLIENTS)))
        await until(lambda: all(left(running)[each] <= count for each, count in before.items()))
        assert before["of the address"] == before["subscriptions"] == before["uploads"] == before["backlog"] == 0
        gc.collect()
        grown = (sys.getallocatedblocks() - blocks) / (ROUNDS * CLIENTS)
        assert grown < 500, "a client that has gone leaves its note and the records of its requests, and nothing else"
