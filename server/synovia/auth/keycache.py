"""An issuer's keys, kept as long as its server says, fetched once however many wait, and fetched again for an unknown id."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from synovia.auth.fetching import FetchError
from synovia.identity import SignInUnavailable

logger = logging.getLogger("synovia.auth")
K = TypeVar("K")

SHORTEST, LONGEST = 60.0, 86_400.0
"""Bounds, in seconds, to what a key server says of how long its answer is good."""


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """How often keys are fetched, in seconds.

    Attributes:
        fetch: For one fetch.
        fresh: How long keys are good when their server does not say.
        pause: Between two fetches, the least: for a key id that is not known, and after a failure.
        stale: How long old keys still serve when no new ones can be had.
    """

    fetch: float = 5.0
    fresh: float = 3_600.0
    pause: float = 30.0
    stale: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Loaded(Generic[K]):
    """Keys by id, and for how many seconds they are good (None: not told)."""

    keys: Mapping[str, K]
    max_age: float | None = None


class KeyCache(Generic[K]):
    """Keys of one issuer.

    Args:
        name: The issuer, for messages.
        load: Fetches them.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], Awaitable[Loaded[K]]],
        times: KeyTimes | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fetches = 0
        self._name = name
        self._load = load
        self._times = times or KeyTimes()
        self._clock = monotonic
        self._keys: Mapping[str, K] = {}
        self._good_until: float | None = None
        self._tried_at: float | None = None
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> K | None:
        """Give a key; None if the issuer has none of that id.

        Raises:
            SignInUnavailable: The keys cannot be had.
        """
        if self._good_until is None or self._clock() >= self._good_until:
            await self._fetch_or_keep()
        if key_id not in self._keys and self._may_fetch():
            await self._fetch()
        if key_id not in self._keys and self._failed:
            raise self._unavailable()  # it may be a new key: nobody can tell
        return self._keys.get(key_id)

    def _may_fetch(self) -> bool:
        if self._fetching is not None:
            return True  # wait for it
        return self._tried_at is None or self._clock() - self._tried_at >= self._times.pause

    async def _fetch_or_keep(self) -> None:
        if self._may_fetch():
            await self._fetch()
        if self._good_until is None or self._clock() >= self._good_until + self._times.stale:
            raise self._unavailable()

    def _unavailable(self) -> SignInUnavailable:
        return SignInUnavailable(f"the keys of {self._name} cannot be fetched at the moment; try again later")

    async def _fetch(self) -> None:
        if self._fetching is None:
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._run(), name=f"keys of {self._name}")
        await asyncio.shield(self._fetching)

    async def _run(self) -> None:
        self.fetches += 1
        try:
            loaded = await self._load()
        except FetchError as error:
            self._failed = True
            logger.warning("the keys of %s cannot be fetched: %s", self._name, error)
        else:
            self._failed = False
            self._keys = loaded.keys
            age = self._times.fresh if loaded.max_age is None else min(max(loaded.max_age, SHORTEST), LONGEST)
            self._good_until = self._clock() + age
        finally:
            self._fetching = None

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if (task := self._fetching) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
