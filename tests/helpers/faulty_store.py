"""A real store behind a link that fails as a plan says, and that knows what was committed in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from synovia.store.base import Batch, Commit, Conflict, StoreError, StoreUnavailable, Ts
from synovia.store.sqlite import SQLiteStore


class Fault(Enum):
    """What happens to a commit."""

    CONFLICT = "refused as a conflict, though nothing has changed"
    OUT_OF_REACH = "not made, and nobody can tell"
    LOST = "made, and not acknowledged"
    LATE = "made, and acknowledged only after the log has brought it"
    OVERTAKEN = "made only after another hub has committed something"


@dataclass(frozen=True)
class Request:
    """A mutation by the names of its record."""

    session: bytes
    number: int


@dataclass(eq=False)
class FaultySQLiteStore(SQLiteStore):
    """An embedded store whose commits fail.

    Attributes:
        plan: Gives the fault of the next commit, None for none.
        poisoned: Requests that the store refuses for good, and ``stubborn``: those that always conflict with something.
        foreign: What another hub does when it overtakes a commit.
        committed: The requests that were committed, in their order, as soon as they are durable.
        sizes: How many of them each batch had.
        under_way: The batches that are being committed, by their tokens.
        gate: Commits wait for it; ``waiting`` tells that one does.
        acknowledging: Acknowledgements wait for it, after the commit; ``unacknowledged``: those that do.
    """

    plan: Callable[[], Fault | None] = lambda: None
    poisoned: set[Request] = field(default_factory=set)
    stubborn: set[Request] = field(default_factory=set)
    foreign: Callable[[], Awaitable[Any]] | None = None
    committed: list[Request] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    under_way: dict[bytes, Batch] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledging: asyncio.Event = field(default_factory=asyncio.Event)
    unacknowledged: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(":memory:")
        self.gate.set()
        self.acknowledging.set()

    async def commit(self, batch: Batch) -> Ts:
        self.waiting.set()
        await self.gate.wait()
        fault = self.plan()
        if fault is Fault.CONFLICT:
            raise Conflict("something has changed")
        if fault is Fault.OUT_OF_REACH:
            raise StoreUnavailable("nobody is there")
        if fault is Fault.OVERTAKEN and self.foreign is not None:
            foreign, self.foreign = self.foreign, None  # which commits too
            await foreign()
            self.foreign = foreign
        if not self.poisoned.isdisjoint(requests_of(batch)):
            raise StoreError("this cannot be stored")
        if not self.stubborn.isdisjoint(requests_of(batch)):
            raise Conflict("a document is not as it was read")
        self.under_way[batch.token] = batch
        ts = await super().commit(batch)
        self.unacknowledged.add(batch.token)
        await self.acknowledging.wait()
        self.unacknowledged.discard(batch.token)
        if fault is Fault.LOST:
            raise StoreUnavailable("the acknowledgement was lost")
        if fault is Fault.LATE:
            await asyncio.sleep(0.002)
        return ts

    def _publish(self, commit: Commit, *args: Any) -> None:
        requests = requests_of(self.under_way.pop(commit.token))
        self.committed += requests
        self.sizes.append(len(requests))
        super()._publish(commit, *args)


def requests_of(batch: Batch) -> list[Request]:
    """Name the mutations of a batch."""
    return [Request(each.session, each.number) for each in batch.requests]
