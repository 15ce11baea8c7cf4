"""Tests of every store: a commit is whole or has not been, and is refused for the right reasons."""

from __future__ import annotations

import asyncio

import pytest

from synovia import keys
from synovia.schema.specs import Document
from synovia.store.base import (
    Batch,
    Conflict,
    DuplicateRequest,
    RequestRecord,
    Store,
    StoreError,
    UniqueViolation,
    Write,
)
from synovia.testing.stores.opening import BY_ALIAS, BY_EMAIL, BY_RANK, StoreTests
from synovia.testing.stores.steps import EVERYTHING, commit, deleted, everything, insert, inserted, replaced

SESSION = b"s" * 16


async def assert_unchanged(store: Store, table: str, *documents: Document) -> None:
    ts, _ = await store.newest()
    assert await everything(store, ts, table) == list(documents)


class CommitContract(StoreTests):
    """A commit is whole or has not been, and is refused for the right reasons."""

    async def test_timestamps_grow_and_newest_is_never_older_than_a_commit(self, store: Store) -> None:
        times = [await insert(store, "notes", {"_id": number}) for number in range(5)]
        assert times == sorted(set(times))
        ts, _ = await store.newest()
        assert ts >= times[-1]
        assert all(0 < each < 1 << 63 for each in times)

    async def test_the_fence_counts_the_transactions(self, store: Store) -> None:
        _, before = await store.newest()
        await store.commit(Batch(inserted("notes", {"_id": 1}), fence=before))
        await store.commit(Batch(inserted("notes", {"_id": 2}), fence=before + 1))
        await store.commit(Batch(inserted("notes", {"_id": 3}), fence=None))
        _, after = await store.newest()
        assert after == before + 3

    async def test_a_batch_that_writes_nothing_is_a_commit_too(self, store: Store) -> None:
        before, fence = await store.newest()
        ts = await store.commit(Batch(requests=[RequestRecord(SESSION, 1, b"r")], fence=fence))
        assert ts > before
        assert (await store.newest())[1] == fence + 1

    async def test_the_callers_documents_are_not_kept(self, store: Store) -> None:
        document = {"_id": "a", "tags": ["x"]}
        ts = await insert(store, "notes", document)
        document["tags"] = []
        assert await everything(store, ts, "notes") == [{"_id": "a", "tags": ["x"]}]

    # --- refusals -----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("shift", [-1, 1])
    async def test_another_fence_is_a_conflict_and_writes_nothing(self, store: Store, shift: int) -> None:
        await insert(store, "notes", {"_id": 0})
        _, fence = await store.newest()
        batch = Batch(inserted("notes", {"_id": 1}), [RequestRecord(SESSION, 1, b"r")], fence=fence + shift)
        with pytest.raises(Conflict):
            await store.commit(batch)
        await assert_unchanged(store, "notes", {"_id": 0})
        assert await store.find_request(SESSION, 1) is None
        assert (await store.newest())[1] == fence

    async def test_of_several_commits_with_one_fence_one_wins(self, store: Store) -> None:
        _, fence = await store.newest()
        batches = [Batch(inserted("notes", {"_id": number}), fence=fence) for number in range(5)]
        outcomes = await asyncio.gather(*map(store.commit, batches), return_exceptions=True)
        winners = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, int)]
        assert len(winners) == 1
        assert all(isinstance(outcome, Conflict) for outcome in outcomes if not isinstance(outcome, int))
        await assert_unchanged(store, "notes", {"_id": winners[0]})

    async def test_a_before_image_that_is_not_the_present_one_is_a_conflict(self, store: Store) -> None:
        now, other = {"_id": "a", "rank": 1}, {"_id": "b"}
        await insert(store, "notes", now)
        wrong = [
            replaced("notes", {"_id": "a", "rank": 2}, rank=3),
            replaced("notes", {"_id": "a"}, rank=3),
            replaced("notes", {"_id": "a", "rank": 1, "more": 1}, rank=3),
            deleted("notes", {"_id": "a", "rank": 2}),
            replaced("notes", {"_id": "missing"}, rank=3),
            deleted("notes", {"_id": "missing"}),
            Write("notes", "a", None, {"_id": "a", "rank": 4}),
        ]
        for write in wrong:
            with pytest.raises(Conflict):
                await commit(store, *inserted("notes", other), write)
            await assert_unchanged(store, "notes", now)

    async def test_a_unique_key_is_taken_once(self, store: Store) -> None:
        ann = {"_id": 1, "email": "ann@example.org"}
        await insert(store, "users", ann)
        with pytest.raises(UniqueViolation) as refused:
            await commit(store, *inserted("users", {"_id": 2, "email": "ann@example.org"}))
        assert (refused.value.table, refused.value.index) == ("users", "by_email")
        with pytest.raises(UniqueViolation):
            await commit(store, *inserted("users", {"_id": 2, "email": "x"}, {"_id": 3, "email": "x"}))
        await assert_unchanged(store, "users", ann)

    async def test_a_unique_key_is_free_again_when_given_up(self, store: Store) -> None:
        ann = {"_id": 1, "email": "ann", "team": 1}
        await insert(store, "users", ann)
        moved = {**ann, "email": "ann2"}
        await commit(
            store, replaced("users", ann, email="ann2"), *inserted("users", {"_id": 2, "email": "ann", "team": 2})
        )
        await commit(store, deleted("users", moved), *inserted("users", {"_id": 3, "email": "ann2", "team": 3}))
        ts, _ = await store.newest()
        assert [each["_id"] for each in await store.snapshot(ts).scan("users", BY_EMAIL, EVERYTHING)] == [2, 3]

    async def test_two_documents_exchange_their_unique_keys_in_one_commit(self, store: Store) -> None:
        one, two = {"_id": 1, "email": "a", "team": 1}, {"_id": 2, "email": "b", "team": 2}
        await insert(store, "users", one, two)
        ts = await commit(store, replaced("users", one, email="b"), replaced("users", two, email="a"))
        found = await store.snapshot(ts).scan("users", BY_EMAIL, EVERYTHING)
        assert [(each["email"], each["_id"]) for each in found] == [("a", 2), ("b", 1)]

    async def test_a_missing_unique_field_is_null_and_so_taken_once(self, store: Store) -> None:
        await insert(store, "users", {"_id": 1, "team": 1})
        with pytest.raises(UniqueViolation):
            await insert(store, "users", {"_id": 2, "team": 2, "email": None})
        await insert(store, "users", {"_id": 3, "team": 3, "email": ""})

    async def test_each_element_of_an_array_is_a_unique_key(self, store: Store) -> None:
        first = {"_id": 1, "email": 1, "team": "t", "aliases": ["a", "b", "a"]}
        await insert(store, "users", first)
        await insert(store, "users", {"_id": 2, "email": 2, "team": "u", "aliases": ["a", "b"]})
        with pytest.raises(UniqueViolation) as refused:
            await insert(store, "users", {"_id": 3, "email": 3, "team": "t", "aliases": ["c", "b"]})
        assert refused.value.index == "by_alias"
        await commit(store, replaced("users", first, aliases=["c", "b"]))
        ts, _ = await store.newest()
        found = await store.snapshot(ts).scan("users", BY_ALIAS, keys.prefix(["t"]))
        assert found == [{**first, "aliases": ["c", "b"]}]

    async def test_replacing_a_document_keeps_its_own_unique_keys(self, store: Store) -> None:
        ann = {"_id": 1, "email": "ann"}
        await insert(store, "users", ann)
        ts = await commit(store, replaced("users", ann, age=5))
        assert await everything(store, ts, "users") == [{**ann, "age": 5}]

    async def test_one_refused_write_undoes_the_whole_batch(self, store: Store) -> None:
        kept = {"_id": "kept", "rank": 1}
        await insert(store, "notes", kept)
        await insert(store, "users", {"_id": 1, "email": "ann"})
        before = await store.newest()
        writes = [
            replaced("notes", kept, rank=2),
            *inserted("notes", {"_id": "new", "rank": 3}),
            *inserted("users", {"_id": 2, "email": "ann"}),
        ]
        with pytest.raises(UniqueViolation):
            await commit(store, *writes, requests=[RequestRecord(SESSION, 1, b"r")])
        await assert_unchanged(store, "notes", kept)
        ts, fence = await store.newest()
        assert fence == before[1]
        assert await store.snapshot(ts).scan("notes", BY_RANK, EVERYTHING) == [kept]
        assert await store.find_request(SESSION, 1) is None

    async def test_two_arrays_in_one_index_are_refused(self, store: Store) -> None:
        with pytest.raises(StoreError):
            await insert(store, "users", {"_id": 1, "email": 1, "team": [1], "aliases": ["a"]})
        await assert_unchanged(store, "users")

    # --- requests -----------------------------------------------------------------------------------------------------

    async def test_a_request_record_is_found_again(self, store: Store) -> None:
        records = [
            RequestRecord(SESSION, 1, b"one"),
            RequestRecord(SESSION, 2, b""),
            RequestRecord(b"t" * 16, 1, b"other"),
        ]
        await commit(store, *inserted("notes", {"_id": 1}), requests=records)
        for record in records:
            assert await store.find_request(record.session, record.number) == record
        assert await store.find_request(SESSION, 3) is None
        assert await store.find_request(b"u" * 16, 1) is None

    async def test_a_request_is_recorded_once_and_its_batch_with_it(self, store: Store) -> None:
        await commit(store, *inserted("notes", {"_id": 1}), requests=[RequestRecord(SESSION, 1, b"first")])
        again = [RequestRecord(SESSION, 2, b"new"), RequestRecord(SESSION, 1, b"second")]
        with pytest.raises(DuplicateRequest) as refused:
            await commit(store, *inserted("notes", {"_id": 2}), requests=again)
        assert (refused.value.session, refused.value.number) == (SESSION, 1)
        await assert_unchanged(store, "notes", {"_id": 1})
        assert await store.find_request(SESSION, 2) is None
        assert await store.find_request(SESSION, 1) == RequestRecord(SESSION, 1, b"first")

    async def test_a_batch_submitted_again_does_not_run_twice(self, store: Store) -> None:
        _, fence = await store.newest()
        batch = Batch(inserted("notes", {"_id": 1}), [RequestRecord(SESSION, 1, b"r")], fence=fence)
        await store.commit(batch)
        with pytest.raises((Conflict, DuplicateRequest)):
            await store.commit(batch)
        assert (await store.newest())[1] == fence + 1
