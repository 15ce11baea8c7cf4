"""A scripted hub on a thread of its own, for clients that block theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from client.peer import Peer, PeerConnection
from helpers.patience import PATIENCE


class PeerThread:
    """A peer on a thread of its own, that runs a script for its first connection."""

    def __init__(self) -> None:
        self._loop = asyncio.SelectorEventLoop()  # whatever policy a test sets
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._peer = Peer()
        self.run(self._peer.listen())
        self.url = self._peer.url

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    def play(self, script: Callable[[PeerConnection], Coroutine[Any, Any, Any]]) -> Any:
        async def play() -> Any:
            return await script(await self._peer.welcome())

        return asyncio.run_coroutine_threadsafe(play(), self._loop)

    def stop(self) -> None:
        self.run(self._peer.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
