"""``ctx.db``: reading for queries, reading and writing for mutations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar, overload

import bson
from bson import ObjectId
from bson.errors import InvalidDocument
from pydantic import BaseModel

from synovia import keys
from synovia.errors import Forbidden, FunctionError, InvalidArguments, KeyTaken, NotFound
from synovia.functions.awaiting import awaited
from synovia.functions.given import (
    brought,
    changed,
    checked_row,
    checked_table,
    document_of,
    key_of,
    table_of,
    validated,
)
from synovia.functions.pages import Journal
from synovia.functions.query import Notice, Query, only_row, unnoticed
from synovia.functions.unreadable import UnreadableDocument
from synovia.keys import BY_ID, IndexSpec, Interval
from synovia.schema import CREATION_TIME, Document, Id, RunIds, Table, time_of_id
from synovia.schema.relations import Relation, Relations
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import Scan, Transaction
from synovia.turns import Turns
from synovia_protocol.references import array_references

T = TypeVar("T", bound=Table)

_AHEAD_MS = 1000
"""An id that is further ahead than that of the time of day does not tell it: some hub's clock was wrong once."""
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024 - 16 * 1024  # MongoDB's limit, less room for what Synovia adds around it


_NO_RELATIONS = Relations()


class DatabaseReader:
    """Reads of one run, all at the same instant."""

    def __init__(
        self,
        transaction: Transaction,
        journal: Journal | None = None,
        rows: RowCache | None = None,
        notice: Notice = unnoticed,
    ) -> None:
        self._transaction = transaction
        self._notice = notice
        self._journal = journal or Journal()
        self._rows = rows or RowCache()

    @property
    def transaction(self) -> Transaction:
        """The run's view of the database; for the server's own parts."""
        return self._transaction

    @overload
    async def get(self, id_: Id[T], /) -> T | None: ...
    @overload
    async def get(self, table: type[T], id_: Id[T], /) -> T | None: ...
    @awaited("ctx.db.get")
    async def get(self, table: Any, id_: Any = None, /) -> Any:
        """Read a document by its id, or None; the table need not be named if the id knows it.

        Raises:
            InvalidArguments: The id is another table's, or none at all.
            UnreadableDocument: The document does not fit the table.
        """
        if id_ is None:
            table, id_ = table_of(table, "get"), table
        document = await self._transaction.get(checked_table(table).spec.name, key_of(table, id_))
        return None if document is None else only_row(self._rows, table, document, self._notice)

    @awaited("ctx.db.load")
    async def load(self, rows: Iterable[Table], field: str) -> dict[Id[Any], Any]:
        """Read the documents to which a field of some rows refers, all with one question to the database.

        Args:
            rows: Of any tables.
            field: An ``Id``, a list of ids, or None, in each of them.

        Returns:
            Rows by their ids, each once; an id is not among them if its document is gone, or does not fit its table.

        Raises:
            TypeError: The field holds something else.
        """
        asked: dict[type[Table], dict[Id[Any], Any]] = {}
        for row in rows:
            value = getattr(row, field)
            for id_ in value if isinstance(value, list) else [value] * (value is not None):
                table = checked_table(table_of(id_, "get"))
                asked.setdefault(table, {})[id_] = key_of(table, id_)
        found = {}
        for table, ids in asked.items():
            documents = await self._transaction.get_many(table.spec.name, list(ids.values()))
            for id_, document in zip(ids, documents, strict=True):
                if document is not None and (loaded := self._row_or_none(table, document)) is not None:
                    found[id_] = loaded
        return found

    def _row_or_none(self, table: type[T], document: Document) -> T | None:
        try:
            return only_row(self._rows, table, document, self._notice)
        except UnreadableDocument:
            return None

    def query(self, table: type[T]) -> Query[T]:
        """Begin a query over a table."""
        return Query(self._transaction, self._journal, self._rows, checked_table(table), notice=self._notice)


