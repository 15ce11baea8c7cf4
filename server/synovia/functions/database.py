"""``ctx.db`` of mutations: what ``database_reader`` reads, and writing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import bson
from bson import ObjectId

from synovia import keys
from synovia.errors import Forbidden, InvalidArguments, KeyTaken, NotFound
from synovia.functions.audit import APPLICATION
from synovia.functions.awaiting import awaited
from synovia.functions.cascades import STEP, Cascades, all_going
from synovia.functions.conditions import lt
from synovia.functions.constraints import Constraints, has_same
from synovia.functions.database_reader import DatabaseReader
from synovia.functions.deletion import Deletions, Leaving
from synovia.functions.given import (
    Given,
    brought,
    changed,
    check_references,
    checked_row,
    checked_table,
    document_of,
    encode,
    key_of,
    table_of,
    validated,
)
from synovia.functions.keeping import Author, check_given, entry_of, keeps_changes, kept_fields, note_kept, stamp
from synovia.functions.query import Notice, Query, only_row, unnoticed
from synovia.functions.shared_tables import forget_documents
from synovia.functions.visibility import Judge
from synovia.keys import BY_ID, IndexSpec, Interval
from synovia.schema import CREATION_TIME, SEARCH_TERMS, Document, Id, RunIds, Table, id_to_bson, time_of_id
from synovia.schema.kept import DELETED_AT, SoftDelete
from synovia.schema.relations import Relations
from synovia.schema.search import keeping_terms
from synovia.schema.vectors import check_vectors
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import Scan, Transaction
from synovia.turns import Turns, in_turns

T = TypeVar("T", bound=Table)

_AHEAD_MS = 1000
"""An id that is further ahead than that of the time of day does not tell it: some hub's clock was wrong once."""
_NO_RELATIONS = Relations()


