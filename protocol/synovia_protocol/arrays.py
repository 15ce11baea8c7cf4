"""Arrays: digests over chunks, frames of raw little-endian elements, and the receivers of both directions.

An array is its bytes, row-major and little-endian, cut into chunks of ``CHUNK_BYTES``. Its digest is the SHA-256 of its
chunks' digests, one after the other, so that a growing array keeps the chunks it has.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from synovia_protocol.errors import ErrorCode, ProtocolError, WireValueError
from synovia_protocol.messages import ArrayFrame, ArrayRef
from synovia_protocol.values import FROM_CLIENT, FROM_SERVER, Limits

DTYPES = {
    "float64": 1,
    "float32": 2,
    "int64": 3,
    "int32": 4,
    "int16": 5,
    "int8": 6,
    "uint64": 7,
    "uint32": 8,
    "uint16": 9,
    "uint8": 10,
    "bool": 11,
}
ITEM_BYTES = {name: np.dtype(name).itemsize for name in DTYPES}
CHUNK_BYTES = 262_144
HEADER_BYTES = 56
MARK = 0xC1
"""The first byte of an array frame, which msgpack never uses."""
FRAME_VERSION = 1

_NAMES = {code: name for name, code in DTYPES.items()}
_HEADER = struct.Struct("<BBBBI32sQQ")
_EMPTY = memoryview(b"")

Bytes = bytes | bytearray | memoryview


def is_array_frame(frame: bytes | str) -> bool:
    """Tell an array frame from a message."""
    return not isinstance(frame, str) and frame[:1] == b"\xc1"


def chunk_digest(chunk: Bytes) -> bytes:
    """Give the SHA-256 of one chunk."""
    return hashlib.sha256(chunk).digest()


def array_digest(dtype: str, chunk_digests: Iterable[bytes]) -> bytes:
    """Give the digest of an array: of the code of its dtype, then the digests of its chunks; an empty array has none."""
    return hashlib.sha256(bytes((DTYPES[dtype],)) + b"".join(chunk_digests)).digest()


def chunk_elements(dtype: str) -> int:
    """Give the number of elements in a whole chunk."""
    return CHUNK_BYTES // ITEM_BYTES[dtype]


def chunks_of(raw: Bytes) -> Iterator[memoryview]:
    """Cut an array's bytes into chunks, without copying."""
    view = memoryview(raw).cast("B")
    for start in range(0, len(view), CHUNK_BYTES):
        yield view[start : start + CHUNK_BYTES]


# --- numpy ------------------------------------------------------------------------------------------------------------


def raw_of(array: npt.NDArray[Any]) -> memoryview:
    """Give an array's bytes as they travel; copies only what is big-endian or not contiguous.

    Raises:
        WireValueError: Its dtype is none of ``DTYPES``.
    """
    little = array.dtype.newbyteorder("<")
    if little.name not in DTYPES:
        raise WireValueError(f"arrays of {array.dtype} cannot travel")
    plain = np.asarray(array, dtype=little, order="C").reshape(-1)
    return plain.view(np.uint8).data if plain.size else _EMPTY


def ref_of(array: npt.NDArray[Any], chunk_digests: Iterable[bytes] | None = None) -> ArrayRef:
    """Name an array by its digest, dtype and shape.

    Args:
        chunk_digests: Those of its chunks in their order, if they have been hashed already.
    """
    if chunk_digests is None:
        chunk_digests = map(chunk_digest, chunks_of(raw_of(array)))
    dtype = array.dtype.newbyteorder("<").name
    return ArrayRef(array_digest(dtype, chunk_digests), dtype, array.shape)


