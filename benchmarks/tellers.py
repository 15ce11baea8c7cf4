"""Clients that move money, each as soon as its last transfer is answered; in a process of their own.

Between which accounts is drawn with Zipf's distribution: the n-th account with a weight of n to the power of -skew.
"""

from __future__ import annotations

import itertools
import random
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.crowd import SYNC, Readers, hello
from benchmarks.processes import Child, Pipe, child
from benchmarks.wire import Frames, client_frame
from synovia_protocol.codec import encode, pack_mutation_response
from synovia_protocol.messages import SUBPROTOCOL, Mutation

_SUCCESS = pack_mutation_response(1, 1, b"\xc0")[:2]


@dataclass(frozen=True, slots=True)
class Transfers:
    """What was done in a round: transfers a second, how many were done, and how many failed."""

    rate: float
    answered: int
    failed: int


class Tellers:
    """The clients."""

    def __init__(self, process: Child) -> None:
        self._process = process

    async def join_hub(self, port: int, clients: int) -> None:
        """Connect to a hub."""
        await self._process.ask("open", port, SYNC, SUBPROTOCOL, [hello() for _ in range(clients)])
        await self._process.ask("expect", clients)

    async def join_peer(self, port: int, clients: int) -> None:
        """Connect to a peer, which takes lines."""
        await self._process.ask("plain", port, clients)

    async def drive(self, accounts: int, skew: float, seconds: float) -> Transfers:
        """Let all of them move money."""
        rate, answered, failed = await self._process.ask("drive", accounts, skew, seconds)
        return Transfers(float(rate), int(answered), int(failed))


@asynccontextmanager
async def tellers() -> AsyncIterator[Tellers]:
    """Run such clients."""
    async with child("tellers", _main) as process:
        yield Tellers(process)


def _main(pipe: Pipe) -> None:
    _Tellers(pipe).run()


class _Lines(Frames):
    """Counts lines instead of frames."""

    def feed(self, data: bytes) -> int:
        self.size += len(data)
        self.last = data[-2:]
        return data.count(b"\n")


class _Tellers(Readers):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__(pipe)
        self._numbers: defaultdict[socket.socket, int] = defaultdict(int)
        self._chance = random.Random(20261128)
        self._weights: list[float] = []
        self._plain = False
        self._started = self._end = 0.0
        self._answered = self._failed = self._waiting = 0
        self.answers = {**self.answers, "plain": self._open_plain, "drive": self._drive}

    def _open_plain(self, port: int, clients: int) -> int:
        self._plain = True
        for _ in range(clients):
            opened = socket.create_connection(("127.0.0.1", port), timeout=30)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.hold(opened, _Lines())
        return clients

    def _drive(self, accounts: int, skew: float, seconds: float) -> Any:
        self._weights = list(itertools.accumulate((number + 1) ** -skew for number in range(accounts)))
        self._started = time.perf_counter()
        self._end = self._started + seconds
        self._answered = self._failed = 0
        self._waiting = len(self.clients)
        for opened, _ in self.clients.values():
            self._transfer(opened)
        return NotImplemented

    def _transfer(self, opened: socket.socket) -> None:
        source = target = 0
        while source == target:
            source, target = self._chance.choices(range(len(self._weights)), cum_weights=self._weights, k=2)
        if self._plain:
            opened.sendall(b"%d %d 1\n" % (source, target))
            return
        self._numbers[opened] = number = self._numbers[opened] + 1
        args = {"source": f"a{source}", "target": f"a{target}", "amount": 1}
        opened.sendall(client_frame(encode(Mutation(number, "bank:transfer", args))))

    def received(self, opened: socket.socket, frames: int) -> None:
        if not self._waiting:
            return
        last = self.clients[opened.fileno()][1].last
        succeeded = last.startswith(b"1") if self._plain else last.startswith(_SUCCESS)
        self._answered += succeeded
        self._failed += not succeeded
        if time.perf_counter() < self._end:
            self._transfer(opened)
            return
        self._waiting -= 1
        if not self._waiting:
            self.reply((self._answered / (time.perf_counter() - self._started), self._answered, self._failed))
