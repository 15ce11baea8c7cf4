"""What a patch is made of: edits of a map and edits of a list.

A patch is either the new value itself or one of these two; on the wire they are msgpack extension type 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

from synovia_protocol.errors import BadFrame


class MapEdit:
    """Set or edit some keys of a map, remove others.

    Attributes:
        edits: The new value, or the patch of the old one, by key.
        removed: Keys that are no longer there.
        payload: The packed parts, once someone has needed them.
    """

    __slots__ = ("edits", "payload", "removed")

    def __init__(self, edits: dict[str, Any], removed: Sequence[str] = ()) -> None:
        self.edits = edits
        self.removed = removed
        self.payload: bytes | None = None

    def parts(self) -> tuple[Any, ...]:
        """Give the fields as they travel; trailing empty ones are left out."""
        return (self.edits, self.removed) if self.removed else (self.edits,)

    def __repr__(self) -> str:
        return f"MapEdit({self.edits!r}, {list(self.removed)!r})"


class ListEdit:
    """Rebuild a list from runs of the old one and new items, then edit some of its items.

    Attributes:
        runs: In order: two ints (start and length of a run of the old list), or a list of new items. Empty: as it was.
        edits: Pairs, flat: an index into the rebuilt list, then the new value or the patch of the one there.
        payload: The packed parts, once someone has needed them.
    """

    __slots__ = ("edits", "payload", "runs")

    def __init__(self, runs: Sequence[Any] = (), edits: Sequence[Any] = ()) -> None:
        self.runs = runs
        self.edits = edits
        self.payload: bytes | None = None

    def parts(self) -> tuple[Any, ...]:
        """Give the fields as they travel; trailing empty ones are left out."""
        return (self.runs, self.edits) if self.edits else (self.runs,)

    def __repr__(self) -> str:
        return f"ListEdit({list(self.runs)!r}, {list(self.edits)!r})"


Patch = MapEdit | ListEdit


def is_patch(value: object) -> TypeGuard[Patch]:
    """Tell a patch from a value that stands for itself."""
    kind = type(value)
    return kind is MapEdit or kind is ListEdit


def map_edit(parts: list[Any]) -> MapEdit:
    """Make a map edit from what arrived, whose first part is known to be a map."""
    removed = parts[1] if len(parts) > 1 else []
    if type(removed) is not list or not all(type(key) is str for key in removed):
        raise BadFrame("a map edit's removed keys are not a list of strings")
    return MapEdit(parts[0], removed)


def list_edit(parts: list[Any]) -> ListEdit:
    """Make a list edit from what arrived, whose first part is known to be a list."""
    edits = parts[1] if len(parts) > 1 else []
    if type(edits) is not list or len(edits) % 2 or not all(map(_is_index, edits[::2])):
        raise BadFrame("a list edit's edits are not pairs of an index and a value")
    _check_runs(parts[0])
    return ListEdit(parts[0], edits)


def _check_runs(runs: list[Any]) -> None:
    parts = iter(runs)
    for part in parts:
        if type(part) is not list and not (_is_index(part) and _is_index(next(parts, None))):
            raise BadFrame("a list edit's runs are neither start and length nor new items")


def _is_index(value: object) -> bool:
    return type(value) is int and value >= 0
