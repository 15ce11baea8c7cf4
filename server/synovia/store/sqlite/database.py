"""An open database: its connection and what works on it, all in one thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from synovia.store.base import TableSpec
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.connection import connect, get_meta, set_meta, transaction
from synovia.store.sqlite.history import History, Retention
from synovia.store.sqlite.position import Position
from synovia.store.sqlite.reading import Reader
from synovia.store.sqlite.writing import MICROSECONDS, Writer


class Database:
    """A file that is open, with its declared tables."""

    def __init__(
        self,
        path: str,
        tables: Sequence[TableSpec],
        clock: Callable[[], float],
        retention: Retention,
        lock_timeout: float,
    ) -> None:
        self.connection = connect(path, lock_timeout)
        try:
            catalog = Catalog()
            with transaction(self.connection):
                self.position = _position(self.connection, clock())
                catalog.bring_up_to_date(self.connection, tables)
        except BaseException:
            self.connection.close()
            raise
        self.reader = Reader(self.connection, catalog, self.position)
        self.history = History(self.connection, catalog, self.position, retention)
        self.writer = Writer(self.connection, catalog, self.position, self.history)

    def close(self) -> None:
        self.connection.close()


def _position(connection: sqlite3.Connection, now: float) -> Position:
    """Find where the log stands; a new one begins at the present time, so that no two files share a timestamp."""
    row = connection.execute("SELECT ts, fence FROM commits ORDER BY ts DESC LIMIT 1").fetchone()
    if row is None:
        row = int(now * MICROSECONDS), 0
        connection.execute("INSERT INTO commits (ts, fence, at) VALUES (?, ?, ?)", (*row, now))
        set_meta(connection, "horizon", row[0])
    ts, fence = row
    return Position(ts, fence, horizon=get_meta(connection, "horizon"))
