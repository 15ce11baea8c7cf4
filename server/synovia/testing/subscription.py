"""What a test holds of a live query."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Self

from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery, Version
from synovia.errors import FunctionError
from synovia.identity import Identity
from synovia_protocol import codec


class Subscription:
    """A query that is kept up to date while somebody is inside ``async with`` or iterates.

    ``async with`` waits for the first result. ``async for value in subscription`` gives the present value, then each one
    that differs; it raises FunctionError when the query fails.

    Args:
        args: Gives the arguments, as wire values.
        held: The subscriptions that are held at present; this one adds and removes itself.
    """

    def __init__(
        self,
        engine: Engine,
        path: str,
        args: Callable[[], Awaitable[Mapping[str, Any]]],
        identity: Identity | None,
        held: set[Subscription],
    ) -> None:
        self._engine = engine
        self._path = path
        self._args = args
        self._identity = identity
        self._held = held
        self._holds = 0
        self._live: LiveQuery | None = None
        self._moved = asyncio.Event()

    # --- the newest result

    @property
    def value(self) -> Any:
        """The newest result; of the present instant after every call, ``advance`` and request that went through the app.

        Raises:
            FunctionError: What the query failed with.
            RuntimeError: Nothing is subscribed to.
        """
        return _value(self._version())

    @property
    def error(self) -> FunctionError | None:
        """Why the newest run of the query failed; None if it did not."""
        return _error(self._version())

    def _version(self) -> Version:
        version = None if self._live is None else self._live.version_at(self._live.ran_at)
        if version is None:
            raise RuntimeError(f"{self._path} has no result: it is there inside `async with`")
        return version

    # --- holding it

    async def __aenter__(self) -> Self:
        await self._hold()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._release()

    async def __aiter__(self) -> AsyncGenerator[Any, None]:
        await self._hold()
        try:
            given: Version | None = None
            while True:
                self._moved.clear()
                version = self._version()
                if given is None or not _same(version, given):
                    given = version
                    yield _value(version)
                else:
                    await self._moved.wait()
        finally:
            self._release()

    async def _hold(self) -> None:
        self._holds += 1
        try:
            if self._live is None:
                args = await self._args()
                self._live = self._engine.subscribe(self, self._path, args, self._identity)
                self._held.add(self)
            await self.current()
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        self._holds -= 1
        if self._holds == 0 and self._live is not None:
            self._engine.unsubscribe(self, self._live)
            self._held.discard(self)
            self._live = None

    async def current(self) -> None:
        """Wait until the newest result holds everything that has been committed."""
        waited_for = None
        while self._live is not None and self._live is not waited_for:
            waited_for = self._live
            await self._engine.wait_until_current(waited_for)

    # --- what the engine tells

    def notify(self) -> None:
        """Look again: there may be another result."""
        self._moved.set()

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        """Hold the caller's own live query from now on."""
        self._live = new
        self._moved.set()


def _same(one: Version, other: Version) -> bool:
    return one is other or (one.packed, one.error) == (other.packed, other.error)


def _error(version: Version) -> FunctionError | None:
    error = version.error
    return None if error is None else FunctionError(error.code, error.message, error.data)


def _value(version: Version) -> Any:
    error = _error(version)
    if error is not None:
        raise error
    return codec.unpack(version.packed or b"\xc0", codec.FROM_SERVER)