def to_numpy(data: Bytes, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """View bytes as an array; no copy, so it can be written to only if ``data`` can.

    Raises:
        ValueError: The bytes are not as many as the shape needs.
    """
    return np.frombuffer(data, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)


# --- frames -----------------------------------------------------------------------------------------------------------


def frame_header(frame: ArrayFrame) -> bytes:
    """Give the 56 bytes before the elements."""
    code = DTYPES[frame.dtype]
    return _HEADER.pack(MARK, FRAME_VERSION, code, 0, frame.stream, frame.digest, frame.position, frame.length)


def encode_frame(frame: ArrayFrame) -> bytes:
    """Encode an array frame."""
    return b"".join((frame_header(frame), frame.data))


def decode_frame(frame: bytes) -> ArrayFrame:
    """Decode an array frame; its data is a view of ``frame``, 8-byte aligned if that is.

    Raises:
        ProtocolError: ``bad_array_frame``.
    """
    if len(frame) < HEADER_BYTES:
        raise _bad(f"{len(frame)} bytes are shorter than the header")
    mark, version, code, reserved, stream, digest, position, length = _HEADER.unpack_from(frame)
    dtype = _NAMES.get(code)
    if mark != MARK or version != FRAME_VERSION or reserved:
        raise _bad("not an array frame of version 1")
    if dtype is None:
        raise _bad(f"unknown dtype code {code}")
    data = memoryview(frame)[HEADER_BYTES:]
    _check_extent(len(data), ITEM_BYTES[dtype], position, length)
    if dtype == "bool" and data and np.frombuffer(data, np.uint8).max() > 1:
        raise _bad("a boolean is neither 0 nor 1")
    return ArrayFrame(stream, dtype, digest, position, length, data)


def _check_extent(size: int, item: int, position: int, length: int) -> None:
    if size % item:
        raise _bad(f"{size} bytes are not a whole number of elements")
    if position + size // item > length:
        raise _bad(f"{size // item} elements from {position} in an array of {length}")
    if not size and length:
        raise _bad("no elements")


def _bad(message: str) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_ARRAY_FRAME, message)


def frames_of(array: npt.NDArray[Any], ref: ArrayRef, stream: int = 0) -> Iterator[ArrayFrame]:
    """Cut an array into the frames of an upload, one chunk each; an empty array is one empty frame."""
    return frames_of_raw(raw_of(array), ref, stream)


