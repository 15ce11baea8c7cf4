"""Commits of a hub that go wrong, drawn from a seed: as over a bad link to a database with whims.

``TORTURE_COMMITS`` holds the seed; without it nothing goes wrong. On the signal ``KILL_AMID`` the hub kills itself
at its next commit of several mutations: before it has taken place, or before anybody has heard of it.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import zlib
from collections.abc import Callable
from typing import Any

from synovia.store.base import Batch, Conflict, RequestRecord, StoreError, StoreUnavailable, Ts
from synovia.store.mongo import MongoStore
from synovia.store.sqlite import SQLiteStore

COMMITS = "TORTURE_COMMITS"
KILL_AMID = signal.SIGUSR1
REFUSED = 20
FIRST = 3
FEW = 2
"""A commit of so many mutations is worth dying in."""


class Trouble:
    """What happens to the commits of one hub."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._dying = False

    def die_soon(self) -> None:
        """Die amid the next commit of several mutations."""
        self._dying = True

    async def commit(self, commit: Callable[[Batch], Any], batch: Batch) -> Ts:
        """Commit, or not."""
        happens = self._chance.random
        if happens() < 0.3:
            await asyncio.sleep(happens() * 0.1)  # meanwhile others are staged
        if any(_is_refused(request) for request in batch.requests):
            raise StoreError("the database refuses this, always")
        if happens() < 0.04:
            raise Conflict("the database says that something has changed")
        if happens() < 0.03:
            raise StoreUnavailable("the database was not reached")
        dying = self._dying and len(batch.requests) >= FEW
        if dying and happens() < 0.5:
            os.kill(os.getpid(), signal.SIGKILL)
        ts: Ts = await commit(batch)
        if dying:
            os.kill(os.getpid(), signal.SIGKILL)
        if happens() < 0.05:
            raise StoreUnavailable("the acknowledgement was lost")
        if happens() < 0.1:
            await asyncio.sleep(happens() * 0.05)  # the log is faster
        return ts


def _is_refused(request: RequestRecord) -> bool:
    """Tell whether the database refuses a mutation, each time it is asked: one of so many, but none by which a round begins
    or ends."""
    return request.number > FIRST and zlib.crc32(request.session + bytes([request.number % 256])) % REFUSED == 0


def make_trouble() -> Trouble | None:
    """Have the commits of this process go wrong if the environment says so."""
    seed = os.environ.get(COMMITS)
    if seed is None:
        return None
    trouble = Trouble(int(seed) + os.getpid())
    for kind in (SQLiteStore, MongoStore):
        _spoil(kind, trouble)
    return trouble


def _spoil(kind: Any, trouble: Trouble) -> None:
    commit = kind.commit

    async def spoilt(self: Any, batch: Batch) -> Ts:
        return await trouble.commit(lambda each: commit(self, each), batch)

    kind.commit = spoilt
