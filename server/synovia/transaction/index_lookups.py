"""Which documents have a key of an index: looked up once, and from then on kept current by the commits.

Most runs begin by finding their caller by a unique index. What is kept of such a look-up are the ids of those found, or that
there is none; the documents are in the cache of documents, of which this is a part.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from synovia import keys
from synovia.keys import IndexSpec, Interval
from synovia.schema.specs import Undecodable
from synovia.store.base import Ts
from synovia.transaction.keyed import KeyedCommit, KeyedWrite, Point

MOST_FOUND: Final = 8
"""Of a key that more documents have it is not kept which these are."""
MOST_FOLLOWED: Final = 1_000
"""After a commit that writes more documents of a table all its look-ups are made anew: to compare them would take long."""
_BASE: Final = 400
_EACH: Final = 150
"""The bytes of a look-up, and of each document found, beside their keys."""

IndexKey = tuple[str, IndexSpec, bytes]
"""A table, an index of it, and a value for each of the index's fields, encoded."""


def is_whole_key(index: IndexSpec, interval: Interval) -> bool:
    """Tell whether an interval holds just the documents with one value in each field of an index."""
    if not index.fields or interval.high != keys.after(interval.low):
        return False
    try:
        return len(keys.decode(interval.low)) == len(index.fields)
    except ValueError:
        return False


class Lookup:
    """A look-up that is under way; it is ``overtaken`` when a commit writes a document with the key."""

    __slots__ = ("key", "overtaken")

    def __init__(self, key: IndexKey) -> None:
        self.key = key
        self.overtaken = False


class _Followed:
    """The values of one index that commits are compared with: of look-ups that are kept, and of those under way."""

    __slots__ = ("kept", "under_way")

    def __init__(self) -> None:
        self.kept: set[bytes] = set()
        self.under_way: dict[bytes, list[Lookup]] = {}


class IndexLookups:
    """The look-ups that were made last.

    Args:
        most_bytes: How much is kept, as estimated.

    Attributes:
        bytes: What is kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[IndexKey, tuple[Sequence[Point], Ts]] = OrderedDict()
        self._followed: dict[str, dict[IndexSpec, _Followed]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def indexes(self, table: str) -> Iterable[IndexSpec]:
        """Tell by which indexes of a table commits are looked at."""
        return self._followed.get(table, ())

    def find(self, key: IndexKey, ts: Ts) -> Sequence[Point] | None:
        """Give the documents with a key as of ``ts``, which the log has brought; None if they are not known."""
        kept = self._kept.get(key)
        if kept is None or kept[1] > ts:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def begin(self, key: IndexKey) -> Lookup:
        """Note that the documents with a key are going to be looked up as of the head of the log."""
        lookup, under_way = Lookup(key), self._following(key).under_way
        if key[2] in under_way:
            under_way[key[2]].append(lookup)
        else:
            under_way[key[2]] = [lookup]
        return lookup

    def end(self, lookup: Lookup, ts: Ts, found: Sequence[Point] | None) -> bool:
        """Keep what was found, unless it has been overtaken, and tell whether it is kept; None: nothing is known."""
        key, followed = lookup.key, self._following(lookup.key)
        under_way = followed.under_way[key[2]]
        under_way.remove(lookup)
        if not under_way:
            del followed.under_way[key[2]]
        if found is None or lookup.overtaken or len(found) > MOST_FOUND:
            self._unfollow(key, followed)
            return False
        if key in self._kept:
            self.bytes -= _size(key, self._kept[key][0])
        self._kept[key] = sorted(found), ts
        self._kept.move_to_end(key)
        self.bytes += _size(key, found)
        followed.kept.add(key[2])
        self._trim()
        return True

    def on_change(self, commit: KeyedCommit) -> None:
        """Take in a commit."""
        for table, writes in commit.by_table.items():
            if table not in self._followed:
                continue
            if len(writes) > MOST_FOLLOWED:
                self.forget(table)
                continue
            for index, followed in list(self._followed[table].items()):
                for write in writes:
                    self._follow(table, index, followed, write, commit.ts)

    def forget(self, table: str) -> None:
        """Forget all that was looked up in a table."""
        for index, followed in list(self._followed.get(table, {}).items()):
            _overtake(followed, followed.under_way)
            for value in list(followed.kept):
                self._drop((table, index, value))

    def forget_all(self) -> None:
        """Forget everything."""
        for table in list(self._followed):
            self.forget(table)

    def _follow(self, table: str, index: IndexSpec, followed: _Followed, write: KeyedWrite, ts: Ts) -> None:
        entries, image_before, image_after = write.entries(index), write.write.before, write.write.after
        if image_before is image_after:
            return
        tail, before, after = -len(write.id_key), set[bytes](), set[bytes]()
        for key, image in entries:
            if image is image_before:
                before.add(key[:tail])
            elif not isinstance(image, Undecodable):  # no scan finds it, as its keys are not known
                after.add(key[:tail])
        if followed.under_way:
            _overtake(followed, before | after)
        if before == after:
            return
        point = table, write.id_key
        for value in (before - after) & followed.kept:
            self._move((table, index, value), point, ts, is_there=False)
        for value in (after - before) & followed.kept:
            self._move((table, index, value), point, ts, is_there=True)

    def _following(self, key: IndexKey) -> _Followed:
        indexes = self._followed.get(key[0])
        if indexes is None:
            indexes = self._followed[key[0]] = {}
        followed = indexes.get(key[1])
        if followed is None:
            followed = indexes[key[1]] = _Followed()
        return followed

    def _unfollow(self, key: IndexKey, followed: _Followed) -> None:
        """Compare no commits with an index any more of which nothing is kept."""
        if not followed.kept and not followed.under_way:
            del self._followed[key[0]][key[1]]
            if not self._followed[key[0]]:
                del self._followed[key[0]]

    def _move(self, key: IndexKey, point: Point, ts: Ts, *, is_there: bool) -> None:
        """Keep who has a key now, as long as who had it would have been."""
        kept = self._kept.get(key)
        if kept is None:
            return
        points = [each for each in kept[0] if each != point]
        if is_there:
            points = sorted([*points, point])
        self.bytes += _size(key, points) - _size(key, kept[0])
        self._kept[key] = points, ts
        if len(points) > MOST_FOUND:
            self._drop(key)
        self._trim()

    def _trim(self) -> None:
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: IndexKey) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.bytes -= _size(key, kept[0])
            followed = self._following(key)
            followed.kept.discard(key[2])
            self._unfollow(key, followed)


def _overtake(followed: _Followed, values: Iterable[bytes]) -> None:
    for value in values:
        for lookup in followed.under_way.get(value, ()):
            lookup.overtaken = True


def _size(key: IndexKey, points: Sequence[Point]) -> int:
    return _BASE + 2 * len(key[2]) + (sum([_EACH + len(point[1]) for point in points]) if points else 0)
