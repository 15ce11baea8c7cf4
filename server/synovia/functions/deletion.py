"""Deleting a document with what goes along, for good or softly, and bringing back what was deleted softly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import NamedTuple

from synovia import keys
from synovia.errors import FunctionError
from synovia.functions.cascades import AT_ONCE, Going, note_going, note_gone
from synovia.functions.visibility import NOT_DELETED
from synovia.schema import Document, Table
from synovia.schema.kept import DELETED_AT, SoftDelete
from synovia.schema.relations import Relation, Relations
from synovia.schema.specs import Undecodable
from synovia.store.filters import Comparison, Filter
from synovia.transaction.transaction import Scan, Transaction

Change = Callable[[type[Table], Document, Document | None], Awaitable[None]]
"""Writes a document of a table, as it was and as it shall be; None: it is deleted."""


class Leaving(NamedTuple):
    """A document that goes.

    Attributes:
        at: When, in milliseconds since 1970, if it is only marked as deleted.
    """

    table: type[Table]
    document: Document
    at: int | None = None


class _TooMany(Exception):
    """More goes along than one mutation is to delete."""


_AT_A_TIME = 25
_MUCH_BYTES = 2 * 1024 * 1024
"""A step that has written so much ends: the next one goes on."""
_MOST_ROOTS = 100
"""More documents than these are not deleted with what goes along later."""


class Deletions:
    """Deletes and restores documents in a transaction.

    Rules are not asked of what goes along: the declaration of the reference has said so.

    Args:
        actor: Who deletes, for what goes along later.
    """

    def __init__(
        self, transaction: Transaction, relations: Relations, change: Change, actor: str | None = None
    ) -> None:
        self._transaction = transaction
        self._relations = relations
        self._change = change
        self._actor = actor

    async def delete(self, leaving: Iterable[Leaving]) -> None:
        """Delete documents with those that go along, and take their ids out of those that stay; all or nothing.

        Raises:
            FunctionError: Another one that stays refers to one of them, and restricts that (``still_referenced``).
        """
        waiting = list(leaving)
        if not any(each.table.spec.name in self._relations.to for each in waiting):
            async for _ in self._going(waiting):
                pass
            return
        most = AT_ONCE if self._may_go_later(waiting) else None
        try:
            with self._transaction.taken_back_on_error():
                for each in [each async for each in self._going(list(waiting), most)]:
                    await self._check_unreferenced(each)
        except _TooMany:
            for each in waiting:
                await self._change(each.table, each.document, None)
                going = Going(each.table.spec.name, each.document["_id"], self._actor)
                await note_going(self._transaction, going)

    async def go_on(self, going: Going, most: int) -> int:
        """Delete some of what refers to a document that is gone.

        Args:
            most: So many documents at most.

        Returns:
            How many more there might have been; 0 if there may be more to do.
        """
        for relation in self._relations.to.get(going.table, ()):
            if relation.on_delete == "restrict":
                continue
            more = True
            while more:
                found = await self._referring(relation, {"_id": going.key}, most=min(most, _AT_A_TIME))
                for each in found:
                    await self._leave(relation, each, going)
                most -= len(found)
                if most == 0 or self._has_written_much():
                    return 0
                more = len(found) == _AT_A_TIME
        await note_gone(self._transaction, going)
        return most

    def _has_written_much(self) -> bool:
        budget = self._transaction.budget
        return budget is not None and budget.written > _MUCH_BYTES

    async def _leave(self, relation: Relation, document: Document, going: Going) -> None:
        """Have a document go after another one, and note it if others refer to it."""
        if relation.on_delete == "unset":
            await self._change(relation.table, document, _without(relation, document))
            return
        await self._change(relation.table, document, None)
        for each in self._relations.to.get(relation.table.spec.name, ()):
            if each.on_delete != "restrict" and await self._referring(each, document, most=1):
                below = Going(relation.table.spec.name, document["_id"], going.actor, going.depth + 1)
                await note_going(self._transaction, below)
                return

    def _may_go_later(self, leaving: list[Leaving]) -> bool:
        """Tell whether what goes along may do so later: nothing can refuse that, and no document is only marked."""
        seen, tables = set[str](), {each.table.spec.name for each in leaving}
        while tables - seen:
            name = (tables - seen).pop()
            seen.add(name)
            if any(each.on_delete == "restrict" for each in self._relations.to.get(name, ())):
                return False
            tables |= {each.table.spec.name for each in self._relations.to.get(name, ()) if each.on_delete == "cascade"}
        return len(leaving) <= _MOST_ROOTS and all(each.at is None for each in leaving)

    async def restore(self, table: type[Table], document: Document) -> None:
        """Bring back a document with those that went along with it."""
        at, waiting = document[DELETED_AT], [(table, document)]
        with self._transaction.taken_back_on_error():
            while waiting:
                table, document = waiting.pop()
                await self._change(table, document, {k: v for k, v in document.items() if k != DELETED_AT})
                for relation in self._softly(table):
                    same = Comparison(DELETED_AT, "eq", at)
                    waiting += [
                        (relation.table, each) for each in await self._referring(relation, document, where=same)
                    ]

    async def _going(self, waiting: list[Leaving], most: int | None = None) -> AsyncIterator[Leaving]:
        gone = 0
        while waiting:
            if most is not None and gone + len(waiting) > most:
                raise _TooMany
            gone += 1
            table, document, at = waiting.pop()
            now = await self._transaction.get(table.spec.name, document["_id"])
            if now is None or (at is not None and DELETED_AT in now):
                continue  # two ways led to it, or it was deleted before
            if at is not None and isinstance(now, Undecodable):
                at = None  # only its id is known: there is nothing to mark
            await self._change(table, now, None if at is None else {**now, DELETED_AT: at})
            yield Leaving(table, now, at)
            if at is not None:
                for relation in self._softly(table):
                    waiting += [Leaving(relation.table, each, at) for each in await self._referring(relation, now)]
                continue
            for relation in self._relations.to.get(table.spec.name, ()):
                waiting += [Leaving(relation.table, each) for each in await self._let_go(relation, now, most)]

    def _softly(self, table: type[Table]) -> list[Relation]:
        """List the relations along which documents are deleted softly; all others stay as they are until it is purged."""
        return [
            relation
            for relation in self._relations.to.get(table.spec.name, ())
            if relation.on_delete == "cascade" and issubclass(relation.table, SoftDelete)
        ]

    async def _let_go(self, relation: Relation, document: Document, most: int | None) -> list[Document]:
        """Take the reference away from those that stay; give those that go along."""
        if relation.on_delete == "restrict":
            return []
        referring = await self._referring(relation, document, most=None if most is None else most + 1)
        if most is not None and len(referring) > most:
            raise _TooMany
        if relation.on_delete == "cascade":
            return referring
        for each in referring:
            await self._change(relation.table, each, _without(relation, each))
        return []

    async def _referring(
        self, relation: Relation, document: Document, *, where: Filter | None = None, most: int | None = None
    ) -> list[Document]:
        interval = keys.prefix([document["_id"]])
        return await self._transaction.scan(Scan(relation.table.spec.name, relation.index, interval, where=where), most)

    async def check_unreferenced_within(self, relation: Relation, document: Document) -> None:
        """Refuse to change in a document what it has in common with those that refer to it.

        Raises:
            FunctionError: There are some (``still_referenced``).
        """
        if any(each["_id"] != document["_id"] for each in await self._referring(relation, document, most=2)):
            name = f"{relation.target.spec.name} {document['_id']}"
            raise FunctionError(
                "still_referenced",
                f"{name} cannot have another {relation.within}: {relation.table.spec.name} refer to it by {relation.name}",
                {"table": relation.table.spec.name, "field": relation.database},
            )

    async def _check_unreferenced(self, gone: Leaving) -> None:
        for relation in self._relations.to.get(gone.table.spec.name, ()):
            marked = gone.at is not None and issubclass(relation.table, SoftDelete)
            where = NOT_DELETED if marked else None
            if relation.on_delete == "restrict" and await self._referring(relation, gone.document, where=where, most=1):
                raise FunctionError(
                    "still_referenced",
                    f"{gone.table.spec.name} {gone.document['_id']} cannot be deleted:"
                    f" {relation.table.spec.name} refer to it by {relation.name}",
                    {"table": relation.table.spec.name, "field": relation.database},
                )


def _without(relation: Relation, document: Document) -> Document:
    return {name: value for name, value in document.items() if name != relation.database}
