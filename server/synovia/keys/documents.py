"""The keys under which an index holds a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from bson import DBRef, ObjectId

from synovia.keys.encoding import UNDEFINED, encode_value
from synovia.keys.index import IndexSpec
from synovia.keys.tuples import decode, encode


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
    for place, field in enumerate(index.fields):
        value = document.get(field)
        if isinstance(value, list | tuple) or "." in field:
            return _expanded_keys(index, document, tail)
        lacking = index.defaults[place][0] if value is None and index.defaults else None
        values.append(encode_value(value) if lacking is None else lacking)
    values.append(tail)
    return [b"".join(values)]


def values_of(index: IndexSpec, document: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what a document has in the fields of an index, or what counts where it lacks one; an array as it is."""
    return tuple(_walk(document, path)[0] for path in _paths(index))


_PLAIN: Final = frozenset({str, int, float, bool, bytes, type(None), ObjectId})

_Path = tuple[tuple[str, Any], ...]
"""The names on the way to a field, each with what counts if it is not there."""


@lru_cache(maxsize=1024)
def _paths(index: IndexSpec) -> tuple[_Path, ...]:
    names = [field.split(".") for field in index.fields]
    defaults = index.defaults or [[None] * len(path) for path in names]
    return tuple(
        tuple((name, None if default is None else decode(default)[0]) for name, default in zip(path, each, strict=True))
        for path, each in zip(names, defaults, strict=True)
    )


def _expanded_keys(index: IndexSpec, document: Mapping[str, Any], tail: bytes) -> list[bytes]:
    return sorted(set(_each_expanded(index, document, tail)))


def _each_expanded(index: IndexSpec, document: Mapping[str, Any], tail: bytes) -> Iterator[bytes]:
    paths: list[_Path | None] = list(_paths(index))
    if (flat := _flat(_paths(index), document)) is not None:
        head, array, foot = flat
        foot += tail
        return (head + encode_value(element) + foot for element in array)
    return (encode(values) + tail for values in _expand(paths, [None] * len(paths), document))


def _flat(paths: Sequence[_Path], document: Mapping[str, Any]) -> tuple[bytes, Sequence[Any], bytes] | None:
    """Give the only array on the way, and what stands before its elements in a key and behind; None: it is not so simple."""
    array: Sequence[Any] = ()
    before, behind = list[bytes](), list[bytes]()
    for path in paths:
        value, rest = _walk(document, path)
        if not isinstance(value, list | tuple):
            (behind if array else before).append(encode_value(value))
        elif array or rest or not value:
            return None
        else:
            array = value
    return (b"".join(before), array, b"".join(behind)) if array else None


def each_key(index: IndexSpec, document: Mapping[str, Any]) -> Iterator[bytes]:
    """Give the same one after the other, in no order and some perhaps again: there may be very many."""
    return _each_expanded(index, document, encode_value(document["_id"]))


def most_keys(index: IndexSpec, document: Mapping[str, Any]) -> int:
    """Tell how many keys a document has in an index at most, without making them."""
    most = 1
    for path in _paths(index):
        if type(document.get(path[0][0])) not in _PLAIN:
            most = max(most, _most(document, path))
    return most


def _most(value: Any, path: _Path) -> int:
    value, rest = _walk(value, path)
    if not isinstance(value, list | tuple):
        return 1
    return max(1, sum(_most(_as_map(element), rest) for element in value) if rest else len(value))


def keys_changed(index: IndexSpec, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> int:
    """Tell how many keys a change of a document ends and begins in an index, about."""
    if before is not None and after is not None and all(before.get(top) == after.get(top) for top in _tops(index)):
        return 0
    return sum(most_keys(index, document) for document in (before, after) if document is not None)


@lru_cache(maxsize=1024)
def _tops(index: IndexSpec) -> frozenset[str]:
    return frozenset(field.split(".")[0] for field in index.fields)


def _expand(paths: list[_Path | None], found: list[Any], document: Mapping[str, Any]) -> Iterable[list[Any]]:
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
    if not array:  # it has no element that could lack anything
        yield [UNDEFINED if path == () else value for path, value in zip(paths, found, strict=True)]
        return
    for element in array:
        filled = [element if path == () else value for path, value in zip(paths, found, strict=True)]
        yield from _expand([path or None for path in paths], filled, _as_map(element))


def _walk(document: Mapping[str, Any], path: _Path) -> tuple[Any, _Path]:
    """Follow ``path`` through maps to its value, or to the first array on it and what is left of the path there."""
    value: Any = document
    for depth, (name, default) in enumerate(path):
        if isinstance(value, list | tuple):
            return value, path[depth:]
        value = _as_map(value).get(name)
        if value is None:
            return default, ()
    return value, ()


def _as_map(value: Any) -> Mapping[str, Any]:
    if isinstance(value, DBRef):
        return value.as_doc()
    return value if isinstance(value, Mapping) else {}
