"""Documents as the file holds them: BSON in and out."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

from synovia.engine.keys import encode_value
from synovia.store.base import Document

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


def load(body: bytes) -> Document:
    """Decode a document; every call gives a new one."""
    return bson.decode(body, _OPTIONS)


def dump(document: Document) -> bytes:
    """Encode a document, ``_id`` first."""
    return bson.encode(document)


def is_same(body: bytes, document: Document) -> bool:
    """Tell whether a stored document is ``document``, whatever the width of its numbers."""
    return body == dump(document) or encode_value(load(body)) == encode_value(document)
