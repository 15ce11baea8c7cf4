"""Tests of every store: random commits, then random scans at every past timestamp, against the brute-force model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synovia import keys
from synovia.aggregates.tally import Kind, Tally, tally_of
from synovia.schema.specs import Document
from synovia.store.base import Batch, Store, Write
from synovia.testing.stores.model import IDS, THINGS, Model, Question, commits, questions
from synovia.testing.stores.opening import MakeStore, opened
from synovia.testing.stores.steps import everything, following, next_commits
from synovia.turns import Turns


def exact(documents: list[Document]) -> list[bytes]:
    return [bson.encode(document) for document in documents]


def stored(document: Document | None) -> bytes | None:
    return None if document is None else bson.encode(document)


def exact_writes(writes: tuple[Write, ...] | list[Write]) -> dict[Any, tuple[bytes | None, ...]]:
    return {each.id: (stored(each.before), stored(each.after)) for each in writes}


def in_order(tally: Tally) -> dict[bytes, Any]:
    """Give the answers of a tally; of several numbers that are equal any may be the least, whatever their types."""
    if tally.summary.kind not in (Kind.LEAST, Kind.GREATEST):
        return tally.answers()
    return {key: (count, keys.encode_value(value)) for key, (count, value) in tally.answers().items()}


async def clear(store: Store) -> None:
    """Delete what the example before has left."""
    ts, _ = await store.newest()
    left = await everything(store, ts, "things")
    await store.commit(Batch([Write("things", each["_id"], each, None) for each in left]))


async def compare(store: Store, model: Model, ts: int, asked: list[Question]) -> None:
    snapshot = store.snapshot(ts)
    for each in asked:
        expected = model.scan(ts, each)
        found = await snapshot.scan("things", each.index, each.interval, each.order, where=each.where, limit=each.limit)
        assert exact(found) == exact(expected[: each.limit]), each
        assert await snapshot.count("things", each.index, each.interval, where=each.where) == len(expected), each
        tally = await snapshot.aggregate("things", each.index, each.interval, each.summary, where=each.where)
        assert in_order(tally) == in_order(await tally_of(each.summary, expected, Turns())), each
    present = {bson.encode({"": document["_id"]}): document for document in model.past[ts]}
    by_id = [present.get(bson.encode({"": id_})) for id_ in IDS]
    assert list(map(stored, await snapshot.get("things", IDS))) == list(map(stored, by_id))


class HistoryContract:
    """Random commits, then random scans at every past timestamp, against a brute-force model."""

    @pytest.fixture
    async def things(self, make_store: MakeStore) -> AsyncIterator[Store]:
        """Give an open, empty store with one table."""
        async with opened(make_store, [THINGS]) as present:
            yield present.store

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(history=commits, asked=st.lists(questions, min_size=1, max_size=6))
    async def test_scans_at_every_past_timestamp_equal_the_model(
        self, things: Store, history: list[dict[int, dict[str, Any] | None]], asked: list[Question]
    ) -> None:
        await clear(things)
        start, _ = await things.newest()
        model, log = Model(), []
        for changes in history:
            if writes := model.writes(changes):
                ts = await things.commit(Batch(writes))
                model.commit(ts, writes)
                log.append((ts, exact_writes(writes)))
        for ts in model.past:
            await compare(things, model, ts, asked)
        async with following(things, start) as changes_:
            told = await next_commits(changes_, len(log))
        assert [(each.ts, exact_writes(each.writes)) for each in told] == log
