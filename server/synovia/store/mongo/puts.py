"""What is stored outside of transactions: all that is put at the same time is one command, which waits for the disks."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pymongo.errors import OperationFailure

from synovia.schema.specs import Document
from synovia.store.base import StoreError, StoreUnavailable
from synovia.store.mongo.driver import Driver
from synovia.store.mongo.errors import DUPLICATE_KEY, translated
from synovia.store.mongo.schema import MAJORITY
from synovia.store.put import Put

MOST: Final = 100
MOST_BYTES: Final = 4 * 1024 * 1024
"""So many, and about so many bytes, go with one command; one that is larger goes alone."""
_AT_ONCE: Final = 2
"""So many commands for a collection are under way at the same time: what comes meanwhile goes together with the next."""


@dataclass(slots=True, eq=False)
class _Put(Put):
    """One operation that is harmless to repeat."""

    update: Document


class Puts:
    """Gathers what is put at the same time, for each collection."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._waiting = defaultdict[str, deque[_Put]](deque)
        self._under_way = defaultdict[str, int](int)

    async def put(self, collection: str, update: Document, size: int) -> None:
        """Do an operation of an ``update`` command that is harmless to repeat, durably.

        Args:
            size: About how many bytes it has.

        Raises:
            StoreError: It could not be done.
        """
        put = _Put(update, size=size)
        self._waiting[collection].append(put)
        if self._under_way[collection] < _AT_ONCE:
            self._under_way[collection] += 1
            self._driver.in_background(self._send(collection), f"put {collection}")
        await put.done

    async def _send(self, collection: str) -> None:
        waiting = self._waiting[collection]
        try:
            while waiting:
                await self._do(collection, _first(waiting))
        except asyncio.CancelledError:
            while waiting:
                waiting.popleft().end(StoreUnavailable("the store was closed"))
            raise
        finally:
            self._under_way[collection] -= 1

    async def _do(self, collection: str, puts: Sequence[_Put]) -> None:
        try:
            failed = await self._driver.reading(lambda: self._written(collection, [each.update for each in puts]))
        except asyncio.CancelledError:
            for each in puts:
                each.end(StoreUnavailable("the store was closed"))
            raise
        except StoreError as error:
            if len(puts) > 1 and not error.passing:  # one of them is to blame
                for each in puts:
                    await self._do(collection, [each])
            for each in puts:
                each.end(error)
        else:
            for place, each in enumerate(puts):
                each.end(failed.get(place))

    async def _written(self, collection: str, updates: Sequence[Document]) -> dict[int, StoreError]:
        """Do some operations, and give why those failed that did, by their places."""
        command = {"update": collection, "updates": updates, "ordered": False, "writeConcern": MAJORITY}
        reply = await self._driver.command(command)
        if (lost := reply.get("writeConcernError")) is not None:
            raise OperationFailure(str(lost.get("errmsg")), lost.get("code"), reply)
        return {
            int(each["index"]): translated(OperationFailure(str(each.get("errmsg")), each.get("code"), reply))
            for each in reply.get("writeErrors", ())
            if each.get("code") != DUPLICATE_KEY  # somebody else stores the same at this moment
        }


def _first(waiting: deque[_Put]) -> list[_Put]:
    """Take the first of those that wait: one, and more as far as they are small."""
    puts = [waiting.popleft()]
    size = puts[0].size
    while waiting and len(puts) < MOST and size + waiting[0].size <= MOST_BYTES:
        puts.append(waiting.popleft())
        size += puts[-1].size
    return puts
