"""Optimistic updates: shown at once, gone exactly when their effect is there, and never both."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, PeerConnection, eventually
from synovia_client import Change, Client, FieldEdits, FunctionError, ItemEdits, OptimisticStore, QueryResult
from synovia_client.edits import Replaced
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Mutation, MutationResponse

LIST = [{"_id": "1", "text": "one"}, {"_id": "2", "text": "two"}]


def append(store: OptimisticStore, args: dict[str, Any]) -> None:
    items = store.get_query("list")
    if items is not None:
        store.set_query("list", None, [*items, {"_id": "new", "text": args["text"]}])


class Showing:
    """A client that shows a list, and what was shown, one text a change."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.shown: list[str] = []
        self.changes: list[Change[Any]] = []
        self.list = client.subscribe("list")
        self.list.listen(self._see)
        self.value = LIST

    def _see(self, change: Change[Any]) -> None:
        self.changes.append(change)
        self.shown.append(" ".join(item["text"] for item in change.value))

    async def connect(self, peer: Peer) -> PeerConnection:
        connection = await peer.welcome()
        await connection.give("list", LIST, 5)
        await eventually(lambda: self.shown == ["one two"])
        return connection

    async def add(self, text: str) -> Any:
        return await self.client.mutation("add", {"text": text}, optimistic_update=append)

    async def effect(self, connection: PeerConnection, text: str, ts: int) -> None:
        """Let the server's transition come in which the item has been added."""
        old, self.value = self.value, [*self.value, {"_id": text, "text": text}]
        await connection.patch("list", old, self.value, ts)


@pytest.fixture
async def showing(client: Client) -> Showing:
    return Showing(client)


async def test_it_is_shown_at_once_and_its_effect_takes_its_place(showing: Showing, peer: Peer) -> None:
    connection = await showing.connect(peer)
    adding = asyncio.create_task(showing.add("three"))
    mutation = await connection.expect(Mutation)
    assert showing.shown == ["one two", "one two three"]
    assert showing.client.unanswered == 1
    await showing.effect(connection, "three", 6)
    await connection.send(connection.session.send_mutation_result(mutation.request_id, 6, b"\xa2id"))
    assert await adding == "id"
    assert showing.shown == ["one two", "one two three", "one two three"], "the third with the server's id"
    assert showing.list.value == showing.value
    edits = showing.changes[2].edits
    assert isinstance(edits, ItemEdits)
    assert (edits.went, list(edits.came)) == ([2], [2])
    assert showing.client.unanswered == 0


async def test_the_effect_is_held_back_until_the_answer_is_there(
    showing: Showing, peer: Peer, clock: ManualClock
) -> None:
    connection = await showing.connect(peer)
    adding = asyncio.create_task(showing.add("three"))
    mutation = await connection.expect(Mutation)
    await showing.effect(connection, "three", 6)
    await clock.awaited(0.1)
    assert showing.shown == ["one two", "one two three"], "not twice"
    await connection.answer(mutation, "id", 6)
    await adding
    assert showing.shown == ["one two", "one two three", "one two three"]


async def test_a_slow_answer_does_not_hold_up_others_for_long(showing: Showing, peer: Peer, clock: ManualClock) -> None:
    connection = await showing.connect(peer)
    adding = asyncio.create_task(showing.add("mine"))
    await connection.expect(Mutation)
    await showing.effect(connection, "theirs", 6)
    await clock.awaited(0.1)
    clock.advance(0.1)
    await eventually(lambda: showing.shown == ["one two", "one two mine", "one two theirs mine"])
    adding.cancel()
    await eventually(lambda: showing.shown[-1] == "one two theirs")


async def test_it_is_taken_back_when_the_mutation_fails(showing: Showing, peer: Peer) -> None:
    connection = await showing.connect(peer)
    adding = asyncio.create_task(showing.add("three"))
    mutation = await connection.expect(Mutation)
    error = ErrorInfo("forbidden", "no")
    await connection.send(connection.session.send(MutationResponse(mutation.request_id, None, error=error)))
    with pytest.raises(FunctionError, match="no"):
        await adding
    assert showing.shown == ["one two", "one two three", "one two"]


async def test_a_change_of_one_field_has_exact_edits(showing: Showing, peer: Peer) -> None:
    def rename(store: OptimisticStore, args: dict[str, Any]) -> None:
        first, *rest = store.get_query("list")
        store.set_query("list", {}, [{**first, "text": "renamed"}, *rest])

    connection = await showing.connect(peer)
    renaming = asyncio.create_task(showing.client.mutation("rename", optimistic_update=rename))
    await connection.expect(Mutation)
    assert showing.changes[-1].edits == ItemEdits(2, range(2), {}, {0: FieldEdits({"text": Replaced("renamed")}, [])})
    renaming.cancel()


async def test_what_the_update_raises_goes_to_the_caller_and_changes_nothing(showing: Showing, peer: Peer) -> None:
    def fail(store: OptimisticStore, args: dict[str, Any]) -> None:
        store.set_query("list", {}, [])
        raise LookupError("a mistake of the program")

    connection = await showing.connect(peer)
    with pytest.raises(LookupError):
        await showing.client.mutation("m", optimistic_update=fail)
    assert showing.shown == ["one two"]
    await connection.silence()


async def test_the_store_knows_what_is_subscribed_to(showing: Showing, peer: Peer) -> None:
    seen: list[Any] = []

    def look(store: OptimisticStore, args: dict[str, Any]) -> None:
        store.set_query("not subscribed to", {}, 1)
        seen.append((store.get_query("not subscribed to"), store.get_all_queries("list")))

    connection = await showing.connect(peer)
    looking = asyncio.create_task(showing.client.mutation("m", optimistic_update=look))
    await connection.expect(Mutation)
    assert seen[0] == (None, [QueryResult({}, LIST)])
    looking.cancel()


async def test_it_survives_a_break_and_the_retry(make: MakeClient, peer: Peer) -> None:
    async with make() as client:
        showing = Showing(client)
        first = await showing.connect(peer)
        adding = asyncio.create_task(showing.add("three"))
        await first.expect(Mutation)
        first.cut()
        second = await peer.welcome()
        mutation = await second.expect(Mutation) if "list" in second.queries else None
        if mutation is None:
            await second.expect_query("list")
            mutation = await second.expect(Mutation)
        assert mutation.retry
        assert showing.shown == ["one two", "one two three"]
        await second.give("list", [*LIST, {"_id": "3", "text": "three"}], 9)
        await second.answer(mutation, "id", 7)
        await adding
        assert showing.shown == ["one two", "one two three", "one two three"]
