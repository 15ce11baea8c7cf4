"""What SQLite and the embedded store do to the files of a folder, in order.

A layer between SQLite and the system's own VFS (https://www.sqlite.org/vfs.html): each file that is opened gets methods that
note, and may refuse, what is written, cut and synced. Whatever else is done to it is left to the system.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from synovia.store import disk_names
from synovia.store.sqlite import disk_file

FULL: Final = sqlite3.SQLITE_FULL
NOT_WRITTEN: Final = sqlite3.SQLITE_IOERR_WRITE
NOT_SYNCED: Final = sqlite3.SQLITE_IOERR_FSYNC
_OPEN_WAL, _OPEN_JOURNAL = 0x80000, 0x800
_OK: Final = 0


@dataclass(frozen=True, slots=True)
class Created:
    """A file has come to be; its name is on the disk once the folder is synced."""

    name: str


@dataclass(frozen=True, slots=True)
class Written:
    """Some bytes have been written at an offset."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file has been given another size."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """The disk has a file, and ``with_folder`` all names in its folder; or nobody knows, as it ``failed``."""

    name: str
    with_folder: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """A name is gone, on the disk too if ``with_folder``."""

    name: str
    with_folder: bool


@dataclass(frozen=True, slots=True)
class FolderMade:
    """The folder itself has come to be, or is about to; its name is on the disk once the one above it is synced."""


