"""Answers of a server, however they are cut on their way: whole and in order, or the connection is given up."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import bson
import pytest
import uvloop
from bson import Int64, ObjectId, Timestamp
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import ProtocolError
from pymongo.network_layer import PyMongoProtocol

from helpers.patience import PATIENCE
from synovia.store.mongo.answers import Answers
from synovia.store.mongo.wire import success

MOST = 300_000
KIND = 2013


def framed(number: int, body: bytes) -> bytes:
    return struct.pack("<iiii", 16 + len(body), 1, number, KIND) + body


class Server:
    """The other end of a connection that is read by ``answers``, and before and after by the driver's protocol."""

    def __init__(self, theirs: PyMongoProtocol, answers: Answers, writer: asyncio.StreamWriter) -> None:
        self.theirs = theirs
        self.answers = answers
        self.writer = writer

    async def send(self, whole: bytes, cuts: list[int]) -> None:
        """Send bytes, cut at these places, each piece in a turn of the loop of its own."""
        places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
        for start, stop in itertools.pairwise(places):
            self.writer.write(whole[start:stop])
            await asyncio.sleep(0)


@asynccontextmanager
async def connected() -> AsyncIterator[Server]:
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, theirs = await asyncio.get_running_loop().create_connection(PyMongoProtocol, "127.0.0.1", port)
    answers = Answers(theirs, MOST)
    answers.begin()
    try:
        yield Server(theirs, answers, await accepted)
    finally:
        transport.abort()
        (await accepted).close()
        server.close()


@pytest.mark.parametrize("make_loop", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
@given(
    st.lists(st.integers(1, 400) | st.sampled_from([65_519, 65_520, 65_521, 200_000]), min_size=1, max_size=5),
    st.lists(st.integers(0, 70_000), max_size=6),
)
def test_answers_come_whole_and_in_order_however_they_are_cut(
    make_loop: Callable[[], asyncio.AbstractEventLoop], sizes: list[int], cuts: list[int]
) -> None:
    async def run() -> None:
        async with connected() as server, asyncio.timeout(PATIENCE):
            for first in (1, 100):  # what is left of one exchange must not be in the way of the next
                bodies = [bytes([first + place]) * size for place, size in enumerate(sizes)]
                numbers = [first + place for place in range(len(sizes))]
                asked = asyncio.create_task(server.answers.ask(b"?", numbers))
                await asyncio.sleep(0)
                await server.send(b"".join(map(framed, numbers, bodies)), cuts)
                assert await asked == [(body, KIND) for body in bodies]

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(run())


_TIMES: dict[str, Any] = {
    "$clusterTime": {"clusterTime": Timestamp(7, 2), "signature": {"hash": b"\x11operationTime\0", "keyId": 3}},
    "operationTime": Timestamp(7, 1),
}
_OF_WRITES: dict[str, Any] = {
    "n": 2, "electionId": ObjectId(), "opTime": {"ts": Timestamp(7, 1), "t": Int64(4)}, "nModified": 2
}  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ({**_OF_WRITES, "ok": 1.0, **_TIMES}, {"ok": 1.0, "n": 2}),
        ({"n": 1, "ok": 1.0, **_TIMES}, {"ok": 1.0, "n": 1}),
        ({"ok": 1.0, **_TIMES}, {"ok": 1.0, "operationTime": Timestamp(7, 1)}),
        ({**_OF_WRITES, "writeErrors": [{"index": 0, "code": 11000}], "ok": 1.0, **_TIMES}, None),
        ({"n": 1, "writeConcernError": {"code": 64}, "ok": 1.0, **_TIMES}, None),
        ({"ok": 1.0, "writeConcernError": {"code": 64}, **_TIMES}, None),
        ({"ok": 1.0, **_TIMES, "writeConcernError": {"code": 64}}, None),
        ({"ok": 0.0, "errmsg": "no", "code": 251, **_TIMES}, None),
        ({"n": 1, "ok": 0.0, **_TIMES}, None),
        ({"n": 1, "ok": 1.0}, None),
        ({"cursor": {"firstBatch": []}, "ok": 1.0, **_TIMES}, None),
    ],
)
def test_an_answer_is_read_in_short_only_if_all_went_well(reply: dict[str, Any], read: dict[str, Any] | None) -> None:
    assert success(bytes(5) + bson.encode(reply)) == read


@pytest.mark.parametrize(
    ("came", "error"),
    [
        (framed(2, b"x"), "an answer to"),
        (framed(1, b"x" * MOST), "an answer of"),
        (struct.pack("<iiii", 16, 1, 1, KIND), "an answer of"),
        (struct.pack("<iiii", -5, 1, 1, KIND), "an answer of"),
        (framed(1, b"x") + framed(2, b"y"), "nobody has asked"),
    ],
)
async def test_what_is_no_answer_fails(came: bytes, error: str) -> None:
    async with connected() as server, asyncio.timeout(PATIENCE):
        asked = asyncio.create_task(server.answers.ask(b"?", [1]))
        await asyncio.sleep(0)
        server.writer.write(came)
        with pytest.raises(ProtocolError, match=error):
            await asked


async def test_an_answer_to_nothing_ends_the_connection() -> None:
    async with connected() as server, asyncio.timeout(PATIENCE):
        server.writer.write(framed(1, b"x"))
        await server.theirs.wait_closed()
        with pytest.raises(OSError, match="closed"):
            await server.answers.ask(b"?", [1])


async def test_a_connection_that_is_lost_is_told_to_who_waits_and_to_the_driver() -> None:
    async with connected() as server, asyncio.timeout(PATIENCE):
        asked = asyncio.create_task(server.answers.ask(b"?", [1]))
        await asyncio.sleep(0)
        server.writer.write(framed(1, b"whole")[:10])
        server.writer.close()
        with pytest.raises(OSError, match=r"closed|reset"):
            await asked
        await server.theirs.wait_closed()


async def test_the_driver_reads_again_what_comes_after_the_end() -> None:
    async with connected() as server, asyncio.timeout(PATIENCE):
        asked = asyncio.create_task(server.answers.ask(b"?", [1]))
        await asyncio.sleep(0)
        server.writer.write(framed(1, b"ours"))
        assert await asked == [(b"ours", KIND)]
        server.answers.end()
        server.writer.write(framed(2, b"theirs"))
        data, kind = await server.theirs.read(2, MOST)
        assert (bytes(data), kind) == (b"theirs", KIND)
