"""Arrays on their way to the server: found in the arguments, replaced by references, cut into frames."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synovia_client.callbacks import call_safely
from synovia_client.errors import FunctionError
from synovia_protocol.arrays import (
    CHUNK_BYTES,
    chunk_digest,
    chunks_of,
    encode_frame,
    frames_of,
    raw_of,
    ref_of,
)
from synovia_protocol.errors import ErrorCode, WireValueError
from synovia_protocol.messages import ArrayRef

Array = NDArray[Any]
Progress = Callable[[int, int], object]

_IN_THREAD_BYTES = 1 << 20  # hashing this much takes about a millisecond: longer than the event loop should stand still
_THREADS = 4


class Upload:
    """The arrays of one request as frames, in order; it starts over on the next connection.

    Args:
        arrays: Each array with its reference; they must not change any more.
        on_progress: Called with (bytes sent, bytes in total) after each frame.
        alive: Called when there was progress.
    """

    def __init__(
        self,
        arrays: list[tuple[ArrayRef, Array]],
        on_progress: Progress | None = None,
        alive: Callable[[], None] | None = None,
    ) -> None:
        self._arrays = arrays
        self._total = sum(array.nbytes for _, array in arrays)
        self._alive = alive
        self._on_progress = on_progress
        self.restart()

    def restart(self) -> None:
        """Begin with the first frame again: the connection that had some of them is gone."""
        self._sent = 0
        self._frames = self._all_frames()
        self._left = sum(_frames_in(array) for _, array in self._arrays)
        self._left_of_array = 0

    def _all_frames(self) -> Iterator[tuple[int, bytes]]:
        for ref, array in self._arrays:
            self._left_of_array = _frames_in(array)
            for frame in frames_of(array, ref):
                self._left -= 1
                self._left_of_array -= 1
                yield frame.data.nbytes, encode_frame(frame)

    @property
    def done(self) -> bool:
        """Whether every frame has been taken."""
        return self._left == 0

    @property
    def begun(self) -> bool:
        """Whether any frame has been taken."""
        return self._sent > 0 or self._left_of_array > 0 or self.done

    @property
    def amid_array(self) -> bool:
        """Whether an array is half sent: the server would take a new beginning of it for a misordered frame."""
        return self._left_of_array > 0

    def abandon(self) -> None:
        """Stop reporting progress."""
        self._alive = self._on_progress = None

    def take(self) -> tuple[int, bytes]:
        """Take the next frame, with the bytes of samples in it."""
        return next(self._frames)

    def sent(self, size: int) -> None:
        """The socket has taken a frame with this many bytes of samples."""
        self._sent += size
        if self._alive is not None:
            self._alive()
        if self._on_progress is not None:
            call_safely(self._on_progress, self._sent, self._total)


def _frames_in(array: Array) -> int:
    return max(1, -(-array.nbytes // CHUNK_BYTES))


async def prepare(args: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[ArrayRef, Array]]]:
    """Replace the arrays in arguments by references.

    An array that could still change is copied first, since what is sent must be what was hashed. Large arrays are hashed
    on other threads.

    Args:
        args: Wire values and numpy arrays of any dtype of ``DTYPES``, any shape, order and byte order.

    Returns:
        The arguments as wire values, and each different array once with its reference.

    Raises:
        FunctionError: ``invalid_arguments``: an array has another dtype.
    """
    try:
        arrays = _collect(args, {})
        if not arrays:
            return args, []
        refs = await _hash_all(arrays)
    except (WireValueError, RecursionError) as error:
        raise FunctionError(ErrorCode.INVALID_ARGUMENTS, f"these arguments cannot be sent: {error}") from error
    distinct = {ref.digest: (ref, arrays[key]) for key, ref in refs.items()}
    replaced: dict[str, Any] = _replace(args, refs)
    return replaced, list(distinct.values())


def _collect(value: Any, arrays: dict[int, Array]) -> dict[int, Array]:
    if isinstance(value, np.ndarray):
        if id(value) not in arrays:
            arrays[id(value)] = frozen(value)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, arrays)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect(item, arrays)
    return arrays


async def _hash_all(arrays: dict[int, Array]) -> dict[int, ArrayRef]:
    if sum(array.nbytes for array in arrays.values()) < _IN_THREAD_BYTES:
        return {key: ref_of(array) for key, array in arrays.items()}
    cut = {key: list(chunks_of(raw_of(array))) for key, array in arrays.items()}
    digests = iter(await _in_threads([chunk for chunks in cut.values() for chunk in chunks]))
    return {key: ref_of(arrays[key], itertools.islice(digests, len(chunks))) for key, chunks in cut.items()}


async def _in_threads(chunks: Sequence[memoryview]) -> list[bytes]:
    """Hash chunks with several cores, which need no order among them; each thread takes the next that is left."""
    digests = [b""] * len(chunks)
    left = iter(enumerate(chunks))  # who steps it holds Python's lock

    def hash_some() -> None:
        for number, chunk in left:
            digests[number] = chunk_digest(chunk)

    await asyncio.gather(*(asyncio.to_thread(hash_some) for _ in range(min(_THREADS, os.cpu_count() or 1))))
    return digests


def _replace(value: Any, refs: dict[int, ArrayRef]) -> Any:
    if isinstance(value, np.ndarray):
        return refs[id(value)]
    if isinstance(value, dict):
        return {key: _replace(item, refs) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replace(item, refs) for item in value]
    return value


def frozen(array: Array) -> Array:
    """Give an array that holds these values for good, contiguous and little-endian; copies only if this one does not."""
    layout = array.dtype.newbyteorder("<")
    if array.flags.c_contiguous and array.dtype == layout and _unchanging(array):
        return array
    return np.array(array, dtype=layout, order="C", copy=True)


def _unchanging(array: Array) -> bool:
    """Tell whether nobody can write to these samples, through whichever view."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or isinstance(base, bytes) or (isinstance(base, memoryview) and base.readonly)
