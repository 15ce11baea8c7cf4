"""An open database: its connection and what works on it, all in one thread."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from synovia.clock_jumps import JumpGuard
from synovia.schema.specs import TableSpec
from synovia.sparingly import Sparingly
from synovia.store.base import StoredIndex, StoreError, StoreUnavailable, StoreUnusable
from synovia.store.sqlite import preparing, steps
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.connection import MEMORY, connect, get_meta, set_meta, transaction
from synovia.store.sqlite.disk_file import NotOnDisk
from synovia.store.sqlite.errors import is_of_sync
from synovia.store.sqlite.file_check import FileCheck, identity
from synovia.store.sqlite.history import History, Retention
from synovia.store.sqlite.position import Position
from synovia.store.sqlite.reading import Reader
from synovia.store.sqlite.worker import Worker
from synovia.store.sqlite.write_ahead_log import WriteAheadLog
from synovia.store.sqlite.writing import MICROSECONDS, Writer

logger = logging.getLogger("synovia")

_PAGE_BYTES = 1 << 18
_DOUBT_SECONDS = 3_600.0
"""So long a clock that has jumped forward has to stay there until records of requests are dropped because of it."""
_TOLD_AGAIN_SECONDS: Final = 600.0


class Database:
    """A file that is open, with its declared tables.

    Args:
        worker: The thread in which all of this runs.
    """

    def __init__(
        self,
        path: str,
        tables: Sequence[TableSpec],
        clock: Callable[[], float],
        steady: Callable[[], float],
        retention: Retention,
        lock_timeout: float,
        worker: Worker,
    ) -> None:
        self._log: WriteAheadLog | None = None
        self._is_given_up = False
        self._sparingly = Sparingly(steady)
        if path != MEMORY:
            path = os.path.realpath(path)  # SQLite has its log beside the file, not beside a link
        if (file := identity(path)) is not None and file in _kept:
            raise StoreUnusable(
                f"{path} was given up by this process, which keeps its log as it is: start the server again"
            )
        self.connection = connect(path, lock_timeout)
        self._file = identity(path)
        try:
            self.files = FileCheck(path)
            if path != MEMORY:
                self._log = WriteAheadLog(path, self.connection, worker.lend)
                self._log.hand_over_anew()
            self.catalog = catalog = Catalog()
            preparing.lay_out(self.connection)
            steps.lay_out(self.connection)
            with transaction(self.connection):
                self.position = _position(self.connection, clock())
                catalog.bring_up_to_date(self.connection, tables)
        except (sqlite3.Error, NotOnDisk) as error:
            refusal = self.refusal(error)
            self.close()
            raise refusal from error
        except BaseException:
            self.close()
            raise
        if self._log is not None:
            worker.do_behind(partial(self._look_after, self._log))
        guard = JumpGuard(clock, steady, _DOUBT_SECONDS, "forgetting requests that seem old")
        self.reader = Reader(self.connection, catalog, self.position)
        self.history = History(self.connection, catalog, self.position, retention, guard)
        most = steps.most_rows(self.connection)
        self.writer = Writer(self.connection, catalog, self.position, self.history, most, worker.pause, self._sync)

    def drop_index(self, index: StoredIndex) -> None:
        with transaction(self.connection):
            self.catalog.drop_index(self.connection, index)

    def refusal(self, error: Exception, doubt: str = "the disk has not taken a commit") -> StoreError:
        """Give the store's error for one of SQLite or of the disk; nothing more is done if nobody knows what that has.

        Args:
            doubt: What is said to have happened then.
        """
        if isinstance(error, sqlite3.Error) and not is_of_sync(error):
            return self.files.translated(error)
        self._give_up(f"{doubt} ({error})")
        return StoreUnavailable(f"nobody can tell whether a commit is on the disk: {error}")

    def _give_up(self, why: str) -> None:
        """Do nothing more with the files, and leave the log as it is."""
        self._is_given_up = True
        self.files.give_up(why)

    def _sync(self) -> None:
        if self._log is not None:
            self._log.sync()

    def _look_after(self, log: WriteAheadLog, is_lull: bool) -> bool:
        """Make a checkpoint if it is time for one; tell whether to look again in the next lull."""
        try:
            if log.is_due_for_checkpoint(is_lull=is_lull):
                self.files.check()
                log.checkpoint()
        except StoreError:
            pass  # the file is not the one that was opened: whoever works on it next is told
        except Exception as error:
            refused = self.refusal(error, "a checkpoint has failed, and may not be on the disk")
            if not self._is_given_up:
                text = f"the log is not copied into the file yet: {refused}"
                if self._sparingly.left_out(text, _TOLD_AGAIN_SECONDS) is not None:
                    logger.info("%s", text)
        return log.may_have_grown

    def close(self) -> None:
        if self._is_given_up and self._log is not None:
            _keep_for_ever(self.connection, self._file)
            return
        self.connection.close()
        if self._log is not None:
            self._log.close()


_kept: Final[set[tuple[int, int] | None]] = set()
"""The files of which this process keeps a connection for ever: it cannot open them again."""


def _keep_for_ever(connection: sqlite3.Connection, file: tuple[int, int] | None) -> None:
    """Keep a connection from being closed, even by Python when the process ends: SQLite would copy the log and delete it."""
    _kept.add(file)
    waiting = threading.Event()
    threading.Thread(target=lambda: waiting.wait() and connection, name="keeps a log", daemon=True).start()


def _position(connection: sqlite3.Connection, now: float) -> Position:
    """Find where the log stands; a new one begins at the present time, so that no two files share a timestamp."""
    row = connection.execute("SELECT ts, fence, at FROM commits ORDER BY ts DESC LIMIT 1").fetchone()
    if row is None:
        row = int(now * MICROSECONDS), 0, now
        connection.execute("INSERT INTO commits (ts, fence, at) VALUES (?, ?, ?)", row)
        set_meta(connection, "horizon", row[0])
    ts, fence, at = row
    if at > now:  # the clock was wrong once; times are in order, so else there is none to look for among all commits
        connection.execute("UPDATE commits SET at = :now WHERE at > :now", {"now": now})
    return Position(ts, fence, get_meta(connection, "horizon"), now, get_meta(connection, "clock") or 0)


def bodies_after(row: int, database: Database) -> tuple[int, list[bytes]]:
    """Read documents in the order in which they were inserted, a few at a time: the thread has other work, too.

    Args:
        row: That of the last document read.

    Returns:
        The new ``row``, and the documents as BSON; none at the end.
    """
    bodies: list[bytes] = []
    size = 0
    rows = database.connection.execute("SELECT row, body FROM docs WHERE row > ? ORDER BY row LIMIT 500", (row,))
    for number, body in rows:
        row = number
        bodies.append(body)
        size += len(body)
        if size > _PAGE_BYTES:
            break
    return row, bodies
