"""What goes along when documents are deleted, told before it is done; ``DatabaseWriter.delete`` does the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from synovia import keys
from synovia.schema import Model
from synovia.schema.misfits import id_text
from synovia.schema.relations import Relation, Relations
from synovia.transaction.transaction import Scan, Transaction

MOST_LOOKED_AT: Final = 2_000
"""So many documents are looked at; beyond that the numbers say at least."""


class Consequence(Model):
    """What becomes of documents that refer to what is deleted.

    Attributes:
        happens: ``cascade``: they are deleted too. ``unset``: they stay, and the reference is taken away. ``restrict``:
            they stay, and forbid it.
        example: The id of one of them.
    """

    table: str
    field: str
    happens: str
    count: int
    example: str


class Consequences(Model):
    """What deleting some documents leads to.

    Attributes:
        is_allowed: Whether nothing forbids it.
        is_all: Whether all was looked at; if not, there may be more of everything.
    """

    deleted: int
    is_allowed: bool
    is_all: bool
    consequences: list[Consequence]


Key = tuple[str, bytes]


class Walk:
    """Goes from documents to those that refer to them, and from those that go along to those that refer to these."""

    def __init__(self, transaction: Transaction, relations: Relations) -> None:
        self._transaction = transaction
        self._relations = relations
        self._left = MOST_LOOKED_AT
        self._gone: set[Key] = set()
        self._ids: dict[Key, Any] = {}
        self._found: dict[tuple[str, str, str], dict[bytes, Any]] = {}

    async def from_documents(self, table: str, ids: Iterable[Any]) -> Consequences:
        """Walk from documents of a table."""
        there = [id_ for id_ in ids if await self._transaction.get(table, id_) is not None]
        leaving = [(table, id_) for id_ in there]
        self._gone.update((table, keys.encode_value(id_)) for id_ in there)
        while leaving and self._left > 0:
            name, id_ = leaving.pop()
            for relation in self._relations.to.get(name, ()):
                leaving += await self._referring(relation, id_)
        return self._told(is_all=not leaving and self._left > 0)

    async def _referring(self, relation: Relation, id_: Any) -> list[tuple[str, Any]]:
        table = relation.table.spec.name
        documents = await self._transaction.scan(Scan(table, relation.index, keys.prefix([id_])), max(1, self._left))
        self._left -= len(documents)
        found = self._found.setdefault((table, relation.database, relation.on_delete), {})
        further = []
        for document in documents:
            key = keys.encode_value(document["_id"])
            found[key] = document["_id"]
            if relation.on_delete == "cascade" and (table, key) not in self._gone:
                self._gone.add((table, key))
                further.append((table, document["_id"]))
        return further

    def _told(self, *, is_all: bool) -> Consequences:
        told, counted = [], Counter[str]()
        for (table, field, happens), found in self._found.items():
            stays = [id_ for key, id_ in found.items() if happens == "cascade" or (table, key) not in self._gone]
            counted[happens] += len(stays)
            if stays:
                told.append(
                    Consequence(table=table, field=field, happens=happens, count=len(stays), example=id_text(stays[0]))
                )
        return Consequences(
            deleted=len(self._gone), is_allowed=not counted["restrict"], is_all=is_all,
            consequences=sorted(told, key=lambda each: (each.happens != "restrict", each.happens, each.table)),
        )  # fmt: skip
