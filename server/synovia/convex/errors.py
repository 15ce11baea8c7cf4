"""Errors as Convex clients are told them: a text for people, and data if the function raised it on purpose."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from synovia.convex.messages import Failure
from synovia.convex.values import Encoded, Unrepresentable, encode, write
from synovia.errors import CONVEX_ERROR
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia.convex")

_WITHOUT_DATA = frozenset(ErrorCode) - {
    ErrorCode.NOT_FOUND,
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN,
    ErrorCode.UNIQUE_VIOLATION,
    ErrorCode.ARRAY_NOT_FOUND,
    ErrorCode.LIMIT_EXCEEDED,
    ErrorCode.RATE_LIMITED,
}
"""What is nobody's purpose: a Convex client raises an ordinary error for it."""
_INVALID_CURSOR = {"isConvexSystemError": True, "paginationError": "InvalidCursor"}


def failure_of(error: ErrorInfo, form: type[Encoded] = Encoded) -> Failure:
    """Tell a client of an error: ``{code, message, data}`` as data, or the data alone of a ``ConvexError``."""
    request = hashlib.sha256(f"{error.code} {error.message}".encode()).hexdigest()[:16]
    head = f"[Request ID: {request}] Server Error\nUncaught"
    if error.code == ErrorCode.BAD_CURSOR:
        return Failure(f"{head} ConvexError: InvalidCursor: {error.message}", write(_INVALID_CURSOR))
    if error.code in _WITHOUT_DATA:
        return Failure(f"{head} Error: {error.message}")
    return Failure(f"{head} ConvexError: {error.message}", _data(error, form))


def _data(error: ErrorInfo, form: type[Encoded]) -> str | None:
    data: Any = error.data
    if error.code != CONVEX_ERROR:
        data = {"code": error.code, "message": error.message}
        if error.data is not None:
            data["data"] = error.data
    try:
        return write(encode(data, None, form))
    except Unrepresentable as fault:
        logger.warning("the data of the error %r cannot be told to a Convex client: %s", error.code, fault)
        return None


def server_failure(text: str) -> Failure:
    """Tell a client of an error that nobody raised on purpose."""
    return failure_of(ErrorInfo(ErrorCode.SERVER_ERROR, text))
