"""Files on their way to the hub: over HTTP beside the socket, piece by piece, carried on after a break."""

from __future__ import annotations

import asyncio
import io
import logging
import mimetypes
import os
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, NewType, TypedDict

from synovia_client.address import beside_socket
from synovia_client.callbacks import call_safely
from synovia_client.clock import Clock, Deadline
from synovia_client.errors import FunctionError
from synovia_client.http_requests import Answer, HttpRequests
from synovia_client.throttle import LONGEST_WAIT
from synovia_client.uploads import Progress

logger = logging.getLogger("synovia_client")

LEAST_PIECE = 256 << 10
MOST_PIECE = 8 << 20
PIECE_SECONDS = 60.0
"""How long the hub may take for one piece."""

_PASSING = frozenset({408, 425, 502, 503, 504})
_FIRST_WAIT, _MOST_WAIT = 0.25, 15.0
_OFFSET = "upload-offset"

FileSource = str | os.PathLike[str] | bytes | BinaryIO
"""A file by its path, its bytes, or a binary file that is open and can be read from any place."""

UploadId = NewType("UploadId", str)
"""What ``upload_file`` gives, and what is sent as the argument of the function that takes the file."""


class StoredFile(TypedDict):
    """A file in a result.

    - ``digest``: which content it is, 64 hexadecimal digits.
    - ``name``: as whoever uploaded it called it.
    - ``size``: in bytes.
    - ``type``: its media type, as declared.
    - ``uploadedAt``: in milliseconds since 1970.
    """

    digest: str
    name: str
    size: int
    type: str
    uploadedAt: int


