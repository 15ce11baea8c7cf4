"""Vectors kept in memory give what the database gives at the same instant, also an earlier one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from bson import ObjectId

from synovia import keys
from synovia.aggregates.nearest import Near
from synovia.aggregates.tally import Kind, Summary, Tally
from synovia.keys import BY_ID, IndexSpec
from synovia.schema import TableSpec
from synovia.store import open_store
from synovia.store.base import Batch, Store, Ts, Write
from synovia.store.filters import Comparison
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.vector_cache import VectorCache
from synovia.turns import Turns
from synovia.vectors.scores import Metric, Target
from synovia.vectors.segment import Segment

BY_TEAM = IndexSpec("by_team", ("team",))
FIELDS = IndexSpec("nearest", ("place",))


@dataclass
class History:
    """A table that is written to at random, and a cache that is told."""

    store: Store
    cache: VectorCache
    chance: random.Random
    there: dict[ObjectId, dict[str, Any]] = field(default_factory=dict)
    instants: list[Ts] = field(default_factory=list)

    async def commit(self, number: int) -> None:
        writes = [self._write() for _ in range(number)]
        first = {write.id: write for write in reversed(writes)}
        writes = [Write("notes", id_, write.before, self.there.get(id_)) for id_, write in first.items()]
        ts = await self.store.commit(Batch([each for each in writes if each.before or each.after]))
        self.cache.on_change(await KeyedCommit.gathered(ts, writes))
        self.instants.append(ts)

    def _write(self) -> Write:
        id_ = self.chance.choice([*self.there]) if self.there and self.chance.random() < 0.6 else ObjectId()
        before = self.there.pop(id_, None)
        if before is None or self.chance.random() < 0.7:
            place: Any = [float(self.chance.randint(-2, 2)) for _ in range(3)]
            place = self.chance.choice([place, place, place, place[:2], None, "text"])
            self.there[id_] = {
                "_id": id_,
                "team": self.chance.choice("ab"),
                "level": self.chance.randint(0, 1),
                "place": place,
            }
        return Write("notes", id_, before, self.there.get(id_))

    async def search(self, ts: Ts, metric: Metric) -> tuple[list[Any] | None, list[Any]]:
        """Give what the cache finds, if it knows, and what the database does."""
        near = Near(np.array([1, 2, 0.5], dtype=np.float32).tobytes(), metric, self.chance.randint(1, 4))
        index, interval = self.chance.choice([(BY_ID, keys.prefix(())), (BY_TEAM, keys.prefix(["a"]))])
        where = self.chance.choice([None, Comparison("level", "eq", 1)])
        summary, snapshot = Summary(Kind.NEAREST, FIELDS, near=near), self.store.snapshot(ts)
        found = await self.cache.nearest(snapshot, "notes", index, interval, summary, where)
        expected = await snapshot.aggregate("notes", index, interval, summary, where=where)
        return None if found is None else first(found, near.limit), first(expected, near.limit)


def first(tally: Tally, limit: int) -> list[Any]:
    kept: Any = tally.only().kept
    found: list[Any] = kept.first()[:limit]
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_the_cache_gives_what_the_database_gives_at_each_instant(seed: int) -> None:
    store = open_store("sqlite://:memory:")
    await store.open([TableSpec("notes", (BY_TEAM,))])
    try:
        history, known = History(store, VectorCache(), random.Random(seed)), 0
        await history.commit(8)
        for _ in range(40):
            await history.commit(history.chance.randint(1, 3))
            for ts in {history.instants[-1], history.chance.choice(history.instants)}:
                for metric in Metric:
                    found, expected = await history.search(ts, metric)
                    known += found is not None
                    assert found is None or found == expected
        assert known > 80, "most searches are answered from memory"
    finally:
        await store.close()


async def test_a_graph_finds_nearly_all_and_follows_changes() -> None:
    pytest.importorskip("usearch")
    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(1_500, 16)).astype(np.float32)
    segment = Segment(16)
    for number, vector in enumerate(vectors):
        segment.put(number.to_bytes(4), number, vector)
    await segment.build(Metric.COSINE)
    hits = 0
    for vector in chance.normal(size=(20, 16)).astype(np.float32):
        target = Target(vector, Metric.COSINE)
        near, (exact, _) = segment.near(target, 40), await segment.candidates(target, 10, Turns())
        assert near is not None
        best = sorted(exact, key=lambda each: -target.score(each[2]))[:10]
        hits += len({each[1] for each in near} & {each[1] for each in best})
    assert hits >= 190, "of 200"
    segment.drop((7).to_bytes(4))
    segment.put((9).to_bytes(4), 9, -vectors[9])
    found = segment.near(Target(vectors[7], Metric.COSINE), 5)
    assert found is not None
    assert 7 not in [each[1] for each in found]
    found = segment.near(Target(-vectors[9], Metric.COSINE), 5)
    assert found is not None
    assert 9 in [each[1] for each in found]
