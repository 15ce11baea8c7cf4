"""What the driver's errors mean to the store: who is to blame, and whether trying again can help."""

from __future__ import annotations

from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidOperation,
    OperationFailure,
    ProtocolError,
    PyMongoError,
)

from synovia.store.base import SnapshotTooOld, StoreError, StoreFull, StoreUnavailable, StoreUnusable

DUPLICATE_KEY = 11000
HISTORY_LOST = 286
TOO_LARGE = 10334
NAMESPACE_EXISTS = 48
NAMESPACE_NOT_FOUND = 26
INDEX_NOT_FOUND = 27
INDEX_OPTIONS_CONFLICT = 85
INDEX_KEY_SPECS_CONFLICT = 86
_BAD_VALUE = 2
_BAD_HINT = 51174

_TOO_OLD = frozenset({239, 246})
"""SnapshotTooOld; and SnapshotUnavailable: the collection or one of its indexes was made after that time."""

AUTHENTICATION_FAILED = 18
_NOT_ALLOWED = frozenset({13, AUTHENTICATION_FAILED, 8000})

_NO_CONNECTION = frozenset({6, 7, 89, 202, 317, 9001})
_NO_PRIMARY = frozenset({91, 133, 134, 189, 10107, 11600, 11602, 13435, 13436})
_CUT_SHORT = frozenset({43, 50, 215, 234, 237, 262, 11601})
"""Cursors and operations that were killed or timed out, and a drop of the database that is under way."""

_NO_SESSIONS_NOW = "Sessions are not supported by this MongoDB deployment"
"""So the driver says of a member, too, that has just begun or is between two states, and tells nothing of sessions then.
That the deployment has them was seen when the store was opened."""

_STALE = frozenset({63, 136, 150, 175, 13388})
_OUT_OF_DISK_SPACE = 14031
_BUSY = frozenset({24, 46, 112, 365, _OUT_OF_DISK_SPACE})
"""Locks that are taken, writes that got into each other's way, a server that asks for patience, a full disk."""

_TRANSIENT = _NO_CONNECTION | _NO_PRIMARY | _CUT_SHORT | _STALE | _BUSY
"""After these a change stream opens again where it stopped, and a read is done again."""


def in_short(error: BaseException) -> str:
    """Give the text of an error without what the driver adds of its settings and of all that it knows of the servers."""
    text, _, _ = str(error).partition(" (configured timeouts: ")
    return text.partition(", Topology Description: ")[0]


def is_transient(error: BaseException) -> bool:
    """Tell whether the same read may succeed on another attempt."""
    if isinstance(error, ConnectionFailure | TimeoutError) or str(error) == _NO_SESSIONS_NOW:
        return True
    if isinstance(error, OperationFailure):
        return error.code in _TRANSIENT or error.has_error_label("ResumableChangeStreamError")
    return False


def is_too_large(error: BaseException) -> bool:
    """Tell whether a document, or an operation with two of them, is beyond what MongoDB takes."""
    return isinstance(error, DocumentTooLarge) or getattr(error, "code", None) in (TOO_LARGE, 17419, 17420)


class BadHint(StoreError):
    """The index that a read names is not there."""


def translated(error: BaseException) -> StoreError:
    """Give the store's error for one of the driver's."""
    if isinstance(error, StoreError):
        return error
    if is_too_large(error):
        return StoreError(f"a document is larger than MongoDB's limit of 16 MiB: {error}")
    if isinstance(error, OperationFailure):
        return _of_server(error)
    if isinstance(error, BSONError):
        return StoreError(f"a document is not one that BSON can hold: {error}")
    if isinstance(error, ConnectionFailure | ProtocolError | InvalidOperation):
        return StoreUnavailable(f"MongoDB cannot be reached: {error}")
    if isinstance(error, TimeoutError):
        return StoreUnavailable("MongoDB did not answer in time")
    if isinstance(error, ConfigurationError) and str(error) == _NO_SESSIONS_NOW:
        return StoreUnavailable(f"MongoDB cannot answer now: {error}")
    if isinstance(error, ConfigurationError):
        return StoreUnusable(f"MongoDB cannot be used like this: {error}")
    if isinstance(error, PyMongoError):
        return StoreError(f"the driver refused the operation: {error}")
    raise error


def address_refused(error: Exception) -> StoreError:
    """Give the store's error for what the driver says of an address."""
    if isinstance(error, ConfigurationError | ValueError):  # an invalid URI is the former
        return StoreUnusable(f"this MongoDB address cannot be used: {error}")
    return translated(error)


def _of_server(error: OperationFailure) -> StoreError:
    if error.code == _BAD_HINT or (error.code == _BAD_VALUE and "hint provided" in str(error)):
        return BadHint(str(error))
    if error.code in _TOO_OLD:
        return SnapshotTooOld(f"MongoDB no longer keeps that instant: {error}")
    if error.code in _NOT_ALLOWED:
        return StoreUnusable(f"MongoDB refuses access: {error}; the user needs the roles readWrite and dbAdmin")
    if error.code == _OUT_OF_DISK_SPACE:
        return StoreFull(f"MongoDB: {error}")
    if is_transient(error):
        return StoreUnavailable(f"MongoDB cannot answer now: {error}")
    return StoreError(f"MongoDB refused the operation: {error}")
