"""How often each index of a database was read."""

from __future__ import annotations

import time
from dataclasses import dataclass

from synovia.transaction.cost import ReadCost


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


class IndexUse:
    """Counts since it was made."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], Used] = {}

    def add(self, cost: ReadCost) -> None:
        """Count what a run has read."""
        for place, documents in cost.documents.items():
            used = self._used.get(place)
            if used is None:
                used = self._used[place] = Used()
            used.scans += 1
            used.documents += documents
            used.at = time.time() * 1000

    def of(self, table: str, index: str) -> Used:
        """Tell how one was read."""
        return self._used.get((table, index)) or Used()
