"""Arguments of calls to come, as documents hold them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import bson
from bson.errors import InvalidDocument

from synovia.errors import FunctionError, InvalidArguments
from synovia.schema import Document, Id, Unstorable, to_bson
from synovia_protocol import codec
from synovia_protocol.errors import ErrorCode
from synovia_protocol.messages import ArrayRef

MOST_BYTES = 1024 * 1024


def taken(args: Mapping[str, Any]) -> tuple[Document, int]:
    """Turn what a function has given into a document, and tell its size in bytes on the wire.

    Raises:
        FunctionError: It cannot be stored, or not without loss, or is too large.
    """
    try:
        return stored_with_size(args)
    except Unstorable as error:
        raise InvalidArguments(str(error)) from None


def stored(args: Mapping[str, Any]) -> Document:
    """Turn wire values into a document; see ``stored_with_size``."""
    return stored_with_size(args)[0]


def stored_with_size(args: Mapping[str, Any]) -> tuple[Document, int]:
    """Turn wire values into a document, and tell their size in bytes on the wire.

    Raises:
        FunctionError: They are no wire values, cannot be stored without loss (a number beyond 64 bits), or are too large.
    """
    sent = _valued(args)
    document: Document = _plain(sent)
    try:
        packed = codec.pack(sent)
        kept = codec.pack(from_document(bson.decode(bson.encode(document))))
    except (InvalidDocument, OverflowError, TypeError, ValueError) as error:
        raise InvalidArguments(f"these arguments cannot be stored: {error}") from None
    if len(packed) > MOST_BYTES:
        raise FunctionError(
            ErrorCode.LIMIT_EXCEEDED, f"the arguments of a scheduled call have at most {MOST_BYTES} bytes"
        )
    if kept != packed:
        raise InvalidArguments("these arguments cannot be stored without loss")
    return document, len(packed)


def _valued(value: Any) -> Any:
    """Give enumerations as their values; a function that takes one finds it again."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _valued(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, ArrayRef):
        return [_valued(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    # Ids stay strings here, as on the wire; in a field of a document they would become ObjectIds.
    if isinstance(value, Id):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, ArrayRef):
        return [_plain(item) for item in value]
    return to_bson(value)


def from_document(value: Any) -> Any:
    """Turn stored arguments back into wire values."""
    match value:
        case {"digest": bytes(digest), "dtype": str(dtype), "shape": [*shape]} if len(value) == 3:
            return ArrayRef(bytes(digest), dtype, tuple(map(int, shape)))
        case dict():
            return {key: from_document(item) for key, item in value.items()}
        case list():
            return [from_document(item) for item in value]
        case bool():
            return value
        case int():
            return int(value)
        case bytes():
            return bytes(value)
    return value
