"""The operations of a batch, collection by collection, in an order in which unique keys are free before they are taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from synovia import keys
from synovia.keys import IndexSpec
from synovia.schema.specs import Document
from synovia.store.base import Batch, Write
from synovia.store.mongo.catalog import Catalog


@dataclass(slots=True)
class Piece:
    """Operations of one kind on one collection, as a command takes them.

    Attributes:
        command: ``delete``, ``update`` or ``insert``, and ``operations`` the elements of its array.
    """

    command: str
    operations: Sequence[Document]

    @property
    def argument(self) -> str:
        """The name of the array."""
        return _ARGUMENTS[self.command]


_ARGUMENTS = {"delete": "deletes", "update": "updates", "insert": "documents"}


@dataclass(slots=True)
class TablePlan:
    """The operations on one collection: deletions, then replacements, then insertions."""

    table: str
    deletes: list[Document] = field(default_factory=list)
    replaces: list[Document] = field(default_factory=list)
    inserts: list[Document] = field(default_factory=list)
    known: list[tuple[Any, Document]] = field(default_factory=list)
    """The (id, before) of every document that was there."""
    by_reading: bool = False
    """They have to be compared by reading, because the operations do not compare them."""
    found: int = 0
    """How many documents replacements and deletions have found."""

    @property
    def is_missed(self) -> bool:
        """Whether one of these has not found its document as it was read."""
        return self.found != len(self.replaces) + len(self.deletes)

    def __len__(self) -> int:
        """Tell how many operations there are."""
        return len(self.deletes) + len(self.replaces) + len(self.inserts)

    def pieces(self, size: int) -> list[Piece]:
        """Give the operations in order, so many at a time at most."""
        return [
            Piece(command, operations[start : start + size])
            for command, operations in (("delete", self.deletes), ("update", self.replaces), ("insert", self.inserts))
            for start in range(0, len(operations), size)
        ]


def plan(batch: Batch, catalog: Catalog, *, by_reading: bool = False) -> list[TablePlan]:
    """Lay out the writes of a batch.

    Args:
        by_reading: Leave the comparison with ``before`` to the caller, because the documents are many, or too large to send
            twice in one operation, or hold something that the database does not find by what was read of it.
    """
    by_table: dict[str, list[Write]] = {}
    for write in batch.writes:
        by_table.setdefault(write.table, []).append(write)
    return [_plan_table(name, writes, catalog.unique_indexes(name), by_reading) for name, writes in by_table.items()]


def _plan_table(table: str, writes: Sequence[Write], unique: Sequence[IndexSpec], by_reading: bool) -> TablePlan:
    result = TablePlan(table, by_reading=by_reading)
    takers = _takers(writes, unique) if unique and len(writes) > 1 else set()
    for number, write in enumerate(writes):
        if write.before is not None:
            result.known.append((write.id, write.before))
        if write.before is None:
            result.inserts.extend([write.after] if write.after is not None else [])
        elif write.after is None:
            result.deletes.append(_deletion(write, by_reading))
        elif number in takers:
            result.deletes.append(_deletion(write, by_reading))
            result.inserts.append(write.after)
        else:
            result.replaces.append({"q": _unchanged(write, by_reading), "u": write.after})
    return result


def _deletion(write: Write, by_reading: bool) -> Document:
    return {"q": _unchanged(write, by_reading), "limit": 1}


def _unchanged(write: Write, by_reading: bool) -> dict[str, Any]:
    """Select the document only if it is still as ``before`` says."""
    if by_reading:
        return {"_id": write.id}
    return {"_id": write.id, "$expr": {"$eq": ["$$ROOT", {"$literal": write.before}]}}


def _takers(writes: Sequence[Write], unique: Iterable[IndexSpec]) -> set[int]:
    """Find the replacements that take a unique key which another write of the batch gives up.

    MongoDB checks uniqueness operation by operation, so these are written as a deletion first and an insertion last.
    """
    takers: set[int] = set()
    for index in unique:
        before = [_unique_keys(index, write.before) for write in writes]
        after = [_unique_keys(index, write.after) for write in writes]
        freed = set().union(*(old - new for old, new in zip(before, after, strict=True)))
        takers |= {number for number, (old, new) in enumerate(zip(before, after, strict=True)) if (new - old) & freed}
    return takers


def _unique_keys(index: IndexSpec, document: Document | None) -> set[bytes]:
    if document is None:
        return set()
    tail = len(keys.encode_value(document["_id"]))
    return {key[:-tail] for key in keys.index_keys(index, document)}
