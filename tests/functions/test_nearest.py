"""Vector search in an application: what is nearest, for whom, live, and to the last bit; the same on both stores."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from apps import notes
from helpers.read_recorder import ReadRecorder
from helpers.tenant_scene import code_of
from synovia import Encrypted, FunctionError, SchemaError, Table, VectorIndex
from synovia.aggregates import nearest as kept_nearest
from synovia.functions.registry import collect
from synovia.store.base import Store
from synovia.store.sqlite import SQLiteStore
from synovia.testing import TestApp
from synovia.testing.caller import Caller

pytestmark = pytest.mark.same_tables

REGISTRY = collect("notes", [notes])


@dataclass
class Teams:
    app: TestApp
    ann: Caller

    async def add(self, place: list[float] | None, team: str = "north", **more: Any) -> str:
        id_: str = await self.app.trusted.mutation("notes:add", {"team": team, "place": place, **more})
        return id_

    async def find(self, *vector: float, **more: Any) -> list[str]:
        found: list[list[Any]] = await self.ann.query("notes:find", {"vector": [*vector], **more})
        return [id_ for id_, _ in found]


@pytest.fixture
async def teams(any_store: Store) -> AsyncIterator[Teams]:
    async with TestApp(REGISTRY, any_store) as app:
        yield Teams(app, app.caller("north@example.org"))


async def test_what_is_nearest_comes_first(teams: Teams) -> None:
    far, near = await teams.add([0, 1, 0]), await teams.add([3, 0, 0], level=1)
    also, without = await teams.add([1, 0, 0]), await teams.add(None)
    await teams.add([1, 0, 0], team="south")
    assert await teams.find(1, 0.5, 0) == [near, also, far], "of equal angles the older one is first"
    assert await teams.find(1, 0, 0, index="by_product") == [near, also, far], "within the rules, too"
    assert await teams.find(1, 0, 0, level=0) == [also, far]
    assert await teams.find(1, 0, 0, n=1) == [near]
    assert await teams.find(1, 0, 0, n=0) == []
    [first, second] = await teams.ann.query("notes:rows", {"vector": [0, 2, 0]})
    assert (first["row"]["_id"], first["score"], second["score"]) == (far, 1.0, 0.0)
    await teams.app.trusted.mutation("notes:remove", {"id": near})
    await teams.app.trusted.mutation("notes:change", {"id": without, "changes": {"place": [9, 0, 0]}})
    assert await teams.find(1, 0, 0, n=2) == [also, without]
    assert await teams.app.caller("eve@example.org").query("notes:find", {"vector": [1, 0, 0]}) == []


async def test_a_mutation_finds_what_it_has_written(teams: Teams) -> None:
    await teams.add([1, 0, 0], title="old")
    args = {"vector": [1, 0, 0], "places": [[2, 0, 0], [0, 1, 0]], "fail": False}
    with pytest.raises(FunctionError, match="old, new 0"):
        await teams.ann.mutation("notes:find_own", {**args, "fail": True})
    assert await teams.ann.mutation("notes:find_own", args) == ["old", "new 0"]
    assert len(await teams.find(1, 0, 0)) == 3


async def test_what_cannot_be_compared_is_refused(teams: Teams) -> None:
    wrong: list[Any] = [
        [1, 2],
        [],
        "abc",
        None,
        [1, 2, "x"],
        [0, 0, 0],
        [1, 2, float("nan")],
        [1e300, 0, 0],
        [True, 1, 1],
    ]
    for vector in wrong:
        asked = {"vector": vector, "index": "by_angle"}
        assert await code_of(teams.ann.query("notes:asked", asked)) == "invalid_arguments", vector
    for place in ([1, 2], [0, 0, 0], [1e300, 0, 0], [float("inf"), 0, 0]):
        assert await code_of(teams.app.trusted.mutation("notes:add", {"team": "n", "place": place})) != "ok", place
    vector = [1, 0, 0]
    for code, more in (
        ("unknown_index", {"index": "by_team"}),
        ("unknown_index", {"index": "by_angle", "filters": {"title": "x"}}),
        ("invalid_arguments", {"index": "by_angle", "filters": {"team": 5}}),
        ("invalid_arguments", {"index": "by_angle", "n": 1001}),
        ("invalid_arguments", {"index": "by_angle", "n": -1}),
        ("ok", {"index": "by_angle", "n": 1000}),
    ):
        assert await code_of(teams.ann.query("notes:asked", {"vector": vector, **more})) == code, more
    unfiltered = teams.app.trusted.query("notes:asked", {"vector": vector, "index": "by_angle"})
    assert await code_of(unfiltered) == "unknown_index", "no rule says which team"
    assert await code_of(teams.ann.query("notes:used", {"index": "by_angle"})) == "unknown_index"


def test_a_vector_index_that_cannot_work_is_refused() -> None:
    def table(*indexes: Any) -> None:
        class Thing(Table, name="things", indexes=[*indexes]):
            place: list[float]
            other: list[float] | None = None
            secret: Encrypted[str] | None = None
            tags: list[str] = []
            number: int = 0

    table(VectorIndex("a", "place", dimensions=2), VectorIndex("b", "other", dimensions=4096, filters=("number",)))
    wrong: list[tuple[str, Callable[[], VectorIndex]]] = [
        ("no metric", lambda: VectorIndex("a", "place", dimensions=2, metric="l2")),  # type: ignore[arg-type]
        ("dimensions", lambda: VectorIndex("a", "place", dimensions=0)),
        ("dimensions", lambda: VectorIndex("a", "place", dimensions=4097)),
        ("does not have", lambda: VectorIndex("a", "nothing", dimensions=2)),
        ("no list", lambda: VectorIndex("a", "tags", dimensions=2)),
        ("encrypted", lambda: VectorIndex("a", "secret", dimensions=2)),
        ("encrypted", lambda: VectorIndex("a", "place", dimensions=2, filters=("secret",))),
        ("which is a list", lambda: VectorIndex("a", "place", dimensions=2, filters=("tags",))),
    ]
    for reason, index in wrong:
        with pytest.raises(SchemaError, match=reason):
            table(index())


# --- against NumPy ----------------------------------------------------------------------------------------------------


def nearest(
    there: dict[str, tuple[list[float] | None, int]], vector: list[float], level: int | None, n: int
) -> list[Any]:
    """Compare all: small whole numbers, whose products NumPy adds up exactly."""
    target, found = np.array(vector, dtype=float), []
    for id_, (place, of_level) in there.items():
        if place is not None and (level is None or of_level == level):
            other = np.array(place, dtype=float)
            found.append((-float(target @ other / np.sqrt((target @ target) * (other @ other))), id_))
    return [[id_, -score + 0.0] for score, id_ in sorted(found)[:n]]


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "read"])
async def test_live_and_fresh_searches_are_those_of_numpy(
    teams: Teams, cached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_nearest, "SLACK", 2)
    vectors = teams.app.engine._executor.reads.vectors
    if not cached:
        vectors.most_bytes = 0
    chance = random.Random(cached)
    there: dict[str, tuple[list[float] | None, int]] = {}
    asked: list[tuple[list[float], int | None]] = [([1, 2, 3], None), ([0, -1, 0], None), ([2, 0, 1], 1)]
    live = [
        teams.ann.subscribe(
            "notes:find", {"vector": vector, "level": level, "n": 3} if level else {"vector": vector, "n": 3}
        )
        for vector, level in asked
    ]
    for each in live:
        await each.__aenter__()

    def place() -> list[float] | None:
        return None if chance.random() < 0.1 else [float(chance.randint(-3, 3)) or 1.0 for _ in range(3)]

    try:
        for _ in range(40 if isinstance(teams.app.store, SQLiteStore) else 12):  # MongoDB takes 20 times as long
            verb, where, level = chance.choice(["add", "add", "change", "remove"]), place(), chance.randint(0, 1)
            if verb == "add" or not there:
                there[await teams.add(where, level=level)] = (where, level)
                await teams.add(where, team="south")
            elif verb == "remove":
                id_ = chance.choice([*there])
                await teams.app.trusted.mutation("notes:remove", {"id": id_})
                del there[id_]
            else:
                id_ = chance.choice([*there])
                await teams.app.trusted.mutation(
                    "notes:change", {"id": id_, "changes": {"place": where, "level": level}}
                )
                there[id_] = (where, level)
            for (vector, wanted), shown in zip(asked, live, strict=True):
                expected = nearest(there, vector, wanted, 3)
                assert shown.value == expected
                more = {"level": wanted} if wanted else {}
                assert await teams.ann.query("notes:find", {"vector": vector, "n": 3, **more}) == expected
        assert bool(vectors._kept) is cached
    finally:
        for each in live:
            await each.__aexit__()


async def test_the_database_is_asked_for_vectors_once(teams: Teams) -> None:
    for number in range(5):
        await teams.add([1, number, 0])
    await teams.find(1, 0, 0)
    asked = ReadRecorder(teams.app.store)
    newest = await teams.add([1, 0, 0])
    assert (await teams.find(1, 0, 0))[:2] == [(await teams.find(1, 0, 0))[0], newest]
    assert not [each for each in asked.take() if each.startswith(("scan notes", "aggregate notes"))]
