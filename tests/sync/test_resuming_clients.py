"""Clients that come back, to the same hub or to another one on the same MongoDB: what that costs on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from helpers.patience import PATIENCE
from helpers.sync_server import Running, client_of, serving
from sync.returning import A, B, returning
from synovia.engine import pasts
from synovia.engine.executor import Executor
from synovia_protocol.client_session import ClientSession
from synovia_protocol.events import QueryUpdated
from synovia_protocol.messages import QueryPatch, QueryUnchanged, QueryValue

pytestmark = [pytest.mark.mongodb, pytest.mark.same_tables]

NOTES = 80


@pytest_asyncio.fixture
async def hubs(mongodb_uri: str, database_name: str) -> AsyncIterator[list[Running]]:
    """Two hubs on one database, each following the log itself."""
    address = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async with serving(store=address) as one, serving(store=address) as other:
        await asyncio.gather(*(post(one, board, NOTES // 5) for board in "ab" for _ in range(5)))
        yield [one, other]


async def post(hub: Running, board: str, count: int) -> None:
    """Post notes one after the other; several of these share their commits."""
    async with client_of(hub) as writer:
        posts = [writer.mutation("notes:post", {"board": board, "text": f"note {n:060}"}) for n in range(count)]
        await writer.send(*(frame for _, frame in posts))
        for number, _ in posts:
            assert (await writer.response(number)).error is None


async def held_from(hub: Running) -> ClientSession:
    """Hold both boards, then lose the connection."""
    async with client_of(hub) as client:
        assert len(await client.subscribe(1, "notes:on_board", A)) == NOTES
        assert len(await client.subscribe(2, "notes:on_board", B)) == NOTES
        return client.session


async def edit(hub: Running, texts: list[str]) -> list[dict[str, Any]]:
    """Change notes of board a; give the board as it is then."""
    async with client_of(hub) as writer:
        notes = await writer.subscribe(1, "notes:on_board", A)
        for note, text in zip(notes[50:], texts, strict=False):
            assert (await writer.mutate("notes:edit", {"noteId": note["_id"], "text": text})).error is None
        board: list[dict[str, Any]] = writer.session.held[1].value
        return board


@pytest.mark.parametrize("other", [False, True], ids=["same hub", "other hub"])
async def test_who_is_up_to_date_receives_no_result_again(hubs: list[Running], other: bool) -> None:
    held = await held_from(hubs[0])
    async with returning(hubs[other], held, {1: A, 2: B}) as back:
        assert all(isinstance(update, QueryUnchanged) for update in back.updates)
        assert back.received < 100
        assert len(back.value(1)) == NOTES


@pytest.mark.parametrize("other", [False, True], ids=["same hub", "other hub"])
async def test_who_is_a_little_behind_receives_patches(hubs: list[Running], other: bool) -> None:
    held = await held_from(hubs[0])
    board = await edit(hubs[0], ["new", "newer", "newest"])
    await hubs[other].app.engine.wait_for(hubs[0].app.engine.head)
    async with returning(hubs[other], held, {1: A, 2: B}) as back:
        kinds = {update.query_id: type(update) for update in back.updates}
        assert kinds == {1: QueryPatch, 2: QueryUnchanged}
        assert back.received < 300
        assert back.value(1) == board
        assert [note["text"] for note in board[50:53]] == ["new", "newer", "newest"]
        await edit(hubs[1 - other], ["newer still"])
        await back.client.until(lambda event: isinstance(event, QueryUpdated) and event.query_id == 1)
        assert back.value(1)[50]["text"] == "newer still", "and goes on from there"


async def test_many_who_come_from_another_hub_cost_one_look_back(
    hubs: list[Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = await held_from(hubs[0])
    board = await edit(hubs[0], ["new"])
    await hubs[1].app.engine.wait_for(hubs[0].app.engine.head)
    runs = counted(hubs[1], monkeypatch)
    monkeypatch.setattr(pasts, "PAST_SECONDS", PATIENCE)  # it is found, however busy the machine
    monkeypatch.setattr(hubs[1].app.engine.live.pasts, "_keep", 10 * PATIENCE)
    async with AsyncExitStack() as stack:
        for back in await asyncio.gather(
            *(stack.enter_async_context(returning(hubs[1], held, {1: A})) for _ in range(20))
        ):
            assert [type(update) for update in back.updates] == [QueryPatch]
            assert back.value(1) == board
    assert sorted(runs) == sorted([("notes:on_board", held.ts), ("notes:on_board", max(ts for _, ts in runs))])


async def test_who_holds_something_else_or_comes_from_too_long_ago_gets_the_whole(hubs: list[Running]) -> None:
    held = await held_from(hubs[0])
    board = await edit(hubs[0], ["new"])
    await hubs[1].app.engine.wait_for(hubs[0].app.engine.head)
    long_ago = ClientSession(held.session_id, 1 << 32, held.held, limits=held.limits)
    foreign = ClientSession(held.session_id, held.ts, {1: held.held[2]}, limits=held.limits)
    for session in (long_ago, foreign):
        async with returning(hubs[1], session, {1: A}) as back:
            assert [type(update) for update in back.updates] == [QueryValue]
            assert back.value(1) == board


def counted(hub: Running, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Note every run of a query on a hub: its path and instant."""
    runs: list[tuple[str, int]] = []
    executor = hub.app.engine._executor
    query = Executor.query

    async def noting(self: Executor, function: Any, args: Any, identity: Any, ts: int, **options: Any) -> Any:
        if self is executor:
            runs.append((function.path, ts))
        return await query(self, function, args, identity, ts, **options)

    monkeypatch.setattr(Executor, "query", noting)
    return runs


async def test_a_token_that_says_the_same_reruns_nothing(hubs: list[Running], monkeypatch: pytest.MonkeyPatch) -> None:
    async with client_of(hubs[0]) as client:
        await client.send(client.session.authenticate("dev:ada@example.org"))
        await client.subscribe(1, "notes:on_board", A)
        assert await client.subscribe(2, "notes:who_am_i") == "ada@example.org"
        runs = counted(hubs[0], monkeypatch)
        client.events.clear()
        await client.send(client.session.authenticate("dev:ada@example.org"))
        await client.subscribe(3, "notes:on_board", B)
        assert [path for path, _ in runs] == ["notes:on_board"], "only what was asked for anew"
        assert [event.query_id for event in client.events if isinstance(event, QueryUpdated)] == [3]
        runs.clear()
        client.events.clear()
        await client.send(client.session.authenticate("dev:ben@example.org"))
        assert await client.result(2) == "ben@example.org"
        assert [path for path, _ in runs] == ["notes:who_am_i"], "only what looks at who is calling"
        assert [event.query_id for event in client.events if isinstance(event, QueryUpdated)] == [2]
