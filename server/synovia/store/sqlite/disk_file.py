"""Waiting for the disk, past SQLite: what has been written into a file is durable when the disk has all of it, and the name
of the file, and those of the folders above (``synovia.store.disk_names``)."""

from __future__ import annotations

import os
from typing import Final


class NotOnDisk(Exception):
    """The disk has not taken what was written: nobody can tell how much of it is there."""


class DiskFile:
    """A file that SQLite has open, to be synced without it, so that the database can be read meanwhile.

    On POSIX a process that closes any descriptor of a file loses all its locks on it, those of SQLite too: that of a
    database is closed only after its connection.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))

    def sync(self) -> None:
        """Wait until the disk has all of it.

        Raises:
            NotOnDisk: It has not: what it has is not to be known from now on, however often it is asked.
        """
        try:
            _sync(self._descriptor)
        except OSError as error:
            raise NotOnDisk(str(error)) from error

    def write_again(self) -> None:
        """Hand all of it to the disk once more, and wait until the disk has it.

        What the system has failed to write counts as written from then on: only what is handed over anew is written again.

        Raises:
            NotOnDisk: The disk has not taken it.
        """
        offset = 0
        try:
            while part := self.read(offset, _PART):
                offset += _write(self._descriptor, part, offset)
        except OSError as error:
            raise NotOnDisk(str(error)) from error
        self.sync()

    def read(self, offset: int, size: int) -> bytes:
        """Read some bytes, as many as there are."""
        return _read(self._descriptor, size, offset)

    def close(self) -> None:
        os.close(self._descriptor)


_sync: Final = getattr(os, "fdatasync", os.fsync)


def _seek_and_read(descriptor: int, size: int, offset: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


def _seek_and_write(descriptor: int, data: bytes, offset: int) -> int:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, data)


_read: Final = getattr(os, "pread", _seek_and_read)
_write: Final = getattr(os, "pwrite", _seek_and_write)
_PART: Final = 1 << 20
