"""How often each index of a database was read, and who reads tables without one."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from synovia import keys
from synovia.keys import BY_ID
from synovia.store.filters import Filter
from synovia.transaction.cost import ReadCost
from synovia.transaction.readset import ReadSet

MOST_READERS: Final = 1_000
_WHOLE: Final = keys.between(())


@dataclass(slots=True)
class Used:
    """How an index was read.

    Attributes:
        scans: In how many runs.
        documents: How many documents it gave.
        at: When last, in milliseconds since 1970; 0: never.
    """

    scans: int = 0
    documents: int = 0
    at: float = 0.0


@dataclass(slots=True)
class WholeRead:
    """How a function has read a whole table, by no index but that of ids.

    Attributes:
        runs: In how many runs.
        documents: How many documents the last of them was given.
        where: The condition by which it has looked for them.
        at: When last, in milliseconds since 1970.
    """

    runs: int = 0
    documents: int = 0
    where: Filter | None = None
    at: float = 0.0


class IndexUse:
    """Counts since it was made."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], Used] = {}
        self._whole: OrderedDict[tuple[str, str], WholeRead] = OrderedDict()

    def add(self, cost: ReadCost, path: str, reads: ReadSet) -> None:
        """Count what a run of a function has read."""
        for place, documents in cost.documents.items():
            used = self._used.get(place)
            if used is None:
                used = self._used[place] = Used()
            used.scans += 1
            used.documents += documents
            used.at = time.time() * 1000
            if place[1] == BY_ID.name and not path.startswith("_"):
                self._add_whole(place[0], path, reads, documents)

    def _add_whole(self, table: str, path: str, reads: ReadSet, documents: int) -> None:
        for read in reads.ranges:
            if read.table == table and read.index == BY_ID and read.interval == _WHOLE:
                whole = self._whole.setdefault((table, path), WholeRead())
                whole.runs += 1
                whole.documents, whole.where, whole.at = documents, read.where, time.time() * 1000
                if len(self._whole) > MOST_READERS:
                    self._whole.popitem(last=False)
                return

    def of(self, table: str, index: str) -> Used:
        """Tell how one was read."""
        return self._used.get((table, index)) or Used()

    def whole(self, table: str) -> Iterator[tuple[str, WholeRead]]:
        """Tell which functions have read all of a table, by their paths."""
        return ((path, read) for (name, path), read in self._whole.items() if name == table)
