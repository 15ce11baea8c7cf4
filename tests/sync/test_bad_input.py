"""Every kind of bad input ends in a clear error to that client alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgpack
import numpy as np
import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed, InvalidStatus

from helpers.sync_server import Client, Running, client_of, serving, socket_to
from synovia_protocol.arrays import encode_frame, frames_of, ref_of
from synovia_protocol.client_session import ClientSession
from synovia_protocol.codec import encode
from synovia_protocol.errors import CloseCode
from synovia_protocol.messages import ArrayFrame, ArrayRef, Connect, Mutation, Ping, QueryAdd

SAMPLES = np.arange(40_000, dtype=np.float64)
REF = ref_of(SAMPLES)
FIRST, SECOND = frames_of(SAMPLES, REF)


def frame(of: ArrayFrame = FIRST, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "stream": of.stream,
        "dtype": of.dtype,
        "digest": of.digest,
        "position": of.position,
        "length": of.length,
        "data": of.data,
    }
    return encode_frame(ArrayFrame(**{**fields, **changes}))


def nested(depth: int) -> bytes:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return bytes(msgpack.packb([4, 1, "notes:post", {"value": value}]))


ENDS: dict[str, tuple[list[bytes | str], str, CloseCode]] = {
    "text": (["hello"], "text_frame", CloseCode.PROTOCOL_ERROR),
    "not msgpack": ([b"\xc6\xff"], "bad_frame", CloseCode.PROTOCOL_ERROR),
    "an empty frame": ([b""], "bad_frame", CloseCode.PROTOCOL_ERROR),
    "trailing bytes": ([encode(Ping(1)) + b"\x00"], "bad_frame", CloseCode.PROTOCOL_ERROR),
    "no list": ([msgpack.packb({"type": 8})], "bad_message", CloseCode.PROTOCOL_ERROR),
    "an unknown message": ([msgpack.packb([99, 1])], "unknown_message", CloseCode.PROTOCOL_ERROR),
    "a server's message": ([msgpack.packb([39, 1])], "unknown_message", CloseCode.PROTOCOL_ERROR),
    "fields missing": ([msgpack.packb([4, 1])], "bad_message", CloseCode.PROTOCOL_ERROR),
    "a field of the wrong type": ([msgpack.packb([4, "1", "a:b", {}])], "bad_message", CloseCode.PROTOCOL_ERROR),
    "arguments that are no map": ([msgpack.packb([4, 1, "a:b", [1]])], "bad_message", CloseCode.PROTOCOL_ERROR),
    "too deep": ([nested(80)], "too_large", CloseCode.TOO_LARGE),
    "too large": (
        [encode(Mutation(1, "notes:post", {"text": "x" * 2_000_000}))],
        "too_large",
        CloseCode.TOO_LARGE,
    ),
    "Connect twice": ([encode(Connect(bytes(16)))], "unexpected_message", CloseCode.PROTOCOL_ERROR),
    "a query removed that is not there": ([msgpack.packb([3, [], [9]])], "bad_message", CloseCode.PROTOCOL_ERROR),
    "an array frame cut short": ([frame()[:40]], "bad_array_frame", CloseCode.PROTOCOL_ERROR),
    "an array frame of another version": ([b"\xc1\x02" + frame()[2:]], "bad_array_frame", CloseCode.PROTOCOL_ERROR),
    "an unknown dtype": ([frame()[:2] + b"\x63" + frame()[3:]], "bad_array_frame", CloseCode.PROTOCOL_ERROR),
    "an array frame on a stream": ([frame(stream=7)], "bad_array_frame", CloseCode.PROTOCOL_ERROR),
    "an array frame longer than a chunk": (
        [frame(data=memoryview(SAMPLES.tobytes()))],
        "too_large",
        CloseCode.TOO_LARGE,
    ),
    "an array that begins in the middle": ([frame(SECOND)], "array_misordered", CloseCode.PROTOCOL_ERROR),
    "an array frame doubled": ([frame(), frame()], "array_misordered", CloseCode.PROTOCOL_ERROR),
    "an array of another digest": (
        [frame(digest=bytes(32)), frame(SECOND, digest=bytes(32))],
        "array_digest_mismatch",
        CloseCode.PROTOCOL_ERROR,
    ),
}


@pytest_asyncio.fixture
async def running() -> AsyncIterator[Running]:
    async with serving() as running:
        yield running


@pytest_asyncio.fixture
async def healthy(running: Running) -> AsyncIterator[Client]:
    """A client that holds a query, and must not notice anything."""
    async with client_of(running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "healthy"})
        yield client


async def assert_unharmed(running: Running, healthy: Client) -> None:
    response = await healthy.mutate("notes:post", {"board": "healthy", "text": "still here"})
    assert response.error is None
    assert [note["text"] for note in healthy.session.held[1].value] == ["still here"]
    assert len(running.hub) == 1


@pytest.mark.parametrize(("frames", "code", "close_code"), ENDS.values(), ids=ENDS.keys())
async def test_a_broken_frame_ends_that_connection_alone(
    running: Running, healthy: Client, frames: list[bytes | str], code: str, close_code: CloseCode
) -> None:
    async with client_of(running) as client:
        await client.send(*frames)
        fatal, closed_with = await client.end()
    assert (fatal.error.code, fatal.retry_after) == (code, None)
    assert closed_with == close_code
    await assert_unharmed(running, healthy)


@pytest.mark.parametrize(
    ("first", "code", "close_code"),
    [
        (encode(Ping(1)), "unexpected_message", CloseCode.PROTOCOL_ERROR),
        (frame(), "unexpected_message", CloseCode.PROTOCOL_ERROR),
        (encode(Connect(bytes(16), version=2)), "unsupported_version", CloseCode.UNSUPPORTED_VERSION),
        (encode(Connect(bytes(16), version=0)), "unsupported_version", CloseCode.UNSUPPORTED_VERSION),
        (msgpack.packb([1, b"short", 1]), "bad_message", CloseCode.PROTOCOL_ERROR),
    ],
    ids=["Ping", "array frame", "newer version", "older version", "short session id"],
)
async def test_a_wrong_first_frame_ends_that_connection_alone(
    running: Running, healthy: Client, first: bytes, code: str, close_code: CloseCode
) -> None:
    async with socket_to(running.url) as socket:
        client = Client(socket, ClientSession(bytes(16)))
        client.session.connect()
        await client.send(first)
        fatal, closed_with = await client.end()
    assert fatal.error.code == code
    assert closed_with == close_code
    await assert_unharmed(running, healthy)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(bytes([0x81, 0x81, 0, 0, 0, 0, 0xFF]), id="in one frame"),
        pytest.param(bytes([0x01, 0x81, 0, 0, 0, 0, 0xC3, 0x80, 0x81, 0, 0, 0, 0, 0x28]), id="in two"),
    ],
)
async def test_text_that_is_not_utf_8_is_closed_as_such_and_is_no_error_of_ours(
    running: Running, healthy: Client, frames: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """RFC 6455, section 8.1."""
    async with client_of(running) as client:
        client.socket.transport.write(frames)
        assert await client.closed() == 1007
    await assert_unharmed(running, healthy)
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_message_beyond_what_is_read_at_all_is_closed_as_too_big(running: Running, healthy: Client) -> None:
    async with client_of(running) as client:
        with suppress(ConnectionClosed):  # it may be closed while we are still sending
            await client.send(bytes(running.app.settings.limits.max_frame_bytes + 1))
        assert await client.closed() == 1009
    await assert_unharmed(running, healthy)


@pytest.mark.parametrize(
    ("path", "args", "code"),
    [
        ("notes:nothing", {}, "unknown_function"),
        ("nothing", {}, "unknown_function"),
        ("notes:post", {"board": "a", "text": "b"}, "wrong_kind"),
        ("notes:hidden", {}, "unknown_function"),
        ("notes:on_board", {"board": 3}, "invalid_arguments"),
        ("notes:on_board", {}, "invalid_arguments"),
        ("notes:on_board", {"board": "a", "limit": 3}, "invalid_arguments"),
        ("notes:wrong_index", {}, "unknown_index"),
        ("notes:broken", {}, "server_error"),
    ],
)
async def test_a_query_that_cannot_run_fails_and_the_connection_goes_on(
    running: Running, healthy: Client, path: str, args: dict[str, Any], code: str
) -> None:
    async with client_of(running) as client:
        error = await client.subscribe(1, path, args)
        assert error.code == code
        assert await client.subscribe(2, "notes:on_board", {"board": "other"}) == []
    await assert_unharmed(running, healthy)


@pytest.mark.parametrize(
    ("path", "args", "code"),
    [
        ("notes:nothing", {}, "unknown_function"),
        ("notes:on_board", {"board": "a"}, "wrong_kind"),
        ("notes:hidden", {}, "unknown_function"),
        ("notes:post", {"board": "a", "text": None}, "invalid_arguments"),
        ("notes:post", {"board": "a"}, "invalid_arguments"),
        ("notes:fail", {}, "server_error"),
        ("notes:plot", {"board": "a", "samples": REF}, "array_not_found"),
    ],
)
async def test_a_mutation_that_cannot_run_fails_and_the_connection_goes_on(
    running: Running, healthy: Client, path: str, args: dict[str, Any], code: str
) -> None:
    async with client_of(running) as client:
        response = await client.mutate(path, args)
        assert response.error is not None
        assert (response.ts, response.error.code) == (None, code)
        assert (await client.mutate("notes:post", {"board": "a", "text": "b"})).error is None
    await assert_unharmed(running, healthy)


@pytest.mark.parametrize("debug", [False, True])
async def test_an_exception_reaches_the_client_with_an_id_and_the_log_with_the_traceback(
    debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(debug=debug) as running, client_of(running) as client:
        error = (await client.mutate("notes:fail", {})).error
    assert error is not None
    assert ("the secret" in error.message) is debug
    logged = next(record for record in caplog.records if error.data["id"] in record.getMessage())
    assert logged.exc_info is not None
    assert "the secret of the mutation" in str(logged.exc_info[1])


@pytest.mark.parametrize(
    "ref",
    [
        ArrayRef(REF.digest, "float64", (39_999,)),
        ArrayRef(REF.digest, "float32", (40_000,)),
        ArrayRef(REF.digest, "bool", (320_000,)),
    ],
    ids=["shape", "dtype", "bytes that are no booleans"],
)
async def test_an_array_reference_must_agree_with_what_was_uploaded(running: Running, ref: ArrayRef) -> None:
    async with client_of(running) as client:
        await client.upload(SAMPLES, REF)
        response = await client.mutate("notes:plot", {"board": "a", "samples": ref})
        assert response.error is not None
        assert response.error.code == "invalid_arguments"
        assert (await client.mutate("notes:plot", {"board": "a", "samples": REF})).error is None


async def test_a_query_id_used_twice_ends_that_connection_alone(running: Running, healthy: Client) -> None:
    async with client_of(running) as client:
        add = QueryAdd(1, "notes:on_board", {"board": "a"})
        frame = client.session.modify([add])
        await client.send(frame, frame)
        fatal, _ = await client.end()
    assert fatal.error.code == "bad_message"
    await assert_unharmed(running, healthy)


async def test_the_handshake_needs_the_subprotocol(running: Running, healthy: Client) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket_to(running.url, subprotocols=None):
            pass
    assert refused.value.response.status_code == 400
    assert b"synovia.v1" in (refused.value.response.body or b"")
    await assert_unharmed(running, healthy)
