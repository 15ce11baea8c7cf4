"""``ctx.db`` of queries: reading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar, overload

from synovia.errors import NotFound
from synovia.functions.awaiting import awaited
from synovia.functions.cascades import Cascades
from synovia.functions.elsewhere import tell_elsewhere
from synovia.functions.given import checked_row, checked_table, ids_in, key_of, table_of
from synovia.functions.pages import Journal
from synovia.functions.query import Notice, Query, only_row, unnoticed
from synovia.functions.unreadable import UnreadableDocument
from synovia.functions.visibility import Judge, TableView, Verb
from synovia.schema import Document, Id, Table, id_to_bson
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import Transaction

T = TypeVar("T", bound=Table)

_WRITING: Final[tuple[Verb, ...]] = ("read", "write")
"""Who writes a row sees it, before and after, and may write it."""


class Views(dict[tuple[type[Table], bool], TableView]):
    """What a run sees of each table, without what was deleted softly or with it; made when it is first looked at."""

    def __init__(self, transaction: Transaction, judge: Judge | None, cascades: Cascades | None) -> None:
        super().__init__()
        self._seen_by = transaction, judge, cascades

    def __missing__(self, key: tuple[type[Table], bool]) -> TableView:
        table, with_deleted = key
        view = self[key] = TableView(table, *self._seen_by, with_deleted=with_deleted)
        return view


class DatabaseReader:
    """Reads of one run, all at the same instant.

    Attributes:
        cascades: What is going, as the run sees it; for the server's own parts.
    """

    def __init__(
        self,
        transaction: Transaction,
        journal: Journal | None = None,
        rows: RowCache | None = None,
        notice: Notice = unnoticed,
        judge: Judge | None = None,
        cascades: Cascades | None = None,
    ) -> None:
        self._transaction = transaction
        self._notice = notice
        self._journal = journal
        self._rows = RowCache(keyring=transaction.keyring) if rows is None else rows
        self._keyring = transaction.keyring
        self._judge = judge
        self._views = Views(transaction, judge, cascades)
        self.cascades = cascades

    @property
    def transaction(self) -> Transaction:
        """The run's view of the database; for the server's own parts."""
        return self._transaction

    def for_application(self) -> DatabaseReader:
        """Give the same for the application itself, of which no rule asks anything; for ``ctx.as_application()``."""
        return DatabaseReader(self._transaction, self._journal, self._rows, self._notice, cascades=self.cascades)

    @overload
    async def get(self, id_: Id[T], /, *, with_deleted: bool = False) -> T | None: ...
    @overload
    async def get(self, table: type[T], id_: Id[T], /, *, with_deleted: bool = False) -> T | None: ...
    @awaited("ctx.db.get")
    async def get(self, table: Any, id_: Any = None, /, *, with_deleted: bool = False) -> Any:
        """Read a document by its id, or None; the table need not be named if the id knows it.

        Args:
            with_deleted: Also if it has been deleted softly.

        Raises:
            InvalidArguments: The id is another table's, or none at all.
            UnreadableDocument: The document does not fit the table.
        """
        if id_ is None:
            table, key = table_of(table, "get"), id_to_bson(table)
        else:
            key = key_of(checked_table(table), id_)
        document = await self._views[table, with_deleted].get(key)
        return None if document is None else only_row(self._rows, table, document, self._notice)

    @overload
    async def get_one(self, id_: Id[T], /) -> T: ...
    @overload
    async def get_one(self, table: type[T], id_: Id[T], /) -> T: ...
    @awaited("ctx.db.get_one")
    async def get_one(self, table: Any, id_: Any = None, /) -> Any:
        """Read a document by its id, where there is nothing to be done without it.

        Raises:
            NotFound: There is none, or the caller may not see it.
            InvalidArguments: The id is another table's, or none at all.
            UnreadableDocument: The document does not fit the table.
        """
        if id_ is None:
            table, id_ = table_of(table, "get_one"), table
        row = await self.get(table, id_)
        if row is None:
            raise NotFound(f"{table.spec.name} has no document {id_}")
        return row

    @awaited("ctx.db.load")
    async def load(self, rows: Iterable[Table], field: str) -> dict[Id[Any], Any]:
        """Read the documents to which a field of some rows refers, all with one question to the database.

        Args:
            rows: Of any tables.
            field: An ``Id``, a list of ids, or None, in each of them.

        Returns:
            Rows by their ids, each once; an id is not among them if its document is gone, hidden, or does not fit its table.

        Raises:
            TypeError: There is no such field, or it holds something else.
        """
        asked: dict[type[Table], dict[Id[Any], Any]] = {}
        for row in rows:
            for id_ in ids_in(row, field):
                table = checked_table(table_of(id_, "get"))
                asked.setdefault(table, {})[id_] = key_of(table, id_)
        found = {}
        for table, ids in asked.items():
            documents = await self._views[table, False].get_many(list(ids.values()))
            for id_, document in zip(ids, documents, strict=True):
                if document is not None and (loaded := self._row_or_none(table, document)) is not None:
                    found[id_] = loaded
        return found

    def _row_or_none(self, table: type[T], document: Document) -> T | None:
        try:
            return only_row(self._rows, table, document, self._notice)
        except UnreadableDocument:
            return None

    @awaited("ctx.db.may_write")
    async def may_write(self, row: Table) -> bool:
        """Tell whether the rules let the caller change and delete a row that they see, as it is."""
        checked_row(row, "ctx.db.may_write takes a row")
        document = await self._views[type(row), True].get(key_of(type(row), row.id))
        return document is not None and await self._is_writable(type(row), document)

    async def _is_writable(self, table: type[Table], document: Document) -> bool:
        if self._judge is None:
            return True
        scopes = [await self._judge.scope(table, verb) for verb in _WRITING]
        return all([await scope.holds(document) for scope in scopes])

    def query(self, table: type[T]) -> Query[T]:
        """Begin a query over a table."""
        view = self._views[checked_table(table), False]
        self._journal = self._journal or Journal()
        return Query(view, self._journal, self._rows, table, notice=self._notice)


tell_elsewhere(
    DatabaseReader,
    ["insert", "insert_many", "patch", "patch_where", "replace", "delete", "delete_where", "restore", "purge"],
    "a query only reads: ctx.db.{name} is for mutations",
)
