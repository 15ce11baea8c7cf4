"""What the engine says of the database, of its log and of the indexes it needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from synovia.engine.lag import Lag
from synovia.engine.log import Log
from synovia.health import Level, PartHealth
from synovia.store.base import Store, StoredIndex, StoreError, StoreUnusable

LOOK_SECONDS = 2.0
"""So often the database is asked how far it is; the lag is told that exactly."""
INDEXES_SECONDS = 10.0
"""So long what is known of the indexes is believed."""


class StoreHealth:
    """How the database is.

    Args:
        lag: Is told how far the database says it is.
    """

    def __init__(self, store: Store, lag: Lag) -> None:
        self._store = store
        self._lag = lag

    async def look(self) -> None:
        """Ask the database again and again how far it is, so that the lag is known also when nobody asks for it."""
        while True:
            newest, _ = await self._store.newest()
            self._lag.note(newest)
            await asyncio.sleep(LOOK_SECONDS)

    async def __call__(self) -> PartHealth:
        """Tell whether the database answers, and can be used."""
        try:
            await self._store.ping()
            newest, _ = await self._store.newest()
        except StoreError as error:
            text = f"{type(error).__name__}: {error}"
            return PartHealth(text, Level.FAILING, permanent=isinstance(error, StoreUnusable))
        self._lag.note(newest)
        return PartHealth()


class LogHealth:
    """How the log is.

    Args:
        followed: Tells whether a stream is open at all.
        most: Seconds that it may be behind.
    """

    def __init__(self, log: Log, lag: Lag, followed: Callable[[], bool], most: float) -> None:
        self._log = log
        self._lag = lag
        self._followed = followed
        self._most = most

    async def __call__(self) -> PartHealth:
        """Tell how far the log is behind, and where it has lost its position."""
        log, lag = self._log, self._lag.seconds(self._log.head)
        figures = {
            "logLag": round(lag, 1),
            "gaps": log.gaps,
            "lastGap": None if log.last_gap is None else round(log.last_gap * 1000),
            "head": log.head,
        }
        status = self._status(lag)
        return PartHealth(status, Level.OK if status == "ok" else Level.FAILING, figures=figures)

    def _status(self, lag: float) -> str:
        if not self._followed():
            return "not followed"
        if lag <= self._most:
            return "ok"
        return "standing still" if time.monotonic() - self._log.advanced_at > self._most else "behind"


class IndexHealth:
    """Whether the database has every index that is declared."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._missing: list[StoredIndex] = []
        self._looked_at = float("-inf")

    async def __call__(self) -> PartHealth:
        """Tell which are missing, as of some seconds ago at most; if the database does not answer, as it was before."""
        if time.monotonic() - self._looked_at > INDEXES_SECONDS:
            try:
                self._missing = list(await self._store.missing_indexes())
                self._looked_at = time.monotonic()
            except StoreError:  # which the store's own part tells
                pass
        if not self._missing:
            return PartHealth()
        names = ", ".join(f"{each.table}.{each.name}" for each in self._missing)
        text = f"missing: {names}; queries that need them fail until a hub starts, which makes them again"
        return PartHealth(text, Level.DEGRADED, permanent=True)