class DatabaseWriter(DatabaseReader):
    """Reads and writes of one mutation; its own reads see its writes, nobody else's do before the commit."""

    def __init__(
        self,
        transaction: Transaction,
        ids: RunIds,
        notice: Notice = unnoticed,
        relations: Relations = _NO_RELATIONS,
        judge: Judge | None = None,
        author: Author | None = None,
        rows: RowCache | None = None,
    ) -> None:
        super().__init__(transaction, None, rows, notice, judge, Cascades(transaction, relations))
        self._ids = ids
        self._relations = relations
        self._author = author or Author()
        self._turns = Turns()

    @property
    def _deletions(self) -> Deletions:
        """Made when needed: kept, it would keep this one, and all that was written would wait for the garbage collector."""
        return Deletions(self._transaction, self._relations, self._write, self._author.actor)

    @property
    def _constraints(self) -> Constraints:
        return Constraints(self._transaction, self._views, self._relations, self._deletions)

    def for_application(self) -> DatabaseWriter:
        return self._by(APPLICATION)

    def _by(self, actor: str | None) -> DatabaseWriter:
        author = replace(self._author, actor=actor)
        return DatabaseWriter(self._transaction, self._ids, self._notice, self._relations, author=author)

    async def go_on_deleting(self) -> bool:
        """Delete some of the documents that are going, for the server itself; tell whether there may be more of them."""
        left = STEP
        for going in sorted(await all_going(self._transaction), key=lambda each: -each.depth):
            left = await self._by(going.actor)._deletions.go_on(going, left)
            if left == 0:
                break
        return bool(await all_going(self._transaction))

    @awaited("ctx.db.insert", is_write=True)
    async def insert(self, row: T, *, creation_time: float | None = None) -> Id[T]:
        """Insert a document; its id is made unless the row has one.

        Args:
            row: The document.
            creation_time: When it was made, in milliseconds since 1970, if that was somewhere else.

        Raises:
            Forbidden: The rules of the table do not let the caller write it.
            FunctionError: A document with this id exists, or a unique index has its key (code ``unique_violation``).
            InvalidArguments: Something in it cannot be stored.
        """
        return await self._insert(row, creation_time)

    @awaited("ctx.db.insert_many", is_write=True)
    async def insert_many(self, rows: Iterable[T], *, creation_time: float | None = None) -> list[Id[T]]:
        """Insert documents, all or none of them, and give their ids in the same order; see ``insert``."""
        return [await self._insert(row, creation_time) for row in rows]

    async def _insert(self, row: T, creation_time: float | None) -> Id[T]:
        table = self._writable(type(checked_row(row)))
        if made := not row.id:
            row.__dict__["id"] = Id(str(self._ids.make())).of(table)  # frozen, but nobody has seen it yet
        row.note_creation_time(self._creation_time_to_store(row, creation_time, made=made))
        note_kept(row, {})
        document = document_of(row, keyring=self._keyring)
        await self._check_may_write(table, document)
        if not made and await self._transaction.get(table.spec.name, document["_id"]) is not None:
            raise KeyTaken(f"{table.spec.name} has a document with the id {row.id}")
        if not made and self.cascades is not None and await self.cascades.still_going(table, document["_id"]):
            raise KeyTaken(f"the document of {table.spec.name} with the id {row.id} is still being deleted")
        await self._write(table, None, document)
        note_kept(row, document)
        return Id(row.id).of(table)

    @awaited("ctx.db.patch", is_write=True)
    async def patch(self, row: T | Id[T], /, **changes: Any) -> T:
        """Change some fields of a document and give the new row; None removes an optional field.

        Fields that other programs keep in the document stay.

        Args:
            row: The document, or its id if that knows its table.
            changes: The fields by their Python names.

        Raises:
            NotFound: It is no longer there, or hidden from the caller.
            Forbidden: The rules of the table do not let the caller change it, or not to this.
            InvalidArguments: A field does not exist, or its new value does not fit.
            UnreadableDocument: It does not fit the table, and what is given does not mend that.
        """
        table, key = self._target(row, "patch")
        before = await self._existing(table, key)
        return await self._patch(table, before, _given(table, changes))

    @awaited("ctx.db.patch_where", is_write=True)
    async def patch_where(self, query: Query[T], /, **changes: Any) -> int:
        """Change some fields of all documents of a query, and tell how many it has; see ``patch``.

        One that does not fit its table is left out, as lists leave it out.

        Raises:
            InvalidArguments: A field does not exist, or its new value does not fit.
            MutationTooLarge: There are more than one mutation may write.
        """
        table, number = self._writable(_table_of_query(query, "patch_where")), 0
        given = _given(table, changes)
        for before in await self._found(query):
            if self._row_or_none(table, before) is not None:
                await self._patch(table, before, given)
                number += 1
        return number

    async def _found(self, query: Query[Any], limit: int | None = None) -> list[Document]:
        """Read the documents of a query, and check that all of them may be written."""
        view = self._views[query.table, query.shows_deleted]
        documents = await view.scan(query.scan, limit)
        for document in documents:
            await self._check_may_write(query.table, document)
        return documents

    async def _patch(self, table: type[T], before: Document, given: Given) -> T:
        try:
            new, after = changed(table, before, given, self._keyring)
        except InvalidArguments:
            only_row(self._rows, table, before, self._notice)  # then it was not the arguments
            raise
        if not given.are_plain:
            check_references(table, [new.__dict__[name] for name in given], given)
        if self._judge is not None:
            await self._check_may_write(table, after)
        await self._write(table, before, after)
        if kept_fields(table):
            note_kept(new, after)
        return new

    @awaited("ctx.db.replace", is_write=True)
    async def replace(self, row: T) -> None:
        """Replace a document by the row, fields of other programs included.

        Raises:
            NotFound: It is no longer there, or hidden from the caller.
            Forbidden: The rules of the table do not let the caller change it, or not to this.
            InvalidArguments: Something in it cannot be stored.
        """
        table, key = self._target(checked_row(row), "replace")
        before = await self._existing(table, key)
        stored = document_of(row, keyring=self._keyring, before=before)
        after = {name: value for name, value in stored.items() if name != DELETED_AT}
        after |= {name: before[name] for name in (CREATION_TIME, DELETED_AT) if name in before}
        check_references(table, validated(table, after, self._keyring), row)
        await self._check_may_write(table, after)
        await self._write(table, before, after)

    @awaited("ctx.db.delete", is_write=True)
    async def delete(self, row: Table | Id[Any], /, *, for_good: bool = False) -> None:
        """Delete a document; one of a table with ``SoftDelete`` is only marked, and can be restored.

        Args:
            row: The document, or its id if that knows its table.
            for_good: Whether it is to be gone in any case.

        Raises:
            NotFound: It is no longer there, or hidden from the caller.
            Forbidden: The rules of the table do not let the caller write it.
            FunctionError: Another one that stays refers to it, and restricts that (code ``still_referenced``).
        """
        table, key = self._target(row, "delete")
        await self._delete(table, [await self._existing(table, key, with_deleted=for_good)], for_good=for_good)

    @awaited("ctx.db.delete_where", is_write=True)
    async def delete_where(self, query: Query[Any], /, *, for_good: bool = False) -> int:
        """Delete all documents of a query, also those that do not fit the table, and tell how many; see ``delete``.

        Raises:
            Forbidden: The rules of the table do not let the caller write one of them.
            MutationTooLarge: There are more than one mutation may write, with those that go along.
            FunctionError: Another one that stays refers to one of them; see ``delete``.
        """
        table = self._writable(_table_of_query(query, "delete_where"))
        documents = await self._found(query)
        await self._delete(table, documents, for_good=for_good)
        return len(documents)

    @awaited("ctx.db.restore", is_write=True)
    async def restore(self, row: T | Id[T], /) -> T:
        """Bring back a document that was deleted softly, with what went along with it, and give it.

        Args:
            row: The document, or its id if that knows its table.

        Raises:
            NotFound: It is not there at all, or hidden from the caller.
            Forbidden: The rules of the table do not let the caller write it.
            FunctionError: Another document has taken its key in a unique index (``unique_violation``).
            InvalidArguments: It refers to what is deleted.
        """
        table, key = self._target(row, "restore")
        document = await self._existing(table, key, with_deleted=True)
        if DELETED_AT in document:
            await self._deletions.restore(table, document)
            document = await self._existing(table, key)
        return only_row(self._rows, table, document, self._notice)

    @awaited("ctx.db.purge", is_write=True)
    async def purge(self, table: type[Table], *, older_than: timedelta, limit: int = 500) -> int:
        """Delete for good what was deleted softly longer ago than a time, the oldest first, and tell how many.

        Args:
            limit: So many at most; whoever gets that many has more to purge.

        Raises:
            FunctionError: Another one that stays refers to one of them; see ``delete``.
            InvalidArguments: The table does not delete softly.
        """
        if not issubclass(checked_table(table), SoftDelete):
            raise InvalidArguments(f"{table.__name__} is no SoftDelete: what is deleted of it is gone already")
        if not isinstance(older_than, timedelta):
            raise TypeError(f"purge() takes older_than as a timedelta, not {older_than!r:.80}")
        if older_than < timedelta():
            raise InvalidArguments("purge() takes a timedelta that is not negative")
        until = self._author.now - int(older_than.total_seconds() * 1000)
        index = next(index.name for index in table.spec.indexes if index.fields == (DELETED_AT,))
        old = self.query(table).with_deleted().using(index, deleted_at=lt(until))
        documents = await self._found(old, limit)
        await self._delete(table, documents, for_good=True)
        return len(documents)

    async def _delete(self, table: type[Table], documents: Iterable[Document], *, for_good: bool) -> None:
        softly = issubclass(table, SoftDelete) and not for_good
        leaving = [
            Leaving(table, each, await self._time_of_deletion(table, each) if softly else None) for each in documents
        ]
        await self._deletions.delete(leaving)

    async def _time_of_deletion(self, table: type[Table], document: Document) -> int:
        """Tell when a document is deleted: now, or the next millisecond in which no other had its key in a unique index."""
        at, unique = self._author.now, [index for index in table.spec.indexes if index.unique]
        while any([await has_same(self._transaction, table, index, {**document, DELETED_AT: at}) for index in unique]):
            at += 1
        return at

    def _target(self, row: T | Id[T], verb: str) -> tuple[type[T], Any]:
        """Tell the table of a document that is to be changed, and its key."""
        id_: Any = row
        if isinstance(row, Table):
            table, id_ = type(row), row.id
            if not id_:
                raise NotFound(
                    f"{table.spec.name}: this row has no id: it was not read, and ctx.db.insert(row) adds it"
                )
        else:
            table = table_of(row, verb)
        if table.spec.system:
            self._writable(table)
        return table, id_to_bson(id_) if getattr(id_, "_table", None) is table else key_of(table, id_)

    def _writable(self, table: type[T]) -> type[T]:
        if table.spec.system:
            raise Forbidden(f"{table.spec.name} is kept by Synovia itself; functions only read it")
        return table

    async def _existing(self, table: type[Table], key: Any, *, with_deleted: bool = False) -> Document:
        """Read a document that is to be changed, and check that it may be."""
        document = await self._views[table, with_deleted].get(key)
        if document is None:
            raise NotFound(f"{table.spec.name} has no document {key}")
        if self._judge is not None:
            await self._check_may_write(table, document)
        return document

    async def _check_may_write(self, table: type[Table], document: Document) -> None:
        if not await self._is_writable(table, document):
            raise Forbidden(f"the rules of {table.spec.name} do not let you write this", {"table": table.spec.name})

    async def _write(self, table: type[Table], before: Document | None, after: Document | None) -> None:
        """Make a change, the only way in which one is made; ``after`` is stamped."""
        await self._turns.step()
        spec, is_noted = table.spec, keeps_changes(table)
        if after is not None:
            if spec.vectors:
                check_vectors(spec, before, after)
            if spec.searches or SEARCH_TERMS in after:
                await in_turns(keeping_terms(spec, before, after))
        stored = b"" if before is None else bson.encode(before)
        encoded = b"" if after is None else encode(after)
        if encoded == stored:
            return
        if after is not None:
            if is_noted and stamp(table, before, after, self._author.now):
                encoded = encode(after)
            if spec.indexes or spec.name in self._relations.of or spec.name in self._relations.to:
                await self._constraints.check(table, before, after)
        elif before is not None:
            await forget_documents(self._transaction, table, before)
        id_ = (after or before or {})["_id"]
        entries = sum([keys.keys_changed(index, before, after) for index in spec.indexes]) if spec.indexes else 0
        size = max(len(encoded), len(stored))
        self._transaction.write(spec.name, id_, before, after, size=size, entries=entries, bodies=(stored, encoded))
        if is_noted and (entry := entry_of(table, before, after, self._author)) is not None:
            await SystemWriter(self).insert(entry)

    def _creation_time_to_store(self, row: Table, given: float | None, *, made: bool) -> float | None:
        """Tell what the document has to say of its creation, because its id does not."""
        if given is not None or row.spec.system:
            return given
        now, told = self._ids.now(), time_of_id(row.id)
        if told is None or (made and told > now + _AHEAD_MS):
            return now
        return told if row.spec.keeps_creation_time else None


