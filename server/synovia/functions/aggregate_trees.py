"""What the database keeps of an aggregate index: nodes with sums, and changes that are not in the nodes yet.

The keys of the index are divided into stretches of some hundred documents, each with a *node* that has their number and
sums; these into longer ones, and so on, each *level* for itself: a node reaches from its key to that of the next of its
level. A sum over an interval is that of the longest nodes within it, and of the documents at its edges.

Whoever writes a document does not touch the nodes, or all would wait for each other: they add a *change* in the same
transaction, under an id of its own. A change counts beside the nodes until a hub has put it into them
(``migrations.aggregates``), which says the same in another way. So nobody waits for anybody, at any place of the index.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from synovia import keys
from synovia.aggregates.sums import Sums, added
from synovia.aggregates.tally import Kind, Summary
from synovia.aggregates.totals import Total, is_number
from synovia.functions.visibility import NOT_DELETED
from synovia.keys import BY_ID, IndexSpec, Interval, Order, ParallelArrays
from synovia.schema import AggregateSpec, Document, TableSpec
from synovia.schema.kept import DELETED_AT
from synovia.store.base import Write
from synovia.transaction.transaction import Scan, Transaction
from synovia.turns import Turns

TREES: Final = TableSpec("_aggregates")
"""A document for each aggregate index: how many levels it has, and how far it has come while it is made."""
NODES: Final = TableSpec("_aggregateNodes")
CHANGES: Final = TableSpec("_aggregateChanges")

EVERYTHING: Final = Interval(b"", b"\xff")


# --- changes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What a written document does to sums at one key; None: it is not there before, or after.

    Attributes:
        removed: The values that were added up before, and ``added``: those that are after.
    """

    key: bytes
    removed: tuple[Any, ...] | None
    added: tuple[Any, ...] | None

    @property
    def count(self) -> int:
        """How many documents there are more: 1, 0 or -1."""
        return (self.added is not None) - (self.removed is not None)

    def sums(self, fields: int) -> Sums:
        """Give what is to be added to the sums."""
        found = Sums.none(fields)
        found = found if self.removed is None else found.moved(self.removed, -1)
        return found if self.added is None else found.moved(self.added, 1)


def changes_of(spec: AggregateSpec, before: Document | None, after: Document | None) -> Iterator[Change]:
    """Give what a write does to the sums of an aggregate index."""
    was, now = _entries(spec, before), _entries(spec, after)
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) != now.get(key):
            yield Change(key, was.get(key), now.get(key))


async def changes_to_write(aggregated: Mapping[str, TableSpec], writes: Sequence[Write]) -> list[Write]:
    """Give what is to be written along with some writes.

    Args:
        aggregated: The tables with aggregate indexes, by name.
    """
    found, turns = list[Write](), Turns(urgent=True)
    for write in writes:
        for spec in aggregated[write.table].aggregates if write.table in aggregated else ():
            for change in changes_of(spec, write.before, write.after):
                document = _document(spec, change)
                found.append(Write(CHANGES.name, document["_id"], None, document))
        await turns.step()
    return found


def _entries(spec: AggregateSpec, document: Document | None) -> dict[bytes, tuple[Any, ...]]:
    """Give the keys under which a document counts, and the values that are added up."""
    if document is None or (spec.hides_deleted and document.get(DELETED_AT) is not None):
        return {}
    try:
        found = keys.index_keys(spec.index, document)
    except ParallelArrays:  # by another program: no index has it
        return {}
    values = tuple(value if is_number(value) else None for value in keys.values_of(spec.summed, document))
    return dict.fromkeys(found, values)


def _document(spec: AggregateSpec, change: Change) -> Document:
    document: Document = {"_id": f"{spec.tree}/{change.key.hex()}/{secrets.token_urlsafe(9)}"}
    document |= {} if change.removed is None else {"removed": [*change.removed]}
    return document if change.added is None else {**document, "added": [*change.added]}


def change_in(spec: AggregateSpec, document: Document) -> Change:
    """Read a change."""
    key = document["_id"][len(spec.tree) + 1 :].partition("/")[0]
    removed, added_ = document.get("removed"), document.get("added")
    return Change(
        bytes.fromhex(key),
        None if removed is None else tuple(removed),
        None if added_ is None else tuple(added_),
    )


def changes_within(spec: AggregateSpec, interval: Interval) -> Scan:
    """Give the scan of the changes at the keys of an interval."""
    return Scan(CHANGES.name, BY_ID, ids_between(f"{spec.tree}/", interval))


def ids_between(head: str, interval: Interval, *, closed: bool = False) -> Interval:
    """Give where the ids are that begin with a text, and go on with a key of an interval.

    Args:
        closed: Whether the end of the interval counts, too.
    """
    low, high = head + interval.low.hex(), head + interval.high.hex()
    return keys.between([], (low, True), (high, closed))


