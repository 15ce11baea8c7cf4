"""Where other hubs connect to have their mutations run here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from synovia.hubs.channel import Channel, NotAPeer, accepted
from synovia.hubs.link import PING
from synovia.sparingly import Sparingly
from synovia.tasks import begin, end

logger = logging.getLogger("synovia")

Answer = Callable[[bytes], Awaitable[bytes]]
MOST_CONNECTIONS: Final = 64
"""More hubs than that are not let in at once, whoever they are."""
MOST_STRANGERS: Final = 64
"""Connections that have not proved yet to be hubs: for one more the oldest has to go, so they keep no hub out."""
SILENCE_SECONDS: Final = 60.0
"""A hub that says nothing for so long, or does not take its answers, is gone: links say more often that they are there."""
REFUSED_SECONDS: Final = 60.0
"""The log tells so often of connections that are refused."""
MOST_RUNNING: Final = 1024
"""Of one hub; it has to wait for more."""


class Listener:
    """Lets hubs in that know the secret, and answers them.

    Args:
        answer: Gives the answer to a question; what it raises ends the connection.
    """

    def __init__(self, secret: bytes, context: bytes, answer: Answer) -> None:
        self._secret = secret
        self._context = context
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._strangers: dict[asyncio.StreamWriter, None] = {}
        self._hubs = 0
        self._sparingly = Sparingly()

    async def open(self, host: str) -> int:
        """Listen; give the port.

        Raises:
            OSError: There is no such address here.
        """
        self._server = await asyncio.start_server(self._let_in, host, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """End all connections, and what runs for them."""
        if self._server is not None:
            self._server.close()
        await end(self._connections)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._strangers) >= MOST_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.transport.abort()
        self._strangers[writer] = None
        task = asyncio.create_task(self._serve(reader, writer), name="other hub")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running: set[asyncio.Task[None]] = set()
        try:
            channel = await self._accepted(reader, writer)
            self._hubs += 1
            try:
                await self._answer_all(channel, running)
            finally:
                self._hubs -= 1
        except NotAPeer as error:
            self._note_refused(writer.get_extra_info("peername"), error)
        except (OSError, EOFError, TimeoutError):
            pass
        finally:
            await end(running)
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _note_refused(self, peer: object, error: NotAPeer) -> None:
        """Log one refusal a minute, and how many there were: strangers may come as often as they like."""
        if (left_out := self._sparingly.left_out("refused", REFUSED_SECONDS)) is not None:
            text = "a connection from %s to this hub is refused: %s (%d since the last such line)"
            logger.warning(text, peer, error, left_out + 1)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Channel:
        try:
            channel = await accepted(reader, writer, self._secret, self._context)
        finally:
            self._strangers.pop(writer, None)
        if self._hubs >= MOST_CONNECTIONS:
            raise NotAPeer(f"{MOST_CONNECTIONS} hubs are connected already")
        return channel

    async def _answer_all(self, channel: Channel, running: set[asyncio.Task[None]]) -> None:
        places, loop = asyncio.Semaphore(MOST_RUNNING), asyncio.get_running_loop()
        async with asyncio.timeout(None) as silence:
            renewed = float("-inf")
            while True:
                now = loop.time()
                if now - renewed > SILENCE_SECONDS / 8:  # a timeout for each frame would cost more than the frame
                    renewed = now
                    silence.reschedule(now + SILENCE_SECONDS)
                await channel.drain()
                frame = await channel.receive()
                if frame == PING:
                    channel.send(PING)
                    continue
                if places.locked():  # it waits for this hub
                    renewed = float("-inf")
                    silence.reschedule(None)
                await places.acquire()
                task = begin(self._answer_one(channel, frame, places), "mutation of another hub")
                running.add(task)
                task.add_done_callback(running.discard)

    async def _answer_one(self, channel: Channel, frame: bytes, places: asyncio.Semaphore) -> None:
        number, question = frame[: len(PING)], frame[len(PING) :]
        try:
            with contextlib.suppress(OSError):
                channel.send(number + await self._answer(question))
        except Exception:
            logger.exception("what another hub has sent cannot be run")
            channel.abort()
        finally:
            places.release()
