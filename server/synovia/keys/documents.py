"""The keys under which an index holds a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson import DBRef

from synovia.keys.encoding import UNDEFINED, encode_value
from synovia.keys.index import IndexSpec
from synovia.keys.tuples import encode


class ParallelArrays(ValueError):
    """Two fields of one index hold different arrays, which MongoDB refuses to index."""


def index_keys(index: IndexSpec, document: Mapping[str, Any]) -> list[bytes]:
    """Give the keys under which an index holds a document: sorted, distinct, each ending with its encoded ``_id``.

    As in MongoDB a missing field counts as null, an array gives one key for each distinct element, and an empty one
    counts as undefined.

    Raises:
        ParallelArrays: Two fields of the index hold different arrays.
    """
    tail = encode_value(document["_id"])
    values = []
    for field in index.fields:
        value = document.get(field)
        if isinstance(value, list | tuple) or "." in field:
            return _expanded_keys(index, document, tail)
        values.append(encode_value(value))
    values.append(tail)
    return [b"".join(values)]


def _expanded_keys(index: IndexSpec, document: Mapping[str, Any], tail: bytes) -> list[bytes]:
    paths: list[tuple[str, ...] | None] = [tuple(field.split(".")) for field in index.fields]
    keys = {encode(values) + tail for values in _expand(paths, [None] * len(paths), document)}
    return sorted(keys)


def _expand(paths: list[tuple[str, ...] | None], found: list[Any], document: Mapping[str, Any]) -> Iterable[list[Any]]:
    """Walk ``paths`` (None: its value stands in ``found``) down to the first array, and over that array's elements."""
    paths, found = list(paths), list(found)
    array: Sequence[Any] | None = None
    for position, path in enumerate(paths):
        if path is None:
            continue
        value, rest = _walk(document, path)
        if isinstance(value, list | tuple):
            if array is not None and array is not value:
                raise ParallelArrays("an index cannot hold two different arrays of one document")
            array, paths[position] = value, rest
        else:
            found[position], paths[position] = value, None
    if array is None:
        yield found
        return
    for element in array or (UNDEFINED,):
        filled = [element if path == () else value for path, value in zip(paths, found, strict=True)]
        yield from _expand([path or None for path in paths], filled, _as_map(element))


def _walk(document: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Follow ``path`` through maps to its value, or to the first array on it and what is left of the path there."""
    value: Any = document
    for depth, name in enumerate(path):
        if isinstance(value, list | tuple):
            return value, path[depth:]
        value = _as_map(value).get(name)
    return value, ()


def _as_map(value: Any) -> Mapping[str, Any]:
    if isinstance(value, DBRef):
        return value.as_doc()
    return value if isinstance(value, Mapping) else {}
