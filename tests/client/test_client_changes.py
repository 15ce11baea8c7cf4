"""What changed: once for all of a transition, with exact edits, joined for who is slow; pages; nothing after the end."""

from __future__ import annotations

import asyncio
from typing import Any

from apps import board
from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, PeerConnection, eventually
from helpers.running_hub import running_hub
from synovia.functions.registry import collect
from synovia_client import Change, Client, FieldEdits, FunctionError, ItemEdits, Replaced, Transition
from synovia_client.edits import apply
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import QueryFailed, QueryPatch, QueryUnchanged, QueryValue
from synovia_protocol.patch import diff

ROWS = [{"_id": name, "n": 0, "text": "a longer text than an edit"} for name in "abc"]


async def listed(peer: Peer, *paths: str) -> PeerConnection:
    """Welcome the client and give each of these queries its rows, all in one transition."""
    connection = await peer.welcome()
    queries = [await connection.expect_query(path) for path in paths]
    await connection.transition(5, *[QueryValue(query.query_id, ROWS) for query in queries])
    return connection


def patch(connection: PeerConnection, path: str, old: Any, new: Any) -> QueryPatch:
    return QueryPatch(connection.queries[path].query_id, (diff(old, new),))


async def test_what_changes_together_is_told_once_and_all_of_it_is_in_place(client: Client, peer: Peer) -> None:
    told: list[Transition] = []
    seen: list[tuple[Any, Any]] = []
    first, second = client.subscribe("first"), client.subscribe("second")

    def on_transition(transition: Transition) -> None:
        told.append(transition)
        seen.append((first.value, second.value))

    client.on_transition(on_transition)
    first.listen(lambda change: seen.append((first.value, second.value)))
    second.listen(lambda change: seen.append((first.value, second.value)))
    connection = await listed(peer, "first", "second")
    await eventually(lambda: len(told) == 1)
    seen.clear()
    new = [{**ROWS[0], "n": 1}, ROWS[2]]
    await connection.transition(
        6, patch(connection, "first", ROWS, new), patch(connection, "second", ROWS, list(reversed(ROWS)))
    )
    await eventually(lambda: len(told) == 2)
    assert seen == [(new, list(reversed(ROWS)))] * 3, "whoever is told, and of whatever: nobody sees half of a commit"
    changes = {path: change for path, _, change in told[1].changes}
    assert told[1].ts == 6
    assert changes["first"].edits == ItemEdits(3, [0, 2], {}, {0: FieldEdits({"n": Replaced(1)}, [])})
    assert isinstance(changes["second"].edits, ItemEdits)
    assert sorted(changes["second"].edits.moved) == [(1, 1), (2, 0)]


async def test_one_shot_queries_are_no_transition(client: Client, peer: Peer) -> None:
    told: list[Transition] = []
    client.on_transition(told.append)
    asked = asyncio.create_task(client.query("once"))
    connection = await peer.welcome()
    await connection.give("once", 1, 5)
    assert await asked == 1
    assert not told


async def test_changes_are_joined_for_who_is_slow(client: Client, peer: Peer) -> None:
    changes = client.subscribe("list").changes()
    asked = asyncio.ensure_future(anext(changes))
    connection = await listed(peer, "list")
    first = await asked
    assert (first.is_first, first.before, first.value, first.edits) == (True, None, ROWS, Replaced(ROWS))
    old = ROWS
    for number in range(1, 6):
        new = [{"_id": f"new {number}", "n": number}, *old[:-1]]
        await connection.transition(5 + number, patch(connection, "list", old, new))
        old = new
    last = [*old[1:], {**ROWS[0], "n": 9}]
    await connection.transition(11, patch(connection, "list", old, last))
    watched = client.subscribe("list")
    async with watched:
        await eventually(lambda: watched.value == last)
    change = await anext(changes)
    assert (change.before, change.value) == (ROWS, last)
    assert apply(ROWS, change.edits) == last
    assert isinstance(change.edits, ItemEdits)
    assert change.edits.went == [1, 2], "a came back under its id"
    assert change.edits.changed == {2: FieldEdits({"n": Replaced(9)}, [])}
    await changes.aclose()


async def test_an_error_is_a_change_without_edits(client: Client, peer: Peer) -> None:
    told: list[Change[Any]] = []
    client.subscribe("list").listen(told.append)
    connection = await listed(peer, "list")
    await connection.transition(6, QueryFailed(connection.queries["list"].query_id, ErrorInfo("forbidden", "no")))
    await eventually(lambda: len(told) == 2)
    assert isinstance(told[1].error, FunctionError)
    assert (told[1].value, told[1].edits) == (ROWS, None)


