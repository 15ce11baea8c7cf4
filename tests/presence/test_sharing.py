"""What hubs tell each other of rooms, over lines that a test can hold up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest_asyncio

from helpers.patience import PATIENCE
from synovia.hubs.forwarding import PRESENCE
from synovia.hubs.leadership import Mark
from synovia.hubs.link import Link
from synovia.presence.room import Changes, Claim
from synovia.presence.rooms import OpenRoom, Rooms
from synovia.presence.sharing import Sharing
from synovia.presence.wire import Report, pack_report, parts_of

KEY = b"a room"
CLAIM = Claim(1, b"\xc0", b"\x01")


class Inside:
    """Somebody who is in a room."""

    def wake(self) -> None:
        """There is nobody to tell."""


class Line:
    """Brings questions to a hub at once, and answers as soon as they may pass."""

    def __init__(self) -> None:
        self.hear: Callable[[bytes], Awaitable[bytes]] | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def ask(self, question: bytes) -> bytes:
        assert self.hear is not None
        answer = await self.hear(question.removeprefix(PRESENCE))
        await self.may_answer.wait()
        return answer

    async def close(self) -> None:
        """Nothing is open."""


class Hub:
    def __init__(self, name: bytes, line: Line) -> None:
        self.rooms = Rooms()
        self.line = line
        self.inside = Inside()
        self.sharing = Sharing(self.rooms, name, self._connect, self._lost)

    async def _connect(self, mark: Mark) -> Link:
        return cast(Link, self.line)

    async def _lost(self, mark: Mark) -> None:
        raise AssertionError("lines do not break here")

    def enter(self) -> OpenRoom:
        return self.rooms.enter(KEY, self.inside)


@pytest_asyncio.fixture
async def hubs() -> AsyncIterator[tuple[Hub, Hub]]:
    one, other = Hub(b"1" * 8, Line()), Hub(b"2" * 8, Line())
    one.line.hear, other.line.hear = other.sharing.receive, one.sharing.receive
    for each in (one, other):
        each.sharing.start()
    one.sharing.know([Mark(b"2" * 8, "here", 2)])
    other.sharing.know([Mark(b"1" * 8, "here", 1)])
    yield one, other
    for each in (one, other):
        each.line.may_answer.set()
        await each.sharing.stop()


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 (what it waits for has no event)
            await asyncio.sleep(0.001)


async def test_a_room_that_is_opened_again_while_an_answer_is_on_its_way_is_told_of_all(hubs: tuple[Hub, Hub]) -> None:
    one, other = hubs
    here, there = one.enter(), other.enter()
    here.show("ada", here, CLAIM)
    await until(lambda: len(there.everybody) == 1)
    one.line.may_answer.clear()
    here.show("bo", here, CLAIM)
    await until(lambda: len(there.everybody) == 2)
    other.rooms.exit(there, other.inside)
    again = other.enter()
    here.show("cy", here, CLAIM)
    knows = one.sharing._others[b"2" * 8].told
    before = knows[KEY]
    await until(lambda: knows[KEY] is not before)
    one.line.may_answer.set()
    await until(lambda: len(again.everybody) == 3)


def test_a_report_of_many_is_cut_into_frames_that_say_the_same() -> None:
    claims = [(f"{number:016x}", Claim(number, b"who", bytes(1000))) for number in range(50)]
    changes = [(b"1", Changes(claims, claims[:20], ["x"], whole=True)), (b"2", Changes([], [], [], whole=True))]
    parts = parts_of(Report(b"hub", True, [b"1"], [b"3"], changes), most=10_000)
    assert [len(pack_report(part)) <= 10_000 for part in parts] == [True] * 8
    assert [(part.anew, part.opened, part.closed) for part in parts[1:]] == [(False, [], [])] * 7
    pieces = [piece for part in parts for key, piece in part.changes if key == b"1"]
    assert [piece.whole for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert [each for piece in pieces for each in piece.here] == claims
    assert [each for piece in pieces for each in piece.moved] == claims[:20]
    assert parts[-1].changes[-1] == (b"2", Changes([], [], [], whole=True))
