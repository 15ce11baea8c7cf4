"""The committed vectors, read as another implementation would read them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.wire_strategies import bits
from protocol.session_pair import SESSION, Pair, refusal, value_of
from protocol.tagged_json import VECTORS, join, load, untag
from synovia_protocol.arrays import (
    DTYPES,
    ITEM_BYTES,
    ArrayReceived,
    ChunkReceived,
    array_digest,
    chunk_digest,
    chunks_of,
    decode_frame,
    encode_frame,
)
from synovia_protocol.codec import FROM_CLIENT, decode_client, decode_server, encode, pack, unpack, unpack_patch
from synovia_protocol.digest import canonical, digest
from synovia_protocol.errors import PatchError
from synovia_protocol.messages import ArrayFrame
from synovia_protocol.patch import apply
from synovia_protocol.sessions import ClientSession
from vectors.generate import make_all


def cases(file: str, member: str) -> pytest.MarkDecorator:
    """Give the cases of one member of a file to pytest, by name."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in load(file)[member]])


def test_the_files_are_what_the_generator_writes() -> None:
    made = make_all()
    assert {path.name for path in VECTORS.glob("*.json")} == set(made)
    for name, text in made.items():
        assert (VECTORS / name).read_text(encoding="ascii") == text, f"{name}: python -m vectors.generate"


def test_the_names_of_cases_are_unique() -> None:
    for path in VECTORS.glob("*.json"):
        for member, items in load(path.name).items():
            names = [(case.get("to"), case.get("direction"), case["name"]) for case in items]
            assert len(set(names)) == len(names), (path.name, member)


@cases("values.json", "values")
def test_values(case: dict[str, Any]) -> None:
    packed = bytes.fromhex(case["packed"])
    assert pack(untag(case["value"])) == packed
    assert pack(unpack(packed, FROM_CLIENT)) == packed


@cases("values.json", "accepted")
def test_longer_forms_of_values(case: dict[str, Any]) -> None:
    packed = bytes.fromhex(case["packed"])
    assert pack(unpack(packed)) == pack(untag(case["value"])) != packed


@cases("messages.json", "messages")
def test_messages(case: dict[str, Any]) -> None:
    message, frame = untag(case["message"]), bytes.fromhex(case["frame"])
    decoded = (decode_client if case["direction"] == "client" else decode_server)(frame)
    assert type(decoded) is type(message)
    assert encode(message) == frame == encode(decoded)


@cases("messages.json", "accepted")
def test_longer_forms_of_messages(case: dict[str, Any]) -> None:
    decode = decode_client if case["direction"] == "client" else decode_server
    assert decode(bytes.fromhex(case["frame"])) == untag(case["message"])


@cases("patches.json", "patches")
def test_patches(case: dict[str, Any]) -> None:
    packed = bytes.fromhex(case["packed"])
    assert pack(untag(case["patch"])) == packed
    a, b = untag(case["a"]), untag(case["b"])
    assert bits(apply(a, unpack_patch(packed))) == bits(b)


@cases("patches.json", "refused")
def test_patches_that_do_not_fit(case: dict[str, Any]) -> None:
    packed = bytes.fromhex(case["packed"])
    assert pack(untag(case["patch"])) == packed
    with pytest.raises(PatchError):
        apply(untag(case["a"]), unpack_patch(packed))


def test_dtypes() -> None:
    listed = load("arrays.json")["dtypes"]
    assert {item["name"]: item["code"] for item in listed} == DTYPES
    assert {item["name"]: item["bytes"] for item in listed} == ITEM_BYTES
    assert all(np.dtype(item["name"]).itemsize == item["bytes"] for item in listed)


@cases("arrays.json", "digests")
def test_array_digests(case: dict[str, Any]) -> None:
    source = memoryview(join(case["source"]))
    raw = source[case["offset"] : case["offset"] + case["length"]]
    assert len(raw) == case["length"]
    chunks = [chunk_digest(chunk) for chunk in chunks_of(raw)]
    assert [chunk.hex() for chunk in chunks] == case["chunks"]
    assert len(set(case["digests"].values())) == 3
    assert {dtype: array_digest(dtype, chunks).hex() for dtype in case["digests"]} == case["digests"]


@cases("arrays.json", "frames")
def test_array_frames(case: dict[str, Any]) -> None:
    frame = ArrayFrame(
        case["stream"],
        case["dtype"],
        bytes.fromhex(case["digest"]),
        int(case["position"]),
        int(case["length"]),
        memoryview(bytes.fromhex(case["data"])),
    )
    assert encode_frame(frame).hex() == case["frame"]
    assert decode_frame(bytes.fromhex(case["frame"])) == frame


@cases("digests.json", "digests")
def test_result_digests(case: dict[str, Any]) -> None:
    for value in map(untag, case["values"]):
        assert pack(canonical(value)).hex() == case["canonical"]
        assert digest(value).hex() == case["digest"]
        assert digest(unpack(pack(value))).hex() == case["digest"]


def receiver(to: str, state: str) -> Any:
    """Make the session that a case of bad_frames.json is sent to, as its README describes it."""
    pair = Pair()
    if to == "server":
        if state == "open":
            pair.open().subscribe(1)
        return pair.server
    if state == "welcome":
        client = ClientSession(SESSION)
        client.connect()
        return client
    pair.open().subscribe(1, 2)
    pair.client.mutation(1, "a:b", {})
    pair.client.action(2, "a:b", {})
    pair.client.fetch_array(9, 1, bytes(range(32)))
    pair.to_client(pair.server.send_transition(5, [value_of(1, {"a": 1}), value_of(2, [1, 2])]))
    return pair.client


class Hashing:
    """A session, and what hashes the chunks that it gives."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._digests: list[bytes] = []

    def receive(self, frame: bytes | str) -> None:
        for event in self._session.receive(frame):
            if isinstance(event, ChunkReceived):
                self._digests.append(chunk_digest(event.data))
            elif isinstance(event, ArrayReceived):
                event.check(self._digests)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case['to']}: {case['name']}") for case in load("bad_frames.json")["frames"]]
)
def test_bad_frames_end_a_connection(case: dict[str, Any]) -> None:
    session = Hashing(receiver(case["to"], case["state"]))
    for frame in case["before"]:
        session.receive(join(frame))
    error = refusal(lambda: session.receive(case["text"] if "text" in case else join(case["frame"])))
    assert error is not None
    assert (error.code.value, error.close_code.value) == (case["code"], case["close"])
