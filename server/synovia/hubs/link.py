"""Questions to one other hub, and their answers; a hub that says nothing any more is given up."""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Final

from synovia.hubs.channel import Channel, NotAPeer
from synovia.tasks import end

SILENCE_SECONDS: Final = 1.0
"""A hub that has not even answered a ping for so long is given up."""
_PING_SECONDS: Final = 0.25
_IDLE_PING_SECONDS: Final = 15.0
"""One that is asked nothing is told so often that this hub is still there."""
_NUMBER: Final = struct.Struct(">Q")
PING: Final = _NUMBER.pack(0)


class LinkLost(Exception):
    """The other hub does not answer any more; it may have done what it was asked to."""


class Link:
    """An open connection to a hub that runs mutations for this one."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._asked = 0
        self._heard_at = time.monotonic()
        self._lost: LinkLost | None = None
        self._tasks = [asyncio.create_task(self._read(), name="link"), asyncio.create_task(self._ping(), name="ping")]

    def __len__(self) -> int:
        """Tell how many questions wait for their answers."""
        return len(self._waiting)

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._lost is None

    async def ask(self, payload: bytes) -> bytes:
        """Ask, and give the answer.

        Raises:
            LinkLost: There is none.
        """
        if self._lost is not None:
            raise self._lost
        if not self._waiting:
            self._heard_at = time.monotonic()
        self._asked += 1
        number = _NUMBER.pack(self._asked)
        future: asyncio.Future[bytes]
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._channel.send(number + payload)
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Give it up."""
        self._lose("this hub has closed it")
        await end(self._tasks)
        await self._channel.close()

    def _lose(self, why: str) -> None:
        self._lost = self._lost or LinkLost(why)
        self._channel.abort()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._lost)

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._channel.receive()
                self._heard_at = time.monotonic()
                future = self._waiting.get(frame[: _NUMBER.size])
                if future is not None and not future.done():
                    future.set_result(frame[_NUMBER.size :])
        except (OSError, EOFError, NotAPeer) as error:
            self._lose(f"{type(error).__name__}: {error}")

    async def _ping(self) -> None:
        pinged_at = time.monotonic()
        while self.is_open:
            await asyncio.sleep(_PING_SECONDS)
            now = time.monotonic()
            if self._waiting and now - self._heard_at > SILENCE_SECONDS:
                self._lose("it says nothing any more")
            elif self._waiting or now - pinged_at > _IDLE_PING_SECONDS:
                pinged_at = now
                self._channel.send(PING)
