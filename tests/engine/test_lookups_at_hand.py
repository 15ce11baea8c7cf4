"""Who has been looked up by a unique index need not be looked up again, whichever hub changes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from apps import shelves
from helpers.read_recorder import ReadRecorder
from helpers.running_engine import running_engine
from synovia.engine.engine import Engine
from synovia.functions.registry import collect
from synovia.store.base import Store
from synovia.store.mongo import MongoStore

REGISTRY = collect("shelves", [shelves])


@dataclass
class Hubs:
    """Two hubs on one database, and what the first asks it."""

    recorder: ReadRecorder
    first: Engine
    second: Engine
    calls: int = field(default=0)

    async def call(self, path: str, *, at: Engine | None = None, **args: Any) -> Any:
        """Run a mutation, and wait until the first hub knows of it; give its result."""
        self.calls += 1
        session = self.calls.to_bytes(16, "big")
        outcome = await (at or self.first).mutate(f"shelves:{path}", args, None, session=session, number=1)
        assert outcome.error is None
        if outcome.ts is not None:
            for hub in (self.first, self.second):
                await hub.wait_for(outcome.ts)
        return outcome.value()

    async def asked(self, path: str, **args: Any) -> tuple[Any, list[str]]:
        """Run a mutation at the first hub; give its result, and the questions to the database."""
        self.recorder.take()
        return await self.call(path, **args), self.recorder.take()


@pytest.fixture
async def hubs(any_store: Store) -> AsyncIterator[Hubs]:
    recorder = ReadRecorder(any_store)
    async with running_engine(REGISTRY, any_store) as first:
        second = Engine(any_store, REGISTRY)
        await second.start()
        try:
            yield Hubs(recorder, first, second)
        finally:
            await second.stop()


BY_CODE = ["scan items by by_code"]


async def test_a_second_look_up_asks_the_database_nothing(hubs: Hubs) -> None:
    asked = ["get items", *BY_CODE]
    assert await hubs.asked("put", name="i", shelf="a", rank=0) == ("i", asked), "whether anybody has the code"
    assert await hubs.asked("find", code="i", by=1) == ("i", [])
    hubs.first._executor.reads.cache.forget_all()
    assert await hubs.asked("find", code="i", by=1) == ("i", BY_CODE)
    for _ in range(3):  # the document itself changes each time
        assert await hubs.asked("find", code="i", by=1) == ("i", [])
    assert await hubs.asked("find", code="nobody", by=1) == (None, BY_CODE)
    assert await hubs.asked("find", code="nobody", by=1) == (None, [])
    assert await hubs.asked("rename", name="i", code="c") == ("i", BY_CODE)
    assert await hubs.asked("rename", name="i", code="nobody") == ("c", []), "that nobody has it"
    assert await hubs.asked("spend", name="i", amount=4) == (1, [])


async def test_who_is_found_follows_what_any_hub_commits(hubs: Hubs) -> None:
    await hubs.call("put", name="i", shelf="a", rank=0)
    await hubs.call("put", name="j", shelf="a", rank=0)
    await hubs.call("find", code="k", by=1)

    async def holders() -> list[str | None]:
        found = []
        for code in ("i", "j", "k"):
            name, asked = await hubs.asked("find", code=code, by=1)
            assert asked == []
            found.append(name)
        return found

    for hub in (hubs.second, hubs.first):
        assert await hubs.call("hand_over", at=hub, code="i", to="j") == "i"
        assert await holders() == ["j", "i", None]
        assert await hubs.call("hand_over", at=hub, code="i", to="i") == "j"
        assert await hubs.call("rename", at=hub, name="j", code="k") == "j"
        assert await holders() == ["i", None, "j"]
        assert await hubs.call("drop", at=hub, code="k") == "j"
        assert await holders() == ["i", None, None]
        assert await hubs.call("put", at=hub, name="j", shelf="b", rank=3) == "j"
        assert await holders() == ["i", "j", None]


@pytest.mark.mongodb
async def test_who_is_found_follows_what_other_programs_write(mongodb_uri: str, database_name: str) -> None:
    store = MongoStore(mongodb_uri, database_name)
    recorder = ReadRecorder(store)
    async with running_engine(REGISTRY, store) as first, AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        hubs, items = Hubs(recorder, first, first), client[database_name]["items"]

        async def holder(code: str) -> Any:
            newest, _ = await store.newest()
            await first.wait_for(newest)
            return await hubs.asked("find", code=code, by=1)

        assert await holder("i") == (None, BY_CODE)
        await items.insert_one({"_id": "i", "shelf": "a", "rank": 0, "code": "i"})
        assert await holder("i") == ("i", [])
        await items.update_one({"_id": "i"}, {"$set": {"code": "j"}})
        assert await holder("i") == (None, [])
        assert await holder("j") == ("i", BY_CODE)
        await items.update_one({"_id": "i"}, {"$set": {"code": ["i", "j"]}})  # no row: it is found, and does not fit
        await items.delete_one({"_id": "i"})
        assert await holder("j") == (None, [])
        assert await holder("i") == (None, [])