async def test_who_listens_late_is_told_the_present_and_nothing_after_the_end(client: Client, peer: Peer) -> None:
    subscription = client.subscribe("list")
    early: list[Change[Any]] = []
    late: list[Change[Any]] = []
    subscription.listen(early.append)
    connection = await listed(peer, "list")
    await eventually(lambda: len(early) == 1)
    end = subscription.listen(late.append)
    assert [change.value for change in late] == [ROWS]
    end()
    end()
    await connection.transition(6, patch(connection, "list", ROWS, []))
    await eventually(lambda: len(early) == 2)
    assert len(late) == 1


async def test_nothing_is_called_after_close(make: MakeClient, peer: Peer) -> None:
    told: list[Any] = []
    async with make() as client:
        client.subscribe("list").listen(told.append)
        connection = await listed(peer, "list")
        await eventually(lambda: len(told) == 1)
        client.on_transition(told.append)
        client.on_auth_change(told.append)
        await connection.send(b"\xc1")  # what breaks the connection is on its way when the client is closed
    told_by_then = len(told)
    await asyncio.sleep(0)
    assert len(told) == told_by_then == 1


async def test_after_a_break_everything_is_shown_at_one_instant(
    make: MakeClient, peer: Peer, clock: ManualClock
) -> None:
    async with make() as client:
        first, second = client.subscribe("first"), client.subscribe("second")
        shown: list[tuple[Any, Any]] = []
        for subscription in (first, second):
            subscription.listen(lambda change: shown.append((first.value, second.value)))
        connection = await listed(peer, "first", "second")
        await eventually(lambda: len(shown) == 2)
        shown.clear()
        connection.cut()
        connection = await peer.welcome()
        await connection.expect_query("second")
        await connection.transition(9, QueryValue(connection.queries["first"].query_id, []))
        await connection.transition(9, QueryUnchanged(connection.queries["second"].query_id))
        await eventually(lambda: len(shown) == 1)
        assert shown == [([], ROWS)]


async def test_what_is_not_confirmed_in_time_holds_up_nobody(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    async with make() as client:
        first, second = client.subscribe("first"), client.subscribe("second")
        told: list[Any] = []
        first.listen(lambda change: told.append(change.value))
        second.listen(lambda change: None)
        (await listed(peer, "first", "second")).cut()
        connection = await peer.welcome()
        await connection.expect_query("second")
        await connection.transition(9, QueryValue(connection.queries["first"].query_id, []))
        await clock.awaited(5.0)
        assert (told, first.value, first.current) == ([ROWS], ROWS, False)
        clock.advance(5.0)
        await eventually(lambda: told == [ROWS, []])
        assert first.current


# --- pages


async def test_pages_are_read_one_by_one_and_stay_live() -> None:
    async with running_hub("sqlite://:memory:", collect("board", [board])) as hub:
        client = await hub.connect("ada")
        for rank in range(7):
            await client.mutation("board:add", {"slug": str(rank), "rank": rank})
        pages = client.subscribe_pages("board:page", {"board": "a"}, page_size=3, size_name="size")
        told: list[Change[Any]] = []
        async with pages:
            end = pages.listen(told.append)
            assert (ranks(pages.value), pages.status) == ([0, 1, 2], "CanLoadMore")
            pages.load_more()
            assert pages.status == "LoadingMore"
            await eventually(lambda: ranks(pages.value) == [0, 1, 2, 3, 4, 5])
            pages.load_more()
            await eventually(lambda: pages.status == "Exhausted")
            pages.load_more()
            assert (ranks(pages.value), pages.status) == ([0, 1, 2, 3, 4, 5, 6], "Exhausted")
            told.clear()
            await client.mutation("board:remove", {"slug": "1"})
            await eventually(lambda: ranks(pages.value) == [0, 2, 3, 4, 5, 6])
            assert isinstance(told[-1].edits, ItemEdits)
            assert (told[-1].edits.went, told[-1].edits.came, told[-1].edits.moved) == ([1], {}, [])
            end()
        assert pages.value is None


def ranks(cards: list[dict[str, Any]]) -> list[int]:
    return [each["rank"] for each in cards]


async def test_a_query_that_gives_no_page_says_so(client: Client, peer: Peer) -> None:
    told: list[Change[Any]] = []
    client.subscribe_pages("list", page_size=3).listen(told.append)
    connection = await peer.welcome()
    assert (await connection.expect_query("list")).args == {"limit": 3}
    await connection.give("list", [1, 2], 5)
    await eventually(lambda: len(told) == 1)
    assert told[0].error is not None
    assert "does not give" in str(told[0].error)
