"""Kept aggregates: ``ctx.db.query(Result).aggregate("by_points", class_id=id).rank(80)``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import ValidationError

from synovia import keys
from synovia.aggregates.totals import Total
from synovia.errors import InvalidArguments, UnknownIndex
from synovia.functions.aggregate_trees import AggregateReader
from synovia.functions.aggregates import Questions
from synovia.functions.awaiting import awaited
from synovia.functions.elsewhere import tell_elsewhere
from synovia.functions.given import checked_count
from synovia.functions.visibility import TableView
from synovia.keys import EMPTY, Interval, Order
from synovia.schema import AggregateSpec, Document, Table, field_of
from synovia.transaction.transaction import Scan

T = TypeVar("T", bound=Table)

_FIRST_VALUE: Final = keys.after(keys.encode_value(math.nan))
"""Behind this come the values that can be compared: neither None nor NaN."""


class Aggregate(Generic[T]):
    """The documents of an aggregate index between two places, of which the database keeps counts and sums.

    What is asked of one field is asked of the first one after those for which a value is given.
    """

    def __init__(
        self,
        view: TableView,
        row: Callable[[Document], T],
        table: type[T],
        spec: AggregateSpec,
        scan: Scan,
        equals: int,
    ) -> None:
        """Make it.

        Args:
            equals: For how many fields a value is given.
        """
        self._view = view
        self._row = row
        self._table = table
        self._spec = spec
        self._scan = scan
        self._equals = equals
        self._reader = AggregateReader(view.transaction, table.spec.name, spec)

    @awaited("ctx.db.query(...).aggregate(...).count")
    async def count(self) -> int:
        """Count the documents."""
        return await self._count(self._scan)

    @awaited("ctx.db.query(...).aggregate(...).sum")
    async def sum(self, field: str) -> float:
        """Add up a field that the index names among its ``sums``; exact, as ``Query.sum``.

        Raises:
            UnknownIndex: The index does not keep its sum.
        """
        total, whole = await self._total(field), float not in field_of(self._table, field).scalars
        return total.whole() if whole and total.is_whole else total.sum()

    @awaited("ctx.db.query(...).aggregate(...).mean")
    async def mean(self, field: str) -> float | None:
        """Give the mean of a field that the index names among its ``sums``; as ``Query.mean``.

        Raises:
            UnknownIndex: The index does not keep its sum.
        """
        return (await self._total(field)).mean()

    @awaited("ctx.db.query(...).aggregate(...).min")
    async def min(self) -> Any:
        """Give the least value of the field; None and NaN are passed over. None: there is none."""
        return await self._end(Order.ASC)

    @awaited("ctx.db.query(...).aggregate(...).max")
    async def max(self) -> Any:
        """Give the greatest value of the field; None and NaN are passed over. None: there is none."""
        return await self._end(Order.DESC)

    @awaited("ctx.db.query(...).aggregate(...).rank")
    async def rank(self, value: Any, order: Literal["asc", "desc"] = "asc") -> int:
        """Count the documents whose value of the field is less than this one; with ``"desc"`` those where it is greater.

        Raises:
            InvalidArguments: The field is compared with a value of another type.
        """
        scan = self._valued()
        key = self._head + keys.encode_value(field_of(self._table, self._field).ordered(value))
        low, high = scan.interval.low, scan.interval.high
        if Order(order) is Order.ASC:
            return await self._count(replace(scan, interval=_between(low, min(high, max(low, key)))))
        return await self._count(replace(scan, interval=_between(max(low, min(high, keys.after(key))), high)))

    @awaited("ctx.db.query(...).aggregate(...).at")
    async def at(self, offset: int) -> T | None:
        """Read the document before which so many others come in the order of the index; None: there are not so many.

        Args:
            offset: From 0; from the end if it is negative: -1 is the last document.

        Raises:
            UnreadableDocument: It does not fit the table.
        """
        most = checked_count(abs(offset) if isinstance(offset, int) else offset, "at()")
        document = await self._at(self._scan, most if offset >= 0 else -most)
        return None if document is None else self._row(document)

    @awaited("ctx.db.query(...).aggregate(...).quantile")
    async def quantile(self, q: float) -> Any:
        """Give the least value of the field that is not less than the values of a part ``q`` of the documents.

        So 0.5 gives the median, or of an even number of documents the lower of the two in the middle: a value that is there
        (Hyndman and Fan 1996, definition 1). None and NaN are passed over. None: there is none.

        Raises:
            InvalidArguments: ``q`` is not from 0 to 1.
        """
        if not 0 <= q <= 1:
            raise InvalidArguments(f"a quantile is from 0 to 1, not {q!r:.40}")
        scan = self._valued()
        place = max(0, math.ceil(Fraction(q) * await self._count(scan)) - 1)
        return self._value(await self._at(scan, place))

    # --- what is asked for

    @property
    def _field(self) -> str:
        """The field after those for which a value is given.

        Raises:
            UnknownIndex: There is none.
        """
        if self._equals == len(self._spec.names):
            place = f"{self._table.spec.name}.{self._spec.name}"
            raise UnknownIndex(f"{place}: a value is given for all of its fields; leave out the last one")
        return self._spec.names[self._equals]

    @property
    def _head(self) -> bytes:
        """What all keys begin with."""
        values, _ = keys.decode_bound(self._scan.interval.low)
        return keys.encode(values[: self._equals])

    def _valued(self) -> Scan:
        """Give what is asked for, without documents whose value of the field is None or NaN."""
        _ = self._field
        low, high = self._scan.interval.low, self._scan.interval.high
        return replace(self._scan, interval=_between(max(low, min(high, self._head + _FIRST_VALUE)), high))

    def _value(self, document: Document | None) -> Any:
        if document is None:
            return None
        value = keys.values_of(self._spec.index, document)[self._equals]
        try:
            return field_of(self._table, self._field).read(value)
        except ValidationError:
            return value  # by another program; it has its place in the index all the same

    # --- from what is kept, or, where rules ask for more, from the documents

    async def _kept(self, scan: Scan) -> Interval | None:
        """Give the interval whose sums are kept; None: documents have to be asked."""
        narrow = await self._view.narrowed(scan)
        wanted = self._reader.scan(EMPTY).where
        return narrow.interval if narrow is not None and narrow.where == wanted else None

    async def _count(self, scan: Scan) -> int:
        interval = await self._kept(scan)
        return await self._view.count(scan) if interval is None else await self._reader.count(interval)

    async def _total(self, field: str) -> Total:
        if field not in self._spec.sums:
            kept = ", ".join(self._spec.sums) or "none"
            raise UnknownIndex(f"{self._table.spec.name}.{self._spec.name} does not add up {field!r}; its sums: {kept}")
        interval = await self._kept(self._scan)
        if interval is not None:
            return await self._reader.total(interval, field)
        tally = await self._view.aggregate(self._scan, Questions(self._table).sum(field).summary)
        total = tally.only().kept
        return total if isinstance(total, Total) else Total()

    async def _at(self, scan: Scan, offset: int) -> Document | None:
        offset += await self._count(scan) if offset < 0 else 0
        if offset < 0:
            return None
        interval = await self._kept(scan)
        if interval is not None:
            return await self._reader.document_at(interval, offset)
        found = await self._view.scan(scan, offset + 1)
        return found[offset] if len(found) > offset else None

    async def _end(self, order: Order) -> Any:
        found = await self._view.scan(replace(self._valued(), order=order), 1)
        return self._value(found[0] if found else None)


tell_elsewhere(
    Aggregate,
    ["using", "where", "order", "take", "collect", "first", "unique", "paginate", "trend", "group_by"],
    "what narrows a kept aggregate stands before .aggregate(...); it is asked for count(), sum(field), mean(field), min(),"
    " max(), rank(value), at(n) or quantile(q), and has no {name}()",
)


def _between(low: bytes, high: bytes) -> Interval:
    return Interval(low, high) if low < high else EMPTY