def frames_of_raw(raw: Bytes, ref: ArrayRef, stream: int = 0) -> Iterator[ArrayFrame]:
    """Cut an array's bytes into frames; see ``frames_of``."""
    item = ITEM_BYTES[ref.dtype]
    position = 0
    for chunk in chunks_of(raw) if len(raw) else (_EMPTY,):
        yield ArrayFrame(stream, ref.dtype, ref.digest, position, len(raw) // item, chunk)
        position += len(chunk) // item


# --- receiving an upload ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChunkReceived:
    """One chunk of an upload, which whoever takes it hashes, where it likes: ``ArrayReceived.check`` wants the digests."""

    array_digest: bytes
    index: int
    data: memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArrayReceived:
    """All chunks of an upload have come; whether they are the array that its digest names, ``check`` tells.

    Attributes:
        length: In elements.
    """

    digest: bytes
    dtype: str
    length: int

    def check(self, chunk_digests: Iterable[bytes]) -> None:
        """Check that chunks of these digests, in their order, are the array.

        Raises:
            ProtocolError: ``array_digest_mismatch``.
        """
        if array_digest(self.dtype, chunk_digests) != self.digest:
            raise ProtocolError(ErrorCode.ARRAY_DIGEST_MISMATCH, "the array is not the one its digest names")


@dataclass(slots=True)
class _Upload:
    dtype: str
    length: int
    position: int = 0
    chunks: int = 0


class ArrayReceiver:
    """Receives the uploads of one connection; keeps no samples, and leaves it to others to hash them."""

    def __init__(self, limits: Limits = FROM_CLIENT) -> None:
        self._limits = limits
        self._uploads: dict[bytes, _Upload] = {}

    def receive(self, frame: ArrayFrame) -> list[ChunkReceived | ArrayReceived]:
        """Take one frame.

        Raises:
            ProtocolError: ``array_misordered``, ``too_large`` or ``bad_array_frame``.
        """
        upload = self._upload_of(frame)
        expected = min(upload.length - upload.position, chunk_elements(frame.dtype)) * ITEM_BYTES[frame.dtype]
        if frame.position != upload.position:
            raise ProtocolError(ErrorCode.ARRAY_MISORDERED, f"position {frame.position}, not {upload.position}")
        if len(frame.data) > expected:
            raise ProtocolError(ErrorCode.TOO_LARGE, f"{len(frame.data)} bytes in a frame; a chunk has {expected}")
        if len(frame.data) != expected:
            raise _bad(f"{len(frame.data)} bytes, not the {expected} of this chunk")
        self._uploads[frame.digest] = upload
        return self._take(frame, upload)

    def _upload_of(self, frame: ArrayFrame) -> _Upload:
        if frame.stream:
            raise _bad("an upload has stream 0")
        if frame.length * ITEM_BYTES[frame.dtype] > self._limits.max_array_bytes:
            raise ProtocolError(ErrorCode.TOO_LARGE, f"an array of {frame.length} elements")
        upload = self._uploads.get(frame.digest)
        if upload is None:
            if len(self._uploads) >= self._limits.max_uploads:
                raise ProtocolError(ErrorCode.TOO_LARGE, f"more than {self._limits.max_uploads} uploads at once")
            return _Upload(frame.dtype, frame.length)
        if (upload.dtype, upload.length) != (frame.dtype, frame.length):
            raise _bad("dtype or length is not that of the frames before")
        return upload

    def _take(self, frame: ArrayFrame, upload: _Upload) -> list[ChunkReceived | ArrayReceived]:
        events: list[ChunkReceived | ArrayReceived] = []
        if frame.data:
            events.append(ChunkReceived(frame.digest, upload.chunks, frame.data))
            upload.chunks += 1
            upload.position += len(frame.data) // ITEM_BYTES[frame.dtype]
        if upload.position == upload.length:
            del self._uploads[frame.digest]
            events.append(ArrayReceived(frame.digest, upload.dtype, upload.length))
        return events


# --- receiving a download ---------------------------------------------------------------------------------------------


class DownloadReceiver:
    """Puts the frames that answer one FetchArray together.

    Attributes:
        data: The elements received so far: a view of the frame when there was only one, else of one buffer.
        complete: Everything is there.
    """

    def __init__(self, digest: bytes, dtype: str, shape: tuple[int, ...], limits: Limits = FROM_SERVER) -> None:
        if dtype not in DTYPES:
            raise _bad(f"unknown dtype {dtype}")
        length = ArrayRef(digest, dtype, shape).length
        if length * ITEM_BYTES[dtype] > limits.max_array_bytes:
            raise ProtocolError(ErrorCode.TOO_LARGE, f"an answer of {length} elements")
        self.digest = digest
        self.dtype = dtype
        self.shape = shape
        self.length = length
        self.position = 0
        self.data: memoryview = _EMPTY
        self._buffer = _EMPTY

    @property
    def complete(self) -> bool:
        """Whether every element has arrived."""
        return self.position == self.length

    def receive(self, frame: ArrayFrame) -> None:
        """Take the next frame.

        Raises:
            ProtocolError: ``array_misordered``, ``array_digest_mismatch`` or ``bad_array_frame``.
        """
        if frame.digest != self.digest:
            raise ProtocolError(ErrorCode.ARRAY_DIGEST_MISMATCH, "a frame of another array")
        if (frame.dtype, frame.length) != (self.dtype, self.length):
            raise _bad("dtype or length is not that of the response")
        if frame.position != self.position or self.complete:
            raise ProtocolError(ErrorCode.ARRAY_MISORDERED, f"position {frame.position}, not {self.position}")
        self._store(frame.data)
        self.position += len(frame.data) // ITEM_BYTES[self.dtype]

    def _store(self, data: memoryview) -> None:
        start = self.position * ITEM_BYTES[self.dtype]
        if len(data) == self.length * ITEM_BYTES[self.dtype]:
            self.data = data
            return
        if not self._buffer:
            self._allocate()
        self._buffer[start : start + len(data)] = data
        self.data = self._buffer[: start + len(data)]

    def _allocate(self) -> None:
        try:
            # numpy has large buffers in large pages, where the system has any: a page fault for 2 MiB, not for 4 KiB.
            self._buffer = np.empty(self.length * ITEM_BYTES[self.dtype], np.uint8).data
        except MemoryError as error:
            raise ProtocolError(ErrorCode.TOO_LARGE, f"no memory for {self.length} elements") from error

    def to_numpy(self) -> npt.NDArray[Any]:
        """View what was received as an array of the shape announced."""
        return to_numpy(self.data, self.dtype, self.shape)
