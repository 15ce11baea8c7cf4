"""What a document has to fulfil that is written: its references lead somewhere, and nobody else has its unique keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synovia import keys
from synovia.errors import InvalidArguments, KeyTaken
from synovia.functions.deletion import Deletions
from synovia.functions.visibility import TableView
from synovia.keys import IndexSpec
from synovia.schema import Document, Table
from synovia.schema.encrypted import sealed_fields
from synovia.schema.kept import DELETED_AT
from synovia.schema.relations import Relation, Relations
from synovia.transaction.transaction import Scan, Transaction


@dataclass(frozen=True, slots=True)
class Constraints:
    """The constraints of an application, as they are looked at in one mutation.

    Attributes:
        views: What the caller sees of a table, by whether that is with what was deleted softly.
    """

    transaction: Transaction
    views: Mapping[tuple[type[Table], bool], TableView]
    relations: Relations
    deletions: Deletions

    async def check(self, table: type[Table], before: Document | None, after: Document) -> None:
        """Refuse a document that breaks one which it has not broken ``before``.

        Raises:
            InvalidArguments: It refers to a document that is not there, or is another tenant's.
            FunctionError: What others have in common with it as they refer to it is changed (``still_referenced``).
            KeyTaken: Another document has the same key in a unique index.
        """
        for relation in self.relations.of.get(table.spec.name, ()):
            await self._check_reference(relation, before, after)
        for relation in self.relations.to.get(table.spec.name, ()):
            if before is not None and relation.parts(before, after):
                await self.deletions.check_unreferenced_within(relation, before)
        for index in table.spec.indexes:
            if index.unique and (before is None or keys.index_keys(index, before) != keys.index_keys(index, after)):
                await self._check_unique(table, index, after)

    async def _check_reference(self, relation: Relation, before: Document | None, after: Document) -> None:
        """Refuse a new reference to what is not there; its own document may be the one that is just written."""
        id_ = after.get(relation.database)
        restored = before is not None and DELETED_AT in before and DELETED_AT not in after
        if id_ is None or (relation.target is relation.table and id_ == after["_id"]):
            return
        known = before is not None and before.get(relation.database) == id_ and not restored
        if before is not None and known and not relation.parts(before, after):
            return
        named = await self.views[relation.target, False].get(id_)
        if named is None:
            reason = f"{relation.target.spec.name} has no document {id_}"
        elif relation.parts(named, after):
            reason = f"{relation.target.spec.name} {id_} has another {relation.within}"
        else:
            return
        raise InvalidArguments(
            f"{relation.table.spec.name}.{relation.name}: {reason}", [{"at": relation.database, "message": reason}]
        )

    async def _check_unique(self, table: type[Table], index: IndexSpec, document: Document) -> None:
        if await has_same(self.transaction, table, index, document):
            sealed = {each.token_path: each.database for each in sealed_fields(table).values()}
            same = ", ".join(sealed.get(each, each) for each in index.fields if each != DELETED_AT)
            raise KeyTaken(f"{table.spec.name}: another document has the same {same}", {"index": index.name})


async def has_same(transaction: Transaction, table: type[Table], index: IndexSpec, document: Document) -> bool:
    """Tell whether another document has one of the keys of a document."""
    own = keys.encode_value(document["_id"])
    for key in keys.index_keys(index, document):
        same = keys.prefix(keys.decode(key)[:-1])
        others = await transaction.scan(Scan(table.spec.name, index, same), 2)
        if any(keys.encode_value(other["_id"]) != own for other in others):
            return True
    return False
