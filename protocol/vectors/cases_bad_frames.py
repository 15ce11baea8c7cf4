"""The cases of bad_frames.json."""

from __future__ import annotations

import struct
from typing import Any

from synovia_protocol import messages as m
from synovia_protocol.arrays import CHUNK_BYTES
from synovia_protocol.codec import encode
from synovia_protocol.edits import ListEdit
from synovia_protocol.errors import ErrorCode, close_code_of
from vectors.tagged import DIGEST, ERROR, SESSION, Case


def header(stream: int = 0, code: int = 1, position: int = 0, length: int = 2, digest: bytes = DIGEST) -> str:
    """Write the header of an array frame."""
    start = bytes((0xC1, 1, code, 0))
    return (start + struct.pack("<I32sQQ", stream, digest, position, length)).hex()


MIB = 1 << 20
SPLIT = {"repeat": "00", "times": CHUNK_BYTES}
LONG = CHUNK_BYTES // 8 + 2  # elements of an array of two chunks
TO_SERVER: dict[str, tuple[str, Any, ErrorCode]] = {
    "empty": ("open", "", ErrorCode.BAD_FRAME),
    "truncated": ("open", "9408", ErrorCode.BAD_FRAME),
    "a byte too many": ("open", "910800", ErrorCode.BAD_FRAME),
    "string not UTF-8": ("open", "9202a2c328", ErrorCode.BAD_FRAME),
    "string with a surrogate": ("open", "9202a3eda080", ErrorCode.BAD_FRAME),
    "integer as a key": ("open", "940501a161810102", ErrorCode.BAD_FRAME),
    "bytes as a key": ("open", "940501a16181c4016102", ErrorCode.BAD_FRAME),
    "integer beyond int64": ("open", "940501a16181a178cf8000000000000000", ErrorCode.BAD_FRAME),
    "unknown extension type": ("open", "940501a16181a178d40500", ErrorCode.BAD_FRAME),
    "malformed array reference": ("open", "940501a16181a178d40100", ErrorCode.BAD_FRAME),
    "malformed timestamp": ("open", "940501a16181a178d4ff00", ErrorCode.BAD_FRAME),
    "patch from a client": ("open", "940501a16181a178d5029180", ErrorCode.BAD_FRAME),
    "too deep": ("open", ["940501a16181a178", {"repeat": "91", "times": 64}, "c0"], ErrorCode.TOO_LARGE),
    "far too deep": ("open", [{"repeat": "91", "times": 5000}, "c0"], ErrorCode.TOO_LARGE),
    "a MiB of empty lists": ("open", ["dd000ffff0", {"repeat": "90", "times": 0xFFFF0}], ErrorCode.TOO_LARGE),
    "headers that promise too much": ("open", [{"repeat": "dd0001869f", "times": 900}], ErrorCode.BAD_FRAME),
    "too long": ("open", ["c6001000fb", {"repeat": "00", "times": MIB}], ErrorCode.TOO_LARGE),
    "no list": ("open", "80", ErrorCode.BAD_MESSAGE),
    "empty list": ("open", "90", ErrorCode.BAD_MESSAGE),
    "type is a string": ("open", "91a138", ErrorCode.BAD_MESSAGE),
    "type is a boolean": ("open", "91c3", ErrorCode.BAD_MESSAGE),
    "field of a wrong type": ("open", "94040107" + "80", ErrorCode.BAD_MESSAGE),
    "field missing": ("open", "930401a161", ErrorCode.BAD_MESSAGE),
    "arguments are no map": ("open", "940401a16190", ErrorCode.BAD_MESSAGE),
    "negative id": ("open", "9207ff", ErrorCode.BAD_MESSAGE),
    "session of 15 bytes": ("connect", "9301c40f" + "00" * 15 + "01", ErrorCode.BAD_MESSAGE),
    "query added twice": ("open", "9203919301a16180", ErrorCode.BAD_MESSAGE),
    "query removed that is not there": ("open", "9303909107", ErrorCode.BAD_MESSAGE),
    "unknown type": ("open", "9163", ErrorCode.UNKNOWN_MESSAGE),
    "type of a server": ("open", "9127", ErrorCode.UNKNOWN_MESSAGE),
    "ping before Connect": ("connect", "9108", ErrorCode.UNEXPECTED_MESSAGE),
    "array before Connect": ("connect", header() + "00" * 16, ErrorCode.UNEXPECTED_MESSAGE),
    "second Connect": ("open", encode(m.Connect(SESSION)).hex(), ErrorCode.UNEXPECTED_MESSAGE),
    "another version": ("connect", encode(m.Connect(SESSION, 2)).hex(), ErrorCode.UNSUPPORTED_VERSION),
    "array: short header": ("open", header()[:-2], ErrorCode.BAD_ARRAY_FRAME),
    "array: frame version": ("open", "c102" + header()[4:] + "00" * 16, ErrorCode.BAD_ARRAY_FRAME),
    "array: dtype code": ("open", header(code=12) + "00" * 16, ErrorCode.BAD_ARRAY_FRAME),
    "array: reserved byte": ("open", "c1010101" + header()[8:] + "00" * 16, ErrorCode.BAD_ARRAY_FRAME),
    "array: half an element": ("open", header() + "00" * 12, ErrorCode.BAD_ARRAY_FRAME),
    "array: beyond the length": ("open", header() + "00" * 24, ErrorCode.BAD_ARRAY_FRAME),
    "array: no elements": ("open", header(), ErrorCode.BAD_ARRAY_FRAME),
    "array: half a chunk": ("open", header() + "00" * 8, ErrorCode.BAD_ARRAY_FRAME),
    "array: a boolean of 2": ("open", header(code=11) + "0102", ErrorCode.BAD_ARRAY_FRAME),
    "array: upload with a stream": ("open", header(stream=1) + "00" * 16, ErrorCode.BAD_ARRAY_FRAME),
    "array: not from the start": ("open", header(position=1) + "00" * 8, ErrorCode.ARRAY_MISORDERED),
    "array: more than a chunk": ("open", [header(length=LONG), SPLIT, "00" * 16], ErrorCode.TOO_LARGE),
    "array: too long": ("open", [header(length=2**40), SPLIT], ErrorCode.TOO_LARGE),
    "array: wrong digest": ("open", header() + "00" * 16, ErrorCode.ARRAY_DIGEST_MISMATCH),
    "array: empty with a wrong digest": ("open", header(length=0), ErrorCode.ARRAY_DIGEST_MISMATCH),
}
AFTER_A_CHUNK: dict[str, tuple[Any, ErrorCode]] = {
    "array: the first chunk again": ([header(length=LONG), SPLIT], ErrorCode.ARRAY_MISORDERED),
    "array: another dtype": ([header(length=LONG, code=3, position=LONG - 2), "00" * 16], ErrorCode.BAD_ARRAY_FRAME),
    "array: another length": ([header(length=LONG + 1, position=LONG - 2), "00" * 16], ErrorCode.BAD_ARRAY_FRAME),
    "array: wrong digest in the end": (
        [header(length=LONG, position=LONG - 2), "00" * 16],
        ErrorCode.ARRAY_DIGEST_MISMATCH,
    ),
}


