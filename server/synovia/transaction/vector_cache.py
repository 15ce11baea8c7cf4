"""Vectors kept in memory, so that a search need not read all documents: made by the first search, kept current by the log.

A search gives what the database holds at its own instant. Where the vectors are of a later one, what was written in between
is taken back by the documents as they were before.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from synovia import keys
from synovia.aggregates.nearest import Entry, Near, Nearest
from synovia.aggregates.tally import Summary, Tally, tally_of_nearest
from synovia.keys import IndexSpec, Interval
from synovia.schema import Document
from synovia.store.base import Gap, Snapshot, Ts
from synovia.store.filters import Filter
from synovia.transaction.keyed import KeyedCommit, keys_in
from synovia.transaction.readset import RangeRead
from synovia.turns import Turns
from synovia.vectors.graph import is_available
from synovia.vectors.scores import Metric, Vector, found_vector
from synovia.vectors.segment import Segment

logger = logging.getLogger("synovia")

MOST_BYTES: Final = 512 * 1024 * 1024
EXACT: Final = 50_000
"""Among so many vectors the nearest are found by comparing all; among more by a graph, if there is a library for that."""
_ROW_SHARE: Final = 4 * 3
_BESIDE: Final = 500
_PAGE: Final = 1_000
_RECENT: Final = 256
_TOO_MANY_CHANGES: Final = 512
_MORE: Final = 4
"""A graph is asked for so many times as many as are wanted: more of the nearest are among them."""
_TRIES: Final = 4_096
"""So many documents are read to find those that satisfy a condition; then the database looks through all."""

Found = tuple[bytes, Any, Vector]


@dataclass(frozen=True)
class Key:
    """Which vectors these are."""

    table: str
    index: IndexSpec
    field: str
    dimensions: int


class _Vectors:
    """The vectors of one field as of ``ts``, by the keys of an index."""

    def __init__(self, key: Key, ts: Ts) -> None:
        self.key = key
        self.ts = ts
        self.since = ts
        self.segments: dict[bytes, Segment] = {}
        self.recent: deque[KeyedCommit] = deque()
        self._field = IndexSpec("vectors", (key.field,))
        self._documents = 0

    @property
    def footprint(self) -> int:
        """What they take, about: a graph has them once more."""
        return self._documents * (_ROW_SHARE * self.key.dimensions + _BESIDE)

    def take(self, document: Document) -> None:
        """Take a document in, as it is now."""
        id_key = keys.encode_value(document["_id"])
        vector = self.vector_of(document)
        for head in self._heads(document, id_key):
            segment = self.segments.setdefault(head, Segment(self.key.dimensions))
            self._documents += id_key not in segment.members
            segment.members.add(id_key)
            if vector is None:
                segment.drop(id_key)
            else:
                segment.put(id_key, document["_id"], vector)

    def vector_of(self, document: Document) -> Vector | None:
        """Give the vector of a document; None: it has none."""
        [value] = keys.values_of(self._field, document)
        return found_vector(value, self.key.dimensions)

    def drop(self, document: Document) -> None:
        """Forget a document that was there."""
        id_key = keys.encode_value(document["_id"])
        for head in self._heads(document, id_key):
            if (segment := self.segments.get(head)) is not None:
                self._documents -= id_key in segment.members
                segment.members.discard(id_key)
                segment.drop(id_key)
                if not segment.members:
                    del self.segments[head]

    def _heads(self, document: Document, id_key: bytes) -> set[bytes]:
        return {key[: len(key) - len(id_key)] for key in keys_in(self.key.index, document)}

    def apply(self, commit: KeyedCommit) -> None:
        """Take in a commit; what it has written stays known for searches at an earlier instant."""
        writes = commit.by_table.get(self.key.table, ())
        for each in writes:
            if each.write.before is not None:
                self.drop(each.write.before)
            if each.write.after is not None:
                self.take(each.write.after)
        self.ts = max(self.ts, commit.ts)
        if writes:
            self.recent.append(commit)
            if len(self.recent) > _RECENT:
                self.since = self.recent.popleft().ts

    def changed_after(self, ts: Ts) -> dict[bytes, Document | None] | None:
        """Give what was written after an instant, as it was then; None: that is not known any more."""
        if ts < self.since:
            return None
        found: dict[bytes, Document | None] = {}
        for commit in self.recent:
            if commit.ts > ts:
                for each in commit.by_table[self.key.table]:
                    found.setdefault(each.id_key, each.write.before)
        return found if len(found) <= _TOO_MANY_CHANGES else None


class VectorCache:
    """The vectors that searches of this hub look through.

    Args:
        most_bytes: What they may take, about; those that were used longest ago go first.
        exact: Among more than so many a graph is used.

    Attributes:
        head: Everything up to this timestamp has been taken in.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, exact: int = EXACT) -> None:
        self.most_bytes = most_bytes
        self.exact = exact
        self._kept: OrderedDict[Key, _Vectors] = OrderedDict()
        self._loading: dict[Key, tuple[asyncio.Task[None], list[KeyedCommit]]] = {}
        self._building: set[asyncio.Task[None]] = set()
        self._too_large: set[Key] = set()
        self._told = False
        self.head: Ts = 0

    def on_change(self, change: KeyedCommit | Gap) -> None:
        """Take in what the log brings."""
        self.head = max(self.head, change.ts)
        if isinstance(change, Gap):
            self._kept.clear()
            for task, _ in self._loading.values():
                task.cancel()
            self._loading.clear()
            return
        for kept in self._kept.values():
            kept.apply(change)
        for key in [each for each, kept in self._kept.items() if kept.footprint > self.most_bytes]:
            del self._kept[key]
            self._refuse(key)
        for _, later in self._loading.values():
            later.append(change)

    async def stop(self) -> None:
        """End what goes on in the background."""
        tasks = [*self._building, *(task for task, _ in self._loading.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def nearest(
        self,
        snapshot: Snapshot,
        table: str,
        index: IndexSpec,
        interval: Interval,
        summary: Summary,
        where: Filter | None,
    ) -> Tally | None:
        """Find what is nearest; None: the database has to look through all.

        Raises:
            StoreError: Of the database, if vectors have to be read.
        """
        near = summary.near
        if near is None or not _is_whole(index, interval):
            return None
        vectors = await self._vectors(Key(table, index, summary.fields.fields[0], near.dimensions), snapshot)
        if vectors is None or vectors.ts < snapshot.ts:
            return None
        search = _Search(vectors, snapshot, RangeRead(table, index, interval, where), near)
        segment = vectors.segments.get(interval.low)
        by_graph = segment is not None and len(segment) > self.exact
        if segment is not None and by_graph:
            self._build(segment, near.metric)
        return await search.tally(summary, segment, by_graph=by_graph)

    # --- what is kept

    async def _vectors(self, key: Key, snapshot: Snapshot) -> _Vectors | None:
        if key in self._too_large:
            return None
        if key not in self._kept:
            if key not in self._loading:
                if snapshot.ts < self.head:
                    return None  # what was committed since then would be missing
                later: list[KeyedCommit] = []
                task = asyncio.create_task(self._load(key, snapshot, later), name=f"vectors of {key.table}")
                self._loading[key] = task, later
            try:
                await asyncio.shield(self._loading[key][0])
            except asyncio.CancelledError:
                if (current := asyncio.current_task()) is not None and current.cancelling():
                    raise
                return None  # the log has a gap
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    async def _load(self, key: Key, snapshot: Snapshot, later: list[KeyedCommit]) -> None:
        """Read all documents as of a snapshot, and then take in what was committed meanwhile."""
        vectors, rest, turns = _Vectors(key, snapshot.ts), keys.prefix(()), Turns()
        try:
            while True:
                page = await snapshot.scan(key.table, key.index, rest, limit=_PAGE)
                for document in page:
                    vectors.take(document)
                    await turns.step()
                if len(page) < _PAGE:
                    break
                inside = [each for each in keys_in(key.index, page[-1]) if each in rest]
                rest = Interval(keys.after(inside[0]), rest.high)
                if vectors.footprint > self.most_bytes:
                    self._refuse(key)
                    return
            for commit in later:
                if commit.ts > vectors.ts:
                    vectors.apply(commit)
            self._kept[key] = vectors
            self._trim()
        finally:
            if self._loading.get(key, (None, None))[1] is later:
                del self._loading[key]

    def _refuse(self, key: Key) -> None:
        self._too_large.add(key)
        logger.warning(
            "the vectors %s.%s take more than %d bytes of memory: searches read them from the database each time"
            " (SYNOVIA_LIMITS_MAX_VECTOR_BYTES)", key.table, key.field, self.most_bytes,
        )  # fmt: skip

    def _trim(self) -> None:
        while len(self._kept) > 1 and sum(each.footprint for each in self._kept.values()) > self.most_bytes:
            self._kept.popitem(last=False)

    def _miss_library(self, number: int) -> None:
        if not self._told:
            self._told = True
            logger.warning(
                "searches compare all of %d vectors, because the library for graphs is missing: pip install"
                " 'synovia[vectors]' (SYNOVIA_LIMITS_MAX_EXACT_VECTORS)", number,
            )  # fmt: skip

    def _build(self, segment: Segment, metric: Metric) -> None:
        if not is_available():
            self._miss_library(len(segment))
        elif not segment.has_graph(metric):
            task = asyncio.create_task(segment.build(metric), name="graph of vectors")
            self._building.add(task)
            task.add_done_callback(self._building.discard)


class _Search:
    """One search at one instant."""

    def __init__(self, vectors: _Vectors, snapshot: Snapshot, read: RangeRead, near: Near) -> None:
        self._vectors = vectors
        self._snapshot = snapshot
        self._read = read
        self._near = near
        self._target = near.target
        self._turns = Turns(4)

    async def tally(self, summary: Summary, segment: Segment | None, *, by_graph: bool) -> Tally | None:
        """Give what is nearest; None: that cannot be told."""
        more = 0 if (known := self._vectors.changed_after(self._snapshot.ts)) is None else len(known)
        found, complete = await self._found(segment, more, by_graph=by_graph)
        changed = self._vectors.changed_after(self._snapshot.ts)  # after the last await: also what came meanwhile
        if found is None or changed is None or (len(changed) > more and not complete):
            return None
        entries = self._scored([each for each in found if each[0] not in changed])
        entries += self._as_before(changed.values())
        entries.sort(key=lambda entry: entry[:2])
        kept = entries[: self._near.kept]
        members = 0 if segment is None else len(segment.members)
        nearest = Nearest(self._near, kept, complete=complete and len(kept) == len(entries))
        return tally_of_nearest(summary, nearest, members + 2 * len(changed) + 1)

    async def _found(
        self, segment: Segment | None, more: int, *, by_graph: bool
    ) -> tuple[Sequence[Found] | None, bool]:
        """Give what may be nearest, and whether that is all there is."""
        if segment is None:
            return [], True
        number = self._near.kept + more
        if self._read.where is not None:
            return await self._satisfying(segment, number)
        if by_graph and (found := segment.near(self._target, _MORE * number)) is not None:
            return found, False
        return await segment.candidates(self._target, number, self._turns)

    async def _satisfying(self, segment: Segment, number: int) -> tuple[Sequence[Found] | None, bool]:
        """Read documents, the nearest first, until there are enough that satisfy the condition."""
        found, tried = list[Found](), 0
        for some in await segment.ranked(self._target, self._turns):
            documents = await self._snapshot.get(self._read.table, [id_ for _, id_, _ in some])
            admitted = [document is not None and self._read.admits(document) for document in documents]
            found += [each for each, is_in in zip(some, admitted, strict=True) if is_in]
            tried += len(some)
            if len(found) >= number:
                return found, False
            if tried >= _TRIES:
                return None, False
        return found, True

    def _scored(self, found: Iterable[Found]) -> list[Entry]:
        return [(-self._target.score(vector) + 0.0, id_key, id_) for id_key, id_, vector in found]

    def _as_before(self, documents: Iterable[Document | None]) -> list[Entry]:
        entries = []
        for document in documents:
            if document is not None and self._read.holds(document):
                vector = self._vectors.vector_of(document)
                if vector is not None:
                    entries += self._scored([(keys.encode_value(document["_id"]), document["_id"], vector)])
        return entries


def _is_whole(index: IndexSpec, interval: Interval) -> bool:
    """Tell whether an interval has all documents with one value in each field of an index."""
    try:
        values = keys.decode(interval.low)
    except ValueError:
        return False
    return len(values) == len(index.fields) and interval.high == keys.after(interval.low)
