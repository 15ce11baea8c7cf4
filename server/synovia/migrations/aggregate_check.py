"""Comparing the sums of an aggregate index with the documents of its table, all as of one instant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise

from synovia.aggregates.sums import added
from synovia.functions.aggregate_trees import EVERYTHING, AggregateReader, Node
from synovia.functions.registry import Registry
from synovia.keys import Interval
from synovia.store.base import Store
from synovia.transaction.transaction import Transaction


@dataclass(slots=True)
class AggregateCheck:
    """What was found of an aggregate index.

    Attributes:
        made: Whether there are sums of all documents.
        documents: How many have sums, with those whose changes are not among them yet.
        changes: How many changes are not among the sums yet.
        nodes: How many have been compared.
        wrong: How many of them are wrong.
    """

    table: str
    name: str
    made: bool = False
    documents: int = 0
    changes: int = 0
    nodes: int = 0
    wrong: int = 0


async def check_aggregates(store: Store, registry: Registry) -> AsyncIterator[AggregateCheck]:
    """Compare all aggregate indexes of an application; every document is read."""
    for table, model in registry.aggregated.items():
        for spec in model.aggregates:
            ts, _ = await store.newest()
            reader = AggregateReader(Transaction(store.snapshot(ts)), table, spec)
            yield await _checked(reader, AggregateCheck(table, spec.name))


async def _checked(reader: AggregateReader, found: AggregateCheck) -> AggregateCheck:
    tree = await reader.tree()
    if tree is None:
        return found
    found.made, found.changes = tree.until is None, await reader.changes_count(EVERYTHING)
    end = EVERYTHING.high if tree.until is None else tree.until
    below: list[Node] = []
    for level in range(tree.levels):
        nodes = await reader.nodes(level, EVERYTHING)
        for node, high in zip(nodes, [*(after.low for _, after in pairwise(nodes)), end], strict=True):
            found.nodes += 1
            found.wrong += not await _is_right(reader, node, high, below)
        below = nodes
    kept = await reader.kept()
    found.documents = tree.documents if kept is None else kept.count
    return found


async def _is_right(reader: AggregateReader, node: Node, high: bytes, below: list[Node]) -> bool:
    if node.level == 0:
        return await reader.stored(Interval(node.low, high)) == node.sums
    parts = [each for each in below if node.low <= each.low < high]
    nests = bool(parts) and parts[0].low == node.low and len(parts) == node.size
    return nests and added((each.sums for each in parts), len(node.sums.totals)) == node.sums
