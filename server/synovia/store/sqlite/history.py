"""What is kept of the past: the log of commits, and how long old versions stay readable."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from typing import Final

from synovia.clock_jumps import JumpGuard
from synovia.schema.specs import Document
from synovia.store.base import REQUEST_TTL, Commit, Ts, Write
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.connection import get_meta
from synovia.store.sqlite.documents import load
from synovia.store.sqlite.position import Position
from synovia.store.sqlite.steps import Step, StepRow

_ROWS_A_COMMIT: Final = 32
"""For every commit at least so many rows of each kind are pruned, and twice what it writes: pruning keeps up."""
_PRUNED_TOGETHER: Final = 8
"""One commit of so many prunes for all of them; more often if fewer than a hundred times as many are kept."""
_WRITES_PRUNED_TOGETHER: Final = 256
"""One prunes sooner if so many documents have been written since the last one that did."""

_BEFORE: Final = "SELECT until, body FROM past_docs WHERE tbl = ? AND id = ? AND since < ? ORDER BY since DESC LIMIT 1"
_AFTER: Final = """
    SELECT body FROM docs WHERE tbl = :tbl AND id = :id AND since = :ts
    UNION ALL SELECT body FROM past_docs WHERE tbl = :tbl AND id = :id AND since = :ts"""

_NEWEST_BEFORE: Final = "SELECT ts FROM commits WHERE at <= ? ORDER BY ts DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the past is kept.

    Attributes:
        seconds: Versions stay readable for so long,
        commits: and for at least so many commits.
        requests: Request records stay for so many seconds.
    """

    seconds: float = 300.0
    commits: int = 1000
    requests: float = REQUEST_TTL


@dataclass(slots=True)
class History:
    """The past of one database; every method runs in the database's thread."""

    database: sqlite3.Connection
    catalog: Catalog
    position: Position
    retention: Retention
    guard: JumpGuard
    _commits: int = 0  # since it was pruned, with _written
    _written: int = 0

    def pruning(self, fence: int, now: float, written: int) -> StepRow | None:
        """Give the step of a commit by which a little of what has outlived its time is dropped; None for most commits.

        Args:
            fence: The commit's number.
            now: The time in seconds.
            written: How many documents it writes.
        """
        commits, written = self._commits + 1, self._written + written
        if commits < min(_PRUNED_TOGETHER, self.retention.commits // 100) and written < _WRITES_PRUNED_TOGETHER:
            return None
        doubtful = self.guard.doubt() > 0  # whose record is dropped too early runs twice
        requests = -math.inf if doubtful else now - self.retention.requests
        newest = fence - max(1, self.retention.commits)
        return Step.PRUNE, newest, now - self.retention.seconds, requests, _ROWS_A_COMMIT * commits + 2 * written

    def count(self, written: int, *, has_pruned: bool) -> None:
        """Count a commit that has been written, and leave behind what it has pruned.

        Args:
            written: How many documents it writes.
            has_pruned: Whether its steps were those of a ``pruning``, too.
        """
        if has_pruned:
            self._commits = self._written = 0
            # At once, and not with the rest of the position: what lies before it is gone for those who read meanwhile, too.
            self.position.horizon = get_meta(self.database, "horizon")
        else:
            self._commits += 1
            self._written += written

    def follow_clock_back(self, now: float) -> None:
        """Date the commits that lie in the future back to now: the clock was set back, and their times must be in order."""
        (before,) = self.database.execute(_NEWEST_BEFORE, (now,)).fetchone() or (0,)
        self.database.execute("UPDATE commits SET at = ? WHERE ts > ?", (now, before))

    def commits_after(self, after: Ts, limit: int) -> list[Commit] | None:
        """Read the commits after a timestamp, oldest first, ``limit`` at most; None if some of them are gone."""
        if not self.position.horizon <= after <= self.position.ts:
            return None
        rows = self.database.execute(
            "SELECT ts, fence FROM commits WHERE ts > ? ORDER BY ts LIMIT ?", (after, limit)
        ).fetchall()
        return [Commit(ts, self._writes_of(ts), fence) for ts, fence in rows]

    def _writes_of(self, ts: Ts) -> tuple[Write, ...]:
        rows = self.database.execute("SELECT tbl, id FROM log WHERE ts = ? ORDER BY seq", (ts,)).fetchall()
        return tuple(self._write_of(ts, table, id_) for table, id_ in rows)

    def _write_of(self, ts: Ts, table: int, id_: bytes) -> Write:
        until, old = self.database.execute(_BEFORE, (table, id_, ts)).fetchone() or (None, None)
        before: Document | None = load(old) if old is not None and until == ts else None
        found = self.database.execute(_AFTER, {"tbl": table, "id": id_, "ts": ts}).fetchone()
        after = load(found[0]) if found else None
        document = after or before or {}
        return Write(self.catalog.name(table), document["_id"], before, after)
