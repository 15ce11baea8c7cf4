"""The nodes of an aggregate index, as one transaction makes, splits and removes them.

Nodes of a level nest in those of the level above. The first node of each level begins at the beginning of the index, so
there is one for each key. What is written is written under snapshot isolation: a node that somebody else changes
meanwhile is a conflict, and a document that is written meanwhile has left a change, which stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from synovia.aggregates.sums import Sums, added
from synovia.functions.aggregate_trees import (
    CHANGES,
    EVERYTHING,
    NODES,
    TREES,
    AggregateReader,
    Node,
    Tree,
    change_in,
    changes_of,
    changes_within,
    ids_between,
    node_in,
)
from synovia.functions.database import SystemWriter
from synovia.keys import BY_ID, Interval, Order, after, between
from synovia.schema import AggregateSpec, Document
from synovia.transaction.transaction import Scan, Transaction, scan_key

BUCKET: Final = 256
"""So many documents a node of the lowest level has at most; one with more is split."""
FANOUT: Final = 64
"""So many nodes a node of a higher level has at most."""
_AT_ONCE: Final = 1_024
"""So many documents are read in one transaction."""
_MOST_CHANGES: Final = 3_000
_FEW: Final = 600


class AggregateNodes:
    """Changes the nodes of an aggregate index in a transaction.

    Args:
        table: The name of the table.
    """

    def __init__(self, writer: SystemWriter, table: str, spec: AggregateSpec) -> None:
        self._transaction: Transaction = writer.transaction
        self._table = table
        self._spec = spec
        self._reader = AggregateReader(self._transaction, table, spec)
        self._none = Sums.none(len(spec.sums))

    # --- making

    async def clear(self) -> bool:
        """Take away some nodes of before, and begin to make new ones once there are none; tell whether it has begun."""
        if await self._reader.tree() is not None:
            return True
        ids = ids_between(f"{self._spec.tree}/", Interval(b"", b"\xff"))
        nodes = await self._transaction.scan(Scan(NODES.name, BY_ID, ids), _AT_ONCE)
        for each in nodes:
            self._transaction.write(NODES.name, each["_id"], each, None)
        if len(nodes) < _AT_ONCE:
            await self._keep(Tree(1, b""))
        return len(nodes) < _AT_ONCE

    async def make(self) -> tuple[int, bool]:
        """Make nodes for some more documents; give how many these are, and whether all documents have nodes."""
        tree = await self._reader.tree()
        if tree is None or tree.until is None:
            return 0, True
        documents, end = await self._stretch(Interval(tree.until, EVERYTHING.high))
        changes = await self._changes(Interval(tree.until, end))
        if changes is None:
            raise TooManyChanges
        nodes = self._nodes_of(tree.until, documents)
        for node in nodes:
            await self._put(node)
        self._forget(changes)
        done = end == EVERYTHING.high
        await self._keep(Tree(tree.levels, None if done else end, tree.documents + len(documents)))
        await self._grow(0, tree.until, len(nodes), added((node.sums for node in nodes), len(self._none.totals)))
        return len(documents), done

    # --- keeping

    async def fold(self, most: int) -> tuple[int, list[bytes], list[bytes]]:
        """Put some changes into the nodes; give how many, and where nodes have become too large, and empty."""
        tree = await self._reader.tree()
        if tree is None:
            return 0, [], []
        known = EVERYTHING if tree.until is None else Interval(b"", tree.until)
        documents = await self._transaction.scan(changes_within(self._spec, known), most)
        changes = [change_in(self._spec, each) for each in documents]
        keys = [change.key for change in changes]
        large, empty = list[bytes](), list[bytes]()
        for level in range(tree.levels if changes else 0):
            moved: dict[bytes, Node] = {}
            for change, node in zip(changes, await self._located(level, keys), strict=True):
                node = moved.get(node.low, node)
                moved[node.low] = replace(node, sums=node.sums + change.sums(len(self._spec.sums)))
            for node in moved.values():
                await self._put(node)
            if level == 0:
                large = [node.low for node in moved.values() if node.sums.count > BUCKET]
                empty = [node.low for node in moved.values() if node.sums.count == 0 and node.low]
        self._forget(documents)
        return len(documents), large, empty

    async def split(self, low: bytes) -> bytes | None:
        """Split a node that is too large; give where another one is that has become too large by that."""
        node = await self._node(0, low)
        if node is None or node.sums.count <= BUCKET:
            return None
        high = await self._end_of(node)
        documents, end = await self._stretch(Interval(low, high))
        changes = await self._changes(Interval(low, end))
        if changes is None:
            return None  # they are put into the node first
        nodes = self._nodes_of(low, documents)
        fields = len(self._spec.sums)
        folded = added((change_in(self._spec, each).sums(fields) for each in changes), fields)
        if end < high:
            known = added((each.sums for each in nodes), fields)
            nodes.append(Node(0, end, 0, node.sums + folded - known))
        self._forget(changes)
        for each in nodes:
            await self._put(each)
        grown = added((each.sums for each in nodes), fields) - node.sums
        await self._grow(0, low, len(nodes) - 1, grown)
        return nodes[-1].low if nodes[-1].sums.count > BUCKET and len(nodes) > 1 else None

    async def remove(self, low: bytes) -> None:
        """Remove a node that has become empty."""
        node = await self._node(0, low)
        if node is not None and node.sums.count == 0:
            await self._remove(node)

    async def recount(self, key: bytes) -> bool:
        """Count the documents of the node for a key anew; tell whether it was wrong."""
        tree = await self._reader.tree()
        if tree is None or (tree.until is not None and key >= tree.until):
            return False
        node = await self._containing(0, key)
        wrong = await self._reader.stored(Interval(node.low, await self._end_of(node))) - node.sums
        if wrong == self._none:
            return False
        for level in range(tree.levels):
            each = await self._containing(level, key)
            await self._put(replace(each, sums=each.sums + wrong))
        return True

    # --- documents and changes

    async def _stretch(self, interval: Interval) -> tuple[list[Document], bytes]:
        """Read the first documents of an interval; give them, and where they end."""
        scan = self._reader.scan(interval)
        documents = await self._transaction.scan(scan, _AT_ONCE)
        return documents, interval.high if len(documents) < _AT_ONCE else after(scan_key(scan, documents[-1]))

    async def _changes(self, interval: Interval) -> list[Document] | None:
        """Read the changes of an interval; None: there are too many for one transaction."""
        found = await self._transaction.scan(changes_within(self._spec, interval), _MOST_CHANGES + 1)
        return found if len(found) <= _MOST_CHANGES else None

    def _forget(self, changes: Sequence[Document]) -> None:
        for each in changes:
            self._transaction.write(CHANGES.name, each["_id"], each, None)

    def _nodes_of(self, low: bytes, documents: Sequence[Document]) -> list[Node]:
        """Make nodes for the documents behind a key, the first of which begins there."""
        scan, nodes = self._reader.scan(EVERYTHING), list[Node]()
        for start in range(0, max(1, len(documents)), BUCKET // 2):
            some = documents[start : start + BUCKET // 2]
            own = [change for each in some for change in changes_of(self._spec, None, each)]
            sums = added((change.sums(len(self._spec.sums)) for change in own), len(self._spec.sums))
            nodes.append(Node(0, low if start == 0 else scan_key(scan, some[0]), 0, sums))
        return nodes

    # --- nodes

    async def _grow(self, level: int, key: bytes, number: int, grown: Sums) -> None:
        """Have the nodes above know that there are so many more nodes of a level, and what their documents come to."""
        tree = await self._reader.tree()
        levels = 0 if tree is None else tree.levels
        if level + 1 < levels:
            above = await self._containing(level + 1, key)
            above = replace(above, size=above.size + number, sums=above.sums + grown)
            await self._put(above)
            if is_large := above.size > FANOUT:
                await self._halve(above)
            await self._grow(level + 1, key, int(is_large), grown)
        elif number and tree is not None:
            nodes = await self._reader.nodes(level, EVERYTHING)
            if len(nodes) > FANOUT:
                await self._keep(replace(tree, levels=levels + 1))
                for start in range(0, len(nodes), FANOUT // 2):
                    await self._put(self._over(nodes[start : start + FANOUT // 2]))

    async def _halve(self, node: Node) -> None:
        interval = Interval(node.low, await self._end_of(node))
        nodes = [each for each in await self._reader.nodes(node.level - 1, interval) if each.low in interval]
        middle = len(nodes) // 2
        for some in (nodes[:middle], nodes[middle:]):
            await self._put(self._over(some))

    def _over(self, nodes: Sequence[Node]) -> Node:
        """Make the node above some nodes."""
        sums = added((node.sums for node in nodes), len(self._spec.sums))
        return Node(nodes[0].level + 1, nodes[0].low, len(nodes), sums)

    async def _remove(self, node: Node) -> bool:
        """Remove a node, so that the one before reaches over its documents, too; tell whether that may be."""
        tree = await self._reader.tree()
        if not node.low or tree is None:
            return False
        if node.level + 1 < tree.levels:
            above = await self._containing(node.level + 1, node.low)
            if above.low == node.low:
                if above.size > 1 or not await self._remove(above):
                    return False  # it stays, so that nodes nest
            else:
                await self._put(replace(above, size=above.size - 1))
        before = await self._containing(node.level, node.low, closed=False)
        await self._put(replace(before, sums=before.sums + node.sums))
        id_ = node.id(self._spec)
        self._transaction.write(NODES.name, id_, await self._transaction.get(NODES.name, id_), None)
        return True

    async def _node(self, level: int, low: bytes) -> Node | None:
        document = await self._transaction.get(NODES.name, Node(level, low, 0, self._none).id(self._spec))
        return None if document is None else node_in(document)

    async def _containing(self, level: int, key: bytes, *, closed: bool = True) -> Node:
        """Read the node of a level that reaches over a key."""
        ids = ids_between(f"{self._spec.tree}/{level}/", Interval(b"", key), closed=closed)
        [document] = await self._transaction.scan(Scan(NODES.name, BY_ID, ids, Order.DESC), 1)
        return node_in(document)

    async def _end_of(self, node: Node) -> bytes:
        """Tell where a node ends."""
        head = f"{self._spec.tree}/{node.level}/"
        ids = between([], (node.id(self._spec), False), (head + EVERYTHING.high.hex(), False))
        following = await self._transaction.scan(Scan(NODES.name, BY_ID, ids), 1)
        if following:
            return node_in(following[0]).low
        tree = await self._reader.tree()
        return EVERYTHING.high if tree is None or tree.until is None else tree.until

    async def _located(self, level: int, keys: Sequence[bytes]) -> list[Node]:
        """Read the nodes of a level that reach over keys, which are in order."""
        first = await self._containing(level, keys[0])
        ids = ids_between(f"{self._spec.tree}/{level}/", Interval(first.low, keys[-1]), closed=True)
        documents = await self._transaction.scan(Scan(NODES.name, BY_ID, ids), _FEW + 1)
        if len(documents) > _FEW:
            return [await self._containing(level, key) for key in keys]
        nodes = [node_in(each) for each in documents]
        lows = [node.low for node in nodes]
        return [nodes[bisect_right(lows, key) - 1] for key in keys]

    async def _put(self, node: Node) -> None:
        id_ = node.id(self._spec)
        before = await self._transaction.get(NODES.name, id_)
        self._transaction.write(NODES.name, id_, before, node.document(self._spec))

    async def _keep(self, tree: Tree) -> None:
        before = await self._transaction.get(TREES.name, self._spec.tree)
        self._transaction.write(TREES.name, self._spec.tree, before, tree.document(self._spec, self._table))


class TooManyChanges(Exception):
    """More has been written to a stretch of a table than one transaction takes in."""
