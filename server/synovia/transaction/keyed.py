"""A commit prepared for many comparisons: its writes with their index keys, in the order of these."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from typing import Any, Final

import bson

from synovia import keys
from synovia.keys import IndexSpec, Interval
from synovia.schema import Document, Reading
from synovia.store.base import Ts, Write
from synovia.turns import Turns, at_once, in_turns

Point = tuple[str, bytes]
"""A document: its table and its encoded id."""
AtHand = Callable[[Point], Sequence[Any] | None]
"""Gives a document (None: there is none) as the first of a sequence, if it is in memory; else None."""
Indexes = Callable[[str], Iterable[IndexSpec]]
"""Tells the indexes of a table by which a commit will be looked at."""

FEW: Final = 16
"""So many writes are looked at one by one; more are brought in order first."""
MANY: Final = 64
"""A document with more keys in one index is a long computation."""


def nothing_at_hand(point: Point) -> None:
    """Have nothing in memory."""


def keys_in(index: IndexSpec, document: Document) -> Sequence[bytes]:
    """Give the keys of a document; one that the index cannot hold has none, and no store takes it."""
    try:
        return keys.index_keys(index, document)
    except keys.ParallelArrays:
        return ()


def _found_one_by_one(index: IndexSpec, document: Document) -> Generator[None, None, set[bytes]]:
    found: set[bytes] = set()
    try:
        for number, key in enumerate(keys.each_key(index, document), 1):
            found.add(key)
            if number % MANY == 0:
                yield
    except keys.ParallelArrays:
        return set()
    return found


async def keys_found(index: IndexSpec, document: Document) -> Collection[bytes]:
    """Find the keys of a document, in no order; in turns with others if there are many."""
    if keys.most_keys(index, document) <= MANY:
        return keys_in(index, document)
    return await in_turns(_found_one_by_one(index, document))


class KeyedWrite:
    """A write with the index keys of both its images, each computed once however many read sets ask."""

    __slots__ = ("_keys", "id_key", "write")

    def __init__(self, write: Write) -> None:
        self.write = write
        self.id_key = keys.encode_value(write.id) if write.id_key is None else write.id_key
        self._keys: dict[IndexSpec, list[tuple[bytes, Document]]] | None = None  # made when somebody asks

    def entries(self, index: IndexSpec) -> list[tuple[bytes, Document]]:
        """Give the index keys of the images before and after, each with its image."""
        found = None if self._keys is None else self._keys.get(index)
        return at_once(self.finding(index)) if found is None else found

    def finding(self, index: IndexSpec) -> Generator[None, None, list[tuple[bytes, Document]]]:
        """Find them; stops now and then if there are many."""
        found: list[tuple[bytes, Document]] = []
        for image in (self.write.before, self.write.after):
            if image is None:
                continue
            if keys.most_keys(index, image) <= MANY:
                found += [(key, image) for key in keys_in(index, image)]
            else:
                found += [(key, image) for key in sorted((yield from _found_one_by_one(index, image)))]
        if self._keys is None:
            self._keys = {}
        self._keys[index] = found
        return found

    def has_many(self, index: IndexSpec) -> bool:
        """Tell whether it takes long to find its keys in an index; if not, they are found."""
        if self._keys is None:
            self._keys = {}
        if index in self._keys:
            return False
        found: list[tuple[bytes, Document]] = []
        for image in (self.write.before, self.write.after):
            if image is not None:
                if keys.most_keys(index, image) > MANY:
                    return True
                found += [(key, image) for key in keys_in(index, image)]
        self._keys[index] = found
        return False

    def size(self) -> int:
        """Tell the bytes of the document before and after."""
        return sum(len(bson.encode(image)) for image in (self.write.before, self.write.after) if image is not None)


class _InOrder:
    """The entries of many writes in one index, in the order of their keys; more writes may come."""

    def __init__(self, index: IndexSpec) -> None:
        self._index = index
        self._taken = 0
        self._keys: list[bytes] = []
        self._entries: list[tuple[KeyedWrite, Document]] = []

    def take(self, writes: Sequence[KeyedWrite]) -> None:
        """Take those in that have come to the end of ``writes``."""
        new = writes[self._taken :]
        self._taken = len(writes)
        added = [(key, (write, image)) for write in new for key, image in write.entries(self._index)]
        if len(added) <= FEW and self._keys:
            for key, entry in added:
                place = bisect_right(self._keys, key)
                self._keys.insert(place, key)
                self._entries.insert(place, entry)
        elif added:
            pairs = sorted([*zip(self._keys, self._entries, strict=True), *added], key=_key)
            self._keys = [key for key, _ in pairs]
            self._entries = [entry for _, entry in pairs]

    def within(self, interval: Interval) -> list[tuple[KeyedWrite, Document]]:
        """List the entries with a key in an interval."""
        return self._entries[bisect_left(self._keys, interval.low) : bisect_left(self._keys, interval.high)]


def _key(pair: tuple[bytes, tuple[KeyedWrite, Document]]) -> bytes:
    return pair[0]


class KeyedCommit:
    """The writes of a commit by table, with their keys.

    Attributes:
        ts: 0 as long as it has not been committed.
        points: What it writes, with the write.
        fence: As of ``Commit``, like ``token``.
        clock: The newest reading from which this very commit made an id; 0 if it made none.
    """

    __slots__ = ("_in_order", "_size", "by_table", "clock", "fence", "points", "token", "ts")

    def __init__(
        self, ts: Ts, writes: Iterable[Write], fence: int | None = None, clock: Reading = 0, token: bytes = b"",
        size: int = 0,
    ) -> None:  # fmt: skip
        self.ts = ts
        self.fence = fence
        self.clock = clock
        self.token = token
        self.by_table: dict[str, list[KeyedWrite]] = defaultdict(list)
        self.points: dict[Point, KeyedWrite] = {}
        self._size = size or None
        self._in_order: dict[tuple[str, IndexSpec], _InOrder] = {}
        for write in writes:
            self.add(write)

    @classmethod
    async def gathered(
        cls,
        ts: Ts,
        writes: Sequence[Write],
        fence: int | None = None,
        clock: Reading = 0,
        token: bytes = b"",
        indexes: Indexes | None = None,
        size: int = 0,
    ) -> KeyedCommit:
        """Prepare a commit; a large one in turns with whatever else there is to do, also its keys in ``indexes``.

        Args:
            size: The bytes of its documents, before and after; 0 if nobody has told.
        """
        if len(writes) <= FEW:
            commit = cls(ts, writes, fence, clock, token, size)
            if indexes is not None:
                for each in commit.points.values():
                    for index in list(indexes(each.write.table)):
                        if each.has_many(index):
                            await in_turns(each.finding(index))
            return commit
        commit, turns, told = cls(ts, (), fence, clock, token, size), Turns(1, urgent=True), size > 0
        looked_at: dict[str, Sequence[IndexSpec]] = {}
        for number, write in enumerate(writes, 1):
            keyed = commit.add(write)
            if indexes is not None:
                size += 0 if told else keyed.size()
                if write.table not in looked_at:
                    looked_at[write.table] = list(indexes(write.table))
                for index in looked_at[write.table]:
                    keyed.entries(index)
            if number % FEW == 0:
                await turns.step()
        commit._size = size if indexes is not None else None
        return commit

    def add(self, write: Write) -> KeyedWrite:
        """Take in one more write."""
        keyed = KeyedWrite(write)
        self.by_table[write.table].append(keyed)
        self.points[write.table, keyed.id_key] = keyed
        return keyed

    def join(self, other: KeyedCommit) -> None:
        """Take in all the writes of another one."""
        for table, writes in other.by_table.items():
            self.by_table[table].extend(writes)
        self.points.update(other.points)

    @property
    def size(self) -> int:
        """The bytes of the documents it holds, before and after."""
        if self._size is None:
            self._size = sum(each.size() for each in self)
        return self._size

    def within(self, table: str, index: IndexSpec, interval: Interval) -> Iterable[tuple[KeyedWrite, Document]]:
        """Give the writes with a key in an interval of an index, each with the image that has the key."""
        writes = self.by_table.get(table, ())
        if len(writes) <= FEW:
            low, high, found = interval.low, interval.high, list[tuple[KeyedWrite, Document]]()
            for write in writes:
                entries = write.entries(index)
                if len(entries) > MANY:
                    break
                found += [(write, image) for key, image in entries if low <= key < high]
            else:
                return found
        in_order = self._in_order.get((table, index))
        if in_order is None:
            in_order = self._in_order[table, index] = _InOrder(index)
        in_order.take(writes)
        return in_order.within(interval)

    def has_many_entries(self, table: str, index: IndexSpec) -> bool:
        """Tell whether it pays to bring its entries in an index in order."""
        writes = self.by_table.get(table, ())
        if len(writes) == 1:
            return len(writes[0].entries(index)) > MANY
        return len(writes) > FEW or any(len(write.entries(index)) > MANY for write in writes)

    def __iter__(self) -> Iterator[KeyedWrite]:
        for writes in self.by_table.values():
            yield from writes
