"""Documents of the server's own that are changed as mutations change those of the application."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from synovia.auth.records import Change, Records
from synovia.engine.outcomes import Outcome
from synovia.functions.context import MutationContext, Work
from synovia.functions.database import SystemWriter
from synovia.store.base import Store

R = TypeVar("R")


class Transact(Protocol):
    """Does some work as a mutation; see ``Engine.transact``."""

    def __call__(self, work: Work, *, path: str) -> Awaitable[Outcome]: ...


class StagedRecords(Records):
    """One table whose changes are committed together with what others write.

    A commit of its own, beside the committer's, makes the store refuse what that has under way: many of them would hold up
    everybody's mutations.

    Args:
        store: Must be open.
        transact: Of an engine that runs on it.
    """

    def __init__(self, store: Store, table: str, transact: Transact) -> None:
        super().__init__(store, table)
        self._transact = transact

    async def change(self, id_: str, change: Change[R]) -> R:
        """Read, change and write one, as ``Records.change``.

        Raises:
            FunctionError: The database is not there, or refuses it.
        """
        told: list[R] = []

        async def work(ctx: MutationContext) -> None:
            writer = SystemWriter(ctx.db)
            before = await writer.read(self._table, id_)
            after, tell = change(None if before is None else dict(before))
            told[:] = [tell]
            if after == before:
                return
            if before is not None:
                writer.change(self._table, before, after)
            elif after is not None:
                writer.add(self._table, after)

        (await self._transact(work, path=f"{self._table}:change")).value()
        return told[0]
