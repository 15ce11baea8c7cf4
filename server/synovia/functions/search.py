"""Searching: ``ctx.db.query(Exercise).search("by_text", "knee ang", organization_id=org).take(20)``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar, overload

from synovia import keys
from synovia.errors import BadCursor, FunctionError
from synovia.functions.awaiting import awaited
from synovia.functions.conditions import Condition, resolved, tree_of
from synovia.functions.elsewhere import tell_elsewhere
from synovia.functions.filtered_indexes import values_of_filters
from synovia.functions.given import checked_count
from synovia.functions.pages import END, END_CURSOR, MAX_PAGE_SIZE, Journal, Page, PaginationOptions
from synovia.functions.visibility import TableView
from synovia.keys import Interval, Order
from synovia.schema import Document, SearchSpec, Table
from synovia.schema.search import analyzer_of, terms_in
from synovia.search import rank
from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not
from synovia.transaction.transaction import Scan
from synovia.turns import Turns

T = TypeVar("T", bound=Table)

MAX_RANKED: Final = 1_024
"""So many documents are ranked; of more that fit, the newest are, or, of a single word, those with the first words."""
MAX_SEARCHED_WORDS: Final = 16
MAX_SEARCHED_CHARACTERS: Final = 1_024
_FEW: Final = 256
"""A word that so few documents have is rare enough: others are not counted."""
_STEP: Final = 8
"""Words that all are in more documents than were counted are counted so many times further."""
_PEEK: Final = 512
"""If a word begins so in fewer documents, these are looked through; no database counts them without reading them."""
_LAST: Final = "\U0010ffff"

_Place = tuple[int, bytes]
"""Of a document among those that were found: how well it fits, and its id; greater ones come first."""
_BEHIND_ALL: Final[_Place] = (-1, b"")


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched for.

    Attributes:
        words: Each with its stem.
        head: The values of the fields by which the index begins, encoded.
    """

    spec: SearchSpec
    words: tuple[tuple[str, str], ...]
    head: bytes

    @property
    def _field(self) -> str:
        return self.spec.index.fields[-1]

    def equal(self, place: int) -> Comparison:
        """Give the condition that a document has a word, or another one with its stem."""
        return Comparison(self._field, "eq", self.words[place][1])

    def last(self) -> Filter:
        """Give the condition that a document has the last word, or one that begins with it."""
        word, stem = self.words[-1]
        begins = Comparison(self._field, "starts", word)
        return begins if stem.startswith(word) else AnyOf((begins, self.equal(-1)))

    def at(self, place: int) -> Interval:
        """Give where in the index the documents with the stem of a word are."""
        key = self.head + keys.encode([self.words[place][1]])
        return Interval(key, keys.after(key))

    def beginning(self) -> Interval:
        """Give where in the index the documents are that have a word that begins with the last one."""
        return Interval(*(self.head + keys.encode([word]) for word in (self.words[-1][0], self.words[-1][0] + _LAST)))