class _Cut(Exception):
    """A request did not get through; the same may later.

    Args:
        retry_after: The hub asked to wait so many seconds; below 0: it did not.
    """

    def __init__(self, reason: str, retry_after: float = -1.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class FileUploads:
    """Uploads files to one hub.

    Attributes:
        url: That of the socket.
        http: How to ask the hub beside the socket.
        clock: What waiting is measured by.
        bearer: Gives the token to send, None for nobody.
    """

    url: str
    http: HttpRequests
    clock: Clock
    bearer: Callable[[], Awaitable[str | None]]

    async def upload(
        self,
        function: str,
        source: FileSource,
        *,
        name: str | None,
        type: str | None,
        argument: str | None,
        on_progress: Progress | None,
        deadline: Deadline,
    ) -> UploadId:
        """See ``Client.upload_file``."""
        with ExitStack() as stack:
            file, given = _opened(source, stack)
            size = await asyncio.to_thread(_size, file)
            called = name or given or "file"
            wanted: dict[str, Any] = {
                "path": function, "name": called, "size": size,
                "type": type or mimetypes.guess_type(called)[0] or "application/octet-stream",
            }  # fmt: skip
            if argument is not None:
                wanted["argument"] = argument
            id_ = await self._begin(wanted)
            sending = _Sending(file, size, on_progress, deadline)
            try:
                sending.sent(0)
                await self._send(id_, sending)
            except BaseException:
                await self._give_up(id_)
                raise
        return UploadId(id_)

    async def _begin(self, wanted: dict[str, Any]) -> str:
        waits = _Waits(self.clock)
        while True:
            try:
                answer = await self._ask("POST", "/api/uploads", wanted)
            except _Cut as cut:
                await waits.wait(cut)
            else:
                if not isinstance(id_ := answer.json.get("upload"), str):
                    raise _no_hub(answer)
                return id_

    async def _send(self, id_: str, sending: _Sending) -> None:
        path, waits = f"/api/uploads/{id_}", _Waits(self.clock)
        while sending.offset < sending.size:
            before, furthest = sending.offset, sending.furthest
            try:
                began = self.clock.time()
                answer = await self._ask("PATCH", path, await sending.piece(), offset=before)
                sending.adapt(self.clock.time() - began)
                sending.sent(_offset(answer, sending.size))
                if sending.offset <= before:
                    raise _Cut("the hub has kept nothing of a piece")
            except _Cut as cut:
                await waits.wait(cut)
                await self._look(path, sending)
            except FunctionError as error:
                sending.sent(_offset_of_mismatch(error, sending.size))
                if sending.offset <= before:
                    await waits.wait(_Cut("the hub has less than it said"))
            if sending.furthest > furthest:
                waits = _Waits(self.clock)

    async def _look(self, path: str, sending: _Sending) -> None:
        """Ask how much is there; if nobody answers, the next piece will tell."""
        try:
            answer = await self._ask("HEAD", path)
        except _Cut:
            return
        sending.sent(_offset(answer, sending.size))

    async def _give_up(self, id_: str) -> None:
        """Tell the hub that the rest will not come; if it does not hear, it forgets the upload by itself."""
        try:
            await asyncio.shield(asyncio.wait_for(self._ask("DELETE", f"/api/uploads/{id_}"), 5.0))
        except (Exception, asyncio.CancelledError):
            logger.debug("the upload %s was not given up at the hub", id_, exc_info=True)

    async def _ask(self, method: str, path: str, body: Any = None, *, offset: int | None = None) -> Answer:
        """Ask the hub.

        Raises:
            _Cut: It did not answer, or not now.
            FunctionError: It refuses.
        """
        token = await self.bearer()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if offset is not None:
            headers |= {"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
        http = replace(self.http, timeout=PIECE_SECONDS)
        try:
            answer = await http.send(method, beside_socket(self.url, path), body, headers)
        except (OSError, HTTPException) as error:
            raise _Cut(repr(error)) from error
        if answer.status in _PASSING or (answer.status == 429 and answer.retry_after >= 0):
            raise _Cut(f"HTTP status {answer.status}", answer.retry_after)
        if answer.status >= 400:
            told = answer.json.get("error")  # an answer to HEAD has no body, and a proxy has its own
            told = told if isinstance(told, dict) else {}
            code = told.get("code", "upload_not_found" if answer.status == 404 else "http_error")
            raise FunctionError(code, told.get("message", f"HTTP status {answer.status}"), told.get("data"))
        return answer


def _offset(answer: Answer, size: int) -> int:
    """Read how much is there.

    Raises:
        FunctionError: It does not say so.
    """
    text = answer.headers.get(_OFFSET, "")
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= size):
        raise _no_hub(answer)
    return int(text)


def _offset_of_mismatch(error: FunctionError, size: int) -> int:
    """Read how much is there from the refusal of a piece that belongs elsewhere; raise any other refusal."""
    there = error.data.get("offset") if isinstance(error.data, dict) else None
    if error.code != "upload_offset_mismatch" or type(there) is not int or not 0 <= there <= size:
        raise error
    return there


def _no_hub(answer: Answer) -> FunctionError:
    text = f"HTTP status {answer.status}, but no answer of a hub: does something between here and there answer itself?"
    return FunctionError("http_error", text)


class _Waits:
    """Growing waits between attempts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds = _FIRST_WAIT

    async def wait(self, cut: _Cut) -> None:
        asked = cut.retry_after
        await self._clock.sleep(asked if 0 < asked <= LONGEST_WAIT else self._seconds)
        self._seconds = min(_MOST_WAIT, 2 * self._seconds)


class _Sending:
    """What is left of a file.

    Attributes:
        offset: How much of it the hub has.
        furthest: How much it has had at most.
    """

    def __init__(self, file: BinaryIO, size: int, on_progress: Progress | None, deadline: Deadline) -> None:
        self._file = file
        self.size = size
        self.offset = self.furthest = 0
        self._piece = 4 * LEAST_PIECE
        self._on_progress = on_progress
        self._deadline = deadline

    async def piece(self) -> bytes:
        """Read what comes next."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        wanted = min(self._piece, self.size - self.offset)
        self._file.seek(self.offset)
        data = self._file.read(wanted)
        if len(data) != wanted:
            raise OSError(f"the file has become shorter than the {self.size:,} bytes that it had")
        return data

    def adapt(self, seconds: float) -> None:
        """Make pieces larger on a fast line, and smaller on a slow one, so that little is lost with each."""
        if seconds < 1:
            self._piece = min(MOST_PIECE, 2 * self._piece)
        elif seconds > 8:
            self._piece = max(LEAST_PIECE, self._piece // 2)

    def sent(self, offset: int) -> None:
        """The hub has so much. Only more than ever is progress: one that forgets what it has is not sent to for ever."""
        if offset > self.furthest:
            self.furthest = offset
            self._deadline.extend()
        self.offset = offset
        if self._on_progress is not None:
            call_safely(self._on_progress, offset, self.size)


def _opened(source: FileSource, stack: ExitStack) -> tuple[BinaryIO, str | None]:
    """Give a file to read from, closed with the stack if it is not the caller's, and its name if it has one."""
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source), None
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return stack.enter_context(path.open("rb")), path.name
    if not source.seekable():
        raise ValueError("a file that is uploaded can be read from any place: what is lost on the way is sent again")
    name = getattr(source, "name", None)
    return source, Path(name).name if isinstance(name, str) else None


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)
