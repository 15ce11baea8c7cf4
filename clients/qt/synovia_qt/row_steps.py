"""The steps by which a list of rows becomes another: what an item model has to announce one after the other. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from synovia_client import Edits, FieldEdits, ItemEdits

Row = Any


class Remove(NamedTuple):
    """Take away the rows ``first`` to ``last``."""

    first: int
    last: int


class Move(NamedTuple):
    """Take the row at ``source`` and put it before the one at ``before``, counted while it is still there."""

    source: int
    before: int


class Insert(NamedTuple):
    """Put rows in, so that they begin at ``first``."""

    first: int
    rows: list[Row]


class Update(NamedTuple):
    """The rows ``first`` to ``last`` have other fields of these names; None: everything may be another."""

    first: int
    last: int
    names: frozenset[str] | None


Step = Remove | Move | Insert


def structure(edits: ItemEdits) -> Iterator[Step]:
    """Give the steps that bring every row to its place: first those that remove, then move, then insert."""
    if edits.in_place:
        return
    went = edits.went
    for first, last in reversed(list(_runs(went))):
        yield Remove(first, last)
    yield from _moves(edits, went)
    for first, last in _runs(sorted(edits.came)):
        yield Insert(first, [edits.came[index] for index in range(first, last + 1)])


def _runs(indexes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give first and last of each run of neighbours; the indexes rise."""
    start = 0
    for place in range(1, len(indexes) + 1):
        if place == len(indexes) or indexes[place] != indexes[place - 1] + 1:
            yield indexes[start], indexes[place - 1]
            start = place


def _moves(edits: ItemEdits, went: Sequence[int]) -> Iterator[Move]:
    """Put each row that moves behind the one that it shall follow; the others keep their order."""
    moving = {source for source, _ in edits.moved}
    if not moving:
        return
    gone = set(went)
    order = [source for source in range(edits.length) if source not in gone]
    before: int | None = None
    for source in (source for source in edits.sources if source >= 0):
        if source in moving:
            place = order.index(source)
            target = 0 if before is None else order.index(before) + 1
            if target not in (place, place + 1):
                yield Move(place, target)
                del order[place]
                order.insert(target - (target > place), source)
        before = source


def updates(edits: ItemEdits) -> Iterator[Update]:
    """Give the runs of neighbouring rows of which the same fields changed, by the new order."""
    run: Update | None = None
    for index in sorted(edits.changed):
        names = names_of(edits.changed[index])
        if run is not None and run.last == index - 1 and run.names == names:
            run = run._replace(last=index)
            continue
        if run is not None:
            yield run
        run = Update(index, index, names)
    if run is not None:
        yield run


def names_of(edits: Edits) -> frozenset[str] | None:
    """Give the fields of a row that changed; None: it is another altogether."""
    return edits.names if isinstance(edits, FieldEdits) else None


def keys_of(rows: Sequence[Row], key: Callable[[Row], Any]) -> list[Any] | None:
    """Give the keys of rows; None if they have none, or two have the same."""
    try:
        keys = [key(row) for row in rows]
        return keys if len(set(keys)) == len(keys) else None
    except (KeyError, TypeError, IndexError, AttributeError):
        return None
