"""What leads from one value of a query to a later one: which items came, went and moved, and which fields changed.

``apply(before, edits)`` is the later value to the bit. Edits are read from the server's patches, made by comparing where the
server has sent a whole value, and composed where somebody has missed the values in between.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from synovia_protocol.edits import ListEdit, MapEdit
from synovia_protocol.matching import match_plain
from synovia_protocol.patch import KEY
from synovia_protocol.patch import apply as apply_patch
from synovia_protocol.values import pack_each, pack_raw

_EXACT = frozenset({type(None), bool, int, str, bytes})  # == says all about two of the same of these types


class Replaced(NamedTuple):
    """Another value, which has no parts in common with the one before."""

    value: Any


class FieldEdits(NamedTuple):
    """Changes of a map.

    Attributes:
        changed: What leads to the new value, by key; ``Replaced`` for a key that was not there.
        removed: The keys that are no longer there.
    """

    changed: Mapping[str, Edits]
    removed: Sequence[str] = ()

    @property
    def names(self) -> frozenset[str]:
        """The keys that were set, changed or removed."""
        return frozenset(self.changed).union(self.removed)


class ItemEdits(NamedTuple):
    """Changes of a list.

    Attributes:
        length: Of the list before.
        sources: For each item, where it was in the list before; -1 for one that has come.
        came: The items that have come, by their index.
        changed: What leads to an item from what it was, by its index.
    """

    length: int
    sources: Sequence[int]
    came: Mapping[int, Any]
    changed: Mapping[int, Edits]

    @property
    def went(self) -> list[int]:
        """Where the items were that are gone, in rising order."""
        if isinstance(self.sources, range):
            return []
        stayed = set(self.sources)
        return [index for index in range(self.length) if index not in stayed]

    @property
    def moved(self) -> list[tuple[int, int]]:
        """Where an item was and where it is, for as few items as put the rest in order; by where they are, rising."""
        if isinstance(self.sources, range):
            return []
        places = [index for index, source in enumerate(self.sources) if source >= 0]
        rest = longest_rising([self.sources[index] for index in places])
        return [(self.sources[index], index) for place, index in enumerate(places) if place not in rest]

    @property
    def in_place(self) -> bool:
        """Whether no item came, went or moved."""
        return isinstance(self.sources, range)


Edits = Replaced | FieldEdits | ItemEdits
"""What leads from one value to a later one."""


def apply(before: Any, edits: Edits | None) -> Any:
    """Give the later value; None for edits is no change. The value before stays as it is."""
    if edits is None:
        return before
    if isinstance(edits, Replaced):
        return edits.value
    if isinstance(edits, FieldEdits):
        result = {key: value for key, value in before.items() if key not in edits.removed}
        result.update({key: apply(before.get(key), change) for key, change in edits.changed.items()})
        return result
    return [_item(before, edits, index, source) for index, source in enumerate(edits.sources)]


def _item(before: Sequence[Any], edits: ItemEdits, index: int, source: int) -> Any:
    return edits.came[index] if source < 0 else apply(before[source], edits.changed.get(index))


# --- from two values


def compare(before: Any, after: Any) -> Edits | None:
    """Find the edits between two values; None when they are equal to the bit (the order of map keys aside)."""
    if before is after:
        return None
    if isinstance(before, dict) and isinstance(after, dict):
        return _compare_maps(before, after)
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        return _compare_lists(before, after)
    return None if _equal(before, after) else Replaced(after)


def _equal(before: Any, after: Any) -> bool:
    if type(before) is type(after) and type(before) in _EXACT:
        return bool(before == after)
    return pack_raw(before) == pack_raw(after)


def _compare_maps(before: dict[str, Any], after: dict[str, Any]) -> FieldEdits | None:
    changed: dict[str, Edits] = {}
    for key, value in after.items():
        edits = compare(before[key], value) if key in before else Replaced(value)
        if edits is not None:
            changed[key] = edits
    return _fields(changed, [key for key in before if key not in after])


def _fields(changed: dict[str, Edits], removed: Sequence[str]) -> FieldEdits | None:
    return FieldEdits(changed, removed) if changed or removed else None


def _compare_lists(before: Sequence[Any], after: Sequence[Any]) -> ItemEdits | None:
    old_keys, new_keys = _keys(before), _keys(after)
    if old_keys is not None and new_keys is not None:
        return match_by_keys(before, after, old_keys, new_keys)
    ways = match_plain(before, after, pack_each(before), pack_each(after))
    found = [_from_sources(before, after, sources) for sources in ways]
    return None if None in found else min((each for each in found if each is not None), key=_size)


def _size(edits: ItemEdits) -> int:
    return len(edits.came) + len(edits.changed)


def _keys(items: Sequence[Any]) -> list[str] | None:
    """Give the ``_id`` of each document, or None when these are not documents with ids of their own."""
    if not all(type(item) is dict for item in items):
        return None
    keys = [item.get(KEY) for item in items]
    return keys if all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys) else None


def match_by_keys(
    before: Sequence[Any], after: Sequence[Any], old_keys: Sequence[Any], new_keys: Sequence[Any]
) -> ItemEdits | None:
    """Find the edits between two lists whose items are the same where their keys are.

    Args:
        old_keys, new_keys: The keys of the items, hashable, no two of a list alike.
    """
    places = {key: index for index, key in enumerate(old_keys)}
    return _from_sources(before, after, [places.get(key, -1) for key in new_keys])


def _from_sources(before: Sequence[Any], after: Sequence[Any], sources: Sequence[int]) -> ItemEdits | None:
    came = {index: after[index] for index, source in enumerate(sources) if source < 0}
    changed = {}
    for index, source in enumerate(sources):
        edits = compare(before[source], after[index]) if source >= 0 else None
        if edits is not None:
            changed[index] = edits
    return _items(len(before), sources, came, changed)


def _items(length: int, sources: Sequence[int], came: dict[int, Any], changed: dict[int, Edits]) -> ItemEdits | None:
    if sources == range(length) or (len(sources) == length and list(sources) == list(range(length))):
        return ItemEdits(length, range(length), came, changed) if changed else None
    return ItemEdits(length, sources, came, changed)


# --- from the server's patches


def from_patch(before: Any, patch: Any) -> Edits | None:
    """Read the edits from a patch, which must fit the value before it; None when it changes nothing."""
    if type(patch) is MapEdit:
        return _from_map_edit(before, patch)
    if type(patch) is ListEdit:
        return _from_list_edit(before, patch)
    return compare(before, patch)


def from_patches(before: Any, patches: Sequence[Any]) -> Edits | None:
    """Read the edits from patches that lead on one after the other."""
    edits: Edits | None = None
    value = before
    for patch in patches:
        edits = compose(before, edits, from_patch(value, patch))
        value = apply_patch(value, patch)
    return edits


def _from_map_edit(before: dict[str, Any], patch: MapEdit) -> FieldEdits | None:
    changed: dict[str, Edits] = {}
    for key, change in patch.edits.items():
        edits = from_patch(before[key], change) if key in before else Replaced(change)
        if edits is not None:
            changed[key] = edits
    return _fields(changed, patch.removed)


def _from_list_edit(before: Sequence[Any], patch: ListEdit) -> ItemEdits | None:
    came: dict[int, Any] = {}
    sources = _sources(before, patch.runs, came) if patch.runs else range(len(before))
    changed: dict[int, Edits] = {}
    for index, change in zip(patch.edits[::2], patch.edits[1::2], strict=True):
        if index in came:
            came[index] = apply_patch(came[index], change)
            continue
        old, earlier = before[sources[index]], changed.pop(index, None)
        edits = compose(old, earlier, from_patch(apply(old, earlier), change))
        if edits is not None:
            changed[index] = edits
    return _items(len(before), sources, came, changed)


def _sources(before: Sequence[Any], runs: Sequence[Any], came: dict[int, Any]) -> list[int]:
    """Give where each item comes from, and note those that have come; one that is there twice comes the second time."""
    sources: list[int] = []
    used: set[int] = set()
    for start, items in _parts(runs):
        for offset, item in enumerate(items):
            source = -1 if start is None else start + offset
            if source < 0 or source in used:
                came[len(sources)] = item if start is None else before[source]
                source = -1
            used.add(source)
            sources.append(source)
    return sources


def _parts(runs: Sequence[Any]) -> Iterator[tuple[int | None, Sequence[Any]]]:
    parts = iter(runs)
    for part in parts:
        yield (None, part) if isinstance(part, (list, tuple)) else (part, range(next(parts)))


# --- one after the other


def compose(before: Any, first: Edits | None, then: Edits | None) -> Edits | None:
    """Make one of two edits, of which the second leads on from where the first leads to.

    Args:
        before: The value that the first leads on from. What was changed and changed back is in neither.
    """
    if first is None or then is None:
        return then if first is None else first
    if isinstance(first, FieldEdits) and isinstance(then, FieldEdits):
        return _compose_fields(before, first, then)
    if isinstance(first, ItemEdits) and isinstance(then, ItemEdits):
        return _compose_items(before, first, then)
    return compare(before, apply(apply(before, first), then))


def _compose_fields(before: dict[str, Any], first: FieldEdits, then: FieldEdits) -> FieldEdits | None:
    changed: dict[str, Edits] = {key: edits for key, edits in first.changed.items() if key not in then.names}
    for key, later in then.changed.items():
        edits = _compose_field(before, key, first, later)
        if edits is not None:
            changed[key] = edits
    removed = [key for key in (*first.removed, *then.removed) if key in before and key not in then.changed]
    return _fields(changed, removed)


def _compose_field(before: dict[str, Any], key: str, first: FieldEdits, later: Edits) -> Edits | None:
    earlier = first.changed.get(key)
    if key not in before:
        return later if earlier is None else Replaced(apply(apply(None, earlier), later))
    if key in first.removed:
        return compare(before[key], apply(None, later))
    return compose(before[key], earlier, later)


def _compose_items(before: Sequence[Any], first: ItemEdits, then: ItemEdits) -> ItemEdits | None:
    sources: list[int] = []
    came = dict(then.came)
    changed: dict[int, Edits] = {}
    for index, middle in enumerate(then.sources):
        source = -1 if middle < 0 else first.sources[middle]
        sources.append(source)
        later = then.changed.get(index)
        if source >= 0:
            edits = compose(before[source], first.changed.get(middle), later)
            if edits is not None:
                changed[index] = edits
        elif middle >= 0:
            came[index] = apply(first.came[middle], later)
    _recognise(before, sources, came, changed)
    return _items(len(before), sources, came, changed)


def _recognise(before: Sequence[Any], sources: list[int], came: dict[int, Any], changed: dict[int, Edits]) -> None:
    """Let what went and came again, as its id or else its content shows, be what stayed."""
    gone = sorted(set(range(len(before))).difference(sources), reverse=True) if came else []
    places: dict[Any, list[int]] = {}
    for index in gone:
        places.setdefault(_identity(before[index]), []).append(index)
    for index, item in list(came.items()) if places else ():
        found = places.get(_identity(item))
        if found:
            sources[index] = source = found.pop()
            del came[index]
            edits = compare(before[source], item)
            if edits is not None:
                changed[index] = edits


def _identity(item: Any) -> str | bytes:
    key = item.get(KEY) if isinstance(item, dict) else None
    return key if isinstance(key, str) else pack_raw(item)


def longest_rising(numbers: Sequence[int]) -> set[int]:
    """Give the places of a longest rising subsequence of different numbers."""
    tails: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(tails, number)
        before.append(places[length - 1] if length else -1)
        if length == len(tails):
            tails.append(number)
            places.append(place)
        else:
            tails[length], places[length] = number, place
    found = set()
    place = places[-1] if places else -1
    while place >= 0:
        found.add(place)
        place = before[place]
    return found
