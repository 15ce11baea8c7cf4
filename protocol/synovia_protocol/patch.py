"""The difference between two wire values, and how to apply it.

``apply(a, diff(a, b))`` is ``b`` to the bit (the order of map keys aside), and a difference is never larger than ``b``
itself. Elements of lists of documents are matched by ``_id``; those of other lists by what they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synovia_protocol.edits import ListEdit, MapEdit, Patch, is_patch
from synovia_protocol.errors import PatchError
from synovia_protocol.matching import match_plain, runs_of
from synovia_protocol.values import pack_each, pack_raw, patch_payload

__all__ = ["ListEdit", "MapEdit", "Patch", "apply", "diff", "is_patch"]

KEY = "_id"

_EXACT = frozenset({type(None), bool, int, str, bytes})  # == says all about two of the same of these types
_FEW = 16
"""So many other objects in a list are compared at once; of more those that are packed alike are sorted out before."""
_SAME: Any = object()
_MISSING: Any = object()


def diff(a: Any, b: Any) -> Any:
    """Find what turns ``a`` into ``b``: a patch, or ``b`` itself where that is no longer."""
    change = _diff(a, b)
    if change is not _SAME:
        return change
    if isinstance(b, dict):
        return _shorter(MapEdit({}), b)
    return _shorter(ListEdit(), b) if isinstance(b, (list, tuple)) else b


def apply(a: Any, patch: Any) -> Any:
    """Apply a patch: give the new value, which shares with ``a`` what did not change; ``a`` stays as it is.

    Raises:
        PatchError: The patch does not fit ``a``.
    """
    if type(patch) is MapEdit:
        return _apply_to_map(a, patch)
    if type(patch) is ListEdit:
        return _apply_to_list(a, patch)
    return patch


# --- diff -------------------------------------------------------------------------------------------------------------


def _diff(a: Any, b: Any) -> Any:
    if a is b:
        return _SAME
    if isinstance(a, dict) and isinstance(b, dict):
        return _diff_maps(a, b)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return _diff_lists(a, b)
    return _SAME if _equal(a, b) else b


def _equal(a: Any, b: Any) -> bool:
    """Compare to the bit: True, 1 and 1.0 differ, so do 0.0 and -0.0, and a NaN equals its like."""
    if type(a) is type(b) and type(a) in _EXACT:
        return bool(a == b)
    return pack_raw(a) == pack_raw(b)


def _diff_maps(a: dict[str, Any], b: dict[str, Any]) -> Any:
    edits: dict[str, Any] = {}
    for key, new in b.items():
        old = a.get(key, _MISSING)
        if old is new:
            continue
        change = new if old is _MISSING else _diff(old, new)
        if change is not _SAME:
            edits[key] = change
    removed = [key for key in a if key not in b]
    return _shorter(MapEdit(edits, removed), b) if edits or removed else _SAME


def _diff_lists(a: Sequence[Any], b: Sequence[Any]) -> Any:
    if not a or not b:
        return b if a or b else _SAME
    others = _others_in_place(a, b)
    if others is not None:
        everywhere = range(len(a))
        return _list_edit(a, b, everywhere, others) if len(others) <= _FEW else _diff_paired(a, b, everywhere, others)
    old_keys, new_keys = _keys(a), _keys(b)
    if old_keys is not None and new_keys is not None:
        return _diff_keyed(a, b, old_keys, new_keys)
    return _diff_plain(a, b)


def _others_in_place(a: Sequence[Any], b: Sequence[Any]) -> list[tuple[int, int]] | None:
    """Give the places of another object than before, if all are documents of the same ids; None if it is not as simple.

    That is what a live list mostly is that was made from the one before; to look at the ids of all takes far longer.
    """
    if len(a) != len(b):
        return None
    others = [(index, index) for index, (old, new) in enumerate(zip(a, b, strict=True)) if old is not new]
    return others if all(_is_same_document(a[index], b[index]) for index, _ in others) else None


def _is_same_document(old: Any, new: Any) -> bool:
    return type(old) is dict and type(new) is dict and isinstance(key := new.get(KEY), str) and old.get(KEY) == key


def _keys(items: Sequence[Any]) -> list[str] | None:
    """Give the ``_id`` of each document, or None when these are not documents with ids of their own."""
    if set(map(type, items)) != {dict}:
        return None
    keys = [item.get(KEY) for item in items]
    return keys if all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys) else None


def _diff_keyed(a: Sequence[Any], b: Sequence[Any], old_keys: list[str], new_keys: list[str]) -> Any:
    if old_keys == new_keys:
        sources = list(range(len(a)))
    else:
        places = {key: index for index, key in enumerate(old_keys)}
        sources = [places.get(key, -1) for key in new_keys]
    pairs = [(index, source) for index, source in enumerate(sources) if source >= 0 and a[source] is not b[index]]
    return _diff_paired(a, b, sources, pairs)


def _diff_paired(a: Sequence[Any], b: Sequence[Any], sources: Sequence[int], pairs: list[tuple[int, int]]) -> Any:
    """Make the patch, of which it is known which elements (index, source) may differ."""
    old = pack_each(a[source] for _, source in pairs)
    new = pack_each(b[index] for index, _ in pairs)
    changed = [pair for pair, before, after in zip(pairs, old, new, strict=True) if before != after]
    return _list_edit(a, b, sources, changed)


def _diff_plain(a: Sequence[Any], b: Sequence[Any]) -> Any:
    old, new = pack_each(a), pack_each(b)
    if old == new:
        return _SAME
    candidates = []
    for sources in match_plain(a, b, old, new):
        changed = [(index, source) for index, source in enumerate(sources) if source >= 0 and old[source] != new[index]]
        candidates.append(_list_edit(a, b, sources, changed))
    return next((one for one in candidates if one is _SAME), None) or min(candidates, key=_length)


def _list_edit(a: Sequence[Any], b: Sequence[Any], sources: Sequence[int], changed: list[tuple[int, int]]) -> Any:
    """Make the patch from where each element of ``b`` comes from (-1: new), and which of them differ from there."""
    edits: list[Any] = []
    for index, source in changed:
        change = _diff(a[source], b[index])
        if change is not _SAME:
            edits += (index, change)
    runs = runs_of(sources, b, len(a))
    return _shorter(ListEdit(runs, edits), b) if runs or edits else _SAME


def _length(change: Any) -> int:
    return _packed_length(change) if is_patch(change) else len(pack_raw(change))


def _packed_length(patch: Patch) -> int:
    size = len(patch_payload(patch))
    return size + (2 if size in (1, 2, 4, 8, 16) else 3 if size < 1 << 8 else 4 if size < 1 << 16 else 6)


def _shorter(patch: Patch, value: Any) -> Any:
    size = _packed_length(patch)
    return patch if size <= len(value) or size <= len(pack_raw(value)) else value  # an element takes a byte at least


# --- apply ------------------------------------------------------------------------------------------------------------


def _apply_to_map(a: Any, patch: MapEdit) -> dict[str, Any]:
    if not isinstance(a, dict):
        raise PatchError(f"a map edit of a {type(a).__name__}")
    result = dict(a)
    for key in patch.removed:
        if key not in result or key in patch.edits:
            raise PatchError(f"the key {key!r} cannot be removed")
        del result[key]
    for key, change in patch.edits.items():
        if is_patch(change):
            if key not in result:
                raise PatchError(f"the key {key!r} is edited but not there")
            change = apply(result[key], change)
        result[key] = change
    return result


def _apply_to_list(a: Any, patch: ListEdit) -> list[Any]:
    if not isinstance(a, (list, tuple)):
        raise PatchError(f"a list edit of a {type(a).__name__}")
    result = _rebuild(a, patch.runs) if patch.runs else list(a)
    edits = patch.edits
    for index, change in zip(edits[::2], edits[1::2], strict=True):
        if not 0 <= index < len(result):
            raise PatchError(f"element {index} of {len(result)} is edited")
        result[index] = apply(result[index], change)
    return result


def _rebuild(a: Sequence[Any], runs: Sequence[Any]) -> list[Any]:
    """Join the runs. Together they take no more than the old list holds, so that a small patch stays a small list."""
    result: list[Any] = []
    left = len(a)
    parts = iter(runs)
    for part in parts:
        if isinstance(part, (list, tuple)):
            result += part
            continue
        length = next(parts, -1)
        left -= length
        if part < 0 or length < 0 or left < 0 or part + length > len(a):
            raise PatchError(f"a run of {length} from {part} in a list of {len(a)}")
        result += a[part : part + length]
    return result
