"""Long reads in steps: a scan or a count holds the thread for some milliseconds, then goes on at the same instant."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from synovia.aggregates.tally import Summary, Tally
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema.specs import Document
from synovia.store.base import Ts
from synovia.store.filters import Filter, Test, compiled
from synovia.store.sqlite.documents import load
from synovia.store.sqlite.reading import Place, Reader, Row
from synovia.store.sqlite.worker import nobody_waits

FIRST_SECONDS: Final = 0.001
"""So long the first step may take: most reads are done then, and need not wait for those that are not."""
STEP_SECONDS: Final = 0.003
LOOKS: Final = 16
"""After so many rows the clock is looked at; no step ends sooner, though others wait."""


class Walk:
    """A read of an interval of an index as of ``ts``, a step at a time.

    The store keeps the versions of ``ts``, so a step sees the same as it would have seen at first, whatever is committed
    between two of them. It begins behind the last key that the one before has met.

    Attributes:
        is_wanted: Tells whether others wait for the thread, for whom a step ends at once.
    """

    def __init__(
        self, ts: Ts, table: str, index: IndexSpec, interval: Interval, order: Order, where: Filter | None
    ) -> None:
        self._place = Place(ts, table, index, order)
        self._rest = interval
        self._test: Test | None = None if where is None else compiled(where)
        self._seen: set[bytes] = set()
        self._seconds = FIRST_SECONDS
        self.is_wanted: Callable[[], bool] = nobody_waits

    def step(self, reader: Reader) -> bool:
        """Read on for a moment; tell whether there is nothing more to read.

        Raises:
            SnapshotTooOld: The versions of that instant are gone meanwhile.
        """
        deadline, self._seconds = time.perf_counter() + self._seconds, STEP_SECONDS
        with closing(reader.rows(self._place, self._rest)) as rows:
            for number, row in enumerate(rows, 1):
                if self._is_new(row) and self._takes_enough(row):
                    return True
                if number >= LOOKS and (self.is_wanted() or (number % LOOKS == 0 and time.perf_counter() > deadline)):
                    self._rest = self._place.rest(self._rest, row.key)
                    return False
        return True

    def _is_new(self, row: Row) -> bool:
        """Tell whether a document is met for the first time; the table itself has each of them once."""
        if not self._place.index.fields:
            return True
        if row.id in self._seen:
            return False
        self._seen.add(row.id)
        return True

    def _takes_enough(self, row: Row) -> bool:
        """Take a row in; tell whether no more are wanted."""
        raise NotImplementedError


class Scan(Walk):
    """Reads documents.

    Attributes:
        found: Those that were read so far.
    """

    def __init__(
        self,
        ts: Ts,
        table: str,
        index: IndexSpec,
        interval: Interval,
        order: Order,
        where: Filter | None,
        limit: int | None,
    ) -> None:
        super().__init__(ts, table, index, interval, order, where)
        self._limit = limit
        self.found: list[Document] = []

    def step(self, reader: Reader) -> bool:
        """Read on for a moment; tell whether there is nothing more to read."""
        return (self._limit is not None and self._limit <= 0) or super().step(reader)

    def _takes_enough(self, row: Row) -> bool:
        document = load(row.body)
        if self._test is None or self._test(document):
            self.found.append(document)
        return len(self.found) == self._limit


class Tallying(Walk):
    """Tallies documents.

    Attributes:
        tally: What has been found so far.
    """

    def __init__(
        self, ts: Ts, table: str, index: IndexSpec, interval: Interval, where: Filter | None, summary: Summary
    ) -> None:
        super().__init__(ts, table, index, interval, Order.ASC, where)
        self.tally = Tally(summary)

    def _takes_enough(self, row: Row) -> bool:
        document = load(row.body)
        if self._test is None or self._test(document):
            self.tally.add(document)
            self.tally.check()
        return False


class Count(Walk):
    """Counts documents, up to a limit.

    Attributes:
        number: How many there were so far.
    """

    def __init__(
        self, ts: Ts, table: str, index: IndexSpec, interval: Interval, where: Filter | None, limit: int | None = None
    ) -> None:
        super().__init__(ts, table, index, interval, Order.ASC, where)
        self._limit = limit
        self.number = 0

    def step(self, reader: Reader) -> bool:
        """Count on for a moment; tell whether there is nothing more to count."""
        if self._is_enough():
            return True
        if self._test is not None or not reader.is_newest(self._place):
            return super().step(reader)
        if self._place.index.fields:
            ids, last = reader.ids_of_some(self._place, self._rest)
            self._seen.update(ids)
            self.number = len(self._seen)
        else:
            number, last = reader.count_some(self._place, self._rest)
            self.number += number
        if last is not None:
            self._rest = self._place.rest(self._rest, last)
        return self._is_enough() or last is None

    def _takes_enough(self, row: Row) -> bool:
        self.number += self._test is None or self._test(load(row.body))
        return self._is_enough()

    def _is_enough(self) -> bool:
        if self._limit is None or self.number < self._limit:
            return False
        self.number = self._limit
        return True
