"""A subscriber for tests: it holds live queries as a connection does, and notes every instant it could have shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from helpers.patience import PATIENCE
from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery, Version
from synovia.identity import Identity
from synovia_protocol import codec


class RecordingSubscriber:
    """Holds live queries of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.held: dict[str, LiveQuery] = {}
        self.instants: dict[int, dict[str, Version]] = {}
        self._moved = asyncio.Event()

    def subscribe(
        self,
        name: str,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None = None,
        journal: bytes | None = None,
    ) -> LiveQuery:
        self.held[name] = self.engine.subscribe(self, path, args, identity, journal)
        return self.held[name]

    def unsubscribe(self, name: str) -> None:
        self.engine.unsubscribe(self, self.held.pop(name))

    def notify(self) -> None:
        self._moved.set()
        loaded = {name: live for name, live in self.held.items() if live.loaded}
        if not loaded:
            return
        ts = min(live.known_through(self.engine.head) for live in loaded.values())
        versions = {name: version for name, live in loaded.items() if (version := live.version_at(ts)) is not None}
        if len(versions) == len(loaded):
            self.instants[ts] = versions

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        for name, live in self.held.items():
            if live is old:
                self.held[name] = new
                return

    async def settled(self, ts: int = 0) -> None:
        """Wait until everything held is known up to the head, and the head is at ``ts`` at least."""
        async with asyncio.timeout(PATIENCE):
            await self.engine.wait_for(ts)
            while not all(live.loaded and live.dirty_at is None for live in self.held.values()):
                self._moved.clear()
                await self._moved.wait()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what is held."""
        async with asyncio.timeout(PATIENCE):
            await self.settled()
            while not holds():
                self._moved.clear()
                await self._moved.wait()
                await self.settled()

    def version(self, name: str) -> Version:
        """The version at the head; only when settled."""
        version = self.held[name].version_at(self.engine.head)
        assert version is not None
        return version

    def value(self, name: str) -> Any:
        version = self.version(name)
        assert version.error is None, version.error
        assert version.packed is not None
        return codec.unpack(version.packed)
