"""Deadlines hold although the driver loses their cancellation, as ``asyncio.wait_for`` can before Python 3.12."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from pymongo.common import MIN_HEARTBEAT_INTERVAL
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from helpers.patience import PATIENCE
from synovia.store.base import Batch, StoreUnavailable
from synovia.store.mongo.abandoned_transactions import Orphans
from synovia.store.mongo.catalog import Catalog
from synovia.store.mongo.commit import commit
from synovia.store.mongo.driver import Driver


class LosingDriver(Driver):
    """A driver of a database that is away, which loses the one cancellation that it gets."""

    def __init__(self) -> None:
        super().__init__("mongodb://127.0.0.1:1/x", None, 0.05)
        self._lost = False

    async def lose(self) -> None:
        if not self._lost:
            self._lost = True
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        raise AutoReconnect("the database is away")

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        await self.lose()
        yield


@pytest.fixture
async def driver() -> AsyncIterator[LosingDriver]:
    driver = LosingDriver()
    yield driver
    await driver.close()


async def test_reading_ends(driver: LosingDriver) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StoreUnavailable, match="the database is away"):
            await driver.reading(driver.lose)


async def test_committing_ends(driver: LosingDriver) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StoreUnavailable, match="in time"):
            await commit(driver, Catalog(), Batch(), Orphans(driver))


async def test_calls_that_time_out_while_the_driver_waits_for_a_primary_leave_it_whole() -> None:
    """The driver looks again every half second: deadlines around that moment meet it as it takes its lock."""
    driver = Driver("mongodb://127.0.0.1:1/x", None, 4.0)

    async def call(number: int) -> None:
        async with asyncio.timeout(MIN_HEARTBEAT_INTERVAL + number / 5000):
            await driver.command({"ping": 1})

    outcomes = await asyncio.gather(*map(call, range(100)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {TimeoutError, ServerSelectionTimeoutError}
    async with asyncio.timeout(PATIENCE):
        await driver.close()
