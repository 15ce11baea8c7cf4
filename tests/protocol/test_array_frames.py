"""Arrays bit for bit: every dtype, every odd input, frames that are wrong in every way."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia_protocol.arrays import (
    CHUNK_BYTES,
    DTYPES,
    HEADER_BYTES,
    ITEM_BYTES,
    ArrayReceived,
    ArrayReceiver,
    ChunkReceived,
    DownloadReceiver,
    array_digest,
    chunk_digest,
    chunk_elements,
    chunks_of,
    decode_frame,
    encode_frame,
    frames_of,
    is_array_frame,
    raw_of,
    ref_of,
    to_numpy,
)
from synovia_protocol.codec import Limits
from synovia_protocol.errors import CloseCode, ErrorCode, ProtocolError, WireValueError
from synovia_protocol.messages import ArrayFrame, ArrayRef

SPECIAL = [
    0x7FF0_0000_0000_0001,  # a signalling NaN
    0x7FF8_0000_0000_0000,
    0xFFF8_0000_DEAD_BEEF,
    0x8000_0000_0000_0000,  # -0.0
    0x7FF0_0000_0000_0000,
    0xFFF0_0000_0000_0000,
    0x0000_0000_0000_0001,  # subnormal
    0x800F_FFFF_FFFF_FFFF,
    0x3FB9_9999_9999_999A,
]


def special_floats() -> npt.NDArray[Any]:
    return np.array(SPECIAL, dtype=np.uint64).view(np.float64)


def upload(array: npt.NDArray[Any]) -> tuple[list[ChunkReceived], ArrayReceived]:
    """Send an array through frames, as bytes, into a receiver."""
    receiver = ArrayReceiver()
    events: list[ChunkReceived | ArrayReceived] = []
    for frame in frames_of(array, ref_of(array)):
        events += receiver.receive(decode_frame(encode_frame(frame)))
    end = events.pop()
    chunks = [event for event in events if isinstance(event, ChunkReceived)]
    assert isinstance(end, ArrayReceived)
    assert len(chunks) == len(events)
    return chunks, end


def check_upload(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Check that an array arrives to the bit, and give what arrived."""
    chunks, end = upload(array)
    ref = ref_of(array)
    data = b"".join(chunk.data for chunk in chunks)
    assert data == array.astype(array.dtype.newbyteorder("<")).tobytes()
    assert (end.digest, end.dtype, end.length) == (ref.digest, ref.dtype, ref.length)
    end.check(map(chunk_digest, (chunk.data for chunk in chunks)))
    assert [bytes(chunk.data) for chunk in chunks] == [bytes(chunk) for chunk in chunks_of(data)]
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    return to_numpy(data, ref.dtype, ref.shape)


# --- whole arrays ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 7, 300_000])
def test_every_dtype_arrives_to_the_bit(dtype: str, count: int) -> None:
    random = np.random.default_rng(count).integers(0, 256, count * ITEM_BYTES[dtype], dtype=np.uint8)
    array = (random > 127) if dtype == "bool" else random.view(dtype)
    again = check_upload(array)
    assert again.dtype == np.dtype(dtype)
    assert again.tobytes() == array.tobytes()


def test_special_floats_keep_their_bits() -> None:
    assert check_upload(special_floats()).view(np.uint64).tolist() == SPECIAL


def test_big_endian_input_keeps_its_bits() -> None:
    array = special_floats().byteswap().view(np.dtype(">f8"))
    assert check_upload(array).view(np.uint64).tolist() == SPECIAL
    assert ref_of(array) == ref_of(special_floats())


@pytest.mark.parametrize(
    "array",
    [
        np.arange(40.0)[::3],
        np.arange(40.0)[::-1],
        np.arange(40.0).reshape(5, 8).T,
        np.asfortranarray(np.arange(40.0).reshape(5, 8)),
        np.arange(40.0).reshape(5, 8)[1:4, 2:5],
        np.broadcast_to(np.float64(1.5), (3, 4)),
        np.frombuffer(bytes(range(1, 42)), dtype=np.float64, count=5, offset=1),  # unaligned
        np.array(2.5),
        np.zeros((0, 3)),
        np.zeros((2, 0), dtype=np.int16),
    ],
    ids=lambda array: f"{array.shape}-{array.strides}",
)
def test_odd_layouts_arrive_row_by_row(array: npt.NDArray[Any]) -> None:
    again = check_upload(array)
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes()