def transition(*updates: m.QueryUpdate, start: int = 5, end: int = 6, number: int = 2) -> str:
    """Encode a transition for the client of README.md."""
    return encode(m.Transition(start, end, updates, number)).hex()


ANSWER = encode(m.ArrayResponse(9, "float64", (5,))).hex()
TO_CLIENT: dict[str, tuple[str, list[str], Any, ErrorCode]] = {
    "pong before Welcome": ("welcome", [], "9127", ErrorCode.UNEXPECTED_MESSAGE),
    "transition before Welcome": ("welcome", [], "93210005", ErrorCode.UNEXPECTED_MESSAGE),
    "welcome of another version": ("welcome", [], encode(m.Welcome(2, 9, 9.0)).hex(), ErrorCode.UNSUPPORTED_VERSION),
    "second Welcome": ("open", [], encode(m.Welcome(1, 9, 9.0)).hex(), ErrorCode.UNEXPECTED_MESSAGE),
    "type of a client": ("open", [], "9108", ErrorCode.UNKNOWN_MESSAGE),
    "array frame as a message": ("open", [], "c1", ErrorCode.BAD_ARRAY_FRAME),
    "patch in a value": ("open", [], "95210506919300" + "01" + "d5029180" + "02", ErrorCode.BAD_FRAME),
    "patch inside a value": ("open", [], "95210506919300" + "01" + "91d5029180" + "02", ErrorCode.BAD_FRAME),
    "patch in a response": ("open", [], "94220105d5029180", ErrorCode.BAD_FRAME),
    "unknown kind of update": ("open", [], "9421050691920901", ErrorCode.BAD_MESSAGE),
    "no patches": ("open", [], "94210506919301" + "0190", ErrorCode.BAD_MESSAGE),
    "malformed patch": ("open", [], "94210506919301" + "0191" + "d5029107", ErrorCode.BAD_FRAME),
    "a query twice": ("open", [], transition(m.QueryValue(1, 1), m.QueryValue(1, 1)), ErrorCode.BAD_MESSAGE),
    "a query never added": ("open", [], transition(m.QueryValue(7, 1)), ErrorCode.BAD_MESSAGE),
    "a transition lost": ("open", [], transition(start=6, end=7, number=3), ErrorCode.OUT_OF_SYNC),
    "a transition from the past": ("open", [], transition(start=4), ErrorCode.OUT_OF_SYNC),
    "a transition back": ("open", [], transition(end=4), ErrorCode.OUT_OF_SYNC),
    "a transition lost while time stood still": ("open", [], transition(end=5, number=3), ErrorCode.OUT_OF_SYNC),
    "a transition twice": ("open", [transition(end=5)], transition(end=5), ErrorCode.OUT_OF_SYNC),
    "a patch that does not fit": ("open", [], transition(m.QueryPatch(1, (ListEdit(),))), ErrorCode.OUT_OF_SYNC),
    "a patch while time stood still": ("open", [], transition(m.QueryPatch(1, (7,)), end=5), ErrorCode.OUT_OF_SYNC),
    "a patch of what failed": (
        "open",
        [transition(m.QueryFailed(1, ERROR))],
        transition(m.QueryPatch(1, (7,)), start=6, end=7, number=3),
        ErrorCode.OUT_OF_SYNC,
    ),
    "unchanged without a result": (
        "open",
        [transition(m.QueryFailed(1, ERROR))],
        transition(m.QueryUnchanged(1), start=6, end=7, number=3),
        ErrorCode.OUT_OF_SYNC,
    ),
    "an answer to nothing": ("open", [], encode(m.MutationResponse(8, 5)).hex(), ErrorCode.UNEXPECTED_MESSAGE),
    "an answer of another kind": ("open", [], encode(m.ActionResponse(1)).hex(), ErrorCode.UNEXPECTED_MESSAGE),
    "an answer twice": (
        "open",
        [encode(m.MutationResponse(1, 5)).hex()],
        encode(m.MutationResponse(1, 5)).hex(),
        ErrorCode.UNEXPECTED_MESSAGE,
    ),
    "array: not announced": ("open", [], header(9, length=5) + "00" * 40, ErrorCode.BAD_ARRAY_FRAME),
    "array: another stream": ("open", [ANSWER], header(8, length=5) + "00" * 40, ErrorCode.BAD_ARRAY_FRAME),
    "array: another dtype": ("open", [ANSWER], header(9, code=3, length=5) + "00" * 40, ErrorCode.BAD_ARRAY_FRAME),
    "array: another length": ("open", [ANSWER], header(9, length=6) + "00" * 40, ErrorCode.BAD_ARRAY_FRAME),
    "array: a gap": ("open", [ANSWER], header(9, length=5, position=1) + "00" * 8, ErrorCode.ARRAY_MISORDERED),
    "array: another array": (
        "open",
        [ANSWER],
        header(9, length=5, digest=bytes(32)) + "00" * 40,
        ErrorCode.ARRAY_DIGEST_MISMATCH,
    ),
    "array: an unknown dtype": ("open", [], "9425" + "09a7666c6f617431369105", ErrorCode.BAD_ARRAY_FRAME),
    "array: too many elements": ("open", [], "942509a7666c6f6174363491cf0000010000000000", ErrorCode.TOO_LARGE),
}


def _bad(to: str, name: str, state: str, before: list[Any], frame: Any, code: ErrorCode) -> Case:
    parts = frame if isinstance(frame, list) else [frame]
    return {
        "name": name,
        "to": to,
        "state": state,
        "before": [part if isinstance(part, list) else [part] for part in before],
        "frame": parts,
        "code": code.value,
        "close": close_code_of(code).value,
    }


def make_bad_frames() -> Case:
    """Make bad_frames.json."""
    first = [header(length=LONG), SPLIT]
    frames = [_bad("server", name, state, [], frame, code) for name, (state, frame, code) in TO_SERVER.items()]
    frames += [_bad("server", name, "open", [first], frame, code) for name, (frame, code) in AFTER_A_CHUNK.items()]
    frames += [_bad("client", name, *case) for name, case in TO_CLIENT.items()]
    for to, text in (("server", "[8]"), ("client", "[39]")):
        case = _bad(to, "a text frame", "open", [], [], ErrorCode.TEXT_FRAME)
        frames.append({**{key: item for key, item in case.items() if key != "frame"}, "text": text})
    return {"frames": frames}