class Search(Generic[T]):
    """Documents that have all of some words, those that fit best first. Each step gives a new one; the last word reads.

    A document has a word if it has one with the same stem; of the last word, one that begins so will do. Those that fit
    equally well come in the order of their ids, the newest first.
    """

    def __init__(
        self,
        view: TableView,
        journal: Journal,
        rows: Callable[[Sequence[Document]], Awaitable[list[T]]],
        table: type[T],
        spec: SearchSpec,
        words: Sequence[tuple[str, str]],
        filters: Mapping[str, Any],
        where: Filter | None = None,
    ) -> None:
        self._view = view
        self._journal = journal
        self._rows = rows
        self._table = table
        self._spec = spec
        self._words = tuple(words)
        self._filters = filters
        self._where = where

    def where(self, condition: Condition) -> Search[T]:
        """Leave out documents that do not satisfy a condition."""
        tree = resolved(self._table, tree_of(condition, "where()"), self._view.keyring)
        both = tree if self._where is None else AllOf((self._where, tree))
        return Search(self._view, self._journal, self._rows, self._table, self._spec, self._words, self._filters, both)

    @awaited("ctx.db.query(...).search(...).take")
    async def take(self, n: int) -> list[T]:
        """Read the ``n`` documents that fit best.

        Raises:
            InvalidArguments: ``n`` is negative.
        """
        return await self._first(checked_count(n, "take()"))

    @awaited("ctx.db.query(...).search(...).first")
    async def first(self) -> T | None:
        """Read the document that fits best, or None."""
        return next(iter(await self._first(1)), None)

    async def _first(self, n: int) -> list[T]:
        rows: list[T] = []
        found = await self._found() if n else []
        while found and len(rows) < n:  # what does not fit the table is left out
            wanted = n - len(rows)
            rows += await self._rows([document for _, document in found[:wanted]])
            found = found[wanted:]
        return rows

    @awaited("ctx.db.query(...).search(...).count")
    async def count(self) -> int:
        """Count all documents that fit, also beyond those that are ranked."""
        searched = await self._searched()
        if searched is None:
            return 0
        return sum([await self._view.count(scan) for scan in await self._scans(searched)])

    @overload
    async def paginate(self, cursor: str | None, size: int) -> Page[T]: ...
    @overload
    async def paginate(self, cursor: PaginationOptions) -> Page[T]: ...
    @awaited("ctx.db.query(...).search(...).paginate")
    async def paginate(self, cursor: str | PaginationOptions | None, size: int = 0) -> Page[T]:
        """Read the page of ``size`` documents that begins after ``cursor`` (None: at the beginning).

        As of other queries a page is a stretch: on a rerun it holds what lies between the same two ends.
        ``paginate(pagination_opts)`` reads what ``usePaginatedQuery`` of Convex asks for.

        Raises:
            BadCursor: The cursor was not made by a search.
        """
        if isinstance(cursor, PaginationOptions):
            size = min(cursor.num_items, cursor.maximum_rows_read or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
            return await self._page(cursor.cursor, size, cursor.end_cursor, keeps_last=True)
        if not 0 < size <= MAX_PAGE_SIZE:
            raise FunctionError("invalid_arguments", f"a page has 1 to {MAX_PAGE_SIZE} documents")
        return await self._page(cursor, size)

    async def _page(
        self, cursor: str | None, size: int, end_cursor: str | None = None, *, keeps_last: bool = False
    ) -> Page[T]:
        """Read a page.

        Args:
            keeps_last: Whether a page that was the last one stays the last one, and takes in whatever is added there.
        """
        begin, known = _decoded(cursor), self._journal.next_end() if end_cursor is None else _decoded(end_cursor)
        found = [each for each in await self._found() if begin is None or each[0] < begin]
        end = _end_of(known) if isinstance(known, bytes) else known
        if end is None and not (keeps_last and known == END):
            end = found[size - 1][0] if len(found) > size else None
        stretch = found if end is None else [each for each in found if each[0] >= end]
        last = END if keeps_last else None
        self._journal.note(last if end is None else _encoded(end))
        next_cursor = None if end is None else base64.urlsafe_b64encode(_encoded(end)).decode("ascii")
        return Page(items=await self._rows([document for _, document in stretch]), next_cursor=next_cursor)

    # --- what fits, and how well

    async def _found(self) -> list[tuple[_Place, Document]]:
        searched = await self._searched()
        if searched is None:
            return []
        documents = await self._fitting(searched)
        found, turns = list[tuple[_Place, Document]](), Turns()
        for document in documents:
            fit = rank(terms_in(self._spec, document), searched.words, prefix=True)
            found.append(((fit, keys.encode_value(document["_id"])), document))
            await turns.step()
        found.sort(key=lambda each: each[0], reverse=True)
        return found

    async def _fitting(self, searched: Searched) -> list[Document]:
        """Read the documents that fit, the first ``MAX_RANKED`` of them.

        Which of them are the first does not depend on the word by which they are found, or an answer would change with what
        is not read. So documents are found by the beginning of a word, in whose order others would be first, only if they
        are all that there are.
        """
        scans = await self._scans(searched)
        documents = await self._read(scans)
        if len(searched.words) > 1 and len(documents) == MAX_RANKED and len(scans) > 1:
            documents = await self._read([self._scan(searched, searched.at(0), 0)])
        return documents

    async def _read(self, scans: Sequence[Scan]) -> list[Document]:
        found: list[Document] = []
        for scan in scans:
            if len(found) < MAX_RANKED:
                found += await self._view.scan(scan, MAX_RANKED - len(found))
        return found

    async def _scans(self, searched: Searched) -> list[Scan]:
        """Give the scans that together meet each document that fits once: by its rarest word, as far as that can be told.

        How often a word is there is not read by the run: whichever word it is, the answer is the same.
        """
        if len(searched.words) == 1:
            return self._by_last(searched)
        most = _FEW
        while True:
            most *= _STEP
            fewest, rarest = await self._rarest(searched, most)
            if fewest > _FEW and await self._is_last_rarer(searched, fewest):
                return self._by_last(searched)
            if fewest < most:
                return [self._scan(searched, searched.at(rarest), rarest)]

    async def _rarest(self, searched: Searched, most: int) -> tuple[int, int]:
        """Find the rarest word, the last one left aside: how often it is there, and its place. Long words are rarer.

        None is counted further than ``most``: a search costs as much as its rarest word is there, not its commonest.
        """
        places = sorted(range(len(searched.words) - 1), key=lambda place: -len(searched.words[place][0]))
        found: list[tuple[int, int]] = []
        for place in places:
            found.append((await self._number(searched.at(place), most), place))
            if found[-1][0] <= _FEW:
                break
        return min(found)

    async def _is_last_rarer(self, searched: Searched, fewest: int) -> bool:
        """Tell whether it is worth while to look through what has the last word, or one that begins with it."""
        if 2 * await self._number(searched.at(-1), fewest // 2 + 1) > fewest:
            return False
        most = min(_PEEK, fewest // 2)
        name, index, beginning = self._table.spec.name, self._spec.index, searched.beginning()
        return len(await self._view.snapshot.scan(name, index, beginning, limit=most)) < most

    def _by_last(self, searched: Searched) -> list[Scan]:
        """Find by the last word: what has its stem, and then what else has a word that begins with it."""
        last = len(searched.words) - 1
        by_stem = self._scan(searched, searched.at(last), last)
        begins = self._scan(searched, searched.beginning(), last)
        others = Not(searched.equal(-1))
        where = others if begins.where is None else AllOf((begins.where, others))
        return [by_stem, replace(begins, order=Order.ASC, where=where)]

    def _scan(self, searched: Searched, interval: Interval, found_by: int) -> Scan:
        """Give the scan that finds documents by one word, and leaves out those that lack another one; the newest first."""
        last = len(searched.words) - 1
        words = [
            searched.last() if place == last else searched.equal(place)
            for place in range(last + 1)
            if place != found_by
        ]
        parts = (*words, *([] if self._where is None else [self._where]))
        where = None if not parts else parts[0] if len(parts) == 1 else AllOf(parts)
        return Scan(self._table.spec.name, self._spec.index, interval, Order.DESC, where)

    async def _number(self, interval: Interval, most: int) -> int:
        return await self._view.snapshot.count(self._table.spec.name, self._spec.index, interval, limit=most)

    async def _searched(self) -> Searched | None:
        """Give what is searched for; None: nothing.

        Raises:
            UnknownIndex: A filter has no value, neither here nor by the rules.
        """
        example = f"search({self._spec.name!r}, text, NAME=...)"
        values = await values_of_filters(self._view, self._table, self._spec, self._filters, example)
        if values is None or not self._words:
            return None
        return Searched(self._spec, self._words, keys.encode(values))


tell_elsewhere(
    Search,
    ["using", "order", "collect", "unique", "sum", "mean", "min", "max", "trend", "group_by"],
    "a search gives documents by their rank: by take(n), first(), count() or paginate(...), and has no {name}()",
)


def words_of(spec: SearchSpec, text: Any) -> list[tuple[str, str]]:
    """Give the words that a text searches for, each with its stem.

    Raises:
        TypeError: It is no text.
        FunctionError: It is too long (``search_too_long``).
    """
    if not isinstance(text, str):
        raise TypeError(f"search() looks for a text, not for {text!r:.80}")
    if len(text) > MAX_SEARCHED_CHARACTERS:
        raise FunctionError("search_too_long", f"a search has at most {MAX_SEARCHED_CHARACTERS:,} characters")
    words = analyzer_of(spec.language).searched(text)
    if len(words) > MAX_SEARCHED_WORDS:
        raise FunctionError("search_too_long", f"a search has at most {MAX_SEARCHED_WORDS} words, not {len(words)}")
    return words


# --- places -----------------------------------------------------------------------------------------------------------


def _encoded(place: _Place) -> bytes:
    return keys.encode([place[0], place[1]])


def _end_of(encoded: bytes | None) -> _Place | None:
    """Read where a page ended; it comes back from a client, who may have forged it."""
    try:
        values = () if encoded is None else keys.decode_given(encoded)
    except ValueError:
        return None
    is_place = len(values) == 2 and isinstance(values[0], int) and isinstance(values[1], bytes)
    return (values[0], values[1]) if is_place else None


def _decoded(cursor: str | None) -> _Place | None:
    """Read a cursor; None: there is none.

    Raises:
        BadCursor: It was not made by a search.
    """
    if cursor is None:
        return None
    if cursor == END_CURSOR:
        return _BEHIND_ALL
    try:
        found = _end_of(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        found = None
    if found is None:
        raise BadCursor("this cursor was not made by a search")
    return found
