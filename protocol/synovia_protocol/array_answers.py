"""The array downloads of one connection as its server sees them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from synovia_protocol.arrays import ITEM_BYTES
from synovia_protocol.errors import SessionError
from synovia_protocol.messages import ArrayFrame, ArrayResponse, FetchArray


@dataclass(slots=True)
class _Answer:
    """How far the answer to a fetch has come; ``asked`` counts requests of its id without a response."""

    digest: bytes
    asked: int = 0
    dtype: str | None = None
    length: int = 0
    position: int = 0


class ArrayAnswers:
    """Which fetches are open, and which elements each is owed."""

    def __init__(self) -> None:
        self._open: dict[int, _Answer] = {}

    def ask(self, message: FetchArray) -> None:
        """Remember that an array was asked for."""
        self._open.setdefault(message.request_id, _Answer(message.digest)).asked += 1

    def cancel(self, request_id: int) -> None:
        """Owe nothing to this fetch any more."""
        self._open.pop(request_id, None)

    def owes(self, request_id: int) -> bool:
        """Whether elements have been announced and not been sent."""
        answer = self._open.get(request_id)
        return answer is not None and answer.position < answer.length

    def respond(self, response: ArrayResponse) -> None:
        """Take the response to a fetch, whose elements follow unless it is an error.

        Raises:
            SessionError: No such fetch waits for one.
        """
        answer = self._open.get(response.request_id)
        if answer is None or not answer.asked or (answer.dtype is not None and response.error is None):
            raise SessionError(f"no FetchArray {response.request_id} is open")
        answer.asked -= 1
        if response.error is None:
            answer.dtype, answer.length = response.dtype, prod(response.shape)
        self._close_if_done(response.request_id, answer)

    def send(self, frame: ArrayFrame) -> None:
        """Take the next elements of an answer.

        Raises:
            SessionError: They are not.
        """
        answer = self._open.get(frame.stream)
        if answer is None or answer.dtype is None:
            raise SessionError(f"no elements of {frame.stream} are due")
        due = answer.digest, answer.dtype, answer.length, answer.position
        stop = frame.position + len(frame.data) // ITEM_BYTES[answer.dtype]
        fits = frame.position < stop <= answer.length
        if not fits or (frame.digest, frame.dtype, frame.length, frame.position) != due:
            raise SessionError(f"not the next elements of {frame.stream}")
        answer.position = stop
        self._close_if_done(frame.stream, answer)

    def _close_if_done(self, request_id: int, answer: _Answer) -> None:
        if not answer.asked and answer.position == answer.length:
            del self._open[request_id]
