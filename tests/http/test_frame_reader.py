"""Frames are gathered as the library would, a long one with one copy, and nothing beyond its end is parsed with it."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from helpers.sync_server import client_of, serving
from synovia.http import protocol
from synovia.http.frame_reader import FrameReader
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


def masked(data: bytes) -> bytes:
    return Frame(Opcode.BINARY, data).serialize(mask=True, extensions=[])
