"""Keeps the sums of aggregate indexes: makes them, puts changes into them, and mends what other programs have passed by.

All of it goes on in the background, in transactions of some hundred documents. What is asked meanwhile is right in any
case: changes count beside the sums, and where there are no sums yet the documents are asked. Of several hubs one does it,
as long as it holds the lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar

from synovia import keys
from synovia.engine.engine import Engine
from synovia.functions.aggregate_trees import (
    CHANGES,
    TREES,
    AggregateReader,
    changes_of,
)
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.function import Isolation
from synovia.functions.registry import Registry
from synovia.health import Level, PartHealth
from synovia.keys import BY_ID
from synovia.migrations.aggregate_nodes import AggregateNodes
from synovia.schema import AggregateSpec, Document
from synovia.store.base import StoreError
from synovia.tasks import end, keep_running
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.transaction import Scan, Transaction
from synovia.turns import Turns

logger = logging.getLogger("synovia")

R = TypeVar("R")

_GATHER_SECONDS: Final = 0.25
"""So long changes gather before they are put into the nodes."""
_AT_ONCE: Final = 512
_TRY_AGAIN_SECONDS: Final = 5.0
_LEASE_MS: Final = 10_000
_LEASE: Final = "lease"
_MOST_LACKING: Final = 10_000
"""So many documents of other programs wait at most; of a table with more all sums are made anew."""


class KeptAggregates:
    """Keeps the sums of the aggregate indexes of an application.

    Args:
        hub: What this hub is called.

    Attributes:
        documents: How many documents have been read to make sums since the start.
        changes: How many changes have been put into them.
        fault: Why it cannot go on.
    """

    def __init__(self, engine: Engine, registry: Registry, hub: str) -> None:
        self._engine = engine
        self._tables = registry.aggregated
        self._hub = hub
        self._lacking: OrderedDict[tuple[str, AggregateSpec, bytes], None] = OrderedDict()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._incomplete: set[str] = {spec.tree for _, spec in self._specs()}
        self._begun = False
        self.documents = 0
        self.changes = 0
        self.fault: str | None = None

    def start(self) -> None:
        """Begin; the engine has been started."""
        if self._tables:
            self._engine.hears.append(self._heard)
        self._wake.set()
        self._tasks = [keep_running(self._follow, "aggregates", StoreError)]

    async def stop(self) -> None:
        """Stop; what is not done is done when a hub starts."""
        await end(self._tasks)
        self._tasks = []

    async def health(self) -> PartHealth:
        """Tell how much it has done, and whether sums are still being made."""
        figures = {
            "aggregatedDocuments": self.documents,
            "aggregatedChanges": self.changes,
            "aggregates": "behind" if self._incomplete else "complete",
        }
        if self.fault is not None:
            return PartHealth("sums cannot be kept: see the log", Level.DEGRADED, permanent=True, figures=figures)
        return PartHealth(figures=figures)

    async def catch_up(self, *, gently: bool = False) -> None:
        """Make what is not there yet, and put all changes into it.

        Args:
            gently: Rest as long as each transaction took.

        Raises:
            AggregatesFailed: It cannot be done.
        """
        if not self._begun:
            await self._begin()
        await self._correct()
        for table, spec in self._specs():
            if spec.tree in self._incomplete:
                await self._make(table, spec, gently=gently)
            await self._fold(table, spec, gently=gently)

    def _specs(self) -> Iterator[tuple[str, AggregateSpec]]:
        return ((name, spec) for name, table in self._tables.items() for spec in table.aggregates)

    # --- in the background

    async def _follow(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                if not self._begun or await self._holds_lease():
                    await self.catch_up(gently=True)
                    self.fault = None
            except AggregatesFailed as error:
                if self.fault is None:
                    logger.warning("%s", error)
                self.fault = str(error)
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
                self._wake.set()
            await asyncio.sleep(_GATHER_SECONDS)

    async def _holds_lease(self) -> bool:
        if not self._engine.store.shared:
            return True
        if await self._transact(self._take_lease, "lease"):
            return True
        asyncio.get_running_loop().call_later(_LEASE_MS / 1000, self._wake.set)
        return False

    async def _take_lease(self, ctx: MutationContext) -> bool:
        writer = SystemWriter(ctx.db)
        found = await writer.read(TREES.name, _LEASE)
        if found is not None and found["hub"] != self._hub and found["until"] > ctx.now:
            return False
        if found is None or found["hub"] != self._hub or found["until"] < ctx.now + _LEASE_MS // 2:
            lease = {"_id": _LEASE, "hub": self._hub, "until": ctx.now + _LEASE_MS}
            writer.transaction.write(TREES.name, _LEASE, found, lease)
        return True

    async def _begin(self) -> None:
        """Look for sums of other versions of the application, and for those that have not been kept meanwhile."""
        ts, _ = await self._engine.store.newest()
        if await self._others(Transaction(self._engine.store.snapshot(ts))):
            await self._transact(self._forget_others, "forget")
        for table, spec in self._specs():
            ts, _ = await self._engine.store.newest()
            reader = AggregateReader(Transaction(self._engine.store.snapshot(ts)), table, spec)
            kept = await reader.kept()
            if kept is not None and kept.count != await reader.counted():
                logger.warning("%s.%s: documents were written without it; its sums are made anew", table, spec.name)
                await self.forget(spec)
        self._begun = True

    async def _forget_others(self, ctx: MutationContext) -> None:
        """Forget how far sums are that this version does not keep: whoever declares them again has to make them anew."""
        writer = SystemWriter(ctx.db)
        for each in await self._others(writer.transaction):
            writer.change(TREES.name, each, None)

    async def _others(self, transaction: Transaction) -> list[Document]:
        own = {spec.tree for _, spec in self._specs()}
        trees = await transaction.scan(Scan(TREES.name, BY_ID, keys.prefix(())))
        return [each for each in trees if each["_id"] not in own and each["_id"] != _LEASE]

    async def forget(self, spec: AggregateSpec) -> None:
        """Forget how far sums are: they are made anew."""

        async def forget(ctx: MutationContext) -> None:
            writer = SystemWriter(ctx.db)
            found = await writer.read(TREES.name, spec.tree)
            if found is not None:
                writer.change(TREES.name, found, None)

        await self._transact(forget, "forget")
        self._incomplete.add(spec.tree)

    async def rebuild(self) -> None:
        """Make all sums anew.

        Raises:
            AggregatesFailed: It cannot be done.
        """
        for _, spec in self._specs():
            await self.forget(spec)
        await self.catch_up(gently=True)

    async def _make(self, table: str, spec: AggregateSpec, *, gently: bool) -> None:
        began, told, done = time.monotonic(), self.documents, False
        while not await self._with_nodes(table, spec, AggregateNodes.clear, snapshot=False):
            pass
        while not done:
            since = time.monotonic()
            number, done = await self._with_nodes(table, spec, AggregateNodes.make)
            self.documents += number
            await asyncio.sleep(time.monotonic() - since if gently and not done else 0)
        self._incomplete.discard(spec.tree)
        if self.documents > told:
            seconds = time.monotonic() - began
            logger.info("%s.%s: sums of %d documents made in %.1f s", table, spec.name, self.documents - told, seconds)

    async def _fold(self, table: str, spec: AggregateSpec, *, gently: bool) -> None:
        number = _AT_ONCE
        while number == _AT_ONCE:
            since = time.monotonic()
            number, large, empty = await self._with_nodes(table, spec, partial(AggregateNodes.fold, most=_AT_ONCE))
            self.changes += number
            for low in large:
                following: bytes | None = low
                while following is not None:
                    following = await self._with_nodes(table, spec, partial(AggregateNodes.split, low=following))
            for low in empty:
                await self._with_nodes(table, spec, partial(AggregateNodes.remove, low=low))
            await asyncio.sleep(time.monotonic() - since if gently else 0)

    async def _with_nodes(
        self,
        table: str,
        spec: AggregateSpec,
        work: Callable[[AggregateNodes], Awaitable[R]],
        *,
        snapshot: bool = True,
    ) -> R:
        async def within(ctx: MutationContext) -> R:
            return await work(AggregateNodes(SystemWriter(ctx.db), table, spec))

        return await self._transact(within, work_name(work), snapshot=snapshot)

    async def _transact(
        self, work: Callable[[MutationContext], Awaitable[R]], name: str, *, snapshot: bool = False
    ) -> R:
        """Do something in a transaction, and give what it gives.

        Raises:
            AggregatesFailed: It cannot be done.
        """
        given: list[R] = []

        async def kept(ctx: MutationContext) -> None:
            given[:] = [await work(ctx)]

        isolation: Isolation = "snapshot" if snapshot else "serializable"
        outcome = await self._engine.transact(kept, path=f"_aggregates:{name}", isolation=isolation)
        if outcome.error is not None:
            raise AggregatesFailed(f"sums cannot be kept: {outcome.error.message}")
        return given[0]

    # --- what is written without changes: by other programs, and by versions without the index

    def _heard(self, commit: KeyedCommit) -> None:
        if any(each.write.after is not None for each in commit.by_table.get(CHANGES.name, ())):
            self._wake.set()
        for each in commit.by_table.get(TREES.name, ()):
            if each.write.after is None:
                self._incomplete.add(each.write.id)
                self._wake.set()
        for name in commit.by_table.keys() & self._tables.keys():
            for spec in self._tables[name].aggregates:
                if not _has_changes(commit, spec):
                    self._note_lacking(commit, name, spec)

    def _note_lacking(self, commit: KeyedCommit, table: str, spec: AggregateSpec) -> None:
        for each in commit.by_table[table]:
            for change in changes_of(spec, each.write.before, each.write.after):
                self._lacking[table, spec, change.key] = None
                self._wake.set()

    async def _correct(self) -> None:
        if len(self._lacking) > _MOST_LACKING:
            specs = {spec for _, spec, _ in self._lacking}
            self._lacking.clear()
            for spec in specs:
                await self.forget(spec)
        turns = Turns()
        while self._lacking:
            table, spec, key = next(iter(self._lacking))
            await self._with_nodes(table, spec, partial(AggregateNodes.recount, key=key))
            self._lacking.pop((table, spec, key), None)
            await turns.step()


class AggregatesFailed(Exception):
    """Sums cannot be kept; the message says why."""


def work_name(work: Callable[..., Any]) -> str:
    """Name what is done, for errors and the log."""
    name: str = getattr(work, "func", work).__name__
    return name


def _has_changes(commit: KeyedCommit, spec: AggregateSpec) -> bool:
    head = f"{spec.tree}/"
    return any(str(each.write.id).startswith(head) for each in commit.by_table.get(CHANGES.name, ()))
