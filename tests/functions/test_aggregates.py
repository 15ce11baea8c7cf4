"""Sums, means, extremes, groups and trends in functions, on both stores, once and live."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import linear_regression
from typing import Any

import pytest
from bson import ObjectId

from apps import measurements
from helpers.recording_subscriber import RecordingSubscriber
from synovia import FunctionError
from synovia.aggregates import extremes, tally
from synovia.functions.registry import Registry, collect
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

START = datetime(2026, 11, 28, 9, tzinfo=UTC)
GOAL, OTHER = str(ObjectId("a" * 24)), str(ObjectId("b" * 24))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("measurements", [measurements])


def point(value: Any, number: int = 0, goal: str = GOAL, **fields: Any) -> dict[str, Any]:
    at = START + timedelta(days=number)
    return {"_id": ObjectId(), "goalId": ObjectId(goal), "at": at, "value": value, "minutes": 30, "tags": [], **fields}


async def write(app: TestApp, *documents: dict[str, Any]) -> None:
    ts = await app.store.commit(Batch([Write("points", each["_id"], None, each) for each in documents]))
    await app.engine.wait_for(ts)


async def test_each_word_says_what_the_documents_hold(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        assert await caller.query("measurements:progress", {"goal": GOAL}) == {
            "count": 0, "sum": 0, "minutes": 0, "mean": None, "least": None, "latest": None, "best": None, "levels": [],
        }  # fmt: skip
        await write(
            app,
            point(0.1, 0, level="mastered"),
            point(0.2, 2, level="emerging"),
            point(0.3, 1, minutes=45),
            point(1e9, 3, goal=OTHER),
        )
        assert await caller.query("measurements:progress", {"goal": GOAL}) == {
            "count": 3,
            "sum": math.fsum([0.1, 0.2, 0.3]),
            "minutes": 105,
            "mean": 0.2,
            "least": 0.1,
            "latest": START + timedelta(days=2),
            "best": "mastered",
            "levels": [[None, 1], ["emerging", 1], ["mastered", 1]],
        }
        assert await caller.query("measurements:by_goal") == {GOAL: math.fsum([0.1, 0.2, 0.3]), OTHER: 1e9}


async def test_a_trend_over_times_is_that_of_the_textbook(registry: Registry, any_store: Store) -> None:
    random = Random(7)
    values = [40 + 0.5 * day + random.gauss(0, 1) for day in range(60)]
    async with TestApp(registry, any_store) as app:
        await write(app, *(point(value, day) for day, value in enumerate(values)))
        found = await app.caller().query("measurements:trend", {"goal": GOAL})
        expected = linear_regression(range(60), values)
        assert found["count"] == 60
        assert found["slope"] * 86_400_000 == pytest.approx(expected.slope, rel=1e-12)
        assert found["meanX"] == (START + timedelta(days=29.5)).timestamp() * 1000
        assert 0.9 < found["rSquared"] < 1


async def test_a_live_answer_is_moved_by_what_changes_without_reading_again(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        await write(app, *(point(float(number), number % 50) for number in range(500)))
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        live = [
            holder.subscribe(path, f"measurements:{path}", {} if path == "by_goal" else {"goal": GOAL})
            for path in ("progress", "trend", "by_goal")
        ]
        await holder.settled()
        assert all(each.recall.asked for each in live)
        added = [
            await caller.mutation("measurements:add", {"goal": GOAL, "at": START, "value": value, "level": "emerging"})
            for value in (-1e300, 0.1, 1e300, math.nan, math.inf)
        ]
        for id_ in (*added[2:], added[0]):
            await caller.mutation("measurements:remove", {"id": id_})
            await holder.settled(app.engine.head)
            assert not any(each.recall.asked for each in live)
        expected = sum(range(500)) + 0.1
        assert holder.value("progress")["sum"] == expected  # nothing is left of what came and went
        assert holder.value("progress")["levels"] == [[None, 500], ["emerging", 1]]
        assert holder.value("by_goal") == {GOAL: expected}


async def test_a_least_value_whose_followers_are_not_known_is_asked_for_again(
    registry: Registry, any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extremes, "KEPT", 2)
    async with TestApp(registry, any_store) as app:
        documents = [point(float(number)) for number in range(6)]
        await write(app, *documents)
        holder = RecordingSubscriber(app.engine)
        live = holder.subscribe("it", "measurements:progress", {"goal": GOAL})
        asked = []
        for number, each in enumerate(documents[:5]):
            await app.caller().mutation("measurements:remove", {"id": str(each["_id"])})
            await holder.settled(app.engine.head)
            assert holder.value("it")["least"] == number + 1.0
            asked.append(live.recall.asked)
        assert asked[0] == 0
        assert any(asked)


async def test_a_mutation_sees_what_it_has_written(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        await write(app, point(1.0), point(2.0))
        told = await app.caller().mutation(
            "measurements:add_and_tell", {"goal": GOAL, "at": START, "values": [10.0, 20.0, 5.0]}
        )
        assert told == [3.0, 38.0, 20.0, 5, 8.0, 5.0, 3]


async def test_what_is_no_number_adds_nothing_and_what_lacks_a_field_counts_with_its_default(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        old = {name: value for name, value in point(2.0).items() if name != "minutes"}
        await write(app, old, point("much"), point(None), point([5.0]), point(True), point(7.0, level="wonderful"))
        told = await app.caller().query("measurements:progress", {"goal": GOAL})
        assert (told["count"], told["sum"], told["mean"], told["least"]) == (6, 9.0, 4.5, 2.0)
        assert told["minutes"] == 180
        assert told["best"] == "wonderful"
        assert told["levels"] == [[None, 5]]  # a level that there is not is in no group


async def test_special_numbers_are_told_as_they_are(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        await write(app, point(1.0), point(math.nan), point(-math.inf), point(2.0, goal=OTHER))
        told = await app.caller().query("measurements:progress", {"goal": GOAL})
        assert math.isnan(told["sum"])
        assert told["least"] == -math.inf
        assert math.isnan((await app.caller().query("measurements:trend", {"goal": GOAL}))["slope"])


@pytest.mark.parametrize(
    ("word", "field", "message"),
    [
        ("sum", "level", "points.level is never int or float, of which sum() is made"),
        ("mean", "goal_id", "points.goal_id is never int or float, of which mean() is made"),
        ("max", "tags", "points.tags is a list, or in one"),
        ("count", "tags", "points.tags is a list, or in one"),
        ("sum", "weight", "points has no field 'weight'"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(registry: Registry, word: str, field: str, message: str) -> None:
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError, match=re.escape(message)):
            await app.caller().query("measurements:wrong", {"word": word, "field": field})


async def test_more_groups_than_an_answer_may_have_are_an_error_until_there_are_fewer(
    registry: Registry, any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MOST_GROUPS", 3)
    async with TestApp(registry, any_store) as app:
        documents = [point(float(number)) for number in range(3)]
        await write(app, *documents)
        holder = RecordingSubscriber(app.engine)
        holder.subscribe("it", "measurements:by_value", {})
        await holder.settled()
        assert holder.value("it") == 3
        await write(app, extra := point(9.0))
        await holder.settled(app.engine.head)
        error = holder.version("it").error
        assert error is not None
        assert (error.code, "more than 3 groups" in error.message) == ("limit_exceeded", True)
        await app.caller().mutation("measurements:remove", {"id": str(extra["_id"])})
        await holder.settled(app.engine.head)
        assert holder.value("it") == 3


async def test_a_sum_that_cannot_be_sent_is_told_as_that_until_it_can_be(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        most = [point(1.0, number, minutes=2**62) for number in range(3)]
        await write(app, *most)
        with pytest.raises(FunctionError, match=r"gives a number that cannot be sent.*: \.minutes: ") as told:
            await caller.query("measurements:progress", {"goal": GOAL})
        assert told.value.code == "number_too_large"
        ts = await app.store.commit(Batch([Write("points", each["_id"], each, None) for each in most[:2]]))
        await app.engine.wait_for(ts)
        assert (await caller.query("measurements:progress", {"goal": GOAL}))["minutes"] == 2**62
