"""How many bytes values take in memory, estimated: exactly for small ones, by a sample of long lists."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

_SAMPLE: Final = 16
"""So many items of a list are looked at; half as many in each list inside it."""
_WIDE: Final = 64
_DEEPEST: Final = 16
_SCALARS: Final = frozenset({str, bytes, int, float, bool, type(None)})


def footprint(value: Any, depth: int = 0) -> int:
    """Estimate the bytes of a value with all that it holds; what it holds twice counts twice.

    Lists are taken for uniform: of a long one, items at even distances are measured.
    """
    size = sys.getsizeof(value)
    if depth >= _DEEPEST or isinstance(value, str | bytes | int | float) or value is None:
        return size
    if isinstance(value, dict) and len(value) <= _WIDE:
        return size + _of_map(value, depth + 1)
    if isinstance(value, dict):
        return size + of_many([*islice(value.keys(), _WIDE)], len(value), depth, _WIDE) + of_many(
            [*islice(value.values(), _WIDE)], len(value), depth, _WIDE
        )  # fmt: skip
    if isinstance(value, list | tuple):
        return size + of_many(value, len(value), depth, max(2, _SAMPLE >> depth))
    return size + footprint(vars(value), depth + 1) if hasattr(value, "__dict__") else size


def _of_map(value: dict[Any, Any], depth: int) -> int:
    """Sum up the keys and values of a small map: most are documents of a few scalars, and there are many of them."""
    size = 0
    for name, item in value.items():
        size += sys.getsizeof(name) if type(name) is str else footprint(name, depth)
        size += sys.getsizeof(item) if type(item) in _SCALARS else footprint(item, depth)
    return size


def of_many(items: Sequence[Any], count: int, depth: int = 0, most: int = _SAMPLE) -> int:
    """Estimate the bytes of ``count`` things of which ``items`` are some."""
    looked_at = items[:: -(-len(items) // most)] if items else ()
    return sum(footprint(item, depth + 1) for item in looked_at) * count // max(1, len(looked_at))
