"""Errors that cross the wire: their codes, who is to blame, and the close codes they map to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any


class CloseCode(IntEnum):
    """WebSocket close codes (RFC 6455, section 7.4; 4000 to 4999 are the application's)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 4400
    UNAUTHENTICATED = 4401
    TIMEOUT = 4408
    TOO_LARGE = 4413
    TOO_SLOW = 4429
    SERVER_ERROR = 4500
    UNSUPPORTED_VERSION = 4505


class ErrorCode(StrEnum):
    """The codes that Synovia itself gives; an application's own errors have codes of its own."""

    # the client's frames are wrong: the connection ends
    BAD_FRAME = "bad_frame"
    BAD_MESSAGE = "bad_message"
    UNKNOWN_MESSAGE = "unknown_message"
    UNEXPECTED_MESSAGE = "unexpected_message"
    TEXT_FRAME = "text_frame"
    TOO_LARGE = "too_large"
    UNSUPPORTED_VERSION = "unsupported_version"
    BAD_ARRAY_FRAME = "bad_array_frame"
    ARRAY_MISORDERED = "array_misordered"
    ARRAY_DIGEST_MISMATCH = "array_digest_mismatch"
    TIMEOUT = "timeout"
    TOO_SLOW = "too_slow"
    # one request is wrong: the connection goes on
    UNKNOWN_FUNCTION = "unknown_function"
    WRONG_KIND = "wrong_kind"
    INVALID_ARGUMENTS = "invalid_arguments"
    UNKNOWN_INDEX = "unknown_index"
    BAD_CURSOR = "bad_cursor"
    ARRAY_NOT_FOUND = "array_not_found"
    BAD_RANGE = "bad_range"
    UNIQUE_VIOLATION = "unique_violation"
    NOT_FOUND = "not_found"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    INVALID_TOKEN = "invalid_token"  # noqa: S105
    LIMIT_EXCEEDED = "limit_exceeded"
    # the server is to blame
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as it travels: a code for programs, a message for people, data as the application likes."""

    code: str
    message: str
    data: Any = None


class ProtocolError(Exception):
    """The peer broke the protocol; the connection ends with ``close_code`` after a FatalError that says why."""

    def __init__(self, code: ErrorCode, message: str, close_code: CloseCode = CloseCode.PROTOCOL_ERROR) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.close_code = close_code