# --- nodes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """What the database keeps of a stretch of an index.

    Attributes:
        low: Where it begins; it ends where the next node of its level begins.
        size: Of how many nodes of the level below it is made; of level 0: 0.
        sums: Without the changes that are not in it yet.
    """

    level: int
    low: bytes
    size: int
    sums: Sums

    def id(self, spec: AggregateSpec) -> str:
        """Give the id of its document."""
        return _nodes_of(spec, self.level) + self.low.hex()

    def document(self, spec: AggregateSpec) -> Document:
        """Give its document."""
        return {"_id": self.id(spec), "size": self.size, **self.sums.kept()}


def _nodes_of(spec: AggregateSpec, level: int) -> str:
    return f"{spec.tree}/{level}/"


def node_in(document: Document) -> Node:
    """Read a node."""
    _, level, low = document["_id"].rsplit("/", 2)
    return Node(int(level), bytes.fromhex(low), document["size"], Sums.read(document))


@dataclass(frozen=True, slots=True)
class Tree:
    """How far an aggregate index is kept.

    Attributes:
        levels: How many there are.
        until: Up to which key nodes have been made; None: everywhere.
        documents: How many documents were read to make them.
    """

    levels: int
    until: bytes | None
    documents: int = 0

    @classmethod
    def read(cls, document: Document) -> Tree:
        """Read its document."""
        until = document.get("until")
        return cls(document["levels"], None if until is None else bytes.fromhex(until), document["documents"])

    def document(self, spec: AggregateSpec, table: str) -> Document:
        """Give its document."""
        told = {"_id": spec.tree, "table": table, "name": spec.name, "levels": self.levels, "documents": self.documents}
        return told if self.until is None else {**told, "until": self.until.hex()}


@dataclass(slots=True)
class _Cover:
    """An interval in pieces.

    Attributes:
        nodes: Those that lie in it, with what they reach over.
        gaps: What no node covers.
    """

    nodes: list[tuple[Interval, Node]] = field(default_factory=list)
    gaps: list[Interval] = field(default_factory=list)


class AggregateReader:
    """Reads sums of a table as one transaction sees them, its own writes among them.

    Args:
        table: The name of the table.
    """

    def __init__(self, transaction: Transaction, table: str, spec: AggregateSpec) -> None:
        self._transaction = transaction
        self._table = table
        self._spec = spec

    def scan(self, interval: Interval, order: Order = Order.ASC) -> Scan:
        """Give the scan of the documents of an interval that count."""
        return Scan(self._table, self._spec.index, interval, order, NOT_DELETED if self._spec.hides_deleted else None)

    async def tree(self) -> Tree | None:
        """Tell how far the index is kept; None: not at all yet."""
        document = await self._transaction.get(TREES.name, self._spec.tree)
        return None if document is None else Tree.read(document)

    async def kept(self) -> Sums | None:
        """Give what is kept of all documents; None: sums are not kept, or not of all of them."""
        tree = await self.tree()
        if tree is None or tree.until is not None:
            return None
        nodes = await self.nodes(tree.levels - 1, EVERYTHING)
        return added((node.sums for node in nodes), len(self._spec.sums)) + await self._changed(EVERYTHING)

    async def counted(self) -> int:
        """Count all documents themselves."""
        return await self._transaction.count(self.scan(EVERYTHING))

    async def count(self, interval: Interval) -> int:
        """Count the documents of an interval."""
        return (await self._sums(interval)).count

    async def total(self, interval: Interval, field: str) -> Total:
        """Add up a field of the documents of an interval."""
        place = self._spec.sums.index(field)
        return (await self._sums(interval, place)).totals[place]

    async def document_at(self, interval: Interval, offset: int) -> Document | None:
        """Give the document before which so many others of an interval come; None: there are not so many."""
        level: int | None = None
        changes = await self._changes(interval)
        while True:
            for part, node in await self._parts(interval, level):
                count = await self._count_of(part, node, changes)
                if offset >= count:
                    offset -= count
                elif node is None or node.level == 0:
                    return await self._read_at(part, offset)
                else:
                    interval, level = part, node.level
                    break
            else:
                return None

    # --- the pieces of an interval

    async def _cover(self, interval: Interval, below: int | None = None) -> _Cover:
        """Cover an interval with nodes, the longest first.

        Args:
            below: Only with nodes of lower levels than this.
        """
        tree, cover = await self.tree(), _Cover()
        if tree is None:
            return _Cover(gaps=[interval])
        end = interval.high if tree.until is None else min(interval.high, max(interval.low, tree.until))
        gaps = [Interval(interval.low, end)]
        for level in reversed(range(tree.levels if below is None else below)):
            gaps = [gap for each in gaps for gap in await self._filled(cover, level, each)]
        cover.gaps = [gap for gap in (*gaps, Interval(end, interval.high)) if gap.low < gap.high]
        return cover

    async def _filled(self, cover: _Cover, level: int, gap: Interval) -> list[Interval]:
        """Add the nodes of a level that lie in a gap; give the gaps that are left."""
        nodes = await self.nodes(level, gap) if gap.low < gap.high else []
        if len(nodes) < 2:
            return [gap]
        cover.nodes += [(Interval(node.low, after.low), node) for node, after in pairwise(nodes)]
        return [Interval(gap.low, nodes[0].low), Interval(nodes[-1].low, gap.high)]

    async def nodes(self, level: int, interval: Interval) -> list[Node]:
        """Read the nodes of a level that begin in an interval, or at its end."""
        ids = ids_between(_nodes_of(self._spec, level), interval, closed=True)
        return [node_in(each) for each in await self._transaction.scan(Scan(NODES.name, BY_ID, ids))]

    async def _parts(self, interval: Interval, below: int | None) -> list[tuple[Interval, Node | None]]:
        cover = await self._cover(interval, below)
        parts: list[tuple[Interval, Node | None]] = [*cover.nodes, *((gap, None) for gap in cover.gaps)]
        return sorted(parts, key=lambda part: part[0].low)

    # --- sums

    async def _sums(self, interval: Interval, place: int | None = None) -> Sums:
        """Add up an interval.

        Args:
            place: Of the sum that is wanted; None: only the count is.
        """
        cover = await self._cover(interval)
        found = [node.sums for _, node in cover.nodes]
        found += [await self._changed(each) for each in _joined(part for part, _ in cover.nodes)]
        found += [await self._read(gap, place) for gap in cover.gaps]
        return added(found, len(self._spec.sums))

    async def _count_of(self, part: Interval, node: Node | None, changes: Sequence[Change]) -> int:
        """Count the documents of a piece of an interval.

        Args:
            changes: All of the interval, in the order of their keys.
        """
        if node is None:
            return await self._transaction.count(self.scan(part))
        low, high = (bisect_left(changes, end, key=lambda change: change.key) for end in (part.low, part.high))
        return node.sums.count + sum(change.count for change in changes[low:high])

    async def _changed(self, interval: Interval) -> Sums:
        """Add up what is not in the nodes of an interval yet."""
        fields = len(self._spec.sums)
        return added((change.sums(fields) for change in await self._changes(interval)), fields)

    async def _changes(self, interval: Interval) -> list[Change]:
        """Read what is not in the nodes of an interval yet, in the order of the keys."""
        documents = await self._transaction.scan(changes_within(self._spec, interval))
        changes = [change_in(self._spec, each) for each in documents]
        for write in self._transaction.pending(self._table):
            own = changes_of(self._spec, write.before, write.after)
            changes += [change for change in own if change.key in interval]
        return sorted(changes, key=lambda change: change.key)

    async def changes_count(self, interval: Interval) -> int:
        """Count the changes that are not in the nodes of an interval yet."""
        return await self._transaction.count(changes_within(self._spec, interval))

    async def stored(self, interval: Interval) -> Sums:
        """Give what nodes over an interval have to hold: what the documents come to, without the changes."""
        return await self.read(interval) - await self._changed(interval)

    async def read(self, interval: Interval) -> Sums:
        """Add up the documents of an interval themselves, all of their fields."""
        fields = len(self._spec.sums)
        found = [await self._read(interval, place) for place in range(fields)]
        count = found[0].count if found else (await self._read(interval, None)).count
        return Sums(count, tuple(each.totals[place] for place, each in enumerate(found)))

    async def _read(self, interval: Interval, place: int | None) -> Sums:
        """Add up the documents of an interval themselves."""
        none = Sums.none(len(self._spec.sums))
        if place is None:
            return replace(none, count=await self._transaction.count(self.scan(interval)))
        tally = await self._transaction.aggregate(self.scan(interval), Summary(Kind.TOTAL, _single(self._spec, place)))
        cell = tally.only()
        total = cell.kept if isinstance(cell.kept, Total) else Total()
        return Sums(cell.count, (*none.totals[:place], total, *none.totals[place + 1 :]))

    async def _read_at(self, interval: Interval, offset: int) -> Document | None:
        documents = await self._transaction.scan(self.scan(interval), offset + 1)
        return documents[offset] if len(documents) > offset else None


def _single(spec: AggregateSpec, place: int) -> IndexSpec:
    """Give one of the fields that are added up, as the only one of an index."""
    summed = spec.summed
    defaults = summed.defaults[place : place + 1] if summed.defaults else ()
    return IndexSpec(Kind.TOTAL.value, summed.fields[place : place + 1], False, defaults)


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Join intervals where one ends and the next begins."""
    found: list[Interval] = []
    for each in sorted(intervals, key=lambda interval: interval.low):
        if found and found[-1].high == each.low:
            found[-1] = Interval(found[-1].low, each.high)
        else:
            found.append(each)
    return found
