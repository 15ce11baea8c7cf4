"""The query builder: ``ctx.db.query(Recording).using("by_owner", owner_id=me.id).order("desc").take(10)``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Literal, TypeVar, overload

from synovia import keys
from synovia.aggregates.lines import Trend
from synovia.aggregates.tally import Kind, Summary, Tally
from synovia.errors import BadCursor, FunctionError, InvalidArguments, UnknownIndex
from synovia.functions.aggregate import Aggregate
from synovia.functions.aggregates import Grouped, Question, Questions
from synovia.functions.awaiting import awaited
from synovia.functions.conditions import Condition, Range, resolved, tree_of
from synovia.functions.filtered_indexes import declared_index, filters_of
from synovia.functions.given import checked_count
from synovia.functions.named_indexes import by_creation, check_leading, dotted, index_of
from synovia.functions.nearest import Nearest, asked_of
from synovia.functions.pages import END, END_CURSOR, MAX_PAGE_SIZE, Journal, Page, PaginationOptions
from synovia.functions.search import Search, words_of
from synovia.functions.unreadable import UnreadableDocument
from synovia.functions.visibility import TableView
from synovia.keys import EMPTY, IndexSpec, Interval, Order
from synovia.schema import Document, Misfit, Table, Unreadable, field_of
from synovia.store.filters import AllOf, matches
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import Scan, scan_key
from synovia.turns import FEW, slices_in_turns

T = TypeVar("T", bound=Table)
A = TypeVar("A")

MOST_PASSED: Final = 1_024

Notice = Callable[[Misfit], None]
"""Who is told of documents that do not fit their tables."""


def unnoticed(misfit: Misfit) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """The first documents of a query.

    Attributes:
        documents: How many they are, with those that fit no row.
        passed: How many are behind these, with those that ``where`` leaves out.
        rest: Where the others are; None: there are none.
    """

    rows: list[T]
    documents: int
    passed: int
    rest: Interval | None


class Query(Generic[T]):
    """Documents of one table, through one index. Each step gives a new builder; the last word reads.

    Without ``using`` it reads the whole table in the order of creation, which is that of ids, or of an index over nothing
    but the time of creation if the table declares one, because it holds documents from elsewhere. A document that does not
    fit the table is left out, except where it is the only one: ``unique`` fails then, as ``ctx.db.get`` does.
    """

    def __init__(
        self,
        view: TableView,
        journal: Journal,
        rows: RowCache,
        table: type[T],
        scan: Scan | None = None,
        notice: Notice = unnoticed,
    ) -> None:
        self._view = view
        self._journal = journal
        self._cache = rows
        self._table = table
        self._scan = scan or Scan(table.spec.name, by_creation(table), keys.prefix(()))
        self._notice = notice

    @property
    def table(self) -> type[T]:
        """The table that is read."""
        return self._table

    @property
    def scan(self) -> Scan:
        """What is asked for, before rules narrow it; for the server's own parts."""
        return self._scan

    @property
    def shows_deleted(self) -> bool:
        """Whether it reads also what has been deleted softly."""
        return self._view.shows_deleted

    def over(self, scan: Scan) -> Query[T]:
        """Read what a scan meets; for the server's own parts."""
        return self._with(scan)

    async def ruled(self) -> Query[T]:
        """Give the same with what the rules show to the caller as a part of it, for a job, which asks no rules.

        Raises:
            InvalidArguments: A rule asks of each row.
        """
        scan = await self._view.ruled(self._scan)
        if scan is None:
            name = self._table.__name__
            raise InvalidArguments(
                f"a rule of {self._table.spec.name} is asked row by row, which a job does not do; if it is to go over the"
                f" rows of everybody, say ctx.as_application().db.query({name})"
            )
        return self._with(scan)

    async def part(self, size: int) -> Part[T]:
        """Read the first ``size`` documents, and tell where the others are; for the server's own parts.

        What ``where`` leaves out is looked at here, at most ``MOST_PASSED`` documents at once: where few satisfy it, the
        database would look through all the others in one go.

        Raises:
            UnknownIndex: The index is over a list, so that documents may be met twice.
        """
        met: list[Document] = []
        passed, stretch, scan = 0, size, replace(self._scan, where=None)
        while True:
            documents = await self._view.scan(scan, stretch)
            for document in documents:
                rest, passed = self._after(self._only_key(document)).interval, passed + 1
                if self._scan.where is None or matches(self._scan.where, document):
                    met.append(document)
                if len(met) == size or passed == MOST_PASSED:
                    return Part(await self._rows(met), len(met), passed, rest)
            if len(documents) < stretch:
                return Part(await self._rows(met), len(met), passed, None)
            scan, stretch = replace(scan, interval=rest), min(2 * stretch, MAX_PAGE_SIZE)

    async def until_now(self) -> tuple[Query[T], int]:
        """Give what is there now, without what comes behind its end later, and about how many documents that is.

        For the server's own parts: it may be out of date at once, and is not read by the run.
        """
        snapshot, scan = self._view.snapshot, self._scan
        other = Order.DESC if scan.order is Order.ASC else Order.ASC
        last = await snapshot.scan(scan.table, scan.index, scan.interval, other, limit=1)
        if not last:
            return self._with(replace(scan, interval=EMPTY)), 0
        number = await snapshot.count(scan.table, scan.index, scan.interval)
        return self._with(_until(scan, self._only_key(last[0]))), number

    def _with(self, scan: Scan) -> Query[T]:
        return Query(self._view, self._journal, self._cache, self._table, scan, self._notice)

    def with_deleted(self) -> Query[T]:
        """Read also what has been deleted softly; see ``SoftDelete``."""
        return Query(self._view.with_deleted(), self._journal, self._cache, self._table, self._scan, self._notice)

    def using(self, index: str, **conditions: Any) -> Query[T]:
        """Choose an index: equalities on its leading fields in order, then at most one range (``start_time=ge(t)``).

        Fields inside embedded models are written with two underscores: ``contacts__user_id=id``.

        Raises:
            UnknownIndex: The table has no such index, or the conditions do not follow its fields.
            InvalidArguments: A field cannot have the value that it is compared with.
        """
        spec = index_of(self._table, index, conditions)
        return self._with(replace(self._scan, index=spec, interval=self._interval(spec, conditions)))

    def _interval(self, spec: IndexSpec, conditions: dict[str, Any]) -> Interval:
        given = {dotted(name): value for name, value in conditions.items()}
        equals: list[Any] = []
        for place, (name, value) in enumerate(given.items()):
            if not isinstance(value, Range):
                equals.append(field_of(self._table, name).equal(value, self._view.keyring))
            elif place == len(given) - 1:
                return keys.between(equals, self._bound(name, value.low), self._bound(name, value.high))
            else:
                raise UnknownIndex(f"{spec.name}: only the last condition may be a range, {name!r} is not the last")
        return keys.prefix(equals)

    def _bound(self, name: str, bound: tuple[Any, bool] | None) -> tuple[Any, bool] | None:
        return None if bound is None else (field_of(self._table, name).ordered(bound[0]), bound[1])

    def search(self, index: str, text: str, /, **filters: Any) -> Search[T]:
        """Search for text in the fields of a search index; those that fit best come first. No words find nothing.

        Args:
            index: The name of a ``SearchIndex`` of the table.
            text: What is searched for: documents have all of its words. The last one may be the beginning of a word.
            filters: The values of the fields by which the index filters.

        Raises:
            UnknownIndex: The table has no such search index, or that has no such filter.
            InvalidArguments: A field cannot have the value by which is filtered.
            FunctionError: The text is too long (code ``search_too_long``).
        """
        spec = declared_index(self._table, self._table.spec.searches, "search", index)
        words, values = words_of(spec, text), filters_of(self._table, spec, filters)
        return Search(self._view, self._journal, self._rows, self._table, spec, words, values, self._scan.where)

    def nearest(self, index: str, vector: Sequence[float], /, **filters: Any) -> Nearest[T]:
        """Find the documents whose vectors are nearest to one, the nearest first.

        Args:
            index: The name of a ``VectorIndex`` of the table.
            vector: What they are compared with; it has as many numbers as the index has dimensions.
            filters: The values of the fields by which the index filters.

        Raises:
            UnknownIndex: The table has no such vector index, or that has no such filter.
            InvalidArguments: The vector is none that can be compared, or a field cannot have the value of a filter.
        """
        spec = declared_index(self._table, self._table.spec.vectors, "vector", index)
        asked, values = asked_of(self._table, spec, vector), filters_of(self._table, spec, filters)
        return Nearest(self._view, self._rows, self._table, spec, asked, values, self._scan.where)

    def aggregate(self, index: str, /, **conditions: Any) -> Aggregate[T]:
        """Ask for counts, sums, ranks and quantiles of an aggregate index, which cost nearly the same in large tables.

        Args:
            index: The name of an ``AggregateIndex`` of the table.
            conditions: Which of its documents count; as of ``using``.

        Raises:
            UnknownIndex: The table has no such aggregate index, or the conditions do not follow its fields.
            InvalidArguments: A field cannot have the value that it is compared with.
        """
        spec = declared_index(self._table, self._table.spec.aggregates, "aggregate", index)
        check_leading(self._table, spec.index, index, conditions)
        scan = replace(self._scan, index=spec.index, interval=self._interval(spec.index, conditions), order=Order.ASC)
        equals = sum(not isinstance(value, Range) for value in conditions.values())
        return Aggregate(self._view, self._only, self._table, spec, scan, equals)

    def _only(self, document: dict[str, Any]) -> T:
        return only_row(self._cache, self._table, document, self._notice)

    def order(self, order: Literal["asc", "desc"]) -> Query[T]:
        """Read in ascending (the default) or descending order of the index."""
        if order not in ("asc", "desc"):
            raise TypeError(f"order() takes 'asc' or 'desc', not {order!r:.80}")
        return self._with(replace(self._scan, order=Order(order)))

    def where(self, condition: Condition) -> Query[T]:
        """Leave out documents that do not satisfy a condition; the database evaluates it where it can."""
        tree = resolved(self._table, tree_of(condition, "where()"), self._view.keyring)
        if self._scan.where is not None:
            tree = AllOf((self._scan.where, tree))
        return self._with(replace(self._scan, where=tree))

    @awaited("ctx.db.query(...).take")
    async def take(self, n: int) -> list[T]:
        """Read the first ``n`` documents.

        Raises:
            InvalidArguments: ``n`` is negative.
        """
        most = checked_count(n, "take()")
        return await self._first(most) if most else []

    async def _first(self, n: int) -> list[T]:
        most = n
        while True:
            documents = await self._view.scan(self._scan, most)
            rows = await self._rows(documents)
            if len(rows) >= n or len(documents) < most:
                return rows[:n]
            most += max(n - len(rows), len(documents) - len(rows))

    @awaited("ctx.db.query(...).collect")
    async def collect(self) -> list[T]:
        """Read all documents."""
        return await self._rows(await self._view.scan(self._scan))

    @awaited("ctx.db.query(...).first")
    async def first(self) -> T | None:
        """Read the first document, or None."""
        return next(iter(await self._first(1)), None)

    @awaited("ctx.db.query(...).unique")
    async def unique(self) -> T | None:
        """Read the only document, or None.

        Raises:
            FunctionError: There are several (code ``not_unique``).
            UnreadableDocument: It does not fit the table.
        """
        documents = await self._view.scan(self._scan, 2)
        if len(documents) > 1:
            raise FunctionError("not_unique", f"{self._table.spec.name}: several documents where one was expected")
        return only_row(self._cache, self._table, documents[0], self._notice) if documents else None

    @awaited("ctx.db.query(...).count")
    async def count(self) -> int:
        """Count the documents without reading them, also those that do not fit the table."""
        return await self._view.count(self._scan)

    @awaited("ctx.db.query(...).sum")
    async def sum(self, field: str) -> float:
        """Add up a field of all documents: an int of a field that holds nothing else, 0 of no documents.

        Numbers are added without rounding, and only the answer is rounded, to the nearest float64. Where a document has no
        number, it adds nothing. NaN gives NaN, as do both infinities together. A live query does not read the documents
        again when some change: it takes away what was there and adds what is there now, which gives the same number.

        Raises:
            TypeError: The field is a list, or never a number.
        """
        return await self._answer(self._questions().sum(field))

    @awaited("ctx.db.query(...).mean")
    async def mean(self, field: str) -> float | None:
        """Give the mean of a field, of the documents that have a number there; None: none has. See ``sum``."""
        return await self._answer(self._questions().mean(field))

    @awaited("ctx.db.query(...).min")
    async def min(self, field: str) -> Any:
        """Give the least value of a field in the order of an index; None and NaN are passed over. None: there is none."""
        return await self._answer(self._questions().extreme(field, Kind.LEAST))

    @awaited("ctx.db.query(...).max")
    async def max(self, field: str) -> Any:
        """Give the greatest value of a field in the order of an index; None and NaN are passed over. None: there is none."""
        return await self._answer(self._questions().extreme(field, Kind.GREATEST))

    @awaited("ctx.db.query(...).trend")
    async def trend(self, x: str, y: str) -> Trend:
        """Fit a straight line to two fields by least squares; a time counts in milliseconds since 1970.

        Documents that lack one of the two are passed over. All sums are exact; see ``sum``.

        Raises:
            TypeError: A field is a list, or ``x`` is never a number or a time, or ``y`` never a number.
        """
        return await self._answer(self._questions().trend(x, y))

    def group_by(self, *fields: str) -> Grouped:
        """Put the documents into groups by the values of some fields, for ``count``, ``sum`` and the like.

        Raises:
            UnknownIndex: The table has no such field.
            TypeError: A field is a list.
        """
        if not fields:
            raise TypeError("group_by() needs a field")
        return Grouped(self._questions(fields), self._tally)

    def _questions(self, groups: tuple[str, ...] = ()) -> Questions:
        return Questions(self._table, groups)

    async def _tally(self, summary: Summary) -> Tally:
        return await self._view.aggregate(self._scan, summary)

    async def _answer(self, question: Question[A]) -> A:
        return question.answer((await self._tally(question.summary)).only())

    @overload
    async def paginate(self, cursor: str | None, size: int) -> Page[T]: ...
    @overload
    async def paginate(self, cursor: PaginationOptions) -> Page[T]: ...
    @awaited("ctx.db.query(...).paginate")
    async def paginate(self, cursor: str | PaginationOptions | None, size: int = 0) -> Page[T]:
        """Read the page of ``size`` documents that begins after ``cursor`` (None: at the beginning).

        ``paginate(pagination_opts)`` reads what ``usePaginatedQuery`` of Convex asks for.

        The page is a stretch of the index, not a number of rows: on a rerun it holds what lies between the same two ends,
        so pages that are watched together neither overlap nor leave a gap. One that has grown by more than
        ``MAX_PAGE_SIZE`` documents is cut to ``size`` again; its ``next_cursor`` says where.

        Raises:
            BadCursor: The cursor was not made by this query.
        """
        if isinstance(cursor, PaginationOptions):
            return await self._page(cursor)
        if not 0 < checked_count(size, "paginate()") <= MAX_PAGE_SIZE:
            raise FunctionError("invalid_arguments", f"a page has 1 to {MAX_PAGE_SIZE} documents")
        scan = self._scan if cursor is None else self._after(self._decode(cursor))
        documents, end = await self._stretch(scan, size)
        self._journal.note(end)
        return Page(items=await self._rows(documents), next_cursor=None if end is None else _encode(end))

    async def _stretch(self, scan: Scan, size: int) -> tuple[list[dict[str, Any]], bytes | None]:
        """Read a page and tell where it ends: where it ended the first time, unless it has grown out of all proportion."""
        end, most = self._journal.next_end(), size + MAX_PAGE_SIZE
        # A journal comes back from a client, who may have forged it: never read beyond what this query asks for, nor more
        # than a page may hold.
        if end is not None and self._holds(end):
            documents = await self._view.scan(_until(scan, end), most + 1)
            if len(documents) <= most:
                return documents, end
        documents = await self._view.scan(scan, size + 1)
        if len(documents) <= size:
            return documents, None
        return documents[:size], self._only_key(documents[size - 1])

    async def _page(self, options: PaginationOptions) -> Page[T]:
        """Read a page whose two ends stay where they are, as Convex clients expect it, and tell where it may be cut."""
        known = self._journal.next_end()
        end = known if options.end_cursor is None else self._end_of(options.end_cursor)
        scan = self._scan if options.cursor is None else self._beginning_at(options.cursor)
        if end is None or not (end == END or self._holds(end)):
            size = min(options.num_items, options.maximum_rows_read or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
            documents = await self._read(scan, size + 1)
            end = END if len(documents) <= size else self._only_key(documents[size - 1])
            documents = documents[:size]
        else:
            stretch = scan if end == END or scan is None else _until(scan, end)
            documents = await self._read(stretch, 2 * MAX_PAGE_SIZE + 1)
        self._journal.note(end)
        return await self._cut_page(documents, None if end == END else _encode(end))

    async def _cut_page(self, documents: list[dict[str, Any]], next_cursor: str | None) -> Page[T]:
        """Make a page that tells where, and whether, it is to be cut in two."""
        status: Literal["SplitRecommended", "SplitRequired"] | None = None
        if len(documents) > MAX_PAGE_SIZE:
            status = "SplitRecommended" if len(documents) <= 2 * MAX_PAGE_SIZE else "SplitRequired"
        documents = documents[: 2 * MAX_PAGE_SIZE]
        split = _encode(self._only_key(documents[(len(documents) - 1) // 2])) if len(documents) > 1 else None
        return Page(items=await self._rows(documents), next_cursor=next_cursor, split_cursor=split, page_status=status)

    async def _read(self, scan: Scan | None, limit: int) -> list[dict[str, Any]]:
        return [] if scan is None else await self._view.scan(scan, limit)

    def _beginning_at(self, cursor: str) -> Scan | None:
        """Give what comes after a cursor; None: nothing, it is that of the end."""
        return None if cursor == END_CURSOR else self._after(self._decode(cursor))

    def _end_of(self, cursor: str) -> bytes:
        return END if cursor == END_CURSOR else self._decode(cursor)

    def _only_key(self, document: dict[str, Any]) -> bytes:
        if sum(key in self._scan.interval for key in keys.index_keys(self._scan.index, document)) > 1:
            raise UnknownIndex(f"{self._scan.index.name}: pages over an array field need an equality on that field")
        return scan_key(self._scan, document)

    def _decode(self, cursor: str) -> bytes:
        if not isinstance(cursor, str):
            raise BadCursor("a cursor is the text that the page before gave")
        try:
            key = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise BadCursor("this cursor was not made by this server") from None
        if not self._holds(key):
            raise BadCursor("this cursor belongs to another query")
        return key

    def _holds(self, key: bytes) -> bool:
        """Tell whether this is the key of a place within what this query reads."""
        try:
            values = keys.decode_given(key)
        except ValueError:
            return False
        return len(values) == len(self._scan.index.fields) + 1 and key in self._scan.interval

    def _after(self, key: bytes) -> Scan:
        low, high = self._scan.interval.low, self._scan.interval.high
        rest = Interval(keys.after(key), high) if self._scan.order is Order.ASC else Interval(low, key)
        return replace(self._scan, interval=rest)

    async def _rows(self, documents: Sequence[dict[str, Any]]) -> list[T]:
        if len(documents) <= FEW:
            return self._cache.rows(self._table, documents, self._notice)
        rows = list[T]()
        async for some in slices_in_turns(documents):
            rows += self._cache.rows(self._table, some, self._notice)
        return rows


def only_row(rows: RowCache, table: type[T], document: dict[str, Any], notice: Notice) -> T:
    """Give the row of a document that was asked for by itself.

    Raises:
        UnreadableDocument: It does not fit its table.
    """
    try:
        return rows.row(table, document)
    except Unreadable as error:
        notice(error.misfit)
        raise UnreadableDocument(error.misfit) from error


def _until(scan: Scan, end: bytes) -> Scan:
    low, high = scan.interval.low, scan.interval.high
    rest = Interval(low, keys.after(end)) if scan.order is Order.ASC else Interval(end, high)
    return replace(scan, interval=rest)


def _encode(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode("ascii")
