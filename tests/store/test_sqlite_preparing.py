"""A commit of the embedded store that was made ready, ahead or as it came, leaves just what it would have left otherwise."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import bson
import pytest

from synovia.schema.specs import Document
from synovia.store.base import (
    Batch,
    Conflict,
    DuplicateRequest,
    RequestRecord,
    StoredIndex,
    StoreError,
    UniqueViolation,
    Write,
)
from synovia.store.sqlite import SQLiteStore, plan, preparing
from synovia.store.sqlite.worker import Urgency
from synovia.testing.stores.opening import TABLES

STEPS_OF_A_NOTE = 5
"""The document itself, and its keys in indexes."""
KEPT = ("docs", "past_docs", "entries", "past_entries", "log", "commits")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_PART", 8)
    monkeypatch.setattr(plan, "_KEYS_AT_ONCE", 2)
    monkeypatch.setattr(plan, "_DOCUMENTS_AT_ONCE", 1)
    monkeypatch.setattr(preparing, "_TURN_SECONDS", 0.0)


async def opened() -> SQLiteStore:
    store = SQLiteStore(clock=lambda: 1.0)
    await store.open(TABLES)
    return store


@pytest.fixture
async def store() -> AsyncIterator[SQLiteStore]:
    store = await opened()
    yield store
    await store.close()


async def rows(store: SQLiteStore, *tables: str) -> list[list[Any]]:
    def read(table: str) -> list[Any]:
        assert store._database is not None
        found = store._database.connection.execute(f"SELECT * FROM {table}").fetchall()
        return sorted(row[1:] if table.endswith("docs") else row for row in found)

    jobs = [store._run(lambda _, table=table: read(table), Urgency.LATER) for table in tables]  # type: ignore[misc]
    return [await job for job in jobs]  # when what nobody waits for is done


async def commit_prepared(store: SQLiteStore, writes: list[Write]) -> None:
    prepared = await store.prepare(writes)
    try:
        await store.commit(Batch(writes, prepared=prepared))
    finally:
        prepared.discard()


def encoded(write: Write) -> Write:
    before, after = (b"" if each is None else bson.encode(each) for each in (write.before, write.after))
    return replace(write, bodies=(before, after))


async def commit_encoded(store: SQLiteStore, writes: list[Write]) -> None:
    await store.commit(Batch([encoded(write) for write in writes]))


Commit = Callable[[SQLiteStore, list[Write]], Awaitable[None]]
both = pytest.mark.parametrize("commit", [commit_prepared, commit_encoded])


def some_writes(rng: random.Random, present: dict[int, Document]) -> list[Write]:
    """Insert, change and delete some notes at random; ``present`` is what there is."""
    writes = []
    for id_ in rng.sample(range(30), 10):
        after = (
            None
            if rng.random() < 0.3
            else {"_id": id_, "rank": rng.randrange(5), "tags": rng.sample("abcde", rng.randrange(5))}
        )
        if after is not None or id_ in present:
            writes.append(Write("notes", id_, present.get(id_), after))
        present.pop(id_, None)
        if after is not None:
            present[id_] = after
    return writes


@both
@pytest.mark.parametrize("seed", range(3))
async def test_it_leaves_the_same(store: SQLiteStore, seed: int, commit: Commit) -> None:
    other, rng, present = await opened(), random.Random(seed), dict[int, Document]()
    begin, _ = await store.newest()
    for _ in range(8):
        writes = some_writes(rng, present)
        await commit(store, writes)
        await other.commit(Batch(writes))
    assert await rows(store, *KEPT) == await rows(other, *KEPT)
    told, expected = store.changes(begin), other.changes(begin)
    assert [await anext(told) for _ in range(8)] == [await anext(expected) for _ in range(8)]
    assert await rows(store, "ready") == [[]]
    await other.close()


async def test_a_document_with_many_keys_is_made_ready_in_many_turns_and_taken_in_in_many_parts(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, go_on = 0, preparing.Preparing.go_on

    def counted(self: preparing.Preparing, *args: Any) -> bool:
        nonlocal turns
        turns += 1
        return go_on(self, *args)

    monkeypatch.setattr(preparing.Preparing, "go_on", counted)
    document = {"_id": 1, "rank": 1, "tags": [f"{number}" for number in range(100)]}
    prepared = await store.prepare([Write("notes", 1, None, document)])
    assert turns > 50
    assert prepared.parts > 10
    await store.commit(Batch([Write("notes", 1, None, document)], prepared=prepared))
    other = await opened()
    await other.commit(Batch([Write("notes", 1, None, document)]))
    assert await rows(store, *KEPT) == await rows(other, *KEPT)
    prepared.discard()
    assert await rows(store, "ready") == [[]]
    await other.close()


@pytest.mark.parametrize(("rows_a_turn", "is_wanted"), [(10, False), (10**6, True)])
async def test_a_turn_ends_after_some_rows_and_when_others_wait(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch, rows_a_turn: int, is_wanted: bool
) -> None:
    monkeypatch.setattr(preparing, "_TURN_SECONDS", 3600.0)
    monkeypatch.setattr(preparing, "_ROWS_A_TURN", rows_a_turn)
    prepared = await store.prepare([])
    document = {"_id": 1, "rank": 1, "tags": [f"{number}" for number in range(100)]}
    turns = preparing.Preparing(prepared, [Write("notes", 1, None, document)], lambda: is_wanted)
    assert not await store._run(lambda database: turns.go_on(database.connection))
    [laid_down] = await rows(store, "ready")
    assert len(laid_down) <= 12
    prepared.discard()


async def test_what_was_changed_meanwhile_is_a_conflict_and_numbers_of_another_width_are_none(
    store: SQLiteStore,
) -> None:
    await store.commit(Batch([Write("notes", id_, None, {"_id": id_, "rank": 1}) for id_ in range(4)]))
    same = [Write("notes", id_, {"_id": id_, "rank": 1.0}, {"_id": id_, "rank": 2}) for id_ in range(4)]
    prepared = await store.prepare(same)
    await store.commit(Batch(same, prepared=prepared))
    late = [Write("notes", id_, {"_id": id_, "rank": 2}, None) for id_ in range(4)]
    prepared = await store.prepare(late)
    await store.commit(Batch([Write("notes", 3, {"_id": 3, "rank": 2}, {"_id": 3, "rank": 7})]))
    before = await rows(store, *KEPT)
    with pytest.raises(Conflict):
        await store.commit(Batch(late, prepared=prepared))
    assert await rows(store, *KEPT) == before


async def test_so_it_is_for_what_is_encoded(store: SQLiteStore) -> None:
    await store.commit(Batch([Write("notes", id_, None, {"_id": id_, "rank": 1}) for id_ in range(4)]))
    await commit_encoded(
        store, [Write("notes", id_, {"_id": id_, "rank": 1.0}, {"_id": id_, "rank": 2}) for id_ in range(4)]
    )
    before = await rows(store, *KEPT)
    begin, _ = await store.newest()
    for wrong in ({"_id": 3, "rank": 7}, None):
        late = [Write("notes", id_, {"_id": id_, "rank": 2}, {"_id": id_, "rank": 3}) for id_ in range(3)]
        with pytest.raises(Conflict):
            await commit_encoded(store, [*late, Write("notes", 3, wrong, {"_id": 3, "rank": 3})])
    assert await rows(store, *KEPT) == before
    assert await rows(store, "ready") == [[]]
    assert (await store.newest())[0] == begin


@pytest.mark.parametrize("again", [0, 70, 139])
async def test_a_record_that_is_there_refuses_the_batch_and_is_named(store: SQLiteStore, again: int) -> None:
    records = [RequestRecord(b"session", number, b"") for number in range(140)]
    await store.commit(Batch(requests=[records[again]]))
    writes = [Write("notes", id_, None, {"_id": id_}) for id_ in range(4)]
    with pytest.raises(DuplicateRequest) as refused:
        await store.commit(Batch([encoded(write) for write in writes], records))
    assert (refused.value.session, refused.value.number) == (b"session", again)
    assert await rows(store, "docs", "ready") == [[], []]
    assert [await store.find_request(b"session", number) for number in (again, again ^ 1)] == [records[again], None]
    await store.commit(Batch([encoded(write) for write in writes], records[:again]))
    assert len((await rows(store, "requests"))[0]) == again + 1


def user(id_: Any, email: str) -> Document:
    return {"_id": id_, "email": email, "aliases": [id_]}


@both
async def test_unique_indexes_hold_also_among_its_own_documents(store: SQLiteStore, commit: Commit) -> None:
    await commit(store, [Write("users", id_, None, user(id_, id_)) for id_ in "abcde"])
    turned = zip("abcde", "bcdea", strict=True)
    await commit(store, [Write("users", id_, user(id_, id_), user(id_, to)) for id_, to in turned])
    before = await rows(store, *KEPT)
    for taken in ("a", "x"):
        with pytest.raises(UniqueViolation, match="by_email"):
            await commit(store, [Write("users", id_, None, user(id_, taken)) for id_ in range(4)])
    assert await rows(store, *KEPT) == before


async def test_an_index_that_was_taken_away_meanwhile_gets_no_keys(store: SQLiteStore) -> None:
    entry = store._database.catalog.table("notes") if store._database else None
    assert entry is not None
    writes = [Write("notes", 1, None, {"_id": 1, "rank": 1})]
    prepared = await store.prepare(writes)
    assert store._database is not None
    store._database.catalog._declared.clear()
    await store.drop_index(StoredIndex("notes", "by_rank", ("rank",), False))
    await store.commit(Batch(writes, prepared=prepared))
    numbers = {row[0] for row in (await rows(store, "entries"))[0]}
    assert numbers == set(entry.indexes.values())


async def test_what_cannot_be_stored_cannot_be_prepared_and_leaves_nothing(store: SQLiteStore) -> None:
    writes = [Write("notes", id_, None, {"_id": id_}) for id_ in range(4)]
    with pytest.raises(StoreError, match="_id"):
        await store.prepare([*writes, Write("notes", 4, None, {"_id": 5})])
    assert await rows(store, "ready") == [[]]


@pytest.mark.parametrize(("count", "pauses"), [(2, 0), (11, 3)])
async def test_others_read_between_two_parts_and_not_amid_a_small_commit(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch, count: int, pauses: int
) -> None:
    monkeypatch.setattr(preparing, "_PART", 3 * STEPS_OF_A_NOTE)
    assert store._database is not None
    paused = list[int]()
    object.__setattr__(store._database.writer, "pause", lambda: paused.append(1))
    await commit_prepared(store, [Write("notes", id_, None, {"_id": id_}) for id_ in range(count)])
    assert len(paused) == pauses
