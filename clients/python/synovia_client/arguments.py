"""What a function may be called with: checked here, because a server ends the connection of a client that sends it more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synovia_client.errors import FunctionError
from synovia_protocol.codec import FROM_CLIENT, pack, unpack
from synovia_protocol.errors import ErrorCode, ProtocolError, WireValueError

_ENVELOPE_BYTES = 64
_ENVELOPE_ELEMENTS = 16
"""The message around path and arguments, at most."""
_NEVER_CHANGE = frozenset({type(None), bool, int, float, str, bytes})


def checked(path: str, args: dict[str, Any], max_message_bytes: int = FROM_CLIENT.max_message_bytes) -> dict[str, Any]:
    """Give a copy of the arguments that later changes by the caller do not reach.

    Args:
        max_message_bytes: How long a message may be.

    Raises:
        FunctionError: ``invalid_arguments``: not a map, or not wire values; ``too_large``: too much.
    """
    if not isinstance(args, dict):
        raise FunctionError(ErrorCode.INVALID_ARGUMENTS, f"arguments are a map, not {type(args).__name__}")
    try:
        room = max_message_bytes - len(pack(path)) - _ENVELOPE_BYTES
        elements = FROM_CLIENT.max_elements - _ENVELOPE_ELEMENTS
        packed = pack(args)
        if len(packed) <= room and len(args) < elements and _NEVER_CHANGE.issuperset({*map(type, args.values())}):
            return dict(args)  # as nearly always
        copy: dict[str, Any] = unpack(packed, replace(FROM_CLIENT, max_message_bytes=room, max_elements=elements))
    except (WireValueError, ProtocolError) as error:
        too_large = isinstance(error, ProtocolError) and error.code is ErrorCode.TOO_LARGE
        code = ErrorCode.TOO_LARGE if too_large else ErrorCode.INVALID_ARGUMENTS
        raise FunctionError(code, f"these arguments of {path!r} cannot be sent: {error}") from error
    return copy
