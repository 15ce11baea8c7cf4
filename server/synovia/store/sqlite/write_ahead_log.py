"""The write-ahead log of a database (``-wal``) and its checkpoints: what it holds is copied into the database's file, behind
commits and never within them.

SQLite would do it within the commit that makes the log longer than 1,000 pages: that one, and everybody behind it, waits
until the disk has the log, until the pages are copied, and until the disk has them in the file. Here it is done when
nobody has come for a while, and others read while the disk takes it. Where is what, if the power fails?

1. The disk is given the log. From then on it has all that was ever committed there, also what nobody has waited for.
2. SQLite copies the newest version of each page into the file, without waiting for the disk. The file is of no use by
   itself now: it has new pages and old ones, and may have torn ones. But the log has all of them, and goes before the file.
3. The disk is given the file. Nobody can write meanwhile, as this is done in the database's thread. The log still has all.
4. The log is begun anew: SQLite writes its head, waits for the disk, and overwrites from the beginning what the disk has
   in the file by now. What is behind the new pages belongs to another head, and does not count any more.

If the disk does not take the file, or the log, nobody knows what it has of that, and the kernel may have forgotten which
pages it has not written. So both are left as they are. Nothing is written any more, and the connection is not even closed:
SQLite would copy what the disk may have lost over what it has, or delete the log, which it takes for copied. Whoever opens
the database next reads it through the log, and copies all of it again.

That one hands the log to the disk anew, before anybody hears of what is in it: the kernel still has what its disk has not
taken, and what a process has written that was killed before it waited for the disk. So it is with the names of both files:
SQLite waits for them when it first waits for a log that it has made, but not if that was made by a process that was killed.

How SQLite goes about it: https://www.sqlite.org/wal.html#ckpt, https://www.sqlite.org/walformat.html.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from synovia.store.disk_names import sync_names
from synovia.store.sqlite.connection import FORMAT, ahead_of_a_commit
from synovia.store.sqlite.disk_file import DiskFile, NotOnDisk

_SOME: Final = 250
"""So many pages are copied in a lull, when nobody has come for a while, ..."""
_MANY: Final = 1_000
"""... and so many at once, as soon as who has written them is answered: it has no more, but for those of one transaction."""

_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_SALTS_IN_HEADER, _SALTS_IN_FRAME, _SALTS_BYTES = 16, 8, 8
"""By which it is known which pages belong to its head: https://www.sqlite.org/fileformat2.html#the_write_ahead_log."""


class WriteAheadLog:
    """The log of a database that is open and makes no checkpoints by itself; used in its thread.

    Args:
        path: The file of the database.
        database: The connection.
        lend: Does what waits for the disk while others read.

    Attributes:
        may_have_grown: Whether it has to be looked at in the next lull.
    """

    def __init__(self, path: str, database: sqlite3.Connection, lend: Callable[[Callable[[], None]], None]) -> None:
        self._database = database
        self._lend = lend
        (page_bytes,) = database.execute("PRAGMA page_size").fetchone()
        self._frame_bytes = _FRAME_HEADER_BYTES + page_bytes
        self._changes = -1
        self.may_have_grown = False
        self._from = _SOME
        self._folder = Path(path).parent
        self._log = DiskFile(f"{path}-wal")
        self._file = DiskFile(path)

    def hand_over_anew(self) -> None:
        """Give the disk all that was found in it, and wait until it has that, and the names of both files; called ahead
        of all others.

        Raises:
            NotOnDisk: It has not taken it.
        """
        self._log.write_again()
        try:
            sync_names(self._folder)
        except OSError as error:
            raise NotOnDisk(str(error)) from error

    def sync(self) -> None:
        """Wait until the disk has all of it.

        Raises:
            NotOnDisk: It has not.
        """
        self._lend(self._log.sync)

    def is_due_for_checkpoint(self, *, is_lull: bool) -> bool:
        """Tell whether it is long enough.

        Args:
            is_lull: Whether nobody has come for a while.
        """
        if is_lull:
            self.may_have_grown = False
            return self._has(self._from)
        before, self._changes = self._changes, self._database.total_changes
        if before == self._changes:
            return False
        self.may_have_grown = True
        return self._has(max(self._from, _MANY))

    def checkpoint(self) -> None:
        """Copy it into the database's file, wait until the disk has that, and begin it anew.

        Raises:
            sqlite3.Error: Something failed on the way, as for want of space: nothing is lost, and the next one is due when
                it has grown.
            NotOnDisk: The disk has not taken it: nothing may be written any more.
        """
        self._from += _SOME
        self.sync()
        is_whole = self._copy()
        self._lend(self._file.sync)
        if is_whole:
            self._begin_anew()
            self._from = _SOME

    def close(self) -> None:
        """Let go of the files, when the connection has been closed."""
        self._log.close()
        self._file.close()

    def _has(self, pages: int) -> bool:
        """Tell whether so many were written since it was begun anew."""
        salts = self._log.read(_SALTS_IN_HEADER, _SALTS_BYTES)
        place = _HEADER_BYTES + (pages - 1) * self._frame_bytes + _SALTS_IN_FRAME
        return bool(salts) and self._log.read(place, _SALTS_BYTES) == salts

    def _copy(self) -> bool:
        """Copy it into the file, without waiting for the disk; tell whether that was all."""
        self._database.execute("PRAGMA synchronous = OFF")
        try:
            _, pages, copied = self._database.execute("PRAGMA main.wal_checkpoint(PASSIVE)").fetchone()
        finally:
            self._database.execute("PRAGMA synchronous = NORMAL")
        return bool(pages == copied)

    def _begin_anew(self) -> None:
        """Write a page as it is: with the first one SQLite waits for the disk, amid a commit."""
        with ahead_of_a_commit(self._database):
            self._database.execute(f"PRAGMA user_version = {FORMAT}")
