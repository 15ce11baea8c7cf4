"""The cases of patches.json, arrays.json and digests.json."""

from __future__ import annotations

import struct
from typing import Any

from synovia_protocol import messages as m
from synovia_protocol.arrays import CHUNK_BYTES, DTYPES, ITEM_BYTES, array_digest, chunk_digest, chunks_of, encode_frame
from synovia_protocol.codec import pack
from synovia_protocol.digest import canonical, digest
from synovia_protocol.edits import ListEdit, MapEdit
from synovia_protocol.patch import diff
from vectors.tagged import DIGEST, FLOATS, REF, Case, number, ramp, tagged, time

DOCUMENTS = [
    {"_id": f"{index:024x}", "name": f"document {index}", "count": index, "tags": ["a", "b"], "score": index / 3}
    for index in range(8)
]


def changed(index: int, **fields: Any) -> list[Any]:
    """Give the documents with fields of one of them changed."""
    return [*DOCUMENTS[:index], {**DOCUMENTS[index], **fields}, *DOCUMENTS[index + 1 :]]


DIFFED: dict[str, tuple[Any, Any]] = {
    "nothing": (DOCUMENTS, changed(0)),
    "a scalar": (1, 2),
    "another type": (1, 1.0),
    "true and 1": ([True, "a long enough text"], [1, "a long enough text"]),
    "minus zero": ({"x": 0.0, "text": "a long enough text"}, {"x": -0.0, "text": "a long enough text"}),
    "another NaN": ([number(0x7FF8 << 48), "text" * 5], [number((0x7FF8 << 48) + 1), "text" * 5]),
    "a key set": ({"a": 1, "text": "a long enough text"}, {"a": 2, "text": "a long enough text", "b": [1]}),
    "a key removed": ({"a": 1, "text": "a long enough text"}, {"text": "a long enough text"}),
    "a key deep inside": ({"a": {"b": {"c": "d" * 20, "e": 1}}}, {"a": {"b": {"c": "d" * 20, "e": 2}}}),
    "the key __proto__": ({"__proto__": 1, "text": "a long text"}, {"__proto__": {"x": 1}, "text": "a long text"}),
    "one field of a document": (DOCUMENTS, changed(5, count=-1)),
    "one tag of a document": (DOCUMENTS, changed(5, tags=["a", "c", "b"])),
    "a document inserted": (DOCUMENTS[1:], DOCUMENTS),
    "a document removed": (DOCUMENTS, DOCUMENTS[:3] + DOCUMENTS[4:]),
    "a document moved": (DOCUMENTS, [DOCUMENTS[6], *DOCUMENTS[:6], DOCUMENTS[7]]),
    "a document moved and edited": (DOCUMENTS, [{**DOCUMENTS[6], "count": 0.5}, *DOCUMENTS[:6], DOCUMENTS[7]]),
    "documents reversed": (DOCUMENTS, DOCUMENTS[::-1]),
    "a window that moved": (DOCUMENTS[:6], DOCUMENTS[2:]),
    "nothing in common": (DOCUMENTS, ["quite", "different"]),
    "an item in the middle": (list(range(100, 300)), [*range(100, 200), "new", *range(200, 300)]),
    "a cell of a matrix": (
        [[row + column / 7 for column in range(5)] for row in range(5)],
        [[row + column / 7 if (row, column) != (3, 2) else 0 for column in range(5)] for row in range(5)],
    ),
    "an array that grew": (
        {"_id": "a", "notes": "a long enough text", "samples": m.ArrayRef(DIGEST, "float64", (10,))},
        {"_id": "a", "notes": "a long enough text", "samples": m.ArrayRef(DIGEST[::-1], "float64", (12,))},
    ),
}
WRITTEN: dict[str, tuple[Any, Any, Any]] = {
    "an empty map edit": ({"a": 1}, MapEdit({}), {"a": 1}),
    "an empty list edit": ([1], ListEdit(), [1]),
    "a run that repeats": ([1, 2, 3], ListEdit([0, 1, 0, 1]), [1, 1]),
    "an empty run": ([1, 2], ListEdit([2, 0, [5]]), [5]),
    "items only": ([1, 2], ListEdit([[7, [8]]]), [7, [8]]),
    "two edits of one item": ([{"a": 1}], ListEdit([], [0, MapEdit({"b": 2}), 0, MapEdit({}, ["a"])]), [{"b": 2}]),
    "an edit of a new item": ([1], ListEdit([[{}], 0, 1], [0, MapEdit({"a": 1})]), [{"a": 1}, 1]),
    "a whole value": ([1], {"a": 1}, {"a": 1}),
}
REFUSED: dict[str, tuple[Any, Any]] = {
    "a map edit of a list": ([], MapEdit({})),
    "a list edit of a map": ({}, ListEdit()),
    "a map edit of null": (None, MapEdit({})),
    "a list edit of a string": ("abc", ListEdit([0, 1])),
    "removes what is not there": ({"a": 1}, MapEdit({}, ["b"])),
    "removes twice": ({"a": 1}, MapEdit({}, ["a", "a"])),
    "removes and sets": ({"a": 1}, MapEdit({"a": 2}, ["a"])),
    "edits what is not there": ({}, MapEdit({"a": MapEdit({})})),
    "edits a scalar": ({"a": 1}, MapEdit({"a": MapEdit({})})),
    "edits beyond the end": ([1], ListEdit([], [1, 5])),
    "a run beyond the end": ([1, 2], ListEdit([1, 2])),
    "an empty run beyond the end": ([1, 2], ListEdit([3, 0])),
    "more than the old list has": ([1, 2], ListEdit([0, 2, 0, 1])),
}


