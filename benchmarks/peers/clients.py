"""Clients on plain sockets in a process of their own, the same for every server: they arrive, and one writes at a pace."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.dialects import NOBODY, Arrival, Dialect
from benchmarks.processes import Child, Pipe, child
from benchmarks.wire import Frames, handshake

_PATIENCE = 60.0
_RECEIVE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Told:
    """What some writes led to: milliseconds from each to the frame at the client in the middle; frames and their bytes."""

    milliseconds: list[float]
    frames: int
    size: int


class Clients:
    """Clients of one server.

    Args:
        process: Theirs.
        rooms: Of each client, the one that it follows.
    """

    def __init__(self, process: Child, rooms: Sequence[str]) -> None:
        self._process = process
        self._rooms = rooms

    async def arrive(self, port: int, dialect: Dialect) -> float:
        """Let all of them come at once, and the writer after them; give the seconds until all have their first result."""
        return float(await self._process.ask("arrive", port, dialect, self._rooms))

    async def write(self, sensor: str, count: int, pace: float) -> Told:
        """Change a sensor of the room of the client in the middle.

        Args:
            pace: Writes a second at most; each waits until the last has reached all who follow the room.
        """
        told: Told = await self._process.ask("write", sensor, count, pace)
        return told


@asynccontextmanager
async def clients(rooms: Sequence[str]) -> AsyncIterator[Clients]:
    """Run a process of clients, one for each room."""
    async with child("clients", _main) as process:
        yield Clients(process, rooms)


def _main(pipe: Pipe) -> None:
    running = _Process()
    answers: dict[str, Callable[..., Any]] = {"arrive": running.arrive, "write": running.write}
    while True:
        try:
            question, args = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((answers[question](*args), None))
        except (OSError, LookupError, RuntimeError) as error:
            pipe.send((None, repr(error)))


@dataclass(slots=True)
class _Client:
    socket: socket.socket
    arrival: Arrival
    frames: Frames = field(default_factory=Frames)
    head: bytes | None = b""
    """Of the answer to the handshake; None when that is complete."""

    @property
    def has_arrived(self) -> bool:
        return self.head is None and self.frames.count >= self.arrival.frames

    def received(self, data: bytes) -> int:
        """Take bytes and say what is to be said; tell how many frames have come.

        Raises:
            ConnectionError: The server refuses the handshake.
        """
        before = self.frames.count
        if self.head is not None:
            self.head, found, data = (self.head + data).partition(b"\r\n\r\n")
            if not found:
                return 0
            if not self.head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(f"no WebSocket: {self.head[:80]!r}")
            self.head = None
            self._say(0)
        self.frames.feed(data)
        for number in range(before + 1, self.frames.count + 1):
            self._say(number)
        return self.frames.count - before

    def _say(self, number: int) -> None:
        if (words := self.arrival.sends.get(number)) is not None:
            self.socket.sendall(words)


class _Process:
    """The clients' side of all connections, in one epoll."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._rooms: Sequence[str] = ()
        self._dialect: Dialect | None = None
        self._writer = self._middle = 0
        self._number = 0

    def arrive(self, port: int, dialect: Dialect, rooms: Sequence[str]) -> float:
        self._dialect, self._rooms = dialect, rooms
        start = time.perf_counter()
        places = [self._open(port, dialect.arrival(room)) for room in rooms]
        self._await_all()
        seconds = time.perf_counter() - start
        self._middle = places[len(places) // 2]
        self._writer = self._open(port, dialect.arrival(NOBODY))
        self._await_all()
        return seconds

    def _open(self, port: int, arrival: Arrival) -> int:
        opened = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.sendall(handshake(port, arrival.path, arrival.subprotocol))
        self._clients[opened.fileno()] = _Client(opened, arrival)
        self._epoll.register(opened.fileno(), select.EPOLLIN)
        return opened.fileno()

    def _await_all(self) -> None:
        missing = {number for number, client in self._clients.items() if not client.has_arrived}
        while missing:
            for number in self._read():
                if self._clients[number].has_arrived:
                    missing.discard(number)

    def write(self, sensor: str, count: int, pace: float) -> Told:
        room = self._rooms[len(self._rooms) // 2]
        followers = sum(each == room for each in self._rooms)
        before = self._size()
        start = time.perf_counter()
        milliseconds = []
        for place in range(count):
            time.sleep(max(0.0, start + place / pace - time.perf_counter()))
            milliseconds.append(self._write_one(room, sensor, followers) * 1000)
        return Told(milliseconds, count * followers, self._size() - before)

    def _size(self) -> int:
        return sum(client.frames.size for number, client in self._clients.items() if number != self._writer)

    def _write_one(self, room: str, sensor: str, followers: int) -> float:
        """Write once, and wait until the writer and all who follow the room know; give the seconds to the one amid."""
        assert self._dialect is not None
        self._number += 1
        missing, answered, arrived = followers, not self._dialect.answers, 0.0
        start = time.perf_counter()
        self._clients[self._writer].socket.sendall(self._dialect.write(self._number, room, sensor))
        while missing > 0 or not answered:
            for number in self._read():
                if number == self._writer:
                    answered = True
                else:
                    missing -= 1
                    arrived = arrived or (time.perf_counter() - start if number == self._middle else 0.0)
        return arrived

    def _read(self) -> list[int]:
        """Wait for something; give who has received a frame, or part of an arrival."""
        found = self._epoll.poll(_PATIENCE)
        if not found:
            raise TimeoutError("the server does not answer")
        active = []
        for number, _ in found:
            client = self._clients[number]
            data = client.socket.recv(_RECEIVE_BYTES)
            if not data:
                raise ConnectionError("the server has closed a connection")
            if client.received(data) or client.arrival.frames == 0:
                active.append(number)
        return active
