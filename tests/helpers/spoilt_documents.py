"""Documents that mongod takes from clients and that make trouble for whoever follows the database."""

from __future__ import annotations

from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument

_MOST = 16 * 1024 * 1024


def undecodable(id_: Any = 1, **fields: Any) -> RawBSONDocument:
    """Make a document that nobody can decode: it has a binary of subtype 2 whose inner length is wrong."""
    good = encode({"_id": id_, **fields, "data": b"123456789"})
    subtype = good.index(b"\x05data\x00") + len(b"\x05data\x00") + 4
    return RawBSONDocument(good[:subtype] + b"\x02" + good[subtype + 1 :])


def largest(**fields: Any) -> dict[str, Any]:
    """Make a document of 16 MiB whose event is larger than that, because its ``_id`` is in there three times."""
    document = {"_id": "i" * 8_000, **fields, "text": ""}
    return {**document, "text": "x" * (_MOST - len(encode(document)))}
