"""What those who call are told of the errors of a store."""

from __future__ import annotations

from synovia.store.base import DuplicateRequest, ObjectsUnavailable, StoreError, StoreFull, StoreReadOnly, StoreUnusable
from synovia_protocol.errors import ErrorCode, ErrorInfo


def told_of(error: StoreError) -> ErrorInfo:
    """Tell what a caller is told of a failure of the store: to try again only where that can help."""
    if isinstance(error.__cause__, StoreError):  # what came of a run because of it: the caller is told what has failed
        return told_of(error.__cause__)
    if isinstance(error, StoreUnusable):
        return ErrorInfo(ErrorCode.SERVER_ERROR, "the database is out of order until whoever runs this server mends it")
    if isinstance(error, StoreFull):
        return ErrorInfo(
            ErrorCode.OVERLOADED, "the database has no room for this until whoever runs this server makes some"
        )
    if isinstance(error, StoreReadOnly):
        return ErrorInfo(
            ErrorCode.OVERLOADED, "the database takes no changes until whoever runs this server makes it writable"
        )
    if isinstance(error, ObjectsUnavailable):
        return ErrorInfo(ErrorCode.OVERLOADED, "the store of files cannot answer, try again later")
    if error.passing or isinstance(error, DuplicateRequest):
        return ErrorInfo(ErrorCode.OVERLOADED, "the database cannot answer, try again later")
    return ErrorInfo(ErrorCode.SERVER_ERROR, "the database refuses this")
