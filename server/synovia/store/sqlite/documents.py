"""Documents as the file holds them: BSON in and out."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from synovia.keys import IndexSpec, ParallelArrays, encode_value, index_keys
from synovia.schema.specs import Document
from synovia.store.base import Bodies, StoreError

MAX_BYTES: Final = 16 * 1024 * 1024
"""MongoDB's limit, so that an application that runs here runs there."""

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


def load(body: bytes) -> Document:
    """Decode a document; every call gives a new one."""
    return bson.decode(body, _OPTIONS)


def dump(document: Document) -> bytes:
    """Encode a document, ``_id`` first.

    Raises:
        StoreError: It has something that BSON has not, or is larger than MongoDB allows.
    """
    try:
        body = bson.encode(document)
    except (BSONError, OverflowError, UnicodeError) as error:
        raise StoreError(f"the document {document.get('_id')!r} cannot be stored: {error}") from error
    if len(body) > MAX_BYTES:
        raise StoreError(f"the document {document.get('_id')!r} has {len(body)} bytes; {MAX_BYTES} are allowed")
    return body


def dump_as(id_: bytes, document: Document) -> bytes:
    """Encode a document that is to have this encoded ``_id``.

    Raises:
        StoreError: It has another one, or cannot be stored.
    """
    if encode_value(document.get("_id")) != id_:
        raise StoreError(f"the document's _id {document.get('_id')!r} is not that of its write")
    return dump(document)


def body_of(id_: bytes, document: Document, bodies: Bodies | None) -> bytes:
    """Give the bytes of a document that is to have this encoded ``_id``, the second of ``bodies`` if they are at hand.

    Raises:
        StoreError: It has another one, or cannot be stored.
    """
    if bodies is None or len(bodies[1]) > MAX_BYTES or encode_value(document.get("_id")) != id_:
        return dump_as(id_, document)
    return bodies[1]


def keys_of(index: IndexSpec, document: Document | None) -> set[bytes]:
    """Give the keys of a document in an index.

    Raises:
        StoreError: The index cannot hold it.
    """
    try:
        return set() if document is None else set(index_keys(index, document))
    except ParallelArrays as error:
        raise StoreError(f"the index {index.name!r} cannot hold the document: {error}") from error


def is_same(body: bytes, document: Document) -> bool:
    """Tell whether a stored document is ``document``, whatever the width of its numbers."""
    return body == dump(document) or encode_value(load(body)) == encode_value(document)