class DatabaseWriter(DatabaseReader):
    """Reads and writes of one mutation; its own reads see its writes, nobody else's do before the commit."""

    def __init__(
        self, transaction: Transaction, ids: RunIds, notice: Notice = unnoticed, relations: Relations = _NO_RELATIONS
    ) -> None:
        super().__init__(transaction, notice=notice)
        self._ids = ids
        self._relations = relations
        self._turns = Turns()

    @awaited("ctx.db.insert", is_write=True)
    async def insert(self, row: T, *, creation_time: float | None = None) -> Id[T]:
        """Insert a document; its id is made unless the row has one.

        Args:
            row: The document.
            creation_time: When it was made, in milliseconds since 1970, if that was somewhere else.

        Raises:
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
        elif await self._transaction.get(table.spec.name, key_of(table, row.id)) is not None:
            raise KeyTaken(f"{table.spec.name} has a document with the id {row.id}")
        row.note_creation_time(self._creation_time_to_store(row, creation_time, made=made))
        document = document_of(row)
        await self._write(table, document["_id"], None, document)
        return Id(row.id).of(table)

    @awaited("ctx.db.patch", is_write=True)
    async def patch(self, row: T | Id[T], /, **changes: Any) -> T:
        """Change some fields of a document and give the new row; None removes an optional field.

        Fields that other programs keep in the document stay.

        Args:
            row: The document, or its id if that knows its table.
            changes: The fields by their Python names.

        Raises:
            NotFound: It is no longer there.
            InvalidArguments: A field does not exist, or its new value does not fit.
            UnreadableDocument: It does not fit the table, and what is given does not mend that.
        """
        table, key = self._target(row, "patch")
        before = await self._existing(table, key)
        return await self._patch(table, key, before, brought(table, changes))

    @awaited("ctx.db.patch_where", is_write=True)
    async def patch_where(self, query: Query[T], /, **changes: Any) -> int:
        """Change some fields of all documents of a query, and tell how many it has; see ``patch``.

        One that does not fit its table is left out, as lists leave it out.

        Raises:
            InvalidArguments: A field does not exist, or its new value does not fit.
            MutationTooLarge: There are more than one mutation may write.
        """
        table, given, number = self._writable(query.table), brought(query.table, changes), 0
        for before in await self._transaction.scan(query.scan):
            if self._row_or_none(table, before) is not None:
                await self._patch(table, before["_id"], before, given)
                number += 1
        return number

    async def _patch(self, table: type[T], key: Any, before: Document, given: Mapping[str, Any]) -> T:
        try:
            new, after = changed(table, before, given)
        except InvalidArguments:
            only_row(self._rows, table, before, self._notice)  # then it was not the arguments
            raise
        _check_references(table, [getattr(new, name) for name in given], given)
        await self._write(table, key, before, after)
        return new

    @awaited("ctx.db.replace", is_write=True)
    async def replace(self, row: T) -> None:
        """Replace a document by the row, fields of other programs included.

        Raises:
            NotFound: It is no longer there.
            InvalidArguments: Something in it cannot be stored.
        """
        table, key = self._target(checked_row(row), "replace")
        before = await self._existing(table, key)
        after = document_of(row)
        if CREATION_TIME in before:
            after[CREATION_TIME] = before[CREATION_TIME]
        _check_references(table, validated(table, after), row)
        await self._write(table, key, before, after)

    @awaited("ctx.db.delete", is_write=True)
    async def delete(self, row: Table | Id[Any], /) -> None:
        """Delete a document.

        Args:
            row: The document, or its id if that knows its table.

        Raises:
            NotFound: It is no longer there.
            FunctionError: Another one that stays refers to it, and restricts that (code ``still_referenced``).
        """
        table, key = self._target(row, "delete")
        await self._delete(table, [await self._existing(table, key)])

    @awaited("ctx.db.delete_where", is_write=True)
    async def delete_where(self, query: Query[Any], /) -> int:
        """Delete all documents of a query, also those that do not fit the table, and tell how many.

        Raises:
            MutationTooLarge: There are more than one mutation may write, with those that go along.
            FunctionError: Another one that stays refers to one of them; see ``delete``.
        """
        table = self._writable(query.table)
        documents = await self._transaction.scan(query.scan)
        await self._delete(table, documents)
        return len(documents)

    async def _delete(self, table: type[Table], documents: Iterable[Document]) -> None:
        """Delete documents with those that go along, and take their ids out of those that stay."""
        leaving = [(table, document) for document in documents]
        if table.spec.name not in self._relations.to:
            async for _ in self._going(leaving):
                pass
            return
        with self._transaction.taken_back_on_error():
            gone = [(table, document) async for table, document in self._going(leaving)]
            for table, document in gone:
                await self._check_unreferenced(table, document["_id"])

    async def _going(self, leaving: list[tuple[type[Table], Document]]) -> AsyncIterator[tuple[type[Table], Document]]:
        while leaving:
            table, document = leaving.pop()
            if await self._transaction.get(table.spec.name, document["_id"]) is None:
                continue  # two ways led to it
            await self._turns.step()
            self._transaction.write(table.spec.name, document["_id"], document, None, size=len(bson.encode(document)))
            yield table, document
            for relation in self._relations.to.get(table.spec.name, ()):
                if relation.on_delete == "restrict":
                    continue
                for each in await self._referring(relation, document["_id"]):
                    if relation.on_delete == "cascade":
                        leaving.append((relation.table, each))
                    else:
                        rest = {name: value for name, value in each.items() if name != relation.database}
                        await self._write(relation.table, each["_id"], each, rest)

    async def _referring(self, relation: Relation, id_: Any, most: int | None = None) -> list[Document]:
        return await self._transaction.scan(Scan(relation.table.spec.name, relation.index, keys.prefix([id_])), most)

    async def _check_unreferenced(self, table: type[Table], id_: Any) -> None:
        for relation in self._relations.to.get(table.spec.name, ()):
            if relation.on_delete == "restrict" and await self._referring(relation, id_, 1):
                raise FunctionError(
                    "still_referenced",
                    f"{table.spec.name} {id_} cannot be deleted: {relation.table.spec.name} refer to it by {relation.name}",
                    {"table": relation.table.spec.name, "field": relation.database},
                )

    def _target(self, row: T | Id[T], verb: str) -> tuple[type[T], Any]:
        """Tell the table of a document that is to be changed, and its key."""
        table: type[T] = type(row) if isinstance(row, Table) else table_of(row, verb)
        return self._writable(table), key_of(table, row.id if isinstance(row, Table) else row)

    def _writable(self, table: type[T]) -> type[T]:
        if table.spec.system:
            raise Forbidden(f"{table.spec.name} is kept by Synovia itself; functions only read it")
        return table

    async def _existing(self, table: type[Table], key: Any) -> Document:
        document = await self._transaction.get(table.spec.name, key)
        if document is None:
            raise NotFound(f"{table.spec.name} has no document {key}")
        return document

    async def _write(self, table: type[Table], id_: Any, before: Document | None, after: Document) -> None:
        await self._turns.step()
        encoded = _encoded(after)
        stored = b"" if before is None else bson.encode(before)
        if encoded == stored:
            return
        for relation in self._relations.of.get(table.spec.name, ()):
            await self._check_reference(relation, before, after)
        for index in table.spec.indexes:
            if index.unique and (before is None or keys.index_keys(index, before) != keys.index_keys(index, after)):
                await self._check_unique(table.spec.name, index, id_, after)
        self._transaction.write(table.spec.name, id_, before, after, size=max(len(encoded), len(stored)))

    async def _check_reference(self, relation: Relation, before: Document | None, after: Document) -> None:
        """Refuse a new reference to what is not there; its own document may be the one that is just written."""
        id_ = after.get(relation.database)
        if id_ is None or (before is not None and before.get(relation.database) == id_):
            return
        own = relation.target is relation.table and id_ == after["_id"]
        if not own and await self._transaction.get(relation.target.spec.name, id_) is None:
            reason = f"{relation.target.spec.name} has no document {id_}"
            raise InvalidArguments(
                f"{relation.table.spec.name}.{relation.name}: {reason}", [{"at": relation.database, "message": reason}]
            )

    async def _check_unique(self, table: str, index: IndexSpec, id_: Any, document: Document) -> None:
        own = keys.encode_value(id_)
        for key in keys.index_keys(index, document):
            same = keys.prefix(keys.decode(key)[:-1])
            others = await self._transaction.scan(Scan(table, index, same), 2)
            if any(keys.encode_value(other["_id"]) != own for other in others):
                raise KeyTaken(
                    f"{table}: another document has the same {', '.join(index.fields)}", {"index": index.name}
                )

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
        super().__init__(of._transaction, of._ids, of._notice, of._relations)

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

    async def read(self, table: str, id_: Any) -> Document | None:
        """Read a document as it is."""
        return await self._transaction.get(table, id_)

    def change(self, table: str, before: Document, after: Document | None) -> None:
        """Change a document that ``read`` or ``documents`` gave, or delete it.

        Raises:
            InvalidArguments: It cannot be stored.
        """
        if after is not None:
            _encoded(after)
        self._transaction.write(table, before["_id"], before, after)

    def add(self, table: str, document: Document) -> None:
        """Add a document of a table that has no rows, under an id that is new for certain."""
        self._transaction.write(table, document["_id"], None, document)


def _check_references(table: type[Table], read: Any, given: Any) -> None:
    """Refuse maps that would be read as references: from a client they come unchecked, and nobody may name an array so."""
    if not set(array_references(read, _opened)) <= set(array_references(given, _opened)):
        raise InvalidArguments(f"{table.spec.name}: a map stands where a reference to an array belongs")


def _opened(value: Any) -> dict[str, Any] | None:
    if isinstance(value, BaseModel):
        return vars(value)
    return dict(value) if isinstance(value, Mapping) else None


def _encoded(document: Document) -> bytes:
    try:
        encoded = bson.encode(document)
    except (InvalidDocument, OverflowError, ValueError) as error:
        raise InvalidArguments(f"this document cannot be stored: {error}") from error
    if len(encoded) > MAX_DOCUMENT_BYTES:
        raise FunctionError("document_too_large", f"a document has at most {MAX_DOCUMENT_BYTES} bytes")
    return encoded
