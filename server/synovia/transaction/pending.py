"""The writes of a run that wait for its commit: found by id, and by the keys of an index, however many they are."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Sequence

from synovia.keys import IndexSpec, Interval
from synovia.schema import Document
from synovia.store.base import Write
from synovia.transaction.keyed import FEW, keys_in


class PendingWrites:
    """The writes of one table, one for each document.

    Args:
        writes: By the encoded ids of the documents.

    Attributes:
        by_id: The same.
        taking: So many of them change or delete what was there, and may take it out of an interval.
    """

    def __init__(self, writes: dict[bytes, Write] | None = None) -> None:
        self.by_id: dict[bytes, Write] = {} if writes is None else writes
        self.taking = sum(write.before is not None for write in writes.values()) if writes else 0
        self._in_order: dict[IndexSpec, _InOrder] = {}

    def copy(self) -> PendingWrites:
        """Give the same, to go on from here."""
        return PendingWrites(dict(self.by_id))

    def put(self, id_key: bytes, write: Write) -> None:
        """Take in a write, in place of an earlier one of the same document."""
        if id_key not in self.by_id:
            self.taking += write.before is not None
        self.by_id[id_key] = write
        if self._in_order:
            for in_order in self._in_order.values():
                in_order.changed.add(id_key)

    def within(self, index: IndexSpec, interval: Interval) -> Collection[Document]:
        """Give the documents as they will be that have a key in an interval of an index, in no order."""
        if len(self.by_id) <= FEW:
            images = [write.after for write in self.by_id.values() if write.after is not None]
            return [image for image in images if any(key in interval for key in keys_in(index, image))]
        in_order = self._in_order.get(index)
        if in_order is None:
            in_order = self._in_order[index] = _InOrder(self.by_id)
        in_order.bring_up_to_date(index, self.by_id)
        return in_order.within(interval)


class _InOrder:
    """What a table's documents will be, in the order of their keys in one index.

    Attributes:
        changed: The encoded ids of those that were written since they were brought in order.
    """

    def __init__(self, ids: Collection[bytes]) -> None:
        self.changed = set(ids)
        self._keys: list[bytes] = []
        self._images: dict[bytes, Document] = {}
        self._keys_of: dict[bytes, Sequence[bytes]] = {}

    def bring_up_to_date(self, index: IndexSpec, writes: dict[bytes, Write]) -> None:
        few = len(self.changed) <= FEW
        for id_key in self.changed:
            for key in self._keys_of.pop(id_key, ()):
                del self._images[key]
                if few:
                    del self._keys[bisect_left(self._keys, key)]
            image = writes[id_key].after
            for key in self._keys_of.setdefault(id_key, () if image is None else keys_in(index, image)):
                self._images[key] = image  # type: ignore[assignment]
                if few:
                    insort(self._keys, key)
        if not few:
            self._keys = sorted(self._images)
        self.changed.clear()

    def within(self, interval: Interval) -> Collection[Document]:
        keys = self._keys[bisect_left(self._keys, interval.low) : bisect_left(self._keys, interval.high)]
        images = (self._images[key] for key in keys)
        return {id(image): image for image in images}.values()
