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
    OUT_OF_SYNC = "out_of_sync"
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
    REQUEST_EXPIRED = "request_expired"
    NOT_FOUND = "not_found"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    INVALID_TOKEN = "invalid_token"
    LIMIT_EXCEEDED = "limit_exceeded"
    MUTATION_TOO_LARGE = "mutation_too_large"
    RATE_LIMITED = "rate_limited"
    ORIGIN_REFUSED = "origin_refused"
    HOST_REFUSED = "host_refused"
    # the server is to blame
    SERVER_ERROR = "server_error"
    UNREADABLE_DOCUMENT = "unreadable_document"
    OVERLOADED = "overloaded"
    STOPPING = "stopping"


_CLOSE_CODES = {
    ErrorCode.TOO_LARGE: CloseCode.TOO_LARGE,
    ErrorCode.UNSUPPORTED_VERSION: CloseCode.UNSUPPORTED_VERSION,
    ErrorCode.TIMEOUT: CloseCode.TIMEOUT,
    ErrorCode.TOO_SLOW: CloseCode.TOO_SLOW,
    ErrorCode.RATE_LIMITED: CloseCode.TOO_SLOW,
    ErrorCode.UNAUTHENTICATED: CloseCode.UNAUTHENTICATED,
    ErrorCode.SERVER_ERROR: CloseCode.SERVER_ERROR,
    ErrorCode.OVERLOADED: CloseCode.SERVER_ERROR,
    ErrorCode.STOPPING: CloseCode.GOING_AWAY,
}


def close_code_of(code: ErrorCode) -> CloseCode:
    """Map an error that ends the connection to the close code it ends with."""
    return _CLOSE_CODES.get(code, CloseCode.PROTOCOL_ERROR)


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as it travels: a code for programs, a message for people, data as the application likes."""

    code: str
    message: str
    data: Any = None


class ProtocolError(Exception):
    """The peer broke the protocol; the connection ends with ``close_code`` after a FatalError that says why."""

    def __init__(self, code: ErrorCode, message: str, close_code: CloseCode | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.close_code = close_code_of(code) if close_code is None else close_code

    @property
    def info(self) -> ErrorInfo:
        """The error as FatalError carries it."""
        return ErrorInfo(self.code.value, self.message)


class BadFrame(ProtocolError):
    """The bytes are not msgpack, or hold what is not a wire value."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.BAD_FRAME, message)


class ResyncNeeded(ProtocolError):
    """What arrived does not continue what is held: connect again, and take nothing along but the session id."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.OUT_OF_SYNC, message)


class WireValueError(ValueError):
    """A value of one's own cannot travel: its type, its depth or its size."""


class IntegerTooLarge(WireValueError):
    """It is, or holds, an integer beyond 64 bits with sign."""


class PatchError(ValueError):
    """A patch does not fit the value that it was applied to."""


class SessionError(RuntimeError):
    """One's own side called what the state of the session does not allow; nothing was changed."""
