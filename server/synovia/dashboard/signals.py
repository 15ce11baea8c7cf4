"""What the hub keeps in memory, followed by live queries: which of them to run again when it changes."""

from __future__ import annotations

import asyncio
from typing import Final

from synovia.engine.live_queries import LiveQueries
from synovia.functions.context import QueryContext, note_memory_read
from synovia.keys import encode_value
from synovia.transaction.keyed import Point

_TABLE: Final = "_memory"
SECONDS: Final = 0.1
"""So long changes are gathered."""


class Signal:
    """One thing in memory, as the log of calls; as long as nobody follows it, a change costs next to nothing."""

    def __init__(self, name: str) -> None:
        self._point: Point = (_TABLE, encode_value(name))
        self._live: LiveQueries | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, live: LiveQueries) -> None:
        """Take the live queries that are to be run again."""
        self._live = live

    def follow(self, ctx: QueryContext) -> None:
        """Have a query run again after each change."""
        note_memory_read(ctx, self._point)

    @property
    def is_followed(self) -> bool:
        """Whether anybody looks."""
        return self._live is not None and any(live.subscribers for live in self._live.index.at(self._point))

    def changed(self) -> None:
        """Say that it has changed."""
        if self._timer is None and self._live is not None:
            kept = self._live.index.at(self._point)
            # What is followed, or kept for who may come back, is taken for today's.
            if kept and any(live.subscribers or live.dirty_at is None for live in kept):
                self._wait()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SECONDS, self._tell)

    def _tell(self) -> None:
        self._timer = None
        reading = [] if self._live is None else list(self._live.index.at(self._point))
        for live in reading:
            if self._live is not None:
                self._live.outdate(live)
        if any(live.target is not None for live in reading):
            self._wait()  # a run that is under way may have looked too early