class SystemWriter(DatabaseWriter):
    """Writes the system tables too, in the transaction of a mutation; for Synovia's own parts."""

    def __init__(self, of: DatabaseWriter) -> None:
        super().__init__(of._transaction, of._ids, of._notice, of._relations, author=of._author)

    def _writable(self, table: type[T]) -> type[T]:
        return table

    def taken_back_on_error(self) -> AbstractContextManager[None]:
        """Take back the writes of a block if it raises, its own ones only."""
        return self._transaction.taken_back_on_error()

    def make_id(self) -> ObjectId:
        """Make an id."""
        return self._ids.make()

    async def documents(self, table: str, interval: Interval, limit: int) -> list[Document]:
        """Read documents of a table as they are, in the order of their ids."""
        return await self._transaction.scan(Scan(table, BY_ID, interval), limit)

    async def scan(self, table: str, index: IndexSpec, interval: Interval, limit: int) -> list[Document]:
        """Read documents of a table as they are, in the order of an index."""
        return await self._transaction.scan(Scan(table, index, interval), limit)

    async def read(self, table: str, id_: Any) -> Document | None:
        """Read a document as it is."""
        return await self._transaction.get(table, id_)

    def change(self, table: str, before: Document, after: Document | None, *, entries: int = 0) -> None:
        """Change a document that ``read`` or ``documents`` gave, or delete it.

        Args:
            entries: Those of indexes that it changes; they count up to what a mutation may, of which this is not refused.

        Raises:
            InvalidArguments: It cannot be stored.
        """
        if after is not None:
            encode(after)
        budget = self._transaction.budget
        counted = entries if budget is None else min(entries, budget.entries - budget.entered)
        self._transaction.write(table, before["_id"], before, after, entries=counted)

    def add(self, table: str, document: Document) -> None:
        """Add a document of a table that has no rows, under an id that is new for certain."""
        self._transaction.write(table, document["_id"], None, document)


def _table_of_query(query: Any, verb: str) -> type[Table]:
    """Give the table of a query all of whose documents are to be written."""
    if isinstance(query, Query):
        return query.table
    text = f"ctx.db.{verb} takes a query, as ctx.db.query(User).where(...)"
    raise TypeError(f"{text}, not {query!r:.80}; of what a search or an aggregate gives, write the rows one by one")


def _given(table: type[Table], changes: Mapping[str, Any]) -> Given:
    if kept_fields(table):
        check_given(table, changes)
    return brought(table, changes)
