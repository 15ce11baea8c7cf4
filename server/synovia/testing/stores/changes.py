"""Tests of every store: its log tells every commit, whole, in order, once."""

from __future__ import annotations

import asyncio

import pytest

from synovia.schema.specs import Document
from synovia.store.base import Batch, Commit, Conflict, Store, Write
from synovia.testing.stores.opening import TABLES, Opened, PersistentStoreTests, StoreTests
from synovia.testing.stores.steps import (
    PATIENCE,
    commit,
    commits_after,
    deleted,
    everything,
    following,
    insert,
    inserted,
    next_commit,
    next_commits,
    replaced,
)


def by_id(commit: Commit) -> dict[object, Write]:
    assert len({(write.table, write.id) for write in commit.writes}) == len(commit.writes)
    return {write.id: write for write in commit.writes}


class ChangesContract(StoreTests):
    """The log tells every commit, whole, in order, once."""

    async def test_a_commit_tells_each_document_before_and_after(self, store: Store) -> None:
        start, _ = await store.newest()
        a, b = {"_id": "a", "rank": 1}, {"_id": "b", "tags": ["x"]}
        first = await insert(store, "notes", a, b)
        user = {"_id": "u", "email": "u"}
        second = await commit(store, replaced("notes", a, rank=2), deleted("notes", b), *inserted("users", user))
        one, two = await commits_after(store, start, 2)
        assert (one.ts, two.ts) == (first, second)
        assert by_id(one) == {"a": Write("notes", "a", None, a), "b": Write("notes", "b", None, b)}
        assert by_id(two) == {
            "a": Write("notes", "a", a, {"_id": "a", "rank": 2}),
            "b": Write("notes", "b", b, None),
            "u": Write("users", "u", None, user),
        }

    async def test_a_commit_tells_about_how_large_its_documents_are_or_nothing(self, store: Store) -> None:
        start, _ = await store.newest()
        document = {"_id": "a", "text": "x" * 10_000}
        await insert(store, "notes", document)
        await commit(store, replaced("notes", document, rank=2))
        one, two = await commits_after(store, start, 2)
        assert one.size == 0 or 9_000 < one.size < 11_000
        assert two.size == 0 or 19_000 < two.size < 21_000

    async def test_commits_come_in_order_each_once_with_their_fences(self, store: Store) -> None:
        start, fence = await store.newest()
        times = [
            await store.commit(Batch(inserted("notes", {"_id": number}), fence=fence + number)) for number in range(20)
        ]
        commits = await commits_after(store, start, 20)
        assert [each.ts for each in commits] == times
        assert [each.fence for each in commits] == [fence + number + 1 for number in range(20)]
        assert [write.id for each in commits for write in each.writes] == list(range(20))

    async def test_following_sees_what_is_committed_later(self, store: Store) -> None:
        start, _ = await store.newest()
        async with following(store, start) as changes:
            for number in range(3):
                waiting = asyncio.ensure_future(next_commit(changes))
                ts = await insert(store, "notes", {"_id": number})
                assert (await waiting).ts == ts

    async def test_what_the_log_has_told_can_be_read_at_its_timestamp(self, store: Store) -> None:
        start, _ = await store.newest()
        async with following(store, start) as changes:
            documents: list[Document] = []
            for number in range(5):
                await insert(store, "notes", {"_id": number})
                documents.append({"_id": number})
                told = await next_commit(changes)
                assert await everything(store, told.ts, "notes") == documents

    async def test_a_refused_commit_is_not_in_the_log(self, store: Store) -> None:
        start, fence = await store.newest()
        await store.commit(Batch(inserted("notes", {"_id": 1}), fence=fence))
        with pytest.raises(Conflict):
            await store.commit(Batch(inserted("notes", {"_id": 2}), fence=fence))
        await store.commit(Batch(inserted("notes", {"_id": 3}), fence=fence + 1))
        commits = await commits_after(store, start, 2)
        assert [write.id for each in commits for write in each.writes] == [1, 3]

    async def test_a_write_that_changes_nothing_holds_nothing_up(self, store: Store) -> None:
        same, other = {"_id": "same", "rank": 1}, {"_id": "other", "rank": 1}
        await insert(store, "notes", same, other)
        start, fence = await store.newest()
        first = await store.commit(Batch([replaced("notes", same)], fence=fence))
        second = await store.commit(Batch([replaced("notes", same), replaced("notes", other, rank=2)], fence=fence + 1))
        assert start < first < second
        async with following(store, start) as changes:
            async for change in changes:
                assert isinstance(change, Commit)
                assert all(write.id == "same" or change.ts == second for write in change.writes)
                if change.ts >= second:
                    assert Write("notes", "other", other, {"_id": "other", "rank": 2}) in change.writes
                    break

    async def test_a_large_commit_comes_as_one(self, store: Store) -> None:
        start, fence = await store.newest()
        documents = [{"_id": number, "text": "x" * 1000} for number in range(2000)]
        ts = await store.commit(Batch(inserted("notes", *documents), fence=fence))
        [told] = await commits_after(store, start, 1)
        assert told.ts == ts
        assert {number: write.after for number, write in by_id(told).items()} == {
            each["_id"]: each for each in documents
        }

    async def test_followers_may_start_anywhere_and_all_see_the_same(self, store: Store) -> None:
        start, _ = await store.newest()
        times = [start]
        times += [await insert(store, "notes", {"_id": number}) for number in range(6)]
        seen = await asyncio.gather(*(commits_after(store, ts, 6 - n) for n, ts in enumerate(times[:-1])))
        assert [[each.ts for each in commits] for commits in seen] == [times[n + 1 :] for n in range(6)]
        assert all(commits == seen[0][n:] for n, commits in enumerate(seen))

    async def test_a_follower_that_has_closed_does_not_disturb_the_others(self, store: Store) -> None:
        start, _ = await store.newest()
        async with following(store, start) as staying:
            async with following(store, start) as leaving:
                await insert(store, "notes", {"_id": 1})
                await next_commit(leaving)
            await insert(store, "notes", {"_id": 2})
            commits = await next_commits(staying, 2)
        assert [write.id for each in commits for write in each.writes] == [1, 2]

    async def test_a_slow_follower_loses_nothing(self, store: Store) -> None:
        start, fence = await store.newest()
        async with following(store, start) as changes:
            await store.commit(Batch(inserted("notes", {"_id": 0}), fence=fence))
            await next_commit(changes)
            batches = [Batch(inserted("notes", {"_id": number}), fence=fence + number) for number in range(1, 400)]
            times = [await store.commit(batch) for batch in batches]
            commits = await next_commits(changes, len(times))
        assert [each.ts for each in commits] == times

    async def test_a_commit_whose_caller_has_gone_is_told_if_it_took_place(self, store: Store) -> None:
        start, _ = await store.newest()
        gone = asyncio.ensure_future(insert(store, "notes", {"_id": 1}))
        await asyncio.wait([gone], timeout=0.0)
        gone.cancel()
        await asyncio.wait([gone])
        await insert(store, "notes", {"_id": 2})
        ts, _ = await store.newest()
        present = [each["_id"] for each in await everything(store, ts, "notes")]
        commits = await commits_after(store, start, len(present))
        assert [write.id for each in commits for write in each.writes] == present