def make_patches() -> Case:
    """Make patches.json."""
    triples = {name: (a, diff(a, b), b) for name, (a, b) in DIFFED.items()} | WRITTEN
    return {
        "patches": [
            {"name": name, "a": tagged(a), "patch": tagged(p), "packed": pack(p).hex(), "b": tagged(b)}
            for name, (a, p, b) in triples.items()
        ],
        "refused": [
            {"name": name, "a": tagged(a), "patch": tagged(p), "packed": pack(p).hex()}
            for name, (a, p) in REFUSED.items()
        ],
    }


# --- arrays ----------------------------------------------------------------------------------------------------------

ARRAYS: dict[str, tuple[int, int, int, int]] = {  # length of the source, seed, offset, length
    "empty": (0, 0, 0, 0),
    "one byte": (1, 7, 0, 1),
    "unaligned": (100, 1, 3, 64),
    "one byte short of a chunk": (CHUNK_BYTES, 2, 1, CHUNK_BYTES - 1),
    "a chunk": (CHUNK_BYTES, 3, 0, CHUNK_BYTES),
    "an unaligned chunk": (CHUNK_BYTES + 8, 3, 5, CHUNK_BYTES),
    "a chunk and eight bytes": (CHUNK_BYTES + 8, 4, 0, CHUNK_BYTES + 8),
    "three chunks": (3 * CHUNK_BYTES, 5, 0, 3 * CHUNK_BYTES),
}


def _array_case(name: str, size: int, seed: int, offset: int, length: int) -> Case:
    chunks = [chunk_digest(chunk) for chunk in chunks_of(ramp(size, seed)[offset : offset + length])]
    return {
        "name": name,
        "source": [{"ramp": size, "seed": seed}],
        "offset": offset,
        "length": length,
        "chunks": [chunk.hex() for chunk in chunks],
        "digests": {dtype: array_digest(dtype, chunks).hex() for dtype in ("uint8", "float64", "bool")},
    }


def _frame_case(name: str, frame: m.ArrayFrame) -> Case:
    return {
        "name": name,
        "stream": frame.stream,
        "dtype": frame.dtype,
        "digest": frame.digest.hex(),
        "position": str(frame.position),
        "length": str(frame.length),
        "data": bytes(frame.data).hex(),
        "frame": encode_frame(frame).hex(),
    }


def make_arrays() -> Case:
    """Make arrays.json."""
    special = memoryview(b"".join(struct.pack("<Q", bits) for bits in FLOATS.values()))
    frames = {
        "special floats": m.ArrayFrame(0, "float64", DIGEST, 0, len(FLOATS), special),
        "the end of a download": m.ArrayFrame(9, "float64", DIGEST, 2**33, 2**33 + 2, special[:16]),
        "empty": m.ArrayFrame(0, "int8", array_digest("int8", []), 0, 0, memoryview(b"")),
        "the largest stream": m.ArrayFrame(2**32 - 1, "uint8", DIGEST, 0, 3, memoryview(b"\x00\x7f\xff")),
        **{
            f"two of {dtype}": m.ArrayFrame(0, dtype, DIGEST, 0, 2, memoryview((b"\x01" + bytes(item - 1)) * 2))
            for dtype, item in ITEM_BYTES.items()
        },
    }
    return {
        "dtypes": [{"name": name, "code": code, "bytes": ITEM_BYTES[name]} for name, code in DTYPES.items()],
        "digests": [_array_case(name, *case) for name, case in ARRAYS.items()],
        "frames": [_frame_case(name, frame) for name, frame in frames.items()],
    }


# --- digests of results ----------------------------------------------------------------------------------------------

SAME: dict[str, list[Any]] = {
    "null": [None],
    "true": [True],
    "one": [1, 1.0],
    "minus three": [-3, -3.0],
    "zero": [0, 0.0],
    "minus zero": [-0.0],
    "a half": [0.5],
    "2^53 - 1": [2**53 - 1, float(2**53 - 1)],
    "2^53 as a float": [float(2**53)],
    "2^53 as an integer": [2**53],
    "2^63 - 1": [2**63 - 1],
    "-2^63": [-(2**63)],
    "every NaN": [number(0x7FF8 << 48), number(0xFFF8_0000_DEAD_BEEF), number(0x7FF0_0000_0000_0001)],
    "infinity": [float("inf")],
    "keys by UTF-8": [
        {"\uffff": 1, "\U0001f600": 2, "é": 3, "z": 4, "": 5, "Z": 6},
        {"z": 4, "": 5.0, "Z": 6, "\U0001f600": 2, "é": 3, "\uffff": 1},
    ],
    "inside": [{"b": [1.0, {"d": -0.0, "c": 2}], "a": [2.5, 2.0]}, {"a": [2.5, 2], "b": [1, {"c": 2.0, "d": -0.0}]}],
    "bytes": [b"\x00\xff"],
    "timestamp": [time(1_700_000_000_123)],
    "array reference": [REF],
    "empty list": [[]],
    "empty map": [{}],
    "documents": [DOCUMENTS],
}


def make_digests() -> Case:
    """Make digests.json."""
    return {
        "digests": [
            {
                "name": name,
                "values": [tagged(value) for value in values],
                "canonical": pack(canonical(values[0])).hex(),
                "digest": digest(values[0]).hex(),
            }
            for name, values in SAME.items()
        ]
    }
