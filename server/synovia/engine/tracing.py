"""What takes place in an engine, told as spans to whoever traces it; the engine itself knows no way of doing so.

A call has a span; its runs, their reads and the wait for its commit are parts of that. The transaction by which several
calls are committed is linked to all of them, and what a commit leads to (queries that run again) comes after it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol, TypeVar

from synovia.aggregates.tally import Summary, Tally
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document
from synovia.store.base import Snapshot, Ts
from synovia.store.filters import Filter

Value = str | int | float | bool
T = TypeVar("T")


class CallSpan(Protocol):
    """A call that is under way."""

    def ended(self, word: str, scheduled: Sequence[str]) -> None:
        """Hear what came of it, and of the ids of the calls that it has scheduled."""
        ...


class CallTrace(Protocol):
    """Where a call stands in its trace."""

    def committed(self, ts: Ts) -> None:
        """Hear of its commit; what that leads to comes after the call."""
        ...


class Tracer(Protocol):
    """Makes spans; called often, so it must be cheap and must not raise."""

    @property
    def active(self) -> bool:
        """Whether there is any use in making spans."""
        ...

    def call(self, kind: str, path: str, runs: str | None) -> AbstractContextManager[CallSpan]:
        """Trace a call in a block; ``runs`` is the id of the scheduled call that it is the run of."""
        ...

    def part(self, name: str, **attributes: Value) -> AbstractContextManager[object]:
        """Trace a part of what is traced around it."""
        ...

    def current(self) -> CallTrace | None:
        """Tell where what is being done stands; None: nowhere."""
        ...

    def batch(self, calls: Sequence[CallTrace], **attributes: Value) -> AbstractContextManager[object]:
        """Trace what is done for several calls."""
        ...

    def rerun(self, path: str, ts: Ts, asked: CallTrace | None = None) -> AbstractContextManager[object]:
        """Trace the run of a live query: as a part of what has asked for it, or after the commit at its instant."""
        ...

    def joining(self, traceparent: str | None) -> AbstractContextManager[object]:
        """Have what takes place in a block be part of a trace that a client names (W3C Trace Context), if it is one."""
        ...


class _NoSpan:
    def ended(self, word: str, scheduled: Sequence[str]) -> None:
        """Pass over it."""


class Untraced:
    """Nobody traces."""

    active: Final = False
    _nothing: Final[AbstractContextManager[Any]] = nullcontext()
    _no_call: Final[AbstractContextManager[CallSpan]] = nullcontext(_NoSpan())

    def call(self, kind: str, path: str, runs: str | None) -> AbstractContextManager[CallSpan]:
        """Do nothing."""
        return self._no_call

    def part(self, name: str, **attributes: Value) -> AbstractContextManager[object]:
        """Do nothing."""
        return self._nothing

    def current(self) -> CallTrace | None:
        """Be nowhere."""
        return None

    def batch(self, calls: Sequence[CallTrace], **attributes: Value) -> AbstractContextManager[object]:
        """Do nothing."""
        return self._nothing

    def rerun(self, path: str, ts: Ts, asked: CallTrace | None = None) -> AbstractContextManager[object]:
        """Do nothing."""
        return self._nothing

    def joining(self, traceparent: str | None) -> AbstractContextManager[object]:
        """Do nothing."""
        return self._nothing


UNTRACED: Final[Tracer] = Untraced()


def traced_part(tracer: Tracer, name: str, work: Awaitable[T], **attributes: Value) -> Awaitable[T]:
    """Have something traced as a part of what is traced around it, if anybody traces."""
    return _within(tracer.part(name, **attributes), work) if tracer.active else work


async def _within(span: AbstractContextManager[object], work: Awaitable[T]) -> T:
    with span:
        return await work


class TracedSnapshot:
    """A snapshot whose reads are parts of what is traced around them."""

    def __init__(self, snapshot: Snapshot, tracer: Tracer) -> None:
        self._snapshot, self._tracer = snapshot, tracer

    @property
    def ts(self) -> Ts:
        """The instant."""
        return self._snapshot.ts

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        """As ``Snapshot``."""
        with self._tracer.part("synovia.get", table=table, ids=len(ids)):
            return await self._snapshot.get(table, ids)

    async def scan(
        self, table: str, index: IndexSpec, interval: Interval, order: Order = Order.ASC, *, where: Filter | None = None,
        limit: int | None = None,
    ) -> list[Document]:  # fmt: skip
        """As ``Snapshot``."""
        with self._tracer.part("synovia.scan", table=table, index=index.name):
            return await self._snapshot.scan(table, index, interval, order, where=where, limit=limit)

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        """As ``Snapshot``."""
        with self._tracer.part("synovia.count", table=table, index=index.name):
            return await self._snapshot.count(table, index, interval, where=where, limit=limit)

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        """As ``Snapshot``."""
        with self._tracer.part("synovia.aggregate", table=table, index=index.name):
            return await self._snapshot.aggregate(table, index, interval, summary, where=where)


def traced(snapshot: Snapshot, tracer: Tracer) -> Snapshot:
    """Have the reads of a snapshot traced, if anybody traces."""
    return TracedSnapshot(snapshot, tracer) if tracer.active else snapshot
