"""Frames are gathered as the library would, a long one with one copy, and nothing beyond its end is parsed with it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from helpers.sync_server import client_of, serving
from synovia.http import protocol
from synovia.http.frame_reader import FrameReader, read_frames_by, whole_message
from synovia_protocol.messages import Pong


def read_all(reader: StreamReader, sizes: Sequence[int], pieces: Sequence[bytes]) -> list[bytes]:
    """Read parts of these sizes while pieces come; give what was read before the end."""
    found: list[bytes] = []

    def reading() -> Generator[None, None, None]:
        for size in sizes:
            found.append(bytes((yield from reader.read_exact(size))))  # noqa: PERF401 (a comprehension cannot wait)

    steps = reading()
    try:
        next(steps)
        for piece in pieces:
            reader.feed_data(piece)
            next(steps)
        reader.feed_eof()
        next(steps)
    except (StopIteration, EOFError):
        pass
    return found


@given(
    sizes=st.lists(st.integers(0, 40), max_size=20),
    pieces=st.lists(st.binary(max_size=50), max_size=20),
)
def test_the_same_is_read_as_by_the_library(sizes: list[int], pieces: list[bytes]) -> None:
    assert read_all(FrameReader(), sizes, pieces) == read_all(StreamReader(), sizes, pieces)


def test_it_tells_how_much_is_missing() -> None:
    reader = FrameReader()
    steps = reader.read_exact(1000)
    next(steps)
    assert reader.missing == 1000
    reader.feed_data(bytes(400))
    next(steps)
    assert reader.missing == 600
    reader.feed_data(bytes(600))
    with pytest.raises(StopIteration) as caught:
        next(steps)
    assert len(caught.value.value) == 1000
    assert reader.missing == 0, "nothing is being read"


async def test_nothing_is_parsed_beyond_the_end_of_a_long_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of tiny frames behind one is parsed as slowly as any other."""
    beyond: list[int] = []
    longest = 0

    class Watched(FrameReader):
        def feed_data(self, data: bytes | bytearray) -> None:
            nonlocal longest
            longest = max(longest, len(data))
            beyond.append(len(data) - max(self.missing, protocol._SLICE_BYTES))
            super().feed_data(data)

    monkeypatch.setattr(protocol, "FrameReader", Watched)
    async with serving() as running, client_of(running) as client:
        session = client.session
        long = session.mutation(1, "notes:post", {"board": "a", "text": "x" * 200_000})
        pings = [session.ping(number) for number in range(300)]
        client.socket.transport.write(b"".join(map(masked, [long, *pings])))
        await client.until(lambda event: event == Pong(299))
        assert max(beyond) <= 0
        assert longest > protocol._SLICE_BYTES, "the long one is not cut into slices"


def by_the_library(data: bytes) -> list[Any]:
    connection = ServerProtocol(state=State.OPEN)
    connection.receive_data(data)
    return [*connection.events_received(), *([] if connection.parser_exc is None else [connection.parser_exc])]


@given(
    first=st.sampled_from([0x82, 0x02, 0x80, 0x81, 0x88, 0x89, 0xC2]),
    data=st.one_of(st.binary(max_size=200), st.sampled_from([125, 126, 127, 65_535, 65_536]).map(bytes)),
    mask=st.booleans(),
    cut=st.integers(0, 20),
    behind=st.binary(max_size=20),
)
def test_a_whole_message_is_what_the_library_reads(
    first: int, data: bytes, mask: bool, cut: int, behind: bytes
) -> None:
    frame = bytes((first,)) + Frame(Opcode.BINARY, data).serialize(mask=mask, extensions=[])[1:]
    sent = frame[:-cut] if cut else frame + behind
    found = whole_message(ServerProtocol(state=State.OPEN), memoryview(sent))
    if found is None:
        assert first != 0x82 or not mask or cut or len(data) > 65_535
    else:
        assert found == (data, len(frame))
        assert by_the_library(sent[: found[1]]) == [Frame(Opcode.BINARY, data)]


def test_what_is_no_message_by_itself_is_left_to_the_library() -> None:
    frame = memoryview(masked(bytes(100)))
    amid = ServerProtocol(state=State.OPEN)
    amid.receive_data(Frame(Opcode.BINARY, b"begins", fin=False).serialize(mask=True, extensions=[]))
    assert whole_message(amid, frame) is None
    assert whole_message(ServerProtocol(state=State.OPEN, max_size=99), frame) is None
    assert whole_message(ServerProtocol(state=State.CLOSING), frame) is None
    assert whole_message(ServerProtocol(state=State.OPEN, max_size=100), frame) == (bytes(100), len(frame))


@given(pieces=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_it_tells_when_it_is_between_two_frames(pieces: list[int]) -> None:
    connection, reader = ServerProtocol(state=State.OPEN), FrameReader()
    read_frames_by(connection, reader)
    frames = [masked(bytes(5)), masked(bytes(130)), masked(b""), masked(bytes(9))]
    ends = {sum(map(len, frames[:number])) for number in range(5)}
    sent, begin = b"".join(frames), 0
    for piece in [*pieces, *[1] * 300]:
        assert reader.is_between_frames == (begin in ends)
        connection.receive_data(sent[begin : begin + piece])
        begin = min(begin + piece, len(sent))
    assert len(connection.events_received()) == 4


async def test_messages_that_come_together_are_handled_in_their_order() -> None:
    """Nothing is read any more once a second one has come before the first was taken; all the same none is lost."""
    async with serving() as running, client_of(running) as client:
        session = client.session
        pings = [masked(session.ping(number)) for number in range(200)]
        pieces = b"".join(pings)
        for begin in range(0, len(pieces), 7):
            client.socket.transport.write(pieces[begin : begin + 7])
        for number in range(200):
            await client.until(lambda event, number=number: event == Pong(number))  # type: ignore[misc]


def masked(data: bytes) -> bytes:
    return Frame(Opcode.BINARY, data).serialize(mask=True, extensions=[])
