"""Errors that a function raises on purpose: they reach the client with their code, message and data."""

from __future__ import annotations

import logging
import math
from typing import Any

from synovia_protocol import codec
from synovia_protocol.errors import ErrorCode, ErrorInfo, WireValueError

logger = logging.getLogger("synovia")


class FunctionError(Exception):
    """An error that the caller is meant to see.

    Args:
        code: For programs, as ``recording_archived``; the application's own choice.
        message: For people.
        data: Any wire value, for programs that want to know more; what is none is not told, and the log says so.
    """

    def __init__(self, code: str, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = _text(code)
        self.message = _text(message)
        self.data = data

    @property
    def info(self) -> ErrorInfo:
        """The error as it travels."""
        if self.data is not None:
            try:
                codec.pack(self.data)
            except WireValueError as error:
                logger.warning("the data of an error %r cannot be told to anybody: %s", self.code, error)
                return ErrorInfo(self.code, self.message)
        return ErrorInfo(self.code, self.message, self.data)


def _text(value: object) -> str:
    """Make text that can be sent, of whatever an application has given: half a surrogate pair becomes a question mark."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


class CodedError(FunctionError):
    """An error with a code of Synovia's own."""

    CODE: ErrorCode

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(self.CODE, message, data)


class NotFound(CodedError):
    """There is no such thing, or the caller may not know of it."""

    CODE = ErrorCode.NOT_FOUND


class Forbidden(CodedError):
    """The caller is known and may not do this."""

    CODE = ErrorCode.FORBIDDEN


class Unauthenticated(CodedError):
    """Nobody is signed in."""

    CODE = ErrorCode.UNAUTHENTICATED


class InvalidArguments(CodedError):
    """The arguments do not fit the function."""

    CODE = ErrorCode.INVALID_ARGUMENTS


class UnknownFunction(CodedError):
    """No function has that path, or none that a client may call."""

    CODE = ErrorCode.UNKNOWN_FUNCTION


class WrongKind(CodedError):
    """The function exists but is of another kind, as a mutation called as a query."""

    CODE = ErrorCode.WRONG_KIND


class UnknownIndex(CodedError):
    """A query names an index that its table does not have, or fields out of the index's order."""

    CODE = ErrorCode.UNKNOWN_INDEX


class BadCursor(CodedError):
    """A cursor was not made by this query."""

    CODE = ErrorCode.BAD_CURSOR


class RateLimited(CodedError):
    """Too much in a short time; the data may say ``retryAfter``, in seconds."""

    CODE = ErrorCode.RATE_LIMITED


class KeyTaken(CodedError):
    """A unique index already holds the key of another document."""

    CODE = ErrorCode.UNIQUE_VIOLATION


CONVEX_ERROR = "convex_error"


class ConvexError(FunctionError):
    """An error whose data is all that matters, as Convex applications raise it.

    A Convex client raises a ``ConvexError`` with the same ``data``; for all others it is an error of the code
    ``convex_error`` with that data.

    Args:
        data: Any wire value: a text, or a map with what the client wants to know.
    """

    def __init__(self, data: Any, message: str | None = None) -> None:
        super().__init__(CONVEX_ERROR, message or (data if isinstance(data, str) else repr(data)), data)


def seconds_to_wait(error: ErrorInfo) -> float | None:
    """Give the seconds after which ``rate_limited`` says to try again; None of any other error, or if it does not say."""
    told = (
        error.data.get("retryAfter") if error.code == ErrorCode.RATE_LIMITED and isinstance(error.data, dict) else None
    )
    return told if isinstance(told, int | float) and math.isfinite(told) and told >= 0 else None


def error_body(code: str, message: str, data: Any = None) -> dict[str, Any]:
    """Make the JSON in which every error is told over HTTP."""
    return {"error": {"code": code, "message": message, "data": data}}


class SchemaError(TypeError):
    """A table or model is declared in a way that cannot work; raised at import."""
