"""The steps of a large commit are found ahead of it, while others go on, and laid into a temporary table.

In the transaction SQLite takes them from there by itself (``steps.py``): it is over in a tenth of the time, and does not
wait for Python's lock while the event loop computes. Everybody who writes waits for that alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from synovia.store.base import Ts, Write
from synovia.store.sqlite.connection import ahead_of_a_commit
from synovia.store.sqlite.plan import Plan
from synovia.store.sqlite.steps import MOST_PARAMETERS, MOST_ROWS, PADDING, insert
from synovia.store.sqlite.worker import nobody_waits

_PARAMETERS: Final = ", ".join(f"p{number}" for number in range(MOST_PARAMETERS))
_TABLE: Final = f"""
    CREATE TEMP TABLE ready (
        batch INTEGER, part INTEGER, number INTEGER, step TEXT, {_PARAMETERS}, PRIMARY KEY (batch, part, number)
    ) WITHOUT ROWID"""
_LAY_DOWN: Final = "INSERT INTO ready SELECT * FROM ({}) WHERE column1"
_TAKE_IN: Final = f"""
    INSERT INTO steps SELECT ?, step, {_PARAMETERS} FROM ready WHERE batch = ? AND part = ? ORDER BY number"""
_PART: Final = MOST_ROWS
"""So many steps are taken before others may read."""
_ROWS_AT_ONCE: Final = 64
"""So many rows are inserted by one statement: Python's lock is let go and waited for once for all of them."""
_ROWS_A_TURN: Final = 256
_TURN_SECONDS: Final = 0.002
"""So many steps are found in a turn at most, or for so long."""


@dataclass(slots=True, eq=False)
class Prepared:
    """The writes of a batch as far as they are ready.

    Attributes:
        number: That of the batch in the temporary table.
        plan: What has been found; its steps are in the table.
        revision: That of the catalog by which their keys were made.
        forget: Deletes a part of a batch from the table, some time.
        parts: How many parts there are.
    """

    number: int
    plan: Plan
    revision: int
    forget: Callable[[int, int], None]
    parts: int = 0

    def discard(self) -> None:
        """Forget it: it has been committed, or will never be."""
        for part in range(self.parts):
            self.forget(self.number, part)


class Preparing:
    """Makes the writes of one batch ready, a turn at a time.

    Args:
        is_wanted: Tells whether others wait for the thread, for whom a turn ends.
    """

    def __init__(
        self, prepared: Prepared, writes: Sequence[Write], is_wanted: Callable[[], bool] = nobody_waits
    ) -> None:
        self.prepared = prepared
        self._is_wanted = is_wanted
        self._adding = prepared.plan.add_all(writes)
        self._in_part = 0

    def go_on(self, database: sqlite3.Connection) -> bool:
        """Go on for a turn; tell whether all is ready.

        Raises:
            StoreError: A document cannot be stored.
        """
        deadline = time.perf_counter() + _TURN_SECONDS
        is_ready = True
        for _ in self._adding:
            if len(self.prepared.plan.steps) >= _ROWS_A_TURN or self._is_wanted() or time.perf_counter() > deadline:
                is_ready = False
                break
        with ahead_of_a_commit(database):
            self._lay_down(database)
        return is_ready

    def _lay_down(self, database: sqlite3.Connection) -> None:
        steps = self.prepared.plan.take_away()
        while steps:
            if not self._in_part:
                self.prepared.parts += 1
            room = min(_PART - self._in_part, _ROWS_AT_ONCE)
            some, steps = steps[:room], steps[room:]
            place = self.prepared.number, self.prepared.parts - 1
            rows = [(*place, self._in_part + n, *row, *PADDING[len(row)]) for n, row in enumerate(some)]
            insert(database, _LAY_DOWN, rows)
            self._in_part = (self._in_part + len(some)) % _PART


def lay_out(database: sqlite3.Connection) -> None:
    """Make the temporary table of a connection; memory that it needs no more is given back."""
    database.execute("PRAGMA temp_store = MEMORY")
    database.execute("PRAGMA temp.auto_vacuum = FULL")
    database.execute(_TABLE)


def take_in(database: sqlite3.Connection, prepared: Prepared, ts: Ts, pause: Callable[[], None]) -> None:
    """Take the steps that are ready, as a part of a transaction.

    Args:
        pause: Called between two parts: others may read.

    Raises:
        sqlite3.IntegrityError: Something else is stored than they say, or a unique index forbids it.
    """
    for part in range(prepared.parts):
        if part:
            pause()
        database.execute(_TAKE_IN, (ts, prepared.number, part))


def forget(database: sqlite3.Connection, number: int, part: int) -> None:
    """Delete a part of what was made ready."""
    with ahead_of_a_commit(database):
        database.execute("DELETE FROM ready WHERE batch = ? AND part = ?", (number, part))
