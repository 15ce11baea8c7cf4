"""Whether the files of a database are still those that were opened.

SQLite goes on writing into a file that has been deleted or replaced, and calls it durable. What was committed counts only
if the file was still there afterwards; so this is looked at after each piece of work, and once it has failed, nothing more
is done until a server opens the database anew.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from typing import Final

from synovia.store.base import StoreError, StoreUnusable
from synovia.store.sqlite.connection import MEMORY
from synovia.store.sqlite.errors import translated

_JUST_NOW_SECONDS: Final = 0.001
"""Python's lock is let go at each look: whoever looks again waits for it as long as the event loop computes."""


class FileCheck:
    """Looks at one database's files.

    Args:
        path: The file that has just been opened, or ``:memory:``.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._files = {} if path == MEMORY else {each: identity(each) for each in (path, f"{path}-wal")}
        self._files = {each: found for each, found in self._files.items() if found is not None}
        self._sizes = dict.fromkeys(self._files, 0)
        self._fault: str | None = None
        self._looked_at = -math.inf

    def check(self) -> None:
        """Refuse to go on with files that are not those that were opened.

        Raises:
            StoreUnusable: They were deleted, replaced or cut, or were found to be damaged.
        """
        if self._fault is None:
            self._fault = next(filter(None, map(self._fault_of, self._files)), None)
        if self._fault is not None:
            raise StoreUnusable(self._fault)
        self._looked_at = time.monotonic()

    def check_unless_just_now(self) -> None:
        """Do the same, unless it was done less than a millisecond ago: for where ``check`` follows in the end.

        Raises:
            StoreUnusable: Likewise.
        """
        if time.monotonic() - self._looked_at > _JUST_NOW_SECONDS or self._fault is not None:
            self.check()

    def _fault_of(self, file: str) -> str | None:
        try:
            found = os.stat(file)
        except (FileNotFoundError, NotADirectoryError):
            return f"{file} was deleted or moved while the server had it open: put it back, and start the server again"
        except OSError:
            return None  # not to be known: what is read and written fails by itself
        if (found.st_dev, found.st_ino) != self._files[file]:
            return f"{file} was replaced while the server had it open: start the server again"
        if found.st_size < self._sizes[file]:
            return f"{file} was cut short by another program: put a backup in its place"
        self._sizes[file] = found.st_size
        return None

    def give_up(self, why: str) -> None:
        """Remember that these files are not to be trusted any more."""
        self._fault = self._fault or f"{self._path}: {why}; start the server again"

    def translated(self, error: sqlite3.Error) -> StoreError:
        """Give the store's error for one of SQLite; damage is remembered."""
        found = translated(self._path, error)
        if isinstance(found, StoreUnusable):
            self._fault = self._fault or str(found)
        return found


def identity(file: str) -> tuple[int, int] | None:
    """Tell which file has a name now; None if there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
