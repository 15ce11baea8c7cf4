"""How many bytes values take in memory, estimated: exactly for small ones, by a sample of long lists."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from sys import getsizeof as _getsizeof
from typing import Any, Final

from bson import Int64, ObjectId

_SAMPLE: Final = 16
"""So many items of a list are looked at; half as many in each list inside it."""
_WIDE: Final = 64
_DEEPEST: Final = 16
_MOST: Final = 1024
"""So many things are looked at in a value, and a few times as many in one that is deep."""
_SCALARS: Final = frozenset({str, bytes, int, float, bool, type(None), Int64, ObjectId})
LARGE_PACKED: Final = 4096
"""What has more bytes than this when it is packed is kept so until somebody needs it: as lists and numbers it takes several
times as much, and each collection of garbage looks at all of them."""


def footprint(value: Any, depth: int = 0, most: int = _MOST) -> int:
    """Estimate the bytes of a value with all that it holds; what it holds twice counts twice.

    Lists are taken for uniform: of a long one, items at even distances are measured. So are maps where looking at all of
    them would take long.

    Args:
        most: So many things within are looked at, about.
    """
    if type(value) is dict and depth < _DEEPEST and (count := len(value)) <= _WIDE and count <= most:
        return _getsizeof(value) + _of_map(value, depth + 1, most // (count or 1))
    size = _getsizeof(value)
    if depth >= _DEEPEST or isinstance(value, (str, bytes, int, float)) or value is None:
        return size
    if isinstance(value, dict) and len(value) <= min(_WIDE, most):
        return size + _of_map(value, depth + 1, most // max(1, len(value)))
    if isinstance(value, dict):
        wide = max(1, min(_WIDE, most))
        return size + of_many([*islice(value.keys(), wide)], len(value), depth, wide, most) + of_many(
            [*islice(value.values(), wide)], len(value), depth, wide, most
        )  # fmt: skip
    if isinstance(value, list | tuple):
        return size + of_many(value, len(value), depth, max(1, min(max(2, _SAMPLE >> depth), most)), most)
    return size + footprint(vars(value), depth + 1, most) if hasattr(value, "__dict__") else size


def _of_map(value: dict[Any, Any], depth: int, most: int) -> int:
    """Sum up the keys and values of a small map: most are documents of a few scalars, and there are many of them."""
    size = 0
    for name, item in value.items():
        size += _getsizeof(name) if type(name) is str else footprint(name, depth, most)
        size += _getsizeof(item) if type(item) in _SCALARS else footprint(item, depth, most)
    return size


def of_many(items: Sequence[Any], count: int, depth: int = 0, sample: int = _SAMPLE, most: int = _MOST) -> int:
    """Estimate the bytes of ``count`` things of which ``items`` are some."""
    looked_at = items[:: -(-len(items) // sample)] if items else ()
    each = most // max(1, len(looked_at))
    return sum(footprint(item, depth + 1, each) for item in looked_at) * count // max(1, len(looked_at))
