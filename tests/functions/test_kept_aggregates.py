"""Aggregate indexes: what they say is what the documents say, whatever was written and wherever the sums are kept."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest

from apps import plain_scores, ruled_scores, scores
from helpers.recording_subscriber import RecordingSubscriber
from helpers.reopened_stores import Reopened
from synovia import AggregateIndex, Encrypted, FunctionError, Index, SchemaError, Table
from synovia.functions.registry import collect
from synovia.migrations import aggregate_nodes
from synovia.migrations.aggregate_check import AggregateCheck, check_aggregates
from synovia.migrations.plan import drop_unused_indexes
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp

REGISTRY = collect("scores", [scores])
ANN = "dev|ann@example.org"


@pytest.fixture(autouse=True)
def small_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have several levels with few documents."""
    monkeypatch.setattr(aggregate_nodes, "BUCKET", 4)
    monkeypatch.setattr(aggregate_nodes, "FANOUT", 4)


async def checked(app: TestApp, name: str = "by_points") -> AggregateCheck:
    [found] = [each async for each in check_aggregates(app.store, app.registry) if each.name == name]
    return found


def some_steps(random: Random, number: int) -> list[dict[str, Any]]:
    verbs = (
        ["insert", "insert", "insert", "patch", "delete"] if number < 12 else ["insert", "patch", "delete", "delete"]
    )
    return [
        {
            "verb": random.choice(verbs),
            "place": random.randrange(60),
            "room": random.choice("ab"),
            "points": random.choice([None, random.randrange(30) / 10, random.uniform(0, 30), 1e300]),
            "minutes": random.randrange(90),
        }
        for _ in range(random.randrange(1, 16))
    ]


@pytest.mark.alike
@pytest.mark.slow
async def test_a_random_history_gives_what_its_documents_give(any_store: Store) -> None:
    random = Random(14)
    async with TestApp(REGISTRY, any_store) as app, app.trusted.subscribe("scores:told", {"room": "a"}) as live:
        for number in range(24):
            kept, plain = await app.trusted.mutation("scores:take_steps", {"steps": some_steps(random, number)})
            assert kept == plain, f"within the mutation {number}"
            if number % 4 == 3:
                await app.server.aggregates.catch_up()
                found = await checked(app)
                assert (found.made, found.changes, found.wrong) == (True, 0, 0), f"after the mutation {number}"
            kept, plain = await app.trusted.query("scores:told", {"room": "b", "least": 3})
            assert kept == plain, f"after the mutation {number}"
            assert live.value[0] == live.value[1]


async def test_a_live_answer_runs_again_only_if_what_it_is_about_changes(any_store: Store) -> None:
    async with TestApp(REGISTRY, any_store) as app:
        await app.trusted.mutation("scores:take_steps", {"steps": inserts("a", range(40)) + inserts("b", range(40))})
        await app.server.aggregates.catch_up()
        holder = RecordingSubscriber(app.engine)
        live = holder.subscribe("it", "scores:counted", {"room": "a"})
        await holder.settled()
        ran = live.ran_at
        await app.trusted.mutation("scores:take_steps", {"steps": inserts("b", range(30))})
        await app.server.aggregates.catch_up()
        await holder.settled(app.engine.head)
        assert live.ran_at == ran
        await app.trusted.mutation("scores:take_steps", {"steps": inserts("a", [7])})
        await holder.settled(app.engine.head)
        assert (live.ran_at > ran, holder.value("it")) == (True, 41)


async def test_writers_do_not_wait_for_each_other(any_store: Store) -> None:
    async with TestApp(REGISTRY, any_store) as app:
        calls = [app.trusted.mutation("scores:add", {"room": "a", "points": float(number)}) for number in range(50)]
        before = app.engine.stage.outdated
        await asyncio.gather(*calls)
        assert app.engine.stage.outdated == before
        assert await app.trusted.query("scores:counted", {"room": "a"}) == 50


async def test_sums_are_made_of_what_is_there_and_anew_after_a_version_without_them(reopened: Reopened) -> None:
    plain = collect("plain_scores", [plain_scores])
    async with TestApp(plain, reopened.store()) as app:
        await app.store.commit(Batch([result(number) for number in range(30)]))
    async with TestApp(REGISTRY, reopened.store()) as app:
        assert (await checked(app)).made
        assert await app.trusted.query("scores:counted", {"room": "a"}) == 30
        assert app.server.aggregates.documents == 30
    async with TestApp(plain, reopened.store()) as app:
        [first, *_] = await app.store.snapshot((await app.store.newest())[0]).get("results", ["r00"])
        assert first is not None
        gone, come = Write("results", "r00", first, None), result(99)
        await app.store.commit(Batch([gone, come]))  # as many as before
    async with TestApp(REGISTRY, reopened.store()) as app:
        assert app.server.aggregates.documents == 30
        assert (await checked(app)).wrong == 0
        await app.store.commit(Batch([result(100)]))
    async with TestApp(REGISTRY, reopened.store()) as app:
        assert app.server.aggregates.documents == 31, "the count tells that something was written past them"
        kept, documents = await app.trusted.query("scores:told", {"room": "a"})
        assert kept == documents
        assert (await drop_unused_indexes(app.store, app.registry))["droppedSums"] == 0
    async with TestApp(plain, reopened.store()) as app:
        assert (await drop_unused_indexes(app.store, app.registry))["droppedSums"] > 0


