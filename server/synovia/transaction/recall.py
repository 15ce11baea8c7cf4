"""What one run of a live query leaves for the next."""

from __future__ import annotations

from collections.abc import Sequence

from synovia.sealing.keyring import Keyring
from synovia.store.base import Snapshot, Ts
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.memory import Memory, RememberingSnapshot
from synovia.transaction.rows import RowCache

_LOOK_AGAIN = 64
"""After so many runs the bytes are estimated again, whatever seems to have stayed as it was."""


class Recall:
    """What a run has read, and the rows it has made.

    Attributes:
        since: Every commit after the memory's timestamp up to that of the next run; set before that.
        asked: How often the last run had to ask the database.
        size: About how many bytes it takes.
    """

    def __init__(self) -> None:
        self.rows = RowCache()
        self.since: Sequence[KeyedCommit] = ()
        self.asked = 0
        self.size = 0
        self._estimated_at = 0
        self._runs = 0
        self._memory: Memory | None = None

    @property
    def ts(self) -> Ts | None:
        """As of when it remembers; None: nothing."""
        return None if self._memory is None else self._memory.ts

    @property
    def documents(self) -> int:
        """How many documents it remembers."""
        return 0 if self._memory is None else self._memory.size

    def forget(self) -> None:
        """Forget what was read: the commits since are not known."""
        self._memory = None

    def drop(self) -> None:
        """Forget everything."""
        self._memory = None
        self.rows = RowCache()
        self.size = self._estimated_at = 0

    def snapshot(self, snapshot: Snapshot, keyring: Keyring | None = None) -> RememberingSnapshot:
        """Begin a run, which opens encrypted fields with some keys: each run with the same."""
        self.rows = RowCache(self.rows, keyring)
        return RememberingSnapshot(snapshot, self._memory, self.since)

    def keep(self, snapshot: RememberingSnapshot) -> None:
        """End a run."""
        self.rows.forget_earlier()
        self._memory = snapshot.memory
        self.asked = snapshot.asked
        self._estimate(snapshot.memory)

    def _estimate(self, memory: Memory) -> None:
        """Estimate the size if it may have changed: that costs more than a run over a document or two."""
        self._runs += 1
        changed = abs(memory.size - self._estimated_at)
        if changed * 8 > self._estimated_at or self.asked or self._runs % _LOOK_AGAIN == 0:
            documents = memory.documents_footprint()
            self.size = documents + memory.tallies_footprint() + self.rows.footprint(documents)
            self._estimated_at = memory.size
