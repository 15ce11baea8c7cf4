"""What was read once, rolled forward over commits, is what the database would say now; and it is not asked in vain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps import board
from helpers.plain_snapshot import CHANGES, SCANS, SUMMARIES, Plain, commit
from helpers.recording_subscriber import RecordingSubscriber
from synovia.aggregates import extremes
from synovia.functions.registry import collect
from synovia.keys import Order
from synovia.schema.specs import Document
from synovia.testing import TestApp
from synovia.transaction.memory import RememberingSnapshot
from synovia.transaction.readset import RangeRead


@given(st.lists(st.lists(CHANGES, max_size=3), min_size=1, max_size=4), st.lists(SCANS, min_size=1, max_size=3))
async def test_rolled_forward_is_what_a_search_finds(rounds: list[list[Any]], scans: list[Any]) -> None:
    documents: dict[int, Document] = {}
    memory, ts = None, 0
    for commits in rounds:
        since = [commit(ts + n + 1, documents, changes) for n, changes in enumerate(commits)]
        ts += len(since)
        truth = Plain(ts, documents)
        recalled = RememberingSnapshot(Plain(ts, documents), memory, since)
        for (index, interval), order, where, limit in scans:
            found = await recalled.scan("t", index, interval, order, where=where, limit=limit)
            assert found == await truth.scan("t", index, interval, order, where=where, limit=limit)
            for most in (limit, None)[
                : 1 + len(commits) % 2
            ]:  # what was counted to its end is not counted to a limit again
                count = await recalled.count("t", index, interval, where=where, limit=most)
                assert count == await truth.count("t", index, interval, where=where, limit=most)
        assert await recalled.get("t", [0, 3]) == await truth.get("t", [0, 3])
        memory = recalled.memory


@pytest.fixture(params=[2, 32], ids="keeping {}".format)
def _kept_extremes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extremes, "KEPT", request.param)


@pytest.mark.usefixtures("_kept_extremes")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(CHANGES, max_size=3), min_size=1, max_size=4), st.lists(st.tuples(SCANS, SUMMARIES), min_size=1)
)
async def test_a_tally_rolled_forward_is_what_a_search_finds(rounds: list[list[Any]], asked: list[Any]) -> None:
    documents: dict[int, Document] = {}
    memory, ts = None, 0
    for commits in rounds:
        since = [commit(ts + n + 1, documents, changes) for n, changes in enumerate(commits)]
        ts += len(since)
        truth = Plain(ts, documents)
        recalled = RememberingSnapshot(Plain(ts, documents), memory, since)
        for ((index, interval), _, where, _), summary in asked:
            found = await recalled.aggregate("t", index, interval, summary, where=where)
            expected = await truth.aggregate("t", index, interval, summary, where=where)
            assert found.answers() == expected.answers()
        memory = recalled.memory


async def test_a_rerun_asks_the_database_only_for_what_is_new() -> None:
    async with TestApp(collect("board", [board])) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        for number in range(30):
            await caller.mutation("board:add", {"slug": f"c{number}", "rank": number})
        live = holder.subscribe("list", "board:on_board", {"board": "a", "limit": 20})
        await holder.settled()
        assert live.recall.asked == 1
        await caller.mutation("board:change", {"slug": "c5", "note": "x"})
        await holder.settled()
        assert live.recall.asked == 0
        await caller.mutation("board:add", {"slug": "first", "rank": -1})
        await holder.settled()
        assert live.recall.asked == 0
        await caller.mutation("board:remove", {"slug": "c3"})  # now the twentieth is not known
        await holder.settled()
        assert live.recall.asked == 1
        assert [card["slug"] for card in holder.value("list")][:3] == ["first", "c0", "c1"]


async def test_where_documents_were_met_is_found_only_when_a_commit_has_moved_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, key_found = list[Document](), RangeRead.key_found

    async def note(read: RangeRead, document: Document, order: Order) -> bytes | None:
        found.append(document)
        return await key_found(read, document, order)

    monkeypatch.setattr(RangeRead, "key_found", note)
    async with TestApp(collect("board", [board])) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        for number in range(5):
            await caller.mutation("board:add", {"slug": f"c{number}", "rank": number})
        holder.subscribe("list", "board:on_board", {"board": "a"})
        await holder.settled()
        assert found == []
        for note_ in ("x", "y"):
            await caller.mutation("board:change", {"slug": "c2", "note": note_})
            await holder.settled()
            assert len(found) == 5


async def test_what_did_not_change_is_the_same_object() -> None:
    async with TestApp(collect("board", [board])) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        for number in range(5):
            await caller.mutation("board:add", {"slug": f"c{number}", "rank": number})
        live = holder.subscribe("list", "board:on_board", {"board": "a"})
        await holder.settled()
        before = live._value
        await caller.mutation("board:change", {"slug": "c2", "note": "x"})
        await holder.settled()
        assert [old is new for old, new in zip(before, live._value, strict=True)] == [True, True, False, True, True]