@dataclass(frozen=True, slots=True)
class NamesSynced:
    """The disk has all names in the folder, or that of the folder in the one ``above``; nobody knows if it ``failed``."""

    above: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that whoever uses the database has to say between two of the others."""

    what: Any


Event = Created | Written | Cut | Synced | Deleted | FolderMade | NamesSynced | Noted
Refuse = Callable[[Event], int]
"""Gives the error that SQLite is to be told in place of what it wants to do; 0: none."""


class RecordedDisk:
    """The events in a folder.

    Attributes:
        events: All of them, in order.
        refuse: Is asked before each; of those that are refused only syncs are among the events, as failed.
        is_over: Whether no more are to be noted, as if the process had been killed.
    """

    def __init__(self, folder: Path, events: list[Event]) -> None:
        self.folder = folder
        self.events = events
        self.refuse: Refuse = lambda event: _OK
        self.is_over = False

    def note(self, event: Event) -> None:
        """Note what has been done, or anything else."""
        if not self.is_over:
            self.events.append(event)

    def do(self, event: Event, work: Callable[[], int]) -> int:
        """Do what SQLite wants, unless it is refused; it is noted when it is done, a sync is complete then."""
        if error := _OK if self.is_over else self.refuse(event):
            if isinstance(event, Synced | NamesSynced):
                self.note(replace(event, failed=True))
            return error
        if (result := work()) == _OK:
            self.note(event)
        return result


def sqlite_library() -> ctypes.CDLL:
    """Give the SQLite of this Python; skip the test if it is linked into that and cannot be reached."""
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    if not hasattr(library, "sqlite3_vfs_find"):
        pytest.skip("this Python lets nobody at its SQLite")
    return library


@contextmanager
def recorded(folder: Path, events: list[Event] | None = None) -> Iterator[RecordedDisk]:
    """Note what is done in a folder; a database that is opened meanwhile is recorded as long as it is open.

    Args:
        events: Those of before, which go on.
    """
    disk = RecordedDisk(folder, [] if events is None else events)
    library = sqlite_library()
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    own = library.sqlite3_vfs_find(None)
    layer = _Layer(disk, own)
    _layers.append(layer)
    library.sqlite3_vfs_register(ctypes.byref(layer.vfs), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk_file, "_sync", partial(_sync, disk, disk_file._sync))
        patch.setattr(disk_names, "_sync_folder", partial(_sync_folder, disk, disk_names._sync_folder))
        patch.setattr(disk_file, "_write", partial(_write, disk, disk_file._write))
        try:
            yield disk
        finally:
            library.sqlite3_vfs_unregister(ctypes.byref(layer.vfs))
            library.sqlite3_vfs_register(own, 1)


_layers: list[_Layer] = []
"""They are kept: a database that is never closed calls them to the end."""


def _sync(disk: RecordedDisk, sync: Callable[[int], None], descriptor: int) -> None:
    def work() -> int:
        sync(descriptor)
        return _OK

    if disk.do(Synced(_name_of(descriptor, disk.folder)), work):
        raise OSError(errno.EIO, "Input/output error")


def _sync_folder(disk: RecordedDisk, sync: Callable[[int], None], descriptor: int) -> None:
    def work() -> int:
        sync(descriptor)
        return _OK

    found = os.fstat(descriptor)
    for folder, event in (disk.folder, NamesSynced()), (disk.folder.parent, NamesSynced(above=True)):
        if folder.exists() and os.path.samestat(folder.stat(), found):
            if disk.do(event, work):
                raise OSError(errno.EIO, "Input/output error")
            return
    sync(descriptor)


def _write(disk: RecordedDisk, write: Callable[[int, bytes, int], int], descriptor: int, data: bytes, at: int) -> int:
    event = Written(_name_of(descriptor, disk.folder), at, data)
    if disk.do(event, lambda: _OK if write(descriptor, data, at) == len(data) else NOT_WRITTEN):
        raise OSError(errno.EIO, "Input/output error")
    return len(data)


def _name_of(descriptor: int, folder: Path) -> str:
    found = os.fstat(descriptor)
    return next((each.name for each in folder.iterdir() if os.path.samestat(each.stat(), found)), "(elsewhere)")


# --- SQLite's side: https://www.sqlite.org/c3ref/vfs.html, https://www.sqlite.org/c3ref/io_methods.html ---------------

_POINTER, _INT, _LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong
_Close = ctypes.CFUNCTYPE(_INT, _POINTER)
_Write = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, _LONG)
_Truncate = ctypes.CFUNCTYPE(_INT, _POINTER, _LONG)
_Sync = ctypes.CFUNCTYPE(_INT, _POINTER, _INT)
_Open = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _POINTER, _INT, _POINTER)
_Delete = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT)


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        ("close", _POINTER),
        ("read", _POINTER),
        ("write", _POINTER),
        ("truncate", _POINTER),
        ("sync", _POINTER),
        *((f"other_{number}", _POINTER) for number in range(13)),
    )


class _File(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(_Methods)),)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        ("file_bytes", _INT),
        ("most_path_bytes", _INT),
        ("next", _POINTER),
        ("name", ctypes.c_char_p),
        ("data", _POINTER),
        ("open", _POINTER),
        ("delete", _POINTER),
        *((f"other_{number}", _POINTER) for number in range(14)),
    )


class _Layer:
    """A VFS over another, and the methods of the files that it opens."""

    def __init__(self, disk: RecordedDisk, own: Any) -> None:
        self._disk = disk
        self._open_own, self._delete_own = _Open(own.contents.open), _Delete(own.contents.delete)
        self._methods: dict[int, _FileMethods] = {}
        self._kept = [_Open(self._open), _Delete(self._delete)]
        self.vfs = _Vfs.from_buffer_copy(own.contents)
        self.vfs.name = b"recorded"
        self.vfs.open, self.vfs.delete = (ctypes.cast(each, _POINTER) for each in self._kept)

    def _open(self, vfs: int, path: int | None, file: int, flags: int, told: int) -> int:
        name = None if path is None else Path(_text(path))
        if name is None or name.parent != self._disk.folder:
            return int(self._open_own(vfs, path, file, flags, told))
        is_new = not name.exists()
        if (result := int(self._open_own(vfs, path, file, flags, told))) == _OK:
            if is_new:
                self._disk.note(Created(name.name))
            opened = ctypes.cast(file, ctypes.POINTER(_File)).contents
            layer = self._over(opened.methods)
            layer.open(file, name.name, is_nameless=is_new and bool(flags & (_OPEN_WAL | _OPEN_JOURNAL)))
            opened.methods = ctypes.pointer(layer.methods)
        return result

    def _over(self, own: Any) -> _FileMethods:
        address = ctypes.addressof(own.contents)
        if address not in self._methods:
            self._methods[address] = _FileMethods(self._disk, own.contents)
        return self._methods[address]

    def _delete(self, vfs: int, path: int, with_folder: int) -> int:
        name = Path(_text(path))
        if name.parent != self._disk.folder:
            return int(self._delete_own(vfs, path, with_folder))
        event = Deleted(name.name, bool(with_folder))
        return self._disk.do(event, lambda: self._delete_own(vfs, path, with_folder))


class _FileMethods:
    """Methods over those of files of one kind: a database is locked, a log is not."""

    def __init__(self, disk: RecordedDisk, own: _Methods) -> None:
        self._disk = disk
        self._names: dict[int, str] = {}
        self._nameless: set[int] = set()
        self._close_own, self._write_own = _Close(own.close), _Write(own.write)
        self._truncate_own, self._sync_own = _Truncate(own.truncate), _Sync(own.sync)
        self._kept = [_Close(self._close), _Write(self._write), _Truncate(self._truncate), _Sync(self._sync)]
        self.methods = _Methods.from_buffer_copy(own)
        close, write, truncate, sync = (ctypes.cast(each, _POINTER) for each in self._kept)
        self.methods.close, self.methods.write, self.methods.truncate, self.methods.sync = close, write, truncate, sync

    def open(self, file: int, name: str, *, is_nameless: bool) -> None:
        """Know a file that is open.

        Args:
            is_nameless: Whether SQLite syncs its folder, too, when it first syncs it.
        """
        self._names[file] = name
        self._nameless.discard(file)
        if is_nameless:
            self._nameless.add(file)

    def _close(self, file: int) -> int:
        del self._names[file]
        return int(self._close_own(file))

    def _write(self, file: int, data: int, size: int, offset: int) -> int:
        event = Written(self._names[file], offset, ctypes.string_at(data, size))
        return self._disk.do(event, lambda: self._write_own(file, data, size, offset))

    def _truncate(self, file: int, size: int) -> int:
        return self._disk.do(Cut(self._names[file], size), lambda: self._truncate_own(file, size))

    def _sync(self, file: int, flags: int) -> int:
        event = Synced(self._names[file], file in self._nameless)
        if (result := self._disk.do(event, lambda: self._sync_own(file, flags))) == _OK:
            self._nameless.discard(file)
        return result


def _text(path: int) -> str:
    """Read a path where it stands: SQLite looks behind it for more, so it has to be handed on, and not a copy."""
    return os.fsdecode(ctypes.string_at(path))
