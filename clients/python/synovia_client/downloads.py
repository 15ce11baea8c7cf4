"""Arrays on their way from the server: asked for when the query that shows them is there, resumed after a break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import prod
from operator import index
from typing import NamedTuple

from synovia_client.callbacks import call_safely
from synovia_client.errors import FunctionError, SynoviaError
from synovia_client.queries import LiveQuery
from synovia_client.requests import RequestNumbers
from synovia_client.uploads import Array, Progress
from synovia_protocol.arrays import DTYPES, ITEM_BYTES, to_numpy
from synovia_protocol.messages import ArrayRef, ArrayResponse
from synovia_protocol.sessions import ArrayChunk, ArrayFetched


class Part(NamedTuple):
    """Which elements of an array: a range, row-major, and to how many points it is thinned."""

    start: int = 0
    stop: int | None = None
    points: int | None = None


WHOLE = Part()


class Fetch(NamedTuple):
    """What ``ClientSession.fetch_array`` is called with."""

    request_id: int
    query_id: int
    digest: bytes
    start: int
    stop: int | None
    points: int | None


class Download:
    """One fetch of an array, over as many connections as it takes.

    Args:
        query: The live query that shows the array; held by whoever waits for the download.
        ref: The array.
        part: The elements wanted.
        on_progress: Called with (bytes received, bytes in total) after each frame.
        alive: Called when there was progress.
    """

    def __init__(
        self,
        query: LiveQuery,
        ref: ArrayRef,
        part: Part,
        on_progress: Progress | None = None,
        alive: Callable[[], None] | None = None,
    ) -> None:
        self.query = query
        self.answer: asyncio.Future[Array] = asyncio.get_running_loop().create_future()
        self._ref = ref
        self._part = part
        self._on_progress = on_progress
        self._alive = alive or _nothing
        self._kept: list[memoryview] = []

    @property
    def _kept_bytes(self) -> int:
        return sum(map(len, self._kept))

    def question(self, request_id: int) -> Fetch:
        """Ask for what is still missing."""
        start, stop, points = self._part
        start += self._kept_bytes // ITEM_BYTES[self._ref.dtype]
        return Fetch(request_id, self.query.query_id, self._ref.digest, start, stop, points)

    def respond(self, response: ArrayResponse) -> None:
        """Take the announcement of the elements, or the refusal."""
        self._alive()
        if response.error is not None:
            self.fail(FunctionError.of(response.error))
        elif (fault := self._fault_of(response)) is not None:
            self.fail(FunctionError("bad_array", f"the server sends another array than was asked for: {fault}"))

    def _fault_of(self, response: ArrayResponse) -> str | None:
        """Say why what is announced is not what was asked for, before there is memory for it."""
        if response.dtype != self._ref.dtype:
            return f"{response.dtype}, not {self._ref.dtype}"
        start, stop, points = self._part
        there = self._ref.length if stop is None else min(stop, self._ref.length)
        kept = self._kept_bytes // ITEM_BYTES[self._ref.dtype]
        most = max(0, there - start - kept) if points is None else points
        length = prod(response.shape)
        return f"{length:,} elements, of {most:,} at most" if length > most else None

    def receive(self, chunk: ArrayChunk) -> None:
        """Take some elements."""
        self._alive()
        if self._on_progress is not None:
            item, kept = ITEM_BYTES[self._ref.dtype], self._kept_bytes
            done = kept + chunk.position * item + len(chunk.data)
            call_safely(self._on_progress, done, kept + chunk.length * item)

    def finish(self, fetched: ArrayFetched) -> None:
        """Take the whole answer."""
        self._kept.append(fetched.data)
        try:
            array = self._assemble(fetched)
        except ValueError as error:
            self.fail(FunctionError("bad_array", f"the server sent another array than was asked for: {error}"))
        else:
            if not self.answer.done():
                self.answer.set_result(array)

    def _assemble(self, fetched: ArrayFetched) -> Array:
        if fetched.dtype != self._ref.dtype:
            raise ValueError(f"{fetched.dtype}, not {self._ref.dtype}")
        data = self._kept[0] if len(self._kept) == 1 else memoryview(b"".join(self._kept))
        array = to_numpy(data, fetched.dtype, self._shape(fetched))
        array.flags.writeable = False  # a frame that is mapped cannot be written to: so no result can
        return array

    def _shape(self, fetched: ArrayFetched) -> tuple[int, ...]:
        if self._part.points is not None:
            return fetched.shape
        return self._ref.shape if self._part == WHOLE else (-1,)

    def interrupted(self, fetched: memoryview) -> None:
        """Keep what has come, if it can be continued: a thinned array is made anew."""
        if self._part.points is None and len(fetched):
            self._kept.append(fetched)

    def fail(self, error: SynoviaError) -> None:
        """Give the caller an error."""
        if not self.answer.done():
            self.answer.set_exception(error)


def _nothing() -> None:
    pass


class Downloads:
    """All downloads of a client: those that wait for their turn, and those that the server is sending.

    Args:
        numbers: Gives request ids; each attempt has a new one, so that late frames of an old one are known.
        at_once: How many may run; a server refuses more than it allows.
    """

    def __init__(self, numbers: RequestNumbers, at_once: int = 4) -> None:
        self._numbers = numbers
        self._at_once = at_once
        self._to_go: list[Download] = []
        self._running: dict[int, Download] = {}
        self._cancelled: list[int] = []

    def __len__(self) -> int:
        return len(self._to_go) + len(self._running)

    def add(self, download: Download) -> None:
        """Take a download in; it is asked for when its query is there."""
        self._to_go.append(download)

    def drop(self, download: Download) -> None:
        """Forget a download whose caller has given up, and tell the server if it is running."""
        if download in self._to_go:
            self._to_go.remove(download)
        for request_id, running in list(self._running.items()):
            if running is download:
                del self._running[request_id]
                self._cancelled.append(request_id)

    def next_cancelled(self) -> int | None:
        """Give the request id of a download that the server should stop."""
        return self._cancelled.pop() if self._cancelled else None

    def next_fetch(self) -> Fetch | None:
        """Give the next question that may be asked now, and count it as asked."""
        for download in list(self._to_go) if len(self._running) < self._at_once else ():
            if download.query.confirmed:
                self._to_go.remove(download)
                error = download.query.newest.error
                if error is None:
                    return self._ask(download)
                download.fail(error.again())
        return None

    def _ask(self, download: Download) -> Fetch:
        request_id = self._numbers.take()
        self._running[request_id] = download
        return download.question(request_id)

    @property
    def running(self) -> int:
        """How many the server has been asked for."""
        return len(self._running)

    def postpone(self, request_id: int) -> None:
        """Put a download that the server has refused for now back in line."""
        download = self._running.pop(request_id, None)
        if download is not None:
            self._to_go.insert(0, download)

    def respond(self, response: ArrayResponse) -> None:
        """Take an answer; one that nobody waits for any more is passed over."""
        download = self._running.get(response.request_id)
        if download is not None:
            download.respond(response)
            if response.error is not None:
                del self._running[response.request_id]

    def receive(self, chunk: ArrayChunk) -> None:
        """Take some elements."""
        download = self._running.get(chunk.request_id)
        if download is not None:
            download.receive(chunk)

    def finish(self, fetched: ArrayFetched) -> None:
        """Take a whole answer."""
        download = self._running.pop(fetched.request_id, None)
        if download is not None:
            download.finish(fetched)

    def disconnected(self, fetched_so_far: Callable[[int], memoryview]) -> None:
        """Put what was running back in line, to go on where it was."""
        for request_id, download in self._running.items():
            download.interrupted(fetched_so_far(request_id))
        self._to_go = [*self._running.values(), *self._to_go]
        self._running.clear()
        self._cancelled.clear()

    def fail_all(self, error: Callable[[], SynoviaError]) -> None:
        """Give every caller an error of its own."""
        for download in [*self._running.values(), *self._to_go]:
            download.fail(error())
        self._running.clear()
        self._to_go.clear()


def checked_part(ref: ArrayRef, start: int, stop: int | None, points: int | None) -> Part:
    """Give the part of an array that is asked for; TypeError or ValueError if there is no such part."""
    if not isinstance(ref, ArrayRef):
        raise TypeError(f"arrays are fetched by their references, not by {type(ref).__name__}")
    if ref.dtype not in DTYPES:
        raise ValueError(f"this client does not know the dtype {ref.dtype}")
    start, stop = index(start), None if stop is None else index(stop)
    points = None if points is None else index(points)
    if start < 0 or (stop is not None and stop < start):
        raise ValueError(f"not a range: {start} to {stop}")
    if points is not None and points < 2:
        raise ValueError("an outline has at least 2 points")
    return Part(start, stop, points)
