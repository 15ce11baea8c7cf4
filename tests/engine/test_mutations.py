"""Mutations: serializable, exactly once, all or nothing; their errors; what functions may do in them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import numpy as np
import pytest

from apps import board
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.store.base import Store
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.same_tables


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("board", [board])


async def ranks(caller: Caller, name: str = "a") -> dict[str, int]:
    return {card["slug"]: card["rank"] for card in await caller.query("board:on_board", {"board": name})}


async def test_no_increment_is_lost(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        await caller.mutation("board:add", {"slug": "x"})
        results = await asyncio.gather(*(caller.mutation("board:bump", {"slug": "x"}) for _ in range(40)))
        assert sorted(results) == list(range(1, 41))
        assert await ranks(caller) == {"x": 40}


async def test_transfers_keep_their_sum(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        for slug in "abcd":
            await caller.mutation("board:add", {"slug": slug, "rank": 10})
        moves = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("b", "a"), ("a", "c")] * 5
        await asyncio.gather(
            *(caller.mutation("board:move", {"source": s, "target": t, "by": n % 4}) for n, (s, t) in enumerate(moves))
        )
        assert sum((await ranks(caller)).values()) == 40


async def test_no_write_skew(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        added = await asyncio.gather(
            *(caller.mutation("board:add_if_fewer", {"slug": f"x{n}", "board": "a", "most": 3}) for n in range(12))
        )
        assert sum(added) == 3
        assert len(await ranks(caller)) == 3


async def test_a_unique_key_is_taken_once(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        calls = (caller.mutation("board:add", {"slug": "same", "rank": n}) for n in range(8))
        results = await asyncio.gather(*calls, return_exceptions=True)
        errors = [error for error in results if isinstance(error, FunctionError)]
        assert len(errors) == 7
        assert {error.code for error in errors} == {"unique_violation"}


async def test_a_request_is_committed_once(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller, session = app.caller(), b"s" * 16
        await caller.mutation("board:add", {"slug": "x"})
        args = {"slug": "x", "by": 5}
        first = await app.engine.mutate("board:bump", args, None, session=session, number=1)
        again = await app.engine.mutate("board:bump", args, None, session=session, number=1, retry=True)
        unannounced = await app.engine.mutate("board:bump", args, None, session=session, number=1)
        assert first.value() == again.value() == unannounced.value() == 5
        assert first.ts is not None
        assert again.ts is not None
        assert first.ts <= again.ts
        other = await app.engine.mutate("board:bump", args, None, session=session, number=2, retry=True)
        assert other.value() == 10


async def test_a_retry_that_is_too_old_is_refused(registry: Registry) -> None:
    async with TestApp(registry) as app:
        await app.caller().mutation("board:add", {"slug": "x"})
        now, day = int(app.clock() * 1000), 86_400_000
        call = {"session": b"s" * 16, "retry": True}
        args = {"slug": "x"}
        late = await app.engine.mutate("board:bump", args, None, number=1, issued_at=now - 7 * day, **call)  # type: ignore[arg-type]
        assert late.error is not None
        assert late.error.code == "request_expired"
        fresh = await app.engine.mutate("board:bump", args, None, number=2, issued_at=now - 5 * day, **call)  # type: ignore[arg-type]
        assert fresh.value() == 1
        app.clock.advance(86_400)
        again = await app.engine.mutate("board:bump", args, None, number=2, issued_at=now - 5 * day, **call)  # type: ignore[arg-type]
        assert again.value() == 1  # the record is still there, so it is answered


async def test_a_retry_that_fails_because_the_first_run_was_committed_gets_its_result(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The retry looks for the record before the first run is committed, and runs after it."""
    async with TestApp(registry) as app:
        session, args = b"s" * 16, {"slug": "once"}
        first = await app.engine.mutate("board:add", args, None, session=session, number=1)
        await app.engine.wait_for(first.ts or 0)
        find, looked = app.store.find_request, 0

        async def find_too_early(session: bytes, number: int) -> Any:
            nonlocal looked
            looked += 1
            return None if looked == 1 else await find(session, number)

        monkeypatch.setattr(app.store, "find_request", find_too_early)
        again = await app.engine.mutate("board:add", args, None, session=session, number=1, retry=True)
        assert again.value() == first.value()
        assert looked == 2


async def test_a_failed_retry_keeps_an_earlier_run_from_being_committed_later(registry: Registry) -> None:
    async with TestApp(registry) as app:
        session = b"s" * 16
        failed = await app.engine.mutate("board:bump", {"slug": "x"}, None, session=session, number=1, retry=True)
        assert failed.error is not None
        assert failed.error.code == "not_found"
        await app.caller().mutation("board:add", {"slug": "x"})
        late = await app.engine.mutate("board:bump", {"slug": "x"}, None, session=session, number=1)
        assert late.error == failed.error
        assert await ranks(app.caller()) == {"x": 0}


