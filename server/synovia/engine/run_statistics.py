"""What the runs of one live query have cost."""

from __future__ import annotations

from dataclasses import dataclass

from synovia.store.base import Ts


@dataclass(slots=True)
class RunStatistics:
    """Counted since the query was first asked for.

    Attributes:
        anew: Runs that had to ask the database for everything.
        rolled_forward: Runs that went on from what the one before had read.
        seconds: Of all runs; ``last_seconds`` of the newest.
        documents_read: By the newest run.
        pushed: Bytes of differences and results, once for each who held it then.
        woken_at: The commit that last made it run again.
    """

    anew: int = 0
    rolled_forward: int = 0
    seconds: float = 0.0
    last_seconds: float = 0.0
    documents_read: int = 0
    pushed: int = 0
    woken_at: Ts | None = None

    @property
    def runs(self) -> int:
        """How many there were."""
        return self.anew + self.rolled_forward

    def ran(self, seconds: float, documents_read: int, *, anew: bool) -> None:
        """Count a run."""
        self.seconds += seconds
        self.last_seconds, self.documents_read = seconds, documents_read
        if anew:
            self.anew += 1
        else:
            self.rolled_forward += 1
