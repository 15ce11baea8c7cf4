"""The downloads of one connection: ranges of arrays, whole or thinned, a frame at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

from synovia.errors import FunctionError
from synovia.store import arrays
from synovia.store.base import ArrayManifest, ArraySource
from synovia.sync.ports import Engine, LiveQuery
from synovia.sync.socket import Ending, Socket
from synovia_protocol.arrays import ITEM_BYTES, chunks_of, raw_of
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo
from synovia_protocol.messages import ArrayFrame, ArrayResponse, FetchArray

logger = logging.getLogger("synovia.sync")


class Fetches:
    """Answers FetchArray; several run at once and take turns on the socket.

    Args:
        engine: Whose live queries show the arrays.
        arrays: Where samples are.
        socket: Whose client asks.
        most: How many may run at once; one more fails with ``limit_exceeded``.
    """

    def __init__(self, engine: Engine, arrays: ArraySource, socket: Socket, most: int) -> None:
        self._engine = engine
        self._arrays = arrays
        self._socket = socket
        self._most = most
        self._running: dict[int, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, message: FetchArray, find: Callable[[], LiveQuery | None]) -> None:
        """Begin to answer; ``find`` gives the query that is said to show the array, None if the client does not hold it."""
        live = find()
        if message.request_id in self._running:
            self._refuse(message, ErrorCode.LIMIT_EXCEEDED, f"request {message.request_id} is still being answered")
        elif len(self._running) >= self._most:
            self._refuse(message, ErrorCode.LIMIT_EXCEEDED, f"{self._most} arrays are being fetched already")
        elif live is None or not live.shows(message.digest):
            self._refuse(message, ErrorCode.ARRAY_NOT_FOUND, f"query {message.query_id} shows no such array")
        else:
            task = self._socket.spawn(self._answer(message, find), f"fetch {message.request_id}")
            task.add_done_callback(lambda _: self._ended(message.request_id))
            self._running[message.request_id] = task

    def cancel(self, request_id: int) -> None:
        """Stop answering; frames that are on their way still arrive."""
        task = self._running.get(request_id)
        if task is not None:
            task.cancel()

    def _ended(self, request_id: int) -> None:
        del self._running[request_id]

    async def _answer(self, message: FetchArray, find: Callable[[], LiveQuery | None]) -> None:
        try:
            await self._check_still_shown(message, find)
            await self._stream(message)
        except FunctionError as error:
            self._fail(message, ErrorCode(error.code), error.message)
        except Exception:
            logger.exception("%s: fetch %d failed", self._socket.name, message.request_id)
            self._fail(message, ErrorCode.SERVER_ERROR, "the array could not be read")

    async def _check_still_shown(self, message: FetchArray, find: Callable[[], LiveQuery | None]) -> None:
        """Look at the query once more when it holds all that was acknowledged before the client asked: a role taken, say.

        Raises:
            FunctionError: It does not show the array any more.
        """
        live = find()
        while live is not None:
            await self._engine.wait_until_current(live)
            if (now := find()) is live:
                break
            live = now  # it has been split by caller meanwhile
        if live is None or not live.shows(message.digest):
            raise FunctionError(ErrorCode.ARRAY_NOT_FOUND, f"query {message.query_id} shows no such array")

    async def _stream(self, message: FetchArray) -> None:
        manifest = await self._arrays.get_manifest(message.digest)
        if manifest is None:
            raise FunctionError(ErrorCode.ARRAY_NOT_FOUND, "the array is not stored")
        start, stop = _range(message, manifest)
        if message.points is not None:
            await self._send_thinned(message, manifest, start, stop)
            return
        self._announce(message, manifest.dtype, (stop - start,))
        if stop > start:
            pieces = arrays.stream_range(self._arrays, manifest, start, stop)
            async with aclosing(cast(AsyncGenerator[memoryview, None], pieces)):
                await self._send_pieces(message, manifest.dtype, stop - start, pieces)

    async def _send_thinned(self, message: FetchArray, manifest: ArrayManifest, start: int, stop: int) -> None:
        assert message.points is not None  # noqa: S101
        samples = await arrays.thin(self._arrays, manifest, start, stop, message.points)
        self._announce(message, manifest.dtype, samples.shape)
        if samples.size:
            await self._send_pieces(message, manifest.dtype, samples.size, _pieces(raw_of(samples)))

    def _announce(self, message: FetchArray, dtype: str, shape: tuple[int, ...]) -> None:
        self._socket.send(ArrayResponse(message.request_id, dtype, shape))

    async def _send_pieces(
        self, message: FetchArray, dtype: str, length: int, pieces: AsyncIterator[memoryview]
    ) -> None:
        position = 0
        async for piece in pieces:
            frame = ArrayFrame(message.request_id, dtype, message.digest, position, length, piece)
            await self._socket.send_samples(frame)
            position += len(piece) // ITEM_BYTES[dtype]

    def _refuse(self, message: FetchArray, code: ErrorCode, text: str) -> None:
        self._socket.send(ArrayResponse(message.request_id, error=ErrorInfo(code, text)))

    def _fail(self, message: FetchArray, code: ErrorCode, text: str) -> None:
        if self._socket.session.owes_elements(message.request_id):  # which no message can take back
            self._socket.end(Ending(ErrorInfo(code, text), CloseCode.SERVER_ERROR, retry_after=1.0))
        else:
            self._refuse(message, code, text)


def _range(message: FetchArray, manifest: ArrayManifest) -> tuple[int, int]:
    stop = manifest.length if message.stop is None else message.stop
    if not message.start <= stop <= manifest.length:
        text = f"[{message.start}, {stop}) is not a range of {manifest.length} elements"
        raise FunctionError(ErrorCode.BAD_RANGE, text)
    return message.start, stop


async def _pieces(raw: memoryview) -> AsyncIterator[memoryview]:
    for piece in chunks_of(raw):
        yield piece
