"""Deletions that go on after the mutation that began them: what goes along is much, and gone for everybody at once.

The mutation deletes the document itself and notes that whatever refers to it is going. From its commit on nobody is shown
that, on whatever way; hubs delete it some documents at a time, each time in a transaction of its own, until nothing refers
to it any more. A document that goes in such a step leaves a note of its own if others refer to it in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from synovia import keys
from synovia.functions.visibility import Check, Scope
from synovia.keys import BY_ID
from synovia.schema import Document, Table, TableSpec
from synovia.schema.relations import Relation, Relations
from synovia.store.filters import Comparison, Filter, Not
from synovia.transaction.transaction import Scan, Transaction

CASCADES: Final = TableSpec("_cascades")
GO_ON: Final = "_cascades:go_on"
"""The path of the mutation that makes the next step."""
AT_ONCE: Final = 1_000
"""So many documents go along in the mutation itself; if there are more, none does."""
STEP: Final = 50
"""So many documents are deleted in one of the steps that follow."""
_COUNT: Final = "count"
"""The id of the document that counts the notes. Runs ask for it first: hubs have it at hand, that there is none as well."""


@dataclass(frozen=True, slots=True)
class Going:
    """A document that is gone, and whose referring documents are going.

    Attributes:
        table: The name of its table.
        key: Its id, as the database has it.
        actor: Who deleted it, for the audit table.
        depth: How many references lie between it and what somebody has deleted.
    """

    table: str
    key: Any
    actor: str | None
    depth: int = 0

    @property
    def id(self) -> str:
        """The id of the note."""
        return f"{self.table}/{keys.encode_value(self.key).hex()}"

    @classmethod
    def of(cls, note: Document) -> Going:
        """Read a note."""
        return cls(note["table"], note["key"], note.get("actor"), note["depth"])

    def note(self) -> Document:
        """Write it down."""
        return {"_id": self.id, "table": self.table, "key": self.key, "actor": self.actor, "depth": self.depth}


async def all_going(transaction: Transaction) -> list[Going]:
    """Read which deletions are going on."""
    if await transaction.get(CASCADES.name, _COUNT) is None:
        return []
    notes = await transaction.scan(Scan(CASCADES.name, BY_ID, keys.prefix(())))
    return [Going.of(note) for note in notes if note["_id"] != _COUNT]


async def note_going(transaction: Transaction, going: Going) -> None:
    """Note that what refers to a document is going."""
    transaction.write(CASCADES.name, going.id, None, going.note())
    await _count(transaction, 1)


async def note_gone(transaction: Transaction, going: Going) -> None:
    """Take a note away: nothing refers to the document any more."""
    transaction.write(CASCADES.name, going.id, going.note(), None)
    await _count(transaction, -1)


async def _count(transaction: Transaction, more: int) -> None:
    # Counted, not only marked: so every note is a write of this document, and of two at once one is run again.
    before = await transaction.get(CASCADES.name, _COUNT)
    notes = more + (0 if before is None else before["notes"])
    transaction.write(CASCADES.name, _COUNT, before, {"_id": _COUNT, "notes": notes} if notes else None)


class Cascades:
    """What one run has to know of deletions that are going on.

    Args:
        relations: Those of the application.
    """

    def __init__(self, transaction: Transaction, relations: Relations) -> None:
        self._transaction = transaction
        self._relations = relations
        self._going: dict[str, list[Any]] = {}
        self._as_of = -1

    async def still_going(self, table: type[Table], key: Any) -> bool:
        """Tell whether documents that referred to one that was deleted are not all gone yet."""
        leads = any(relation.on_delete == "cascade" for relation in self._relations.to.get(table.spec.name, ()))
        return leads and key in (await self._read()).get(table.spec.name, ())

    def hides(self, table: type[Table]) -> bool:
        """Tell whether documents of a table may be going because of others."""
        return table.spec.name in self._relations.of

    async def shown(self, table: type[Table], scope: Scope) -> Scope:
        """Leave out of some documents of a table those that are going."""
        if not self.hides(table):
            return scope
        upward = list(self._upward(table))
        if not upward or not (going := await self._read()):
            return scope
        direct = {relation.target.spec.name for relation in upward}
        where = [part for relation in upward if (part := _not_among(relation, going)) is not None]
        indirect = [each for each in upward if self._lies_below(each.target, going.keys() - direct)]
        checks = [self._check_of(relation) for relation in indirect]
        return Scope(scope.equal, (*scope.where, *where), (*scope.checks, *checks), scope.empty)

    def _check_of(self, relation: Relation) -> Check:
        async def check(document: Document) -> bool:
            key = document.get(relation.database)
            parent = None if key is None else await self._transaction.get(relation.target.spec.name, key)
            return parent is None or await (await self.shown(relation.target, Scope())).holds(parent)

        return check

    def _upward(self, table: type[Table]) -> Iterator[Relation]:
        return (each for each in self._relations.of.get(table.spec.name, ()) if each.on_delete == "cascade")

    def _lies_below(self, table: type[Table], going: set[str], seen: frozenset[str] = frozenset()) -> bool:
        """Tell whether documents of a table go along with those of some tables, over however many others."""
        above = [each.target for each in self._upward(table) if each.target.spec.name not in seen]
        return any(each.spec.name in going or self._lies_below(each, going, seen | {table.spec.name}) for each in above)

    async def _read(self) -> dict[str, list[Any]]:
        """Read what is going, by the names of the tables; once, until the run writes it."""
        if self._as_of != self._transaction.revisions.get(CASCADES.name, 0):
            self._going = {}
            for each in await all_going(self._transaction):
                self._going.setdefault(each.table, []).append(each.key)
            self._as_of = self._transaction.revisions.get(CASCADES.name, 0)
        return self._going


def _not_among(relation: Relation, going: dict[str, list[Any]]) -> Filter | None:
    keys_of_target = going.get(relation.target.spec.name)
    return None if keys_of_target is None else Not(Comparison(relation.database, "in", tuple(keys_of_target)))
