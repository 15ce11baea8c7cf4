"""Scans of indexes whose fields have defaults: what lacks a field counts with its default, but MongoDB has it under null.

Such a scan is made in parts, one for the documents that have the field and one for those that lack it: within each,
MongoDB's order is that of the keys that count, and the parts are merged by these. Deep inside a document a field can be
lacking at each step of the way, and in one element of an array but not in another; there all parts are read whole and
sorted here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from synovia import keys
from synovia.keys import AFTER, IndexSpec, Interval, Order
from synovia.schema.specs import Document
from synovia.store.filters import AllOf, Comparison, Filter

_NULL: Final = keys.encode_value(None)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the documents of a scan, as MongoDB's index holds them.

    Attributes:
        interval: Where in the index they lie.
        where: What they satisfy.
        strewn: Fields that all of them lack, though the interval is also full of documents that have these: the nulls of a
            field that is not the first lie between everything else. Whether there are any is soon known.
    """

    interval: Interval
    where: Filter | None
    strewn: tuple[str, ...] = ()


Read = Callable[[Part, int | None], Awaitable[list[Document]]]
"""Reads a part, so many documents of it at most."""


def is_deep(index: IndexSpec) -> bool:
    """Tell whether a field with a default lies deep inside the documents."""
    return any(len(path) > 1 and any(path) for path in index.defaults)


def parts_of(index: IndexSpec, interval: Interval, where: Filter | None) -> list[Part]:
    """Take a scan apart.

    Args:
        index: With its defaults.
        interval: Of the keys that count.
        where: What else the documents have to satisfy.
    """
    choices = [_choices(path) for path in index.defaults]
    found = []
    for chosen in product(*choices):
        lacking = {place: default for place, default in enumerate(chosen) if default is not None}
        part = Interval(_bound(interval.low, lacking), _bound(interval.high, lacking))
        near = part if is_deep(index) else _among_nulls(part, lacking)
        if near.low < near.high:
            strewn = [index.fields[place] for place in lacking if place >= _pinned(near)]
            found.append(Part(near, _where(index, part, lacking, where), () if is_deep(index) else tuple(strewn)))
    return found


def _choices(path: Sequence[bytes | None]) -> list[bytes | None]:
    """List what can be of a field: it is there (None), or it counts as one of the defaults on its way."""
    if not any(path):
        return [None]
    return [None, *dict.fromkeys(_NULL if default is None else default for default in path)]


def _bound(bound: bytes, lacking: Mapping[int, bytes]) -> bytes:
    """Give the end of an interval among the documents whose fields at some places are null, but count as something else."""
    values, tail = keys.decode_bound(bound)
    encoded = b""
    for place, value in enumerate(values):
        own = keys.encode_value(value)
        counts = lacking.get(place, own)
        if counts != own:
            return encoded + (bytes([AFTER]) if counts < own else b"")
        encoded += _NULL if place in lacking else own
    if tail is None:
        return encoded
    if tail != AFTER and (counts := lacking.get(len(values), b"")):
        return encoded + (bytes([AFTER]) if counts < bytes([tail]) else b"")
    return encoded + bytes([tail])


def _among_nulls(part: Interval, lacking: Mapping[int, bytes]) -> Interval:
    """Keep of a part only where the index has null for what its documents lack: else all others are looked at as well."""
    while part.low < part.high and (place := _pinned(part)) in lacking:
        null = keys.encode(keys.decode_bound(part.low)[0][:place]) + _NULL
        part = Interval(max(part.low, null), min(part.high, null + bytes([AFTER])))
    return part


def _where(index: IndexSpec, part: Interval, lacking: Mapping[int, bytes], where: Filter | None) -> Filter | None:
    """Add what keeps the parts apart: which fields are there, unless the part's interval says it already."""
    if is_deep(index):
        return where
    pinned = _pinned(part)
    apart: list[Filter] = []
    for place, path in enumerate(index.defaults):
        if path[0] is not None and place >= pinned:
            apart.append(Comparison(index.fields[place], "eq" if place in lacking else "ne", None))
    return where if not apart else AllOf((*apart, *([] if where is None else [where])))


def _pinned(interval: Interval) -> int:
    low, high = keys.decode_bound(interval.low)[0], keys.decode_bound(interval.high)[0]
    same = (keys.encode_value(a) == keys.encode_value(b) for a, b in zip(low, high, strict=False))
    return next((place for place, equal in enumerate(same) if not equal), min(len(low), len(high)))


async def scan(
    index: IndexSpec, interval: Interval, order: Order, where: Filter | None, limit: int | None, read: Read
) -> list[Document]:
    """Read every part, and merge them by the keys that count."""
    most = None if is_deep(index) else limit
    results = await asyncio.gather(*(read(part, most) for part in parts_of(index, interval, where)))
    documents = {keys.encode_value(document["_id"]): document for found in results for document in found}
    placed = sorted(_placed(index, interval, order, documents.values()), key=lambda pair: pair[0])
    rows = [document for _, document in placed]
    return (rows if order is Order.ASC else rows[::-1])[:limit]


def _placed(
    index: IndexSpec, interval: Interval, order: Order, documents: Iterable[Document]
) -> Iterator[tuple[bytes, Document]]:
    for document in documents:
        inside = [key for key in keys.index_keys(index, document) if key in interval]
        if inside:
            yield inside[0] if order is Order.ASC else inside[-1], document
