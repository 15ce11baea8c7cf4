"""Many clients in one process of its own, which only count what they receive: the same for the hub and for its peer."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.processes import Child, Pipe, child
from benchmarks.wire import Frames, client_frame, connect
from synovia_protocol.codec import encode
from synovia_protocol.messages import SUBPROTOCOL, Connect, ModifyQuerySet, QueryAdd

SYNC = "/sync"
_RECEIVE_BYTES = 1 << 18

Query = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Count:
    """What a crowd has received so far: frames, their bytes on the wire, and the time in seconds."""

    frames: int
    size: int
    at: float

    def since(self, before: Count) -> Count:
        return Count(self.frames - before.frames, self.size - before.size, self.at - before.at)


def hello(queries: Sequence[Query] = ()) -> bytes:
    """Give what a client of a hub says first: who it is, and which queries it wants."""
    frames = client_frame(encode(Connect(os.urandom(16))))
    if queries:
        added = tuple(QueryAdd(number, path, args) for number, (path, args) in enumerate(queries, 1))
        frames += client_frame(encode(ModifyQuerySet(added)))
    return frames


class Crowd:
    """Clients that hold connections and count."""

    def __init__(self, process: Child) -> None:
        self._process = process

    async def join_hub(self, port: int, queries: Sequence[Sequence[Query]]) -> None:
        """Connect one client for each list of queries, and subscribe to them."""
        await self._process.ask("open", port, SYNC, SUBPROTOCOL, [hello(each) for each in queries])

    async def join(self, port: int, path: str, clients: int) -> None:
        """Connect clients that say nothing."""
        await self._process.ask("open", port, path, None, [b""] * clients)

    async def count(self) -> Count:
        """Tell what has been received."""
        return await self._count("count")

    async def expect(self, frames: int) -> Count:
        """Wait until so many frames have come in all."""
        return await self._count("expect", frames)

    async def last(self) -> bytes:
        """Give the payload of the last frame of one of the clients."""
        payload: bytes = await self._process.ask("last")
        return payload

    async def _count(self, question: str, *args: int) -> Count:
        count: Count = await self._process.ask(question, *args)
        return count


@asynccontextmanager
async def crowd(name: str) -> AsyncIterator[Crowd]:
    """Run a crowd, without clients at first."""
    async with child(f"crowd {name}", run_crowd) as process:
        yield Crowd(process)


def run_crowd(pipe: Pipe) -> None:
    """Be the process of a crowd."""
    Readers(pipe).run()


class Readers:
    """The loop of such a process: sockets and the pipe in one epoll."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._epoll = select.epoll()
        self._epoll.register(pipe.fileno(), select.EPOLLIN)
        self.clients: dict[int, tuple[socket.socket, Frames]] = {}
        self._frames = 0
        self._expected: int | None = None
        self.answers: Mapping[str, Callable[..., Any]] = {
            "open": self._open,
            "count": self.counted,
            "expect": self._expect,
            "last": self._last,
        }

    def run(self) -> None:
        """Read until the pipe is closed."""
        while True:
            for number, _ in self._epoll.poll():
                if number != self._pipe.fileno():
                    self._read(number)
                elif not self._answer():
                    return
            if self._expected is not None and self._frames >= self._expected:
                self._expected = None
                self.reply(self.counted())

    def hold(self, opened: socket.socket, frames: Frames) -> None:
        """Read from a connection from now on."""
        opened.setblocking(False)
        self.clients[opened.fileno()] = opened, frames
        self._epoll.register(opened.fileno(), select.EPOLLIN)

    def received(self, opened: socket.socket, frames: int) -> None:
        """Do something when frames have come on a connection."""

    def reply(self, answer: Any) -> None:
        """Answer the question that was asked last."""
        self._pipe.send((answer, None))

    def fail(self, why: str) -> None:
        """Answer that it could not be done."""
        self._pipe.send((None, why))

    def counted(self) -> Count:
        """Tell what has come so far."""
        return Count(self._frames, sum(frames.size for _, frames in self.clients.values()), time.perf_counter())

    def _answer(self) -> bool:
        try:
            question, args = self._pipe.recv()
        except EOFError:
            return False
        try:
            answer = self.answers[question](*args)
        except (OSError, LookupError) as error:
            self.fail(repr(error))
        else:
            if answer is not NotImplemented:  # else it is given later
                self.reply(answer)
        return True

    def _open(self, port: int, path: str, subprotocol: str | None, hellos: list[bytes]) -> int:
        for words in hellos:
            opened = connect(port, path, subprotocol)
            opened.sendall(words)
            self.hold(opened, Frames())
        return len(self.clients)

    def _expect(self, frames: int) -> Any:
        self._expected = frames
        return NotImplemented

    def _last(self) -> bytes:
        return next(iter(self.clients.values()))[1].last

    def _read(self, number: int) -> None:
        opened, frames = self.clients[number]
        data = opened.recv(_RECEIVE_BYTES)
        if not data:
            self._epoll.unregister(number)
            return
        completed = frames.feed(data)
        self._frames += completed
        if completed:
            self.received(opened, completed)