class LastingChangesContract(PersistentStoreTests):
    """The log goes on after a restart."""

    async def test_the_log_goes_on_after_the_store_was_opened_again(self, persistent: Opened) -> None:
        start, fence = await persistent.store.newest()
        first, second, third = ({"_id": "a", "rank": rank} for rank in (1, 2, 3))
        steps: list[tuple[Document | None, Document | None]] = [
            (None, first),
            (first, None),
            (None, second),
            (second, third),
        ]
        writes = [Write("notes", "a", before, after) for before, after in steps]
        times = [await commit(persistent.store, write) for write in writes[:3]]
        store = await persistent.reopen(TABLES)
        times.append(await commit(store, writes[3]))
        commits = await commits_after(store, start, 4)
        assert [each.ts for each in commits] == times
        assert [each.writes for each in commits] == [(write,) for write in writes]
        assert (await store.newest())[1] == fence + 4

    async def test_commits_bring_the_newest_reading_of_the_clock_of_ids(self, persistent: Opened) -> None:
        start, fence = await persistent.store.newest()
        assert await persistent.store.clock() == 0
        readings = [1 << 54, (1 << 54) + 1, (1 << 54) + 1]
        for number, reading in enumerate(readings):
            await persistent.store.commit(
                Batch(inserted("notes", {"_id": number}), fence=fence + number, clock=reading)
            )
        assert [each.clock for each in await commits_after(persistent.store, start, 3)] == readings
        await persistent.store.commit(Batch(inserted("notes", {"_id": 3}), fence=None))
        assert await persistent.store.clock() == readings[-1]
        assert await (await persistent.reopen(TABLES)).clock() == readings[-1]

    async def test_closing_the_store_ends_the_followers(self, persistent: Opened) -> None:
        start, _ = await persistent.store.newest()
        changes = persistent.store.changes(start)
        await insert(persistent.store, "notes", {"_id": 1})
        async with asyncio.timeout(PATIENCE):
            await next_commit(changes)
            waiting = asyncio.ensure_future(next_commit(changes))
            await asyncio.wait([waiting], timeout=0.0)
            await persistent.store.close()
            with pytest.raises(Exception, match="clos"):
                await waiting