async def test_what_is_written_past_a_hub_that_runs_is_counted_again(any_store: Store) -> None:
    async with TestApp(REGISTRY, any_store) as app, app.trusted.subscribe("scores:counted", {"room": "a"}) as shown:
        await app.trusted.mutation("scores:take_steps", {"steps": inserts("a", range(20))})
        kept = app.server.aggregates
        kept.start()
        await any_store.commit(Batch([result(number) for number in range(9)]))
        async for value in shown:
            if value == 29:
                break
        await kept.stop()
        await kept.catch_up()
        assert (await checked(app)).wrong == 0


async def test_what_is_deleted_softly_does_not_count(any_store: Store) -> None:
    async with TestApp(REGISTRY, any_store) as app:
        ids = await app.trusted.mutation("scores:write_essays", {"lengths": [*range(1, 21)]})
        await app.server.aggregates.catch_up()
        assert await app.trusted.query("scores:essays") == [20, 210, 20, 210]
        await app.trusted.mutation("scores:delete_essay", {"id": ids[-1]})
        assert await app.trusted.query("scores:essays") == [19, 190, 20, 210]
        await app.server.aggregates.catch_up()
        assert await app.trusted.query("scores:essays") == [19, 190, 20, 210]
        await app.trusted.mutation("scores:restore_essay", {"id": ids[-1]})
        assert await app.trusted.query("scores:essays") == [20, 210, 20, 210]


async def test_what_the_rules_hide_does_not_count() -> None:
    async with TestApp(collect("ruled_scores", [ruled_scores])) as app:
        for owner in (ANN, "dev|bob@example.org"):
            await app.trusted.mutation("ruled_scores:add", {"owner": owner, "points": [1, 2, 3], "note": "open"})
            await app.trusted.mutation("ruled_scores:add", {"owner": owner, "points": [4], "note": "closed"})
        ann = app.caller("ann@example.org")
        assert await ann.query("ruled_scores:told", {"owner": ANN}) == [4, 10, 4, 3]
        assert await ann.query("ruled_scores:told", {"owner": "dev|bob@example.org"}) == [0, 0, None, 0]
        assert await app.trusted.query("ruled_scores:checked", {}) == [8, 20]
        assert await ann.query("ruled_scores:checked", {}) == [6, 12], "a rule that no index knows is asked of each row"


async def test_what_cannot_be_asked_is_refused() -> None:
    async with TestApp(REGISTRY) as app:
        for asked, code in (
            ({"index": "by_room"}, "unknown_index"),
            ({"index": "by_points", "where": {"points": 3}}, "unknown_index"),
            ({"index": "by_points", "where": {"room": 3}}, "invalid_arguments"),
            ({"index": "by_points", "where": {"room": "a"}, "sum": "note"}, "unknown_index"),
            ({"index": "by_points", "where": {"room": "a"}, "rank": "high"}, "invalid_arguments"),
            ({"index": "by_points", "where": {"room": "a"}, "quantile": 1.5}, "invalid_arguments"),
            ({"index": "by_points", "where": {"room": "a"}, "quantile": math.nan}, "invalid_arguments"),
            ({"index": "by_points", "where": {"room": "a", "points": 1.0}, "rank": 3}, "unknown_index"),
        ):
            with pytest.raises(FunctionError) as refused:
                await app.trusted.query("scores:asked", asked)
            assert refused.value.code == code, asked


def test_an_aggregate_index_that_cannot_work_is_refused() -> None:
    def table(*indexes: Any) -> None:
        class Thing(Table, name="things", indexes=[*indexes]):
            title: str
            tags: list[str] = []
            secret: Encrypted[str] | None = None
            number: int = 0
            more: dict[str, int] = {}

    numbers = (f"more.n{number}" for number in range(9))
    table(AggregateIndex("a", "title", "number", sums="number"), Index("b", "title", "number"))
    for reason, index in (
        ("does not have", AggregateIndex("a", "nothing")),
        ("does not have", AggregateIndex("a", "title", sums="nothing")),
        ("never a number", AggregateIndex("a", "number", sums="title")),
        ("which is a list", AggregateIndex("a", "tags")),
        ("encrypted", AggregateIndex("a", "secret")),
        ("twice", AggregateIndex("a", "title", "title")),
        ("more than 8", AggregateIndex("a", "title", sums=[*numbers])),
    ):
        with pytest.raises(SchemaError, match=reason):
            table(index)
    with pytest.raises(SchemaError, match="no fields"):
        AggregateIndex("a")


def inserts(room: str, points: Iterable[float]) -> list[dict[str, Any]]:
    return [{"verb": "insert", "room": room, "points": float(each)} for each in points]


def result(number: int) -> Write:
    document = {"_id": f"r{number:02}", "room": "a", "points": float(number), "minutes": 30, "note": ""}
    return Write("results", document["_id"], None, document)
