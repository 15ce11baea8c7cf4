"""The array downloads of one client connection."""

from __future__ import annotations

from synovia_protocol.arrays import DownloadReceiver
from synovia_protocol.errors import ErrorCode, ProtocolError
from synovia_protocol.events import ArrayChunk, ArrayFetched, ClientEvent
from synovia_protocol.messages import ArrayFrame, ArrayResponse
from synovia_protocol.values import Limits


class Downloads:
    """Which arrays were asked for, and what has come of each."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._expected: dict[int, bytes] = {}
        self._receivers: dict[int, DownloadReceiver] = {}
        self._cancelled: set[int] = set()

    def expect(self, request_id: int, digest: bytes) -> None:
        """Remember which array a fetch asks for."""
        self._expected[request_id] = digest

    def cancel(self, request_id: int) -> None:
        """Ignore what still comes of a fetch."""
        self._expected.pop(request_id, None)
        self._receivers.pop(request_id, None)
        self._cancelled.add(request_id)

    def is_cancelled(self, request_id: int) -> bool:
        """Whether a fetch was given up."""
        return request_id in self._cancelled

    def is_open(self, request_id: int) -> bool:
        """Whether something of a fetch is still to come."""
        return request_id in self._expected or request_id in self._receivers

    def received(self, request_id: int) -> memoryview:
        """Give the elements of a fetch that have arrived so far."""
        receiver = self._receivers.get(request_id)
        return memoryview(b"") if receiver is None else receiver.data

    def begin(self, response: ArrayResponse) -> list[ClientEvent]:
        """Take the answer to a fetch, whose elements follow."""
        digest = self._expected.pop(response.request_id, None)
        if digest is None:
            raise ProtocolError(ErrorCode.UNEXPECTED_MESSAGE, f"a second answer to fetch {response.request_id}")
        if response.error is not None:
            return [response]
        receiver = DownloadReceiver(digest, response.dtype, response.shape, self._limits)
        if receiver.complete:
            return [response, _fetched(response.request_id, receiver)]
        self._receivers[response.request_id] = receiver
        return [response]

    def receive(self, frame: ArrayFrame) -> list[ClientEvent]:
        """Take one frame of elements."""
        if frame.stream in self._cancelled:
            return []
        receiver = self._receivers.get(frame.stream)
        if receiver is None:
            raise ProtocolError(ErrorCode.BAD_ARRAY_FRAME, f"no array is awaited on stream {frame.stream}")
        receiver.receive(frame)
        events: list[ClientEvent] = [ArrayChunk(frame.stream, frame.position, frame.length, frame.data)]
        if receiver.complete:
            del self._receivers[frame.stream]
            events.append(_fetched(frame.stream, receiver))
        return events


def _fetched(request_id: int, receiver: DownloadReceiver) -> ArrayFetched:
    return ArrayFetched(request_id, receiver.digest, receiver.dtype, receiver.shape, receiver.data)
