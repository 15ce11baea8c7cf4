"""Tests of every store: arrays, what outlives a restart, and indexes that are brought up to date."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from synovia import keys
from synovia.keys import BY_ID, IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store import arrays
from synovia.store.base import (
    ArrayManifest,
    Batch,
    IndexMissing,
    RequestRecord,
    Store,
    StoreUnavailable,
    UniqueViolation,
)
from synovia.testing.stores.opening import (
    BY_ALIAS,
    BY_EMAIL,
    BY_RANK,
    NOTES,
    TABLES,
    USERS,
    Opened,
    PersistentStoreTests,
    StoreTests,
)
from synovia.testing.stores.steps import EVERYTHING, commit, everything, ids, insert, inserted, replaced

DIGEST, OTHER = b"\1" * 32, b"\2" * 32


class ArrayContract(StoreTests):
    """Arrays come back bit for bit."""

    async def test_a_chunk_is_found_by_its_digest(self, store: Store) -> None:
        data = bytes(range(256)) * 1024
        assert await store.arrays.get_chunk(DIGEST) is None
        await store.arrays.put_chunk(DIGEST, data)
        await store.arrays.put_chunk(DIGEST, data)
        assert await store.arrays.get_chunk(DIGEST) == data
        assert await store.arrays.get_chunk(OTHER) is None
        await store.arrays.put_chunk(OTHER, memoryview(data)[8:])
        assert await store.arrays.get_chunk(OTHER) == data[8:], "a view of a longer frame"

    async def test_what_is_put_at_the_same_time_is_all_there(self, store: Store) -> None:
        digests = [bytes([number]) * 32 for number in range(120)]
        await asyncio.gather(*(store.arrays.put_chunk(each, each) for each in [*digests, *digests[:2]]))
        assert await asyncio.gather(*map(store.arrays.get_chunk, digests)) == digests

    async def test_a_manifest_is_found_by_its_digest(self, store: Store) -> None:
        manifest = ArrayManifest(DIGEST, "float64", 70_000, (b"\3" * 32, b"\4" * 32, b"\3" * 32))
        empty = ArrayManifest(OTHER, "int16", 0)
        assert await store.arrays.get_manifest(DIGEST) is None
        for each in (manifest, manifest, empty):
            await store.arrays.put_manifest(each)
        assert await store.arrays.get_manifest(DIGEST) == manifest
        assert await store.arrays.get_manifest(OTHER) == empty

    async def test_an_array_comes_back_bit_for_bit(self, store: Store) -> None:
        samples = np.random.default_rng(7).standard_normal(100_000)
        samples[:4] = [np.nan, -0.0, np.inf, -np.inf]
        samples.view(np.uint64)[4] = 0x7FF8_0000_DEAD_BEEF
        ref = await arrays.write_array(store.arrays, samples)
        assert (await arrays.read_range(store.arrays, ref)).tobytes() == samples.tobytes()
        assert (await arrays.read_range(store.arrays, ref, 32_700, 65_600)).tobytes() == samples[
            32_700:65_600
        ].tobytes()

    async def test_ping_answers(self, store: Store) -> None:
        await store.ping()


class StorageContract(PersistentStoreTests):
    """Everything outlives a restart, and indexes are brought up to date."""

    async def test_everything_outlives_a_restart(self, persistent: Opened) -> None:
        a = {"_id": "a", "rank": 1}
        first = await insert(persistent.store, "notes", a)
        second = await commit(
            persistent.store, replaced("notes", a, rank=2), requests=[RequestRecord(b"s" * 16, 1, b"r")]
        )
        await persistent.store.arrays.put_chunk(DIGEST, b"chunk")
        await persistent.store.arrays.put_manifest(ArrayManifest(OTHER, "uint8", 5, (DIGEST,)))
        _, fence = await persistent.store.newest()
        store = await persistent.reopen(TABLES)
        ts, fence_then = await store.newest()
        assert ts >= second
        assert fence_then == fence
        assert await everything(store, ts, "notes") == [{"_id": "a", "rank": 2}]
        assert await everything(store, first, "notes") == [a]
        assert await store.find_request(b"s" * 16, 1) == RequestRecord(b"s" * 16, 1, b"r")
        assert await store.arrays.get_chunk(DIGEST) == b"chunk"
        assert await store.arrays.get_manifest(OTHER) == ArrayManifest(OTHER, "uint8", 5, (DIGEST,))
        assert await store.commit(Batch(inserted("notes", {"_id": "b"}), fence=fence)) > second

    async def test_an_index_that_is_added_holds_the_documents_there_are(self, persistent: Opened) -> None:
        await insert(persistent.store, "notes", *({"_id": number, "size": [-number, 100]} for number in range(10)))
        by_size = IndexSpec("by_size", ("size",))
        store = await persistent.reopen([TableSpec("notes", (*NOTES.indexes, by_size)), USERS])
        ts, _ = await store.newest()
        assert ids(await store.snapshot(ts).scan("notes", by_size, keys.prefix([-3]))) == [3]
        assert ids(await store.snapshot(ts).scan("notes", by_size, EVERYTHING)) == list(range(10))[::-1]
        ts = await insert(store, "notes", {"_id": 10, "size": 1})
        assert ids(await store.snapshot(ts).scan("notes", by_size, keys.between([], (0, False), (99, True)))) == [10]

    async def test_an_index_that_has_changed_is_built_beside_the_old(self, persistent: Opened) -> None:
        await insert(persistent.store, "notes", {"_id": 1, "rank": 1, "size": 5}, {"_id": 2, "rank": 2, "size": 4})
        by_size = IndexSpec("by_rank", ("size",))
        store = await persistent.reopen([TableSpec("notes", (by_size,)), USERS])
        ts, _ = await store.newest()
        assert ids(await store.snapshot(ts).scan("notes", by_size, EVERYTHING)) == [2, 1]
        assert ids(await store.snapshot(ts).scan("notes", by_size, keys.prefix([5]))) == [1]

    async def test_an_index_that_is_not_declared_any_more_stays_until_it_is_dropped(self, persistent: Opened) -> None:
        one, two = {"_id": 1, "email": "a", "team": 1}, {"_id": 2, "email": "a", "team": 1}
        await insert(persistent.store, "users", one)
        assert await persistent.store.unused_indexes(TABLES) == []
        fewer = [NOTES, TableSpec("users", (BY_ALIAS,))]
        store = await persistent.reopen(fewer)
        with pytest.raises(UniqueViolation):
            await insert(store, "users", two)
        unused = await store.unused_indexes(fewer)
        assert {(each.table, each.fields) for each in unused} == {("users", ("email",))}
        assert any(each.unique for each in unused)
        assert await store.missing_indexes() == []
        store = await persistent.reopen(TABLES)  # the older version is started again
        ts, _ = await store.newest()
        assert ids(await store.snapshot(ts).scan("users", BY_EMAIL, EVERYTHING)) == [1]

        for each in unused:
            await store.drop_index(each)  # it is declared again, and stays
        assert ids(await store.snapshot(ts).scan("users", BY_EMAIL, EVERYTHING)) == [1]

        store = await persistent.reopen(fewer)
        for each in [*unused, *unused]:
            await store.drop_index(each)
        assert await store.unused_indexes() == await store.unused_indexes(fewer) == await store.missing_indexes() == []
        ts = await insert(store, "users", two | {"team": 2})
        assert ids(await everything(store, ts, "users")) == [1, 2]
        assert ids(await store.snapshot(ts).scan("users", BY_ALIAS, EVERYTHING)) == [1, 2]
        with pytest.raises(IndexMissing, match="by_email"):
            await store.snapshot(ts).scan("users", BY_EMAIL, EVERYTHING)
        with pytest.raises(IndexMissing, match="by_email"):
            await store.snapshot(ts).count("users", BY_EMAIL, keys.prefix(["a"]))

    async def test_it_tells_what_opening_it_would_make_and_makes_nothing(self, persistent: Opened) -> None:
        by_size, by_name = IndexSpec("by_size", ("size",)), IndexSpec("by_name", ("name",), unique=True)
        newer = [TableSpec("notes", (*NOTES.indexes, by_size)), USERS, TableSpec("letters", (by_name,))]
        for declared in (TABLES, ()):
            store = await persistent.reopen(declared)
            assert await store.missing_indexes(TABLES) == []
            missing = await store.missing_indexes(newer)
            assert {(each.table, each.fields) for each in missing} == {("notes", ("size",)), ("letters", ("name",))}
            assert {each.table: each.unique for each in missing}["letters"]
            assert "letters" not in await store.tables()
        store = await persistent.reopen(newer)
        assert await store.missing_indexes(newer) == []

    async def test_tables_that_are_not_declared_are_named_and_read_by_ids(self, persistent: Opened) -> None:
        await insert(persistent.store, "notes", *({"_id": number} for number in range(5)))
        store = await persistent.reopen([USERS])
        assert {"notes", "users"} <= set(await store.tables())
        assert not [name for name in await store.tables() if name.startswith("_")]
        ts, _ = await store.newest()
        snapshot = store.snapshot(ts)
        assert ids(await snapshot.scan("notes", BY_ID, keys.between([], (1, False), None), limit=2)) == [2, 3]
        assert await snapshot.get("notes", [4, 9]) == [{"_id": 4}, None]
        assert await snapshot.count("notes", BY_ID, EVERYTHING) == 5

    async def test_two_indexes_of_one_name_are_both_there(self, persistent: Opened) -> None:
        await insert(persistent.store, "notes", {"_id": 1, "rank": 1, "size": 5}, {"_id": 2, "rank": 2, "size": 4})
        other, unique = IndexSpec("by_rank", ("size",)), IndexSpec("by_rank", ("rank", "size"), unique=True)
        for spec in (other, unique):
            store = await persistent.reopen([TableSpec("notes", (spec,)), USERS])
        ts, _ = await store.newest()
        for spec, expected in ((BY_RANK, [1, 2]), (other, [2, 1]), (unique, [1, 2])):
            assert ids(await store.snapshot(ts).scan("notes", spec, EVERYTHING)) == expected

    async def test_what_lacks_a_field_counts_with_its_default(self, persistent: Opened) -> None:
        await insert(persistent.store, "notes", {"_id": 1, "rank": 9}, {"_id": 2}, {"_id": 3, "rank": None})
        for default, expected in ((5, [2, 3, 1]), (20, [1, 2, 3]), (5, [2, 3, 1])):
            by_rank = IndexSpec("by_rank", ("rank",), defaults=((keys.encode_value(default),),))
            store = await persistent.reopen([TableSpec("notes", (by_rank,)), USERS])
            ts, _ = await store.newest()
            assert ids(await store.snapshot(ts).scan("notes", by_rank, EVERYTHING)) == expected
            assert ids(await store.snapshot(ts).scan("notes", by_rank, keys.prefix([default]))) == [2, 3]
            assert await store.snapshot(ts).count("notes", by_rank, keys.between([], (6, True))) == (
                1 if default == 5 else 3
            )
            assert await store.snapshot(ts).scan("notes", by_rank, keys.prefix([None])) == []

    async def test_an_index_cannot_become_unique_over_equal_keys(self, persistent: Opened) -> None:
        await insert(persistent.store, "notes", {"_id": 1, "rank": 1}, {"_id": 2, "rank": 1})
        with pytest.raises(StoreUnavailable, match="unique"):
            await persistent.reopen([TableSpec("notes", (IndexSpec("by_rank", ("rank",), unique=True),)), USERS])
        store = await persistent.reopen(TABLES)
        ts, _ = await store.newest()
        assert ids(await store.snapshot(ts).scan("notes", BY_RANK, EVERYTHING)) == [1, 2]

    async def test_a_table_that_is_added_is_empty(self, persistent: Opened) -> None:
        store = await persistent.reopen([*TABLES, TableSpec("letters")])
        ts = await insert(store, "letters", {"_id": 1})
        assert await everything(store, ts, "letters") == [{"_id": 1}]