@given(st.binary(max_size=400).map(lambda data: data[: len(data) // 8 * 8]))
def test_any_bits_arrive(data: bytes) -> None:
    assert check_upload(np.frombuffer(data, dtype=np.float64)).tobytes() == data


@pytest.mark.parametrize("dtype", ["float16", "complex128", "U3", "O", "M8[s]", "longdouble"])
def test_other_dtypes_do_not_travel(dtype: str) -> None:
    with pytest.raises(WireValueError):
        raw_of(np.zeros(3, dtype=dtype))


def test_plain_arrays_are_not_copied() -> None:
    array = np.arange(5.0)
    raw = raw_of(array)
    array[0] = 9.0
    assert to_numpy(raw, "float64", (5,))[0] == 9.0


def test_digests_are_those_of_the_definition() -> None:
    data = np.arange(CHUNK_BYTES // 8 + 3, dtype=np.float64)
    raw = data.tobytes()
    first, rest = hashlib.sha256(raw[:CHUNK_BYTES]).digest(), hashlib.sha256(raw[CHUNK_BYTES:]).digest()
    assert ref_of(data).digest == hashlib.sha256(b"\x01" + first + rest).digest()
    assert ref_of(data[:0]).digest == array_digest("float64", []) == hashlib.sha256(b"\x01").digest()
    assert ref_of(data.view(np.int64)).digest != ref_of(data).digest


def test_a_growing_array_keeps_its_whole_chunks() -> None:
    data = np.arange(3 * chunk_elements("float64") + 10, dtype=np.float64)
    before = [chunk_digest(chunk) for chunk in chunks_of(raw_of(data[:-5]))]
    after = [chunk_digest(chunk) for chunk in chunks_of(raw_of(data))]
    assert before[:3] == after[:3]
    assert before[3] != after[3]


def test_to_numpy_needs_as_many_bytes_as_the_shape_says() -> None:
    with pytest.raises(ValueError, match="reshape"):
        to_numpy(bytes(16), "float64", (3,))


# --- frames ----------------------------------------------------------------------------------------------------------

FRAME = ArrayFrame(7, "float64", bytes(range(32)), 5, 9, memoryview(special_floats().tobytes()[:32]))


def test_the_header_is_that_of_the_definition() -> None:
    encoded = encode_frame(FRAME)
    assert encoded[:HEADER_BYTES] == b"\xc1\x01\x01\x00" + struct.pack("<I", 7) + bytes(range(32)) + struct.pack(
        "<QQ", 5, 9
    )
    assert encoded[HEADER_BYTES:] == bytes(FRAME.data)
    assert is_array_frame(encoded)
    assert not is_array_frame(b"\x91\x08")
    assert not is_array_frame(b"")
    assert not is_array_frame("\xc1")


def test_a_decoded_frame_is_a_view() -> None:
    frame = decode_frame(encode_frame(FRAME))
    assert frame == FRAME
    array = to_numpy(frame.data, "float64", (4,))
    assert array.flags.aligned
    assert array.base is not None


def header(**changes: Any) -> bytes:
    fields = {"mark": 0xC1, "version": 1, "code": 1, "reserved": 0, "stream": 0, "position": 0, "length": 2} | changes
    start = bytes([fields["mark"], fields["version"], fields["code"], fields["reserved"]])
    return start + struct.pack("<I32sQQ", fields["stream"], bytes(32), fields["position"], fields["length"])


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1",
        header()[:55],
        header(version=2) + bytes(16),
        header(code=0) + bytes(16),
        header(code=12) + bytes(16),
        header(code=255) + bytes(16),
        header(reserved=1) + bytes(16),
        header() + bytes(15),  # not a whole number of elements
        header() + bytes(24),  # more than the length
        header(position=1) + bytes(16),
        header(position=2**64 - 1, length=2**64 - 1) + bytes(16),
        header(),  # nothing in it
        header(code=11) + b"\x01\x02",  # a boolean of 2
    ],
)
def test_bad_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_frame(frame)
    assert caught.value.code is ErrorCode.BAD_ARRAY_FRAME
    assert caught.value.close_code is CloseCode.PROTOCOL_ERROR


# --- uploads ---------------------------------------------------------------------------------------------------------

LONG = np.arange(2 * chunk_elements("float64") + 100, dtype=np.float64)
LONG_FRAMES = list(frames_of(LONG, ref_of(LONG)))


def changed(frame: ArrayFrame, **changes: Any) -> ArrayFrame:
    fields = {name: getattr(frame, name) for name in ("stream", "dtype", "digest", "position", "length", "data")}
    return ArrayFrame(**(fields | changes))


def upload_refusal(*frames: ArrayFrame, limits: Limits | None = None) -> ErrorCode:
    """Give the code with which the last frame is refused; those before must pass."""
    receiver = ArrayReceiver(limits or Limits())
    for frame in frames[:-1]:
        receiver.receive(frame)
    with pytest.raises(ProtocolError) as caught:
        receiver.receive(frames[-1])
    return caught.value.code


def test_uploads_may_interleave() -> None:
    other = np.arange(chunk_elements("int16") + 1, dtype=np.int16)
    receiver = ArrayReceiver()
    first, second = iter(LONG_FRAMES), iter(frames_of(other, ref_of(other)))
    ends = []
    for frame in (next(first), next(second), next(first), next(second), next(first)):
        ends += [event for event in receiver.receive(frame) if isinstance(event, ArrayReceived)]
    assert [(end.digest, end.dtype) for end in ends] == [
        (ref_of(other).digest, "int16"),
        (ref_of(LONG).digest, "float64"),
    ]


def test_an_array_may_be_uploaded_again() -> None:
    receiver = ArrayReceiver()
    for _ in range(2):
        events = [event for frame in LONG_FRAMES for event in receiver.receive(frame)]
        assert isinstance(events[-1], ArrayReceived)


def test_frames_out_of_order_are_refused() -> None:
    a, b, c = LONG_FRAMES
    assert upload_refusal(b) is ErrorCode.ARRAY_MISORDERED
    assert upload_refusal(a, a) is ErrorCode.ARRAY_MISORDERED
    assert upload_refusal(a, c) is ErrorCode.ARRAY_MISORDERED
    assert upload_refusal(a, b, c, c) is ErrorCode.ARRAY_MISORDERED


def test_frames_that_are_not_one_chunk_are_refused() -> None:
    a, b, c = LONG_FRAMES
    large = memoryview(bytes(CHUNK_BYTES + 8))
    assert upload_refusal(changed(a, data=large)) is ErrorCode.TOO_LARGE
    assert upload_refusal(a, b, changed(c, data=large)) is ErrorCode.TOO_LARGE
    assert upload_refusal(changed(a, data=a.data[:-8])) is ErrorCode.BAD_ARRAY_FRAME
    assert upload_refusal(a, b, changed(c, data=c.data[:8])) is ErrorCode.BAD_ARRAY_FRAME


def test_frames_that_contradict_those_before_are_refused() -> None:
    a, b, _ = LONG_FRAMES
    assert upload_refusal(a, changed(b, dtype="int64")) is ErrorCode.BAD_ARRAY_FRAME
    assert upload_refusal(a, changed(b, length=b.length + 1)) is ErrorCode.BAD_ARRAY_FRAME
    assert upload_refusal(changed(a, stream=1)) is ErrorCode.BAD_ARRAY_FRAME


def ended(*frames: ArrayFrame) -> tuple[ArrayReceived, list[bytes]]:
    """Give the end of an upload, and the digests of the chunks that have come."""
    receiver = ArrayReceiver()
    *chunks, end = [event for frame in frames for event in receiver.receive(frame)]
    assert isinstance(end, ArrayReceived)
    return end, [chunk_digest(chunk.data) for chunk in chunks if isinstance(chunk, ChunkReceived)]


@pytest.mark.parametrize(
    "frames",
    [
        [changed(frame, digest=bytes(32)) for frame in LONG_FRAMES],
        [ArrayFrame(0, "float64", bytes(32), 0, 0, memoryview(b""))],
        [changed(frame, dtype="int64") for frame in LONG_FRAMES],
        [changed(LONG_FRAMES[0], data=LONG_FRAMES[1].data), *LONG_FRAMES[1:]],
    ],
    ids=["other digest", "other digest of nothing", "other dtype", "other samples"],
)
def test_an_array_of_another_digest_is_refused(frames: list[ArrayFrame]) -> None:
    end, digests = ended(*frames)
    with pytest.raises(ProtocolError) as caught:
        end.check(digests)
    assert caught.value.code is ErrorCode.ARRAY_DIGEST_MISMATCH


def test_chunks_are_an_array_in_their_order_and_all_of_them_only() -> None:
    end, digests = ended(*LONG_FRAMES)
    end.check(digests)
    for others in (digests[::-1], digests[:-1], [*digests, digests[-1]], []):
        with pytest.raises(ProtocolError):
            end.check(others)


def test_arrays_and_uploads_are_limited() -> None:
    a = LONG_FRAMES[0]
    assert upload_refusal(a, limits=Limits(max_array_bytes=LONG.nbytes - 1)) is ErrorCode.TOO_LARGE
    many = [changed(a, digest=bytes([number]) * 32) for number in range(4)]
    assert upload_refusal(*many, limits=Limits(max_uploads=3)) is ErrorCode.TOO_LARGE


# --- downloads -------------------------------------------------------------------------------------------------------


def download_frames(array: npt.NDArray[Any], per_frame: int) -> list[ArrayFrame]:
    raw, item = raw_of(array), array.itemsize
    return [
        ArrayFrame(3, array.dtype.name, bytes(32), start, array.size, raw[start * item : (start + per_frame) * item])
        for start in range(0, array.size, per_frame)
    ]


@pytest.mark.parametrize("per_frame", [1, 3, 9, 10])
def test_downloads_come_together_in_one_buffer(per_frame: int) -> None:
    receiver = DownloadReceiver(bytes(32), "float64", (3, 3))
    for frame in download_frames(special_floats(), per_frame):
        assert not receiver.complete
        receiver.receive(frame)
    assert receiver.complete
    assert receiver.to_numpy().shape == (3, 3)
    assert receiver.to_numpy().view(np.uint64).reshape(-1).tolist() == SPECIAL


def test_a_download_in_one_frame_is_not_copied() -> None:
    encoded = encode_frame(download_frames(special_floats(), 9)[0])
    receiver = DownloadReceiver(bytes(32), "float64", (9,))
    receiver.receive(decode_frame(encoded))
    assert receiver.data.obj is encoded


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"position": 4}, ErrorCode.ARRAY_MISORDERED),
        ({"position": 2}, ErrorCode.ARRAY_MISORDERED),
        ({"digest": bytes(31) + b"\x01"}, ErrorCode.ARRAY_DIGEST_MISMATCH),
        ({"dtype": "int64"}, ErrorCode.BAD_ARRAY_FRAME),
        ({"length": 10}, ErrorCode.BAD_ARRAY_FRAME),
    ],
)
def test_downloads_that_do_not_continue_are_refused(changes: dict[str, Any], code: ErrorCode) -> None:
    receiver = DownloadReceiver(bytes(32), "float64", (9,))
    first, second, *_ = download_frames(special_floats(), 3)
    receiver.receive(first)
    with pytest.raises(ProtocolError) as caught:
        receiver.receive(changed(second, **changes))
    assert caught.value.code is code
    assert receiver.position == 3


def test_announcements_are_limited() -> None:
    for dtype, shape, code in (
        ("float64", (2**40, 2**40), ErrorCode.TOO_LARGE),
        ("float16", (1,), ErrorCode.BAD_ARRAY_FRAME),
    ):
        with pytest.raises(ProtocolError) as caught:
            DownloadReceiver(bytes(32), dtype, shape)
        assert caught.value.code is code


def test_a_reference_counts_its_elements() -> None:
    assert [ArrayRef(bytes(32), "int8", shape).length for shape in ((), (5,), (2, 3), (2, 0))] == [1, 5, 6, 0]
