"""Documents and results as operators are shown them: everything that a database may hold, and long values cut."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bson import ObjectId

from synovia.errors import InvalidArguments
from synovia.http.values import JsonError, load, to_json
from synovia.schema import Document, File
from synovia.schema.encrypted import sealed_in
from synovia.schema.search import without_terms
from synovia.schema.values import readable
from synovia_protocol import codec
from synovia_protocol.errors import WireValueError
from synovia_protocol.messages import ArrayRef

SEALED: Final = "(sealed)"
"""Stands for what is not shown, because it may hold what is encrypted where it is stored."""
MOST_TEXT: Final = 160
MOST_ITEMS: Final = 6


def shown(document: Document) -> dict[str, Any]:
    """Give a document as wire values: ids as text, references to arrays as such, files as functions give them."""
    try:
        found: dict[str, Any] = _opened(readable(_with_files(without_terms(document))))
        codec.pack(found)
    except (ValueError, WireValueError) as error:
        return {"_id": str(document.get("_id")), "$unreadable": str(error)}
    return found


def _with_files(value: Any) -> Any:
    if (sealed := sealed_in(value)) is not None:
        return {"$sealed": sealed.hex()}
    if isinstance(value, dict):
        return File.from_bson(value) or {key: _with_files(item) for key, item in value.items()}
    return [_with_files(item) for item in value] if isinstance(value, list) else value


def files_in(value: Any, place: str = "") -> Iterator[tuple[str, File]]:
    """Find the files of a document, each with its place in it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inside = f"{place}.{key}" if place else str(key)
        file = File.from_bson(item)
        if file is not None:
            yield inside, file
        else:
            yield from files_in(item, inside)


def with_files_of(value: Any, document: Document) -> Any:
    """Put the files of a document where a value that was read from JSON shows them: nobody else's can be written so."""
    known = [(json.loads(as_json(_opened(file))), file) for _, file in files_in(document)]
    return _with_known(value, known) if known else value


def _with_known(value: Any, known: Sequence[tuple[Any, File]]) -> Any:
    if isinstance(value, Mapping):
        file = next((file for shown, file in known if shown == value), None)
        return file or {key: _with_known(item, known) for key, item in value.items()}
    return [_with_known(item, known) for item in value] if isinstance(value, list) else value


def _opened(value: Any) -> Any:
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, Mapping):
        reference = _reference(value)
        return reference or {str(key): _opened(item) for key, item in value.items()}
    return [_opened(item) for item in value] if isinstance(value, list) else value


def _reference(value: Mapping[str, Any]) -> ArrayRef | None:
    if value.keys() != {"digest", "dtype", "shape"}:
        return None
    digest, dtype, shape = value["digest"], value["dtype"], value["shape"]
    if isinstance(digest, bytes) and len(digest) == 32 and isinstance(dtype, str) and isinstance(shape, list):
        return ArrayRef(bytes(digest), dtype, [int(each) for each in shape])
    return None


def cut(value: Any, depth: int = 0) -> Any:
    """Shorten a wire value for a table's cell."""
    if isinstance(value, str):
        return value if len(value) <= MOST_TEXT else f"{value[:MOST_TEXT]}…"
    if isinstance(value, bytes):
        return {"$bytes": len(value)}
    if isinstance(value, list):
        items = [] if depth > 1 else [cut(item, depth + 1) for item in value[:MOST_ITEMS]]
        return items if len(items) == len(value) else [*items, {"$more": len(value) - len(items)}]
    if isinstance(value, Mapping):
        keys = [] if depth > 1 else list(value)[:MOST_ITEMS]
        inside = {key: cut(value[key], depth + 1) for key in keys}
        return inside if len(inside) == len(value) else {**inside, "$more": len(value) - len(inside)}
    return value


def as_json(value: Any) -> str:
    """Write a wire value as JSON to read and edit, as single calls over HTTP have it."""
    return json.dumps(to_json(value), allow_nan=False, ensure_ascii=False, indent=2)


def packed_as_json(packed: bytes | None) -> str | None:
    """Write an encoded result as JSON."""
    return None if packed is None else as_json(codec.unpack(packed, codec.FROM_SERVER))


def from_json(text: str, what: str) -> dict[str, Any]:
    """Read a map that an operator has written.

    Raises:
        InvalidArguments: It is none.
    """
    try:
        value = load(text.encode())
    except (JsonError, ValueError) as error:
        raise InvalidArguments(f"{what}: {error}") from None
    if not isinstance(value, dict):
        raise InvalidArguments(f"{what}: this is no object, as {{}}")
    return value
