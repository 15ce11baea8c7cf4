"""What a function may be called with: checked here, because a server ends the connection of a client that sends it more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synovia_client.errors import FunctionError
from synovia_protocol.codec import FROM_CLIENT, pack, unpack
from synovia_protocol.errors import ErrorCode, ProtocolError, WireValueError

_LIMITS = replace(FROM_CLIENT, max_elements=FROM_CLIENT.max_elements - 16)  # the message around them has some too


def checked(args: dict[str, Any]) -> dict[str, Any]:
    """Give a copy of the arguments that later changes by the caller do not reach.

    Raises:
        FunctionError: ``invalid_arguments``: not a map, or not wire values; ``too_large``: too much.
    """
    if not isinstance(args, dict):
        raise FunctionError(ErrorCode.INVALID_ARGUMENTS, f"arguments are a map, not {type(args).__name__}")
    try:
        copy: dict[str, Any] = unpack(pack(args), _LIMITS)
    except WireValueError as error:
        raise FunctionError(ErrorCode.INVALID_ARGUMENTS, f"these arguments cannot be sent: {error}") from error
    except ProtocolError as error:
        raise FunctionError(error.code, f"these arguments cannot be sent: {error}") from error
    return copy
