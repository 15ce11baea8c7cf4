"""Which hubs there are on a database: each notes where it is reached when it starts, and no more when it stops."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery
from synovia.functions.context import MutationContext, QueryContext
from synovia.functions.database import SystemWriter
from synovia.functions.function import query_of_the_hub
from synovia.functions.known_hubs import KnownHub
from synovia.hubs.leadership import Mark
from synovia.store.base import StoreError
from synovia.tasks import end, keep_running
from synovia_protocol import codec

logger = logging.getLogger("synovia")

MOST_HUBS: Final = 64
PATH: Final = "_presence:hubs"
UNREACHABLE_SECONDS: Final = 30.0
"""A hub that could not be reached for so long has ended without saying so; one that lives notes itself again."""


class Directory:
    """Keeps the note of this hub, and tells which others there are.

    Args:
        mark: Says how this hub is reached; empty if it is not.
        know: Is told of all hubs, each time that these are other ones.
    """

    def __init__(
        self,
        engine: Engine,
        mark: Callable[[], bytes],
        know: Callable[[Iterable[Mark]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._mark = mark
        self._know = know
        self._clock = clock
        self._wake = asyncio.Event()
        self._unreachable: dict[bytes, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow which hubs there are."""
        self._task = keep_running(self._follow, "which hubs there are", StoreError)

    async def stop(self) -> None:
        """Note that this hub is there no more."""
        await end([] if self._task is None else [self._task])
        await self._remove(self._mark())

    # --- following

    def notify(self) -> None:
        """Look again."""
        self._wake.set()

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        """Do nothing: the query does not depend on who is calling."""

    async def _follow(self) -> None:
        await self._note()
        live = self._engine.watch(self, _HUBS)
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                version = live.version_at(live.ran_at) if live.loaded else None
                if version is not None and version.packed is not None:
                    await self._look(codec.unpack(version.packed))
        finally:
            self._engine.unsubscribe(self, live)

    async def _look(self, noted: list[bytes]) -> None:
        if self._mark() and self._mark() not in noted:
            await self._note()
        marks = [mark for each in noted if (mark := Mark.unpack(each)) is not None]
        self._unreachable = {mark.name: self._unreachable.get(mark.name, 0.0) for mark in marks}
        self._know(marks)

    # --- writing

    async def _note(self) -> None:
        mark = self._mark()

        async def work(ctx: MutationContext) -> None:
            await SystemWriter(ctx.db).insert(KnownHub(mark=mark))

        if mark:
            (await self._engine.transact(work, path=PATH)).value()

    async def _remove(self, mark: bytes) -> None:
        async def work(ctx: MutationContext) -> None:
            for known in await ctx.db.query(KnownHub).take(MOST_HUBS):
                if known.mark == mark:
                    await SystemWriter(ctx.db).delete(known, for_good=True)

        if (error := (await self._engine.transact(work, path=PATH)).error) is not None:
            logger.info("where a hub was reached stays noted: %s", error.message)

    async def unreachable(self, mark: Mark) -> None:
        """Take notice that a hub cannot be reached; after a while it is forgotten."""
        first = self._unreachable.get(mark.name) or self._clock()
        self._unreachable[mark.name] = first
        if self._clock() - first >= UNREACHABLE_SECONDS:
            self._unreachable[mark.name] = self._clock()
            await self._remove(mark.pack())


async def _hubs(ctx: QueryContext) -> list[bytes]:
    return [known.mark for known in await ctx.db.query(KnownHub).take(MOST_HUBS)]


_HUBS = query_of_the_hub(PATH, _hubs)
