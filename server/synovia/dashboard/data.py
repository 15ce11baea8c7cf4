"""``_system/data``: what the database holds, read and changed by operators."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from synovia import keys
from synovia.dashboard.conditions import Condition, Conditions
from synovia.dashboard.consequences import Consequences, Walk
from synovia.dashboard.declaring import mutation, query
from synovia.dashboard.running import Running
from synovia.dashboard.tables import TableInfo, Tables
from synovia.dashboard.values import as_json, cut, files_in, from_json, shown, with_files_of
from synovia.errors import BadCursor, Forbidden, InvalidArguments, NotFound
from synovia.functions.context import MutationContext, QueryContext
from synovia.functions.database import SystemWriter
from synovia.functions.function import Function
from synovia.http.files import SHOWN
from synovia.identity import OPERATOR_OPENS, may_open
from synovia.keys import BY_ID, Interval, Order
from synovia.schema import FROM_CLIENT, Document, File, Id, Model, Table, id_to_bson, misfit_of, refusal
from synovia.schema.encrypted import Sealed, sealed_fields
from synovia.schema.kept import DELETED_AT
from synovia.schema.misfits import id_text
from synovia.transaction.transaction import Scan, Transaction, scan_key
from synovia_protocol.messages import ArrayRef

MOST_FILES: Final = 12
MOST_ROWS: Final = 200
MOST_EXAMINED: Final = 5_000
"""So many documents are looked at for one page where no index knows which satisfy the conditions."""
ROW_SEARCHED_AT_ONCE: Final = 1_000


class Misfits(Model):
    """What is wrong with a document."""

    field: str
    reason: str


class DocumentRow(Model):
    """A document in a list; long values are cut.

    Attributes:
        arrays: Its fields that refer to arrays, whole.
    """

    id: str
    document: dict[str, Any]
    arrays: dict[str, Any] = {}
    misfit: Misfits | None = None


class DocumentPage(Model):
    """Documents that follow each other in an index.

    Attributes:
        next_cursor: Where the next page begins; None: this is the last.
        index: By which they are in order.
        examined: How many documents were looked at.
        notes: What is odd about the conditions, in words: a field that is not declared, say.
    """

    rows: list[DocumentRow]
    next_cursor: str | None = None
    index: str = BY_ID.name
    examined: int = 0
    notes: list[str] = []


class ShownFile(Model):
    """A file in a document.

    Attributes:
        field: Where it stands, as ``file`` or ``scans.2``.
        address: Where it can be read, for a quarter of an hour at most.
        is_image: Browsers show it as an image.
    """

    field: str
    name: str
    type: str
    size: int
    address: str
    is_image: bool


class WholeDocument(Model):
    """A document as it is.

    Attributes:
        json: As JSON, in the form that it is edited in.
        files: The first of its files.
    """

    id: str
    json_text: str
    document: dict[str, Any]
    files: list[ShownFile] = []
    misfit: Misfits | None = None


class DataFunctions:
    """Reads and changes the documents of all tables."""

    def __init__(self, running: Running, tables: Tables) -> None:
        self._running = running
        self._tables = tables

    def functions(self) -> Iterator[Function]:
        """List them."""
        yield query("data:tables", self.tables)
        yield query("data:rows", self.rows)
        yield query("data:document", self.document)
        yield query("data:find", self.find)
        yield query("data:consequences", self.consequences)
        yield mutation("data:open", self.open)
        yield mutation("data:insert", self.insert)
        yield mutation("data:update", self.update)
        yield mutation("data:delete", self.delete)

    # --- reading

    async def tables(self, ctx: QueryContext) -> list[TableInfo]:
        """List the tables with their counts, fields and indexes."""
        engine, transaction = self._running().engine, _transaction(ctx)
        others = [name for name in await engine.store.tables() if self._tables.shows(name)]
        found = []
        for name in sorted({*self._tables.models, *others}):
            count = await transaction.count(Scan(name, BY_ID, keys.between(())))
            found.append(self._tables.info(name, count, engine.index_use))
        return found

    async def rows(
        self,
        ctx: QueryContext,
        table: str,
        index: str | None = None,
        descending: bool = False,
        where: list[Condition] = [],  # noqa: B006 (pydantic copies it)
        cursor: str | None = None,
        limit: int = 100,
    ) -> DocumentPage:
        """Read a page of a table.

        Args:
            index: By which they are in order; None: by which the fewest have to be looked at, by id if it is all the same.
            where: What the documents have to satisfy, all of it.
            cursor: The ``next_cursor`` of the page before.

        Raises:
            BadCursor: The cursor is not one of this table.
        """
        await self._check(table)
        wanted = Conditions(where, table, self._tables.fields(table))
        by = wanted.best(self._tables.plain_indexes(table)) if index is None else self._tables.index(table, index)
        scan = Scan(table, by, wanted.interval(by), Order.DESC if descending else Order.ASC)
        if cursor is not None:
            scan = _after(scan, cursor)
        page = await self._page(_transaction(ctx), scan, wanted, max(1, min(limit, MOST_ROWS)))
        return page.model_copy(update={"index": by.name, "notes": wanted.notes})

    async def _page(self, transaction: Transaction, scan: Scan, wanted: Conditions, limit: int) -> DocumentPage:
        found: list[Document] = []
        examined = 0
        is_exact = wanted.are_within(scan.index)
        while True:
            size = limit - len(found) + 1 if is_exact else ROW_SEARCHED_AT_ONCE
            documents = await transaction.scan(scan, size)
            for place, document in enumerate(documents):
                if len(found) == limit:
                    return self._told(scan.table, found, _cursor(scan, documents[place - 1]), examined + place)
                if wanted.hold(document):
                    found.append(document)
            examined += len(documents)
            if len(documents) < size:
                return self._told(scan.table, found, None, examined)
            if examined >= MOST_EXAMINED or len(found) == limit:
                return self._told(scan.table, found, _cursor(scan, documents[-1]), examined)
            scan = _behind(scan, documents[-1])

    def _told(self, table: str, found: list[Document], cursor: str | None, examined: int) -> DocumentPage:
        return DocumentPage(rows=[self._row(table, each) for each in found], next_cursor=cursor, examined=examined)

    def _row(self, table: str, document: Document) -> DocumentRow:
        whole = shown(document)
        arrays = {name: value for name, value in whole.items() if isinstance(value, ArrayRef)}
        rest = {name: cut(value) for name, value in whole.items() if name not in arrays}
        return DocumentRow(
            id=id_text(document.get("_id")), document=rest, arrays=arrays, misfit=self._misfit(table, document)
        )

    def _misfit(self, table: str, document: Document) -> Misfits | None:
        model = self._tables.models.get(table)
        misfit = None if model is None else misfit_of(model, document)
        return None if misfit is None else Misfits(field=misfit.field, reason=misfit.reason)

    async def document(self, ctx: QueryContext, table: str, id: str) -> WholeDocument | None:
        """Read a document; None: there is none."""
        await self._check(table)
        found = await _transaction(ctx).get(table, id_to_bson(id))
        if found is None:
            return None
        whole = shown(found)
        files = [_file(ctx, field, file) for field, file in itertools.islice(files_in(found), MOST_FILES)]
        return WholeDocument(
            id=id_text(found["_id"]),
            json_text=as_json(whole),
            document=whole,
            files=files,
            misfit=self._misfit(table, found),
        )

    async def find(self, ctx: QueryContext, id: str) -> list[str]:
        """Tell the tables that have a document with this id."""
        transaction, key = _transaction(ctx), id_to_bson(id)
        return [name for name in sorted(self._tables.models) if await transaction.get(name, key) is not None]

    async def consequences(self, ctx: QueryContext, table: str, ids: list[str]) -> Consequences:
        """Tell what deleting documents would lead to: what goes along, what loses its reference, what forbids it."""
        await self._check(table)
        walk = Walk(_transaction(ctx), self._running().engine.registry.relations)
        return await walk.from_documents(table, [id_to_bson(each) for each in ids[:MOST_ROWS]])

    async def _check(self, table: str) -> None:
        known = table in self._tables.models
        if not known and not (self._tables.shows(table) and table in await self._running().engine.store.tables()):
            raise NotFound(f"there is no table {table!r}")

    async def open(self, ctx: MutationContext, table: str, id: str, field: str) -> str:
        """Show the value of an encrypted field as JSON, and write to the audit table who was shown it.

        Raises:
            Forbidden: The key has not the role for it.
            UnreadableField: It does not open.
        """
        if not may_open(ctx.identity):
            raise Forbidden(f"this key is not shown what is encrypted: it needs the role {OPERATOR_OPENS!r} as well")
        fields = sealed_fields(self._tables.model(table)).values()
        found = await SystemWriter(ctx.db).read(table, id_to_bson(id))
        sealed = next((each for each in fields if field in (each.name, each.database)), None)
        if found is None or sealed is None or sealed.database not in found:
            raise NotFound(f"{table} has no document {id} with an encrypted field {field}")
        value = sealed.open(found[sealed.database], found["_id"], ctx.db.transaction.keyring)
        if type(value) is Sealed:
            raise value.error
        await ctx.audit("operator.open", subject=f"{table}/{id}", data={"field": sealed.database})
        return as_json(shown({"": value})[""])

    # --- changing

    async def insert(self, ctx: MutationContext, table: str, json_text: str, like: str | None = None) -> str:
        """Insert a document and give its id.

        Args:
            like: The document that it is a duplicate of: the files of that one may stand in it.
        """
        model, writer = self._writable(table), SystemWriter(ctx.db)
        original = None if like is None else await writer.read(table, id_to_bson(like))
        given = with_files_of(from_json(json_text, "the document"), original or {})
        id_ = await writer.insert(_row_of(model, given))
        await ctx.audit("operator.insert", subject=f"{table}/{id_}")
        return str(id_)

    async def update(self, ctx: MutationContext, table: str, id: str, json_text: str) -> None:
        """Give a document the content that its editor shows; what is left out of it is removed."""
        model, writer = self._writable(table), SystemWriter(ctx.db)
        before = await writer.read(table, id_to_bson(id))
        if before is None:
            raise NotFound(f"{table} has no document {id}")
        given, was = from_json(json_text, "the document"), shown(before)
        changes = {name: with_files_of(value, before) for name, value in _changes(model, was, given).items()}
        if changes:
            await writer.patch(Id(id).of(model), **changes)
            names = sorted(changes)
            await ctx.audit("operator.update", subject=f"{table}/{id}", data={"fields": names})

    async def delete(self, ctx: MutationContext, table: str, ids: list[str]) -> int:
        """Delete documents; tell how many there were."""
        model, deleted = self._writable(table), 0
        for id_ in ids:
            found = await SystemWriter(ctx.db).read(table, id_to_bson(id_))
            if found is not None:
                await SystemWriter(ctx.db).delete(Id(id_).of(model), for_good=DELETED_AT in found)
                deleted += 1
        await ctx.audit("operator.delete", subject=table, data={"ids": ids[:100], "deleted": deleted})
        return deleted

    def _writable(self, table: str) -> type[Table]:
        model = self._tables.model(table)
        if model.spec.system:
            raise Forbidden(f"{table} is kept by Synovia itself; it is only read")
        return model


def _file(ctx: QueryContext, field: str, file: File) -> ShownFile:
    address = ctx.files.url(file, expires=timedelta(minutes=15))
    is_image = file.type.startswith("image/") and file.type in SHOWN
    return ShownFile(field=field, name=file.name, type=file.type, size=file.size, address=address, is_image=is_image)


def _transaction(ctx: QueryContext) -> Transaction:
    return ctx.db.transaction


def _row_of(model: type[Table], given: Mapping[str, Any]) -> Table:
    try:
        if "_id" in given:
            TypeAdapter(Id[model]).validate_python(given["_id"], context=FROM_CLIENT)  # type: ignore[valid-type]
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise refusal(model.spec.name, error) from None


def _changes(model: type[Table], was: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    names = {info.alias or name: name for name, info in model.model_fields.items()}
    known = {"_id", "_creationTime", *was}
    if unknown := given.keys() - names.keys() - known:
        raise InvalidArguments(f"{model.spec.name} has no field {', '.join(sorted(unknown))}")
    if given.get("_id", was["_id"]) != was["_id"]:
        raise InvalidArguments("an id stays: duplicate the document instead")
    changed = {alias for alias in {*given, *was} - {"_id"} if given.get(alias) != was.get(alias)}
    if foreign := changed - names.keys():
        raise InvalidArguments(
            f"{', '.join(sorted(foreign))} is no declared field: only what is declared is changed here"
        )
    return {names[alias]: given.get(alias) for alias in changed}


# --- cursors ---------------------------------------------------------------------------------------------------------


def _cursor(scan: Scan, document: Document) -> str:
    return base64.urlsafe_b64encode(scan_key(scan, document)).decode()


def _after(scan: Scan, cursor: str) -> Scan:
    try:
        key = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        keys.decode_given(key)
    except (ValueError, binascii.Error):
        raise BadCursor("this cursor was not made by this server") from None
    return _from(scan, key)


def _behind(scan: Scan, document: Document) -> Scan:
    return _from(scan, scan_key(scan, document))


def _from(scan: Scan, key: bytes) -> Scan:
    low, high = scan.interval.low, scan.interval.high
    rest = Interval(max(low, keys.after(key)), high) if scan.order is Order.ASC else Interval(low, min(high, key))
    return Scan(scan.table, scan.index, rest if rest.low < rest.high else keys.EMPTY, scan.order)
