"""Array references inside values: one walk for everybody who looks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from synovia_protocol.messages import ArrayRef

_PLAIN = frozenset({int, str, float, bool, type(None), bytes})


def holds_only_plain(value: dict[str, Any]) -> bool:
    """Tell of a map whether all its values are plain ones, so that nothing refers to an array: a quick look."""
    return _PLAIN.issuperset(map(type, value.values()))


def array_references(value: Any, opened: Callable[[Any], Any] | None = None) -> Iterator[ArrayRef]:
    """Find every array reference inside a value, in the order in which they stand there.

    Args:
        value: A wire value of any depth; a list may be a tuple.
        opened: Gives for an object that is no wire value (a model, say) the map or list inside it, or None.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) in _PLAIN:
            continue
        if isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, (list, tuple)):
            waiting.extend(reversed(item))
        elif isinstance(item, ArrayRef):
            yield item
        elif opened is not None and (inner := opened(item)) is not None:
            waiting.append(inner)


def digests_in(value: Any) -> Iterator[bytes]:
    """Find the digest of every array reference inside a wire value."""
    return (ref.digest for ref in array_references(value))
