"""Messages that wait for their turn: what is large in them is kept packed until then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar

from synovia.transaction.footprint import LARGE_PACKED
from synovia_protocol.codec import unpack_own
from synovia_protocol.messages import Action, Mutation
from synovia_protocol.values import pack_raw

M = TypeVar("M", Mutation, Action)


class Waiting(Generic[M]):
    """A call that waits.

    Args:
        size: The bytes of the message that it came in.
    """

    __slots__ = ("_message", "_packed")

    def __init__(self, message: M, size: int) -> None:
        self._packed = pack_raw(message.args) if size > LARGE_PACKED else None
        self._message: M = message if self._packed is None else replace(message, args={})

    def message(self) -> M:
        """Give the call; its turn has come."""
        if self._packed is None:
            return self._message
        args: dict[str, Any] = unpack_own(self._packed)
        return replace(self._message, args=args)
