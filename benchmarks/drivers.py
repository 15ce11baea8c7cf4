"""Clients that send one mutation after the other, each as soon as the one before is answered; in a process of their own."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.crowd import SYNC, Readers, hello
from benchmarks.processes import Child, Pipe, child
from benchmarks.wire import client_frame
from synovia_protocol.codec import encode, pack_mutation_response
from synovia_protocol.messages import SUBPROTOCOL, ModifyQuerySet, Mutation, QueryAdd

_NUMBERS = itertools.count(os.getpid() << 32)
_SUCCESS = pack_mutation_response(1, 1, b"\xc0")[:2]


class Drivers:
    """Clients that write."""

    def __init__(self, process: Child) -> None:
        self._process = process

    async def join(self, port: int, sensors: list[str]) -> None:
        """Connect one client for each sensor, which it will write to."""
        await self._process.ask("open", port, SYNC, SUBPROTOCOL, [hello() for _ in sensors])
        await self._process.ask("expect", len(sensors))
        await self._process.ask("sensors", sensors)

    async def spread(self, ports: Sequence[int], clients: int) -> None:
        """Connect so many clients, the same number to each hub."""
        for place, port in enumerate(ports, 1):
            count = clients // len(ports)
            await self._process.ask("open", port, SYNC, SUBPROTOCOL, [hello() for _ in range(count)])
            await self._process.ask("expect", count * place)

    async def assign(self, sensors: Sequence[str]) -> None:
        """Say which sensor each client will write to."""
        await self._process.ask("sensors", list(sensors))

    async def rate(self, seconds: float) -> float:
        """Let all of them write; give the mutations per second.

        Raises:
            ChildFailed: One of them failed.
        """
        return float(await self._process.ask("drive", seconds))

    async def query_rate(self, rooms: Sequence[str], seconds: float) -> float:
        """Let all of them ask for what is in these rooms, never the same query twice; give the queries per second."""
        return float(await self._process.ask("query", rooms, seconds))


@asynccontextmanager
async def drivers() -> AsyncIterator[Drivers]:
    """Run such clients."""
    async with child("drivers", _main) as process:
        yield Drivers(process)


def _main(pipe: Pipe) -> None:
    _Writers(pipe).run()


class _Writers(Readers):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__(pipe)
        self._sensors: dict[socket.socket, str] = {}
        self._numbers: dict[socket.socket, int] = {}
        self._queries: defaultdict[socket.socket, int] = defaultdict(int)
        self._started = self._end = 0.0
        self._answered = self._waiting = 0
        self._rooms: Sequence[str] = ()
        self._querying = False
        self.answers = {**self.answers, "sensors": self._assign, "drive": self._drive, "query": self._query}

    def _assign(self, sensors: list[str]) -> int:
        opened = [each for each, _ in self.clients.values()]
        self._sensors = dict(zip(opened, sensors, strict=True))
        for each in opened:
            self._numbers.setdefault(each, 0)
        return len(opened)

    def _query(self, rooms: Sequence[str], seconds: float) -> Any:
        self._querying, self._rooms = True, rooms
        return self._begin(seconds)

    def _drive(self, seconds: float) -> Any:
        self._querying = False
        return self._begin(seconds)

    def _begin(self, seconds: float) -> Any:
        self._started = time.perf_counter()
        self._end = self._started + seconds
        self._answered, self._waiting = 0, len(self._sensors)
        for opened in self._sensors:
            self._ask(opened)
        return NotImplemented

    def _ask(self, opened: socket.socket) -> None:
        if self._querying:
            self._subscribe(opened)
        else:
            self._write(opened)

    def _subscribe(self, opened: socket.socket) -> None:
        """Ask a query that nobody has asked before, in place of the last one."""
        self._queries[opened] = number = self._queries[opened] + 1
        args = {"room": self._rooms[number % len(self._rooms)], "number": next(_NUMBERS)}
        wanted = ModifyQuerySet((QueryAdd(number, "sensors:total_level", args),), (number - 1,) if number > 1 else ())
        opened.sendall(client_frame(encode(wanted)))

    def _write(self, opened: socket.socket) -> None:
        self._numbers[opened] = number = self._numbers[opened] + 1
        args = {"sensorId": self._sensors[opened], "level": number}
        opened.sendall(client_frame(encode(Mutation(number, "sensors:set_level", args))))

    def received(self, opened: socket.socket, frames: int) -> None:
        if not self._waiting:
            return
        last = self.clients[opened.fileno()][1].last
        if not self._querying and not last.startswith(_SUCCESS):
            self._waiting = 0
            self.fail(f"a mutation failed: {last!r}")
            return
        self._answered += frames
        if time.perf_counter() < self._end:
            self._ask(opened)
            return
        self._waiting -= 1
        if not self._waiting:
            self.reply(self._answered / (time.perf_counter() - self._started))
