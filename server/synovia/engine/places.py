"""The places in which queries run: each address has its share, and of those who wait the one with least is next."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from contextlib import AbstractAsyncContextManager

from synovia.identity import Account

_Queue = OrderedDict[Hashable, deque[asyncio.Future[None]]]


class Places:
    """Lets so many run at once; the server itself is not counted.

    Args:
        most: Of all addresses together.
        most_per_address: Of one; the rest is there for others at once, whatever that one asks for.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._running = 0
        self._held: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, _Queue] = OrderedDict()  # by address, then by connection

    @property
    def running(self) -> int:
        """How many run."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(len(futures) for connections in self._waiting.values() for futures in connections.values())

    def taken(self, account: Account) -> AbstractAsyncContextManager[None]:
        """Wait for a place and hold it until the block ends."""
        return _Taken(self, account)

    async def _take(self, account: Account) -> None:
        held = self._held.get(account.address, 0)
        if not self._waiting and self._running < self._most and held < self._most_per_address:
            self._running += 1
            self._held[account.address] = held + 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account.address, OrderedDict()).setdefault(account.connection, deque()).append(future)
        self._serve()
        try:
            await future
        except asyncio.CancelledError:
            if future.cancelled():
                self._leave(account, future)
            else:
                self._give_back(account.address)
            raise

    def _give_back(self, address: Hashable) -> None:
        self._running -= 1
        if self._held[address] == 1:
            del self._held[address]
        else:
            self._held[address] -= 1
        if self._waiting:
            self._serve()

    def _serve(self) -> None:
        while self._running < self._most and self._waiting:
            address = min(self._waiting, key=self._held.__getitem__)
            if self._held[address] >= self._most_per_address:
                return
            future = self._next_of(address)
            if not future.done():
                self._running += 1
                self._held[address] += 1
                future.set_result(None)

    def _next_of(self, address: Hashable) -> asyncio.Future[None]:
        """Take who is next of an address; connections take turns, and addresses that hold as many as each other."""
        connections = self._waiting[address]
        connection, futures = next(iter(connections.items()))
        future = futures.popleft()
        connections.move_to_end(connection)
        self._waiting.move_to_end(address)
        self._tidy(address, connection)
        return future

    def _leave(self, account: Account, future: asyncio.Future[None]) -> None:
        connections = self._waiting.get(account.address)
        futures = None if connections is None else connections.get(account.connection)
        if futures is not None and future in futures:
            futures.remove(future)
            self._tidy(account.address, account.connection)

    def _tidy(self, address: Hashable, connection: Hashable) -> None:
        if not self._waiting[address][connection]:
            del self._waiting[address][connection]
        if not self._waiting[address]:
            del self._waiting[address]


class _Taken:
    """A place that is held as long as a block runs; the server itself needs none."""

    __slots__ = ("_account", "_places")

    def __init__(self, places: Places, account: Account) -> None:
        self._places = places
        self._account = account

    async def __aenter__(self) -> None:
        if self._account.address is not None:
            await self._places._take(self._account)

    async def __aexit__(self, *error: object) -> None:
        if self._account.address is not None:
            self._places._give_back(self._account.address)
