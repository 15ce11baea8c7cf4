"""Many documents at once: inserted, changed, deleted, and read by what refers to them; all of it or nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bson import ObjectId

from apps import orchard
from helpers.recording_subscriber import RecordingSubscriber
from synovia import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp
from synovia.testing.app import settings_for_tests

pytestmark = pytest.mark.same_tables


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("orchard", [orchard])


async def test_many_are_inserted_in_order_and_changed_by_a_query(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = await caller.mutation("orchard:plant", {"name": "north", "numbers": [3, 1, 2]})
        assert ids == sorted(set(ids))
        assert await caller.mutation("orchard:fell", {"below": 25}) == 2
        assert await caller.query("orchard:heights") == [[1, 10, 1], [2, 20, 1], [3, 30, 0]]
        assert (
            await caller.mutation("orchard:fell", {"below": 99, "height": 0}) == 1
        )  # those that are felled are left out
        assert await caller.query("orchard:heights") == [[1, 10, 1], [2, 20, 1], [3, 0, 1]]
        assert await caller.mutation("orchard:clear", {"below": 15}) == [2, 1]


async def test_one_that_cannot_be_written_takes_all_back(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        await caller.mutation("orchard:plant", {"name": "north", "numbers": [1]})
        for path, args in (
            ("orchard:plant", {"name": "south", "numbers": [2, 3, 1]}),
            ("orchard:plant", {"name": "south", "numbers": [2, 2]}),
        ):
            with pytest.raises(FunctionError, match="another document has the same number"):
                await caller.mutation(path, args)
        await caller.mutation("orchard:plant", {"name": "south", "numbers": [2]})
        with pytest.raises(FunctionError, match="another document has the same number"):
            await caller.mutation("orchard:number_all", {"number": 7})
        assert await caller.query("orchard:heights") == [[1, 10, 0], [2, 20, 0]]


async def test_documents_that_do_not_fit_are_left_alone_by_a_change_and_deleted_with_the_rest(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        strange: dict[str, Any] = {"_id": ObjectId(), "orchardId": ObjectId(), "height": 5, "number": "one"}
        await app.engine.wait_for(await app.store.commit(Batch([Write("trees", strange["_id"], None, strange)])))
        await app.caller().mutation("orchard:plant", {"name": "north", "numbers": [1, 2]})
        assert await app.caller().mutation("orchard:fell", {"below": 25}) == 2
        [found] = await app.store.snapshot(app.engine.head).get("trees", [strange["_id"]])
        assert found == strange
        assert await app.caller().mutation("orchard:clear", {"below": 15}) == [2, 1]


async def test_more_than_a_mutation_may_write_says_how_many_that_is(registry: Registry) -> None:
    settings = settings_for_tests()
    limits = settings.limits.model_copy(update={"max_mutation_documents": 3})
    async with TestApp(registry, settings=settings.model_copy(update={"limits": limits})) as app:
        with pytest.raises(FunctionError, match=re.escape("one mutation writes at most 3 documents")):
            await app.caller().mutation("orchard:plant", {"name": "north", "numbers": [1, 2, 3]})
        assert await app.caller().query("orchard:heights") == []


@pytest.mark.parametrize("by", ["orchard_id", "neighbours"])
async def test_what_rows_refer_to_is_read_at_once_and_followed(registry: Registry, any_store: Store, by: str) -> None:
    async with TestApp(registry, any_store) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        await caller.mutation("orchard:plant", {"name": "north", "numbers": [1, 3]})
        await caller.mutation("orchard:plant", {"name": "south", "numbers": [2]})
        live = holder.subscribe("it", "orchard:orchards_of", {"by": by})
        await holder.settled(app.engine.head)
        assert holder.value("it") == ["north", "south", "north"]
        assert live.recall.asked == 2  # the trees, and all their orchards together
        assert await caller.mutation("orchard:forget", {"name": "south"}) == 1
        await holder.settled(app.engine.head)
        assert holder.value("it") == ["north", None, "north"]


async def test_a_field_that_holds_no_ids_is_refused(registry: Registry) -> None:
    async with TestApp(registry) as app:
        await app.caller().mutation("orchard:plant", {"name": "north", "numbers": [1]})
        with pytest.raises(FunctionError, match=r"Tree\.height holds no ids of a table, but 10"):
            await app.caller().query("orchard:orchards_of", {"by": "height"})
