"""A client that holds very many queries is not looked after each time one of them has news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from synovia.limits.settings import HubLimits
from synovia.sync import frame_socket, output
from synovia.sync.output import Flusher
from synovia.sync.socket import Socket


@dataclass
class Holder:
    """Counts how often it is asked what is new."""

    loading: bool
    looks: int = 0
    connected: bool = True
    settled: bool = True
    waiting_bytes: int = 0

    async def receive(self, frame: bytes | str) -> None:
        """Nothing comes."""

    def advance(self) -> list[bytes]:
        self.looks += 1
        return []

    def close(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def serving(holder: Holder) -> AsyncIterator[Socket]:
    """Serve it over a socket of which nothing comes."""
    ends = asyncio.Event()

    async def receive() -> dict[str, object]:
        await ends.wait()
        return {"type": "websocket.disconnect"}

    async def send(message: object) -> None: ...

    socket = Socket("of a test", HubLimits(), Flusher(), {"type": "websocket", "extensions": {}}, receive, send)
    task = asyncio.create_task(socket.serve(holder))
    await asyncio.sleep(0)
    yield socket
    ends.set()
    await task


async def looks_of(holder: Holder, wakes: int) -> int:
    """Wake a socket so often, each time the loop has come round; tell how often it has looked."""
    async with serving(holder) as socket:
        for _ in range(wakes):
            socket.wake()
            for _ in range(5):
                await asyncio.sleep(0)
        return holder.looks


async def test_while_first_results_come_a_dear_look_is_followed_by_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "DEAR_SECONDS", -1.0)  # each look is dear
    monkeypatch.setattr(frame_socket, "_REST", 1e12)
    monkeypatch.setattr(frame_socket, "_MOST_REST_SECONDS", 3600.0)
    assert await looks_of(Holder(loading=True), 10) == 1
    assert await looks_of(Holder(loading=False), 10) == 10


async def test_a_look_that_is_not_dear_is_followed_by_the_next_one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "DEAR_SECONDS", 3600.0)
    assert await looks_of(Holder(loading=True), 10) == 10


async def test_what_waits_is_looked_at_when_the_rest_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "DEAR_SECONDS", -1.0)
    monkeypatch.setattr(frame_socket, "_REST", 1e12)
    monkeypatch.setattr(frame_socket, "_MOST_REST_SECONDS", 0.01)
    holder = Holder(loading=True)
    async with serving(holder) as socket:
        for looks in (1, 2):
            socket.wake()
            while holder.looks < looks:  # noqa: ASYNC110
                await asyncio.sleep(0)