async def test_one_duplicate_in_a_batch_disturbs_nobody(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, session = app.caller(), b"s" * 16
        for slug in "xyz":
            await caller.mutation("board:add", {"slug": slug})
        await app.engine.mutate("board:bump", {"slug": "x"}, None, session=session, number=1)
        outcomes = await asyncio.gather(
            app.engine.mutate("board:bump", {"slug": "y"}, None, session=session, number=2),
            app.engine.mutate("board:bump", {"slug": "x"}, None, session=session, number=1),
            app.engine.mutate("board:bump", {"slug": "z"}, None, session=session, number=3),
        )
        assert [outcome.value() for outcome in outcomes] == [1, 1, 1]
        await app.engine.wait_for(max(outcome.ts or 0 for outcome in outcomes))
        assert await ranks(caller) == {"x": 1, "y": 1, "z": 1}


async def test_a_mutation_sees_its_own_writes(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        seen = await app.caller().mutation("board:own_reads", {"board": "o"})
        assert seen == [["own5"], ["own1", "own5"], ["own1", "own3", "own5"], ["own1", "own5"], ["own5", "own1"], ["2"]]


async def test_a_failed_mutation_leaves_nothing(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        with pytest.raises(FunctionError) as caught:
            await caller.mutation("board:fail_after_writing", {"slug": "gone"})
        assert (caught.value.code, caught.value.data) == ("changed_my_mind", {"slug": "gone"})
        assert await ranks(caller) == {}


async def test_an_exception_is_a_server_error_with_a_reference(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        await caller.mutation("board:add", {"slug": "x"})
        with caplog.at_level(logging.ERROR), pytest.raises(FunctionError) as caught:
            await caller.query("board:broken", {"board": "a"})
        assert caught.value.code == "server_error"
        assert "ZeroDivisionError" in caught.value.message  # this application runs with debug
        assert caught.value.data["id"] in caplog.text
        assert "ZeroDivisionError" in caplog.text
        app.engine._executor._debug = False
        with pytest.raises(FunctionError) as caught:
            await caller.query("board:broken", {"board": "a"})
        assert "Zero" not in caught.value.message
        assert caught.value.data["id"] in caught.value.message


async def test_actions_call_queries_and_mutations(registry: Registry) -> None:
    async with TestApp(registry) as app:
        assert await app.caller().action("board:add_twice", {"slug": "t"}) == 2
        with pytest.raises(FunctionError) as caught:
            await app.caller().action("board:add_twice", {"slug": "t"})
        assert caught.value.code == "unique_violation"


async def test_arrays_are_stored_and_read_bit_for_bit(registry: Registry) -> None:
    async with TestApp(registry) as app:
        samples = np.array([[0.0, -0.0, np.nan], [np.inf, 5e-324, 1.5]])
        ref = (await app.caller()._stored({"a": samples}))["a"]
        assert ref.shape == (2, 3)
        assert (await app.caller().array(ref)).tobytes() == samples.tobytes()


async def test_pages_have_no_gap_and_no_overlap_while_rows_come_and_go(registry: Registry, any_store: Store) -> None:
    from helpers.recording_subscriber import RecordingSubscriber

    async with TestApp(registry, any_store) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        for rank in range(0, 100, 10):
            await caller.mutation("board:add", {"slug": f"r{rank:02}", "rank": rank})
        cursor, pages = None, 0
        while True:
            args = {"board": "a", "cursor": cursor} if cursor else {"board": "a"}
            holder.subscribe(f"page{pages}", "board:page", args)
            await holder.settled()
            cursor = holder.value(f"page{pages}").get("nextCursor")
            pages += 1
            if cursor is None:
                break
        assert pages == 4
        changes: list[tuple[str, dict[str, Any]]] = [
            ("board:add", {"slug": "new05", "rank": 5}),
            ("board:add", {"slug": "new31", "rank": 31}),
            ("board:remove", {"slug": "r20"}),
            ("board:change", {"slug": "r50", "rank": 7}),
            ("board:change", {"slug": "r00", "rank": 99}),
        ]
        for path, change in changes:
            await caller.mutation(path, change)
            await holder.settled()
            shown = [card["slug"] for n in range(pages) for card in holder.value(f"page{n}")["items"]]
            assert shown == list(await ranks(caller))


async def test_bad_cursors_are_refused(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        for rank in range(5):
            await caller.mutation("board:add", {"slug": f"r{rank}", "rank": rank})
        good = (await caller.query("board:page", {"board": "a"}))["nextCursor"]
        for cursor, name in [("nonsense", "a"), ("", "a"), ("AAAA", "a"), (good[:-4], "a"), (good, "b"), ("é", "a")]:
            with pytest.raises(FunctionError) as caught:
                await caller.query("board:page", {"board": name, "cursor": cursor})
            assert caught.value.code == "bad_cursor", cursor


async def test_a_page_query_may_have_several_pages(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        for rank in range(5):
            await caller.mutation("board:add", {"slug": f"r{rank}", "rank": rank})
        up, down = await caller.query("board:two_pages", {"board": "a"})
        assert [card["slug"] for card in up["items"]] == ["r0", "r1"]
        assert [card["slug"] for card in down["items"]] == ["r4", "r3"]


async def test_a_document_that_the_store_refuses_fails_alone(registry: Registry) -> None:
    """Two arrays in one index cannot be stored; whoever is committed together with that is not disturbed."""
    async with TestApp(registry) as app:
        caller = app.caller()
        await caller.mutation("board:add", {"slug": "y"})
        refused = app.engine.mutate("board:spoil", {}, None)
        good = [
            app.engine.mutate("board:bump", {"slug": "y"}, None),
            app.engine.mutate("board:add", {"slug": "z"}, None),
        ]
        bad, *others = await asyncio.gather(refused, *good)
        assert bad.error is not None
        assert not bad.unknown
        assert [outcome.error for outcome in others] == [None, None]


async def test_the_log_keeps_a_bounded_number_of_bytes(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, log = app.caller(), app.engine._log
        log._keep_bytes = 100_000
        await caller.mutation("board:add", {"slug": "x"})
        for _ in range(20):
            await caller.mutation("board:change", {"slug": "x", "note": "n" * 20_000})
            assert log._bytes <= 140_000
        assert log._bytes == sum(commit.size for commit in log._window)
        assert log.since(app.engine.head) == []
        assert log.since(0) is None
