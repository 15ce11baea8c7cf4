"""Documents as a database gives them back: what is read before a commit must not differ from what is read after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

import bson
from bson import Int64, ObjectId
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from synovia.schema import Document
from synovia.store.base import Bodies, Write
from synovia.transaction.keyed import FEW
from synovia.turns import Turns

_OPTIONS: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_PLAIN: Final = frozenset({str, float, bool, bytes, type(None), Int64, ObjectId})
_INT32: Final = 1 << 31


async def as_stored(writes: Sequence[Write]) -> list[Write]:
    """Give writes with the documents as they will be read: ``_id`` first, times in milliseconds, integers in their width.

    A document that BSON cannot hold is left as it is: the store says what is wrong with it.
    """
    stored: list[Write] = []
    turns = Turns(urgent=True) if len(writes) > FEW else None
    for write in writes:
        if write.after is None or _reads_as_it_is(write.after):
            stored.append(write)
        else:
            after, bodies = _read_back(write.after, write.bodies)
            stored.append(Write(write.table, write.id, write.before, after, bodies, write.id_key))
        if turns is not None:
            await turns.step()
    return stored


def _reads_as_it_is(document: Document) -> bool:
    """Tell whether reading it would give the very same, for certain."""
    for value in document.values():
        kind = type(value)
        if kind is int:
            if not -_INT32 <= value < _INT32:
                return False
        elif kind not in _PLAIN:
            return False
    return next(iter(document), None) == "_id"


def _read_back(document: Document, bodies: Bodies | None) -> tuple[Document, Bodies | None]:
    try:
        return bson.decode(bson.encode(document) if bodies is None else bodies[1], _OPTIONS), bodies
    except (BSONError, OverflowError, UnicodeError):
        return document, None
