"""Who is seen in a room, by clients over real sockets: who may, what they show, and when they are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from helpers import waiting
from helpers.patience import PATIENCE
from helpers.running_hub import RunningHub, running_hub
from synovia.limits.allowance import Allowance
from synovia.limits.settings import HubLimits
from synovia.sync import presence as hub_side
from synovia.sync.socket import Ending
from synovia_client import BlockingClient, Client, FunctionError, Member, Presence
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo

MEMBERS = 150
READING_ROOM = Path(__file__).resolve().parents[1] / "apps" / "reading_room.py"
ROOM, HALL, MAP, TITLES, ADD = (f"reading_room:{name}" for name in ("room", "hall", "map", "titles", "add"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_hub() -> AsyncIterator[RunningHub]:
    async with running_hub("sqlite://:memory:", READING_ROOM, limits=HubLimits(max_room_members=MEMBERS)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def hub(one_hub: RunningHub) -> AsyncIterator[RunningHub]:
    """Give a hub that nobody is connected to; when all have gone, no room is left."""
    yield one_hub
    await one_hub.people.aclose()
    await asyncio.wait_for(one_hub.app.hub._empty.wait(), PATIENCE)
    assert len(one_hub.app.hub.rooms) == 0


pytestmark = pytest.mark.asyncio(loop_scope="module")


def seen(members: Sequence[Member]) -> list[tuple[Any, Any]]:
    """Give who is there and what they show, in a fixed order."""
    return sorted((((each.who or {}).get("name"), each.state) for each in members), key=str)


async def until(presence: Presence, holds: Callable[[Sequence[Member]], bool]) -> Sequence[Member]:
    """Wait until who is there is as it should be."""
    async for members in presence:
        if holds(members):
            return members
    raise AssertionError("presence does not end by itself")


async def document(client: Client, *names: str) -> dict[str, str]:
    """Make a document that these may read; give the arguments of its room."""
    args = {"documentId": await client.mutation("reading_room:add", {"title": "a"})}
    for name in names:
        await client.mutation("reading_room:admit", {**args, "email": f"{name}@example.org", "name": name.title()})
    return args


async def test_those_in_a_room_see_each_other_and_what_each_shows(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    args = await document(ada, "ada", "bo")
    async with ada.presence(ROOM, args, state={"cursor": 1}) as hers:
        assert seen(hers.members) == [("Ada", {"cursor": 1})]
        assert [each.is_me for each in hers.members] == [True]
        async with bo.presence(ROOM, args) as his:
            assert seen(his.members) == [("Ada", {"cursor": 1}), ("Bo", None)]
            assert seen(his.others) == [("Ada", {"cursor": 1})]
            await until(hers, lambda members: len(members) == 2)
            his.update({"cursor": 7})
            await until(hers, lambda members: ("Bo", {"cursor": 7}) in seen(members))
        await until(hers, lambda members: seen(members) == [("Ada", {"cursor": 1})])


async def test_of_many_moves_the_last_is_seen_and_few_are_sent(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    async with ada.presence(HALL, state=0) as hers, bo.presence(HALL, state=0) as his:
        told = 0

        def count(members: Sequence[Member]) -> None:
            nonlocal told
            told += 1

        stop = hers.on_change(count)
        for number in range(1, 1001):
            his.update(number)
        await until(hers, lambda members: any(each.state == 1000 for each in members))
        stop()
        assert told < 10


async def test_rooms_of_other_arguments_are_other_rooms(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    one, other = await document(ada, "ada", "bo"), await document(ada, "ada", "bo")
    async with ada.presence(ROOM, one) as here, bo.presence(ROOM, other) as there:
        assert seen(here.members) == [("Ada", None)]
        assert seen(there.members) == [("Bo", None)]


async def test_who_may_not_sees_nobody_and_is_not_seen(hub: RunningHub) -> None:
    ada, eve = await hub.connect("ada"), await hub.connect("eve")
    args = await document(ada, "ada")
    async with ada.presence(ROOM, args) as hers:
        async with eve.presence(ROOM, args, state="hello") as refused:
            assert refused.error is not None
            assert refused.error.code == "not_found"
            assert refused.members == ()
            refused.update("hello again")
            await eve.mutation("reading_room:add", {"title": "b"})  # whatever she sent before has arrived
        assert seen(hers.members) == [("Ada", None)]


async def test_who_loses_it_is_out_at_once_and_who_is_renamed_is_seen_as_that(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    args = await document(ada, "ada", "bo")
    async with ada.presence(ROOM, args) as hers, bo.presence(ROOM, args, state=1) as his:
        await until(hers, lambda members: len(members) == 2)
        await ada.mutation("reading_room:admit", {**args, "email": "bo@example.org", "name": "Bob"})
        await until(hers, lambda members: ("Bob", 1) in seen(members))
        await ada.mutation("reading_room:dismiss", {**args, "email": "bo@example.org"})
        await until(hers, lambda members: seen(members) == [("Ada", None)])
        with pytest.raises(FunctionError, match="no such document"):
            await until(his, lambda members: False)
        assert his.members == ()


async def test_who_signs_out_is_gone_and_who_signs_in_again_is_back(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    args = await document(ada, "ada", "bo", "cy")
    async with ada.presence(ROOM, args) as hers, bo.presence(ROOM, args) as his:
        await until(hers, lambda members: len(members) == 2)
        await bo.authenticate(None)
        await until(hers, lambda members: len(members) == 1)
        with pytest.raises(FunctionError):
            await until(his, lambda members: False)
        await bo.authenticate("dev:cy@example.org")
        await until(hers, lambda members: ("Cy", None) in seen(members))
        assert seen(await until(his, lambda members: len(members) == 2)) == [("Ada", None), ("Cy", None)]


async def test_who_closes_is_gone_at_once(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    async with ada.presence(HALL) as hers:
        presence = bo.presence(HALL, state=1)
        await presence.__aenter__()
        await until(hers, lambda members: len(members) == 2)
        await bo.close()
        await until(hers, lambda members: len(members) == 1)


async def test_who_comes_back_is_the_same_one(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    async with ada.presence(HALL) as hers, bo.presence(HALL, state=1) as his:
        before, connections = {each.id for each in his.members}, hub.app.hub.counters.accepted
        for socket, _ in hub.app.hub.connections:
            socket.end(Ending(ErrorInfo(ErrorCode.OVERLOADED, "for the test"), CloseCode.SERVER_ERROR, retry_after=0.0))
        await waiting.until(lambda: hub.app.hub.counters.accepted == connections + 2)
        # Whoever came back first was alone until the other one did.
        await waiting.until(lambda: all(shown.current and len(shown.members) == 2 for shown in (hers, his)))
        assert {each.id for each in hers.members} == {each.id for each in his.members} == before


async def test_who_sends_nothing_any_more_is_not_shown_until_they_do(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    async with ada.presence(HALL) as hers, bo.presence(HALL, state=1) as his:
        await until(hers, lambda members: len(members) == 2)
        monkeypatch.setattr(hub_side, "SILENCE_SECONDS", 0.0)  # as if nobody had sent anything for long
        await until(his, lambda members: len(members) == 0)
        monkeypatch.undo()
        await until(hers, lambda members: len(members) == 2)


async def test_who_leaves_is_told_no_more_though_that_waits_for_its_turn(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    held, go, pace = asyncio.Event(), asyncio.Event(), Allowance.pace

    async def hold_the_first(self: Allowance, messages: int, size: int) -> None:
        if not held.is_set():
            held.set()
            await go.wait()
        await pace(self, messages, size)

    async with ada.presence(HALL) as hers:
        async with bo.presence(HALL) as his:
            await until(hers, lambda members: len(members) == 2)
            monkeypatch.setattr(Allowance, "pace", hold_the_first)
            del his
        await held.wait()
        hers.update("moved")
        await until(hers, lambda members: (None, "moved") in seen(members))
        assert [socket.ending for socket, _ in hub.app.hub.connections] == [None, None]
        go.set()
        await until(hers, lambda members: len(members) == 1)


async def test_equal_arguments_are_one_room(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    place: dict[str, Any] = {"zoom": 2.0, "corner": {"x": 1, "y": 2}}
    same: dict[str, Any] = {"corner": {"y": 2, "x": 1.0}, "zoom": 2}
    async with ada.presence(MAP, place) as hers, bo.presence(MAP, same) as his:
        assert len(his.members) == 2
        await until(hers, lambda members: len(members) == 2)


async def test_a_query_without_presence_has_no_room(hub: RunningHub) -> None:
    ada = await hub.connect("ada")
    for path, code in (
        ("reading_room:titles", "wrong_kind"),
        ("reading_room:add", "wrong_kind"),
        ("no:where", "unknown_function"),
    ):
        async with ada.presence(path) as nowhere:
            assert nowhere.error is not None
            assert nowhere.error.code == code


async def test_what_is_shown_is_bounded(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    async with ada.presence(HALL) as hers, bo.presence(HALL) as his:
        await until(hers, lambda members: len(members) == 2)
        his.update("x" * 5000)
        await until(hers, lambda members: len(members) == 1)
        with pytest.raises(FunctionError, match="4096"):
            await until(his, lambda members: False)
        his.update("short")
        await until(hers, lambda members: (None, "short") in seen(members))
        with pytest.raises(FunctionError, match="cannot be sent"):
            his.update(object())


async def test_members_of_a_room_are_bounded(hub: RunningHub) -> None:
    ada, bo = await hub.connect("ada"), await hub.connect("bo")
    rooms = [ada.presence(HALL) for _ in range(90)] + [bo.presence(HALL) for _ in range(MEMBERS - 89)]
    entered = await asyncio.gather(*(room.__aenter__() for room in rooms))
    assert [room.error.code for room in entered if room.error is not None] == ["limit_exceeded"]
    await asyncio.gather(*(room.__aexit__() for room in entered))


async def test_rooms_of_a_connection_are_bounded(hub: RunningHub) -> None:
    ada = await hub.connect("ada")
    async with asyncio.timeout(PATIENCE):
        rooms = [ada.presence(HALL) for _ in range(101)]
        entered = await asyncio.gather(*(room.__aenter__() for room in rooms))
        assert sorted(room.error.code for room in entered if room.error is not None) == ["limit_exceeded"]
        await asyncio.gather(*(room.__aexit__() for room in entered))


async def test_a_program_without_an_event_loop_is_there_too(hub: RunningHub) -> None:
    ada = await hub.connect("ada")
    calls: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def call(work: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(calls.put_nowait, work)

    bo = await asyncio.to_thread(BlockingClient, f"ws://127.0.0.1:{hub.port}", call=call)
    told: list[int] = []
    try:
        async with ada.presence(HALL) as hers:
            handle = bo.presence(HALL, callback=lambda members: told.append(len(members)), state=1)
            await until(hers, lambda members: (None, 1) in seen(members))
            handle.update(2)
            await until(hers, lambda members: (None, 2) in seen(members))
            assert handle.members == ()  # nothing is told before the program has time for it
            while (None, 2) not in seen(handle.members):
                (await calls.get())()
            assert len(handle.others) == 1
            with pytest.raises(FunctionError, match="cannot be sent"):
                handle.update(object())
            handle.close()
            await until(hers, lambda members: len(members) == 1)
        assert told[-1] == 2
    finally:
        await asyncio.to_thread(bo.close)
