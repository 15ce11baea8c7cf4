"""Documents as a database gives them back: what is read before a commit must not differ from what is read after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from synovia.schema import Document
from synovia.store.base import Write
from synovia.turns import Turns

_OPTIONS: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


async def as_stored(writes: Iterable[Write]) -> list[Write]:
    """Give writes with the documents as they will be read: ``_id`` first, times in milliseconds, integers in their width.

    A document that BSON cannot hold is left as it is: the store says what is wrong with it.
    """
    stored, turns = list[Write](), Turns(urgent=True)
    for write in writes:
        after = None if write.after is None else _read_back(write.after)
        stored.append(Write(write.table, write.id, write.before, after))
        await turns.step()
    return stored


def _read_back(document: Document) -> Document:
    try:
        return bson.decode(bson.encode(document), _OPTIONS)
    except (BSONError, OverflowError, UnicodeError):
        return document
