"""What a disk may hold when the power fails: all that it was given for certain, and of the rest any part.

The system writes what it was handed when it likes, in any order, in whole sectors: each holds what it held at the last sync,
or at any moment since then. So it is with how long a file is, which names a folder has, and whether it is there itself.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from helpers.recorded_disk import Created, Cut, Deleted, Event, FolderMade, NamesSynced, Synced, Written

_SECTOR: Final = 512


@dataclass(slots=True)
class _Content:
    """A file: what the disk has for certain, and what it was handed since then."""

    durable: bytearray = field(default_factory=bytearray)
    handed: list[Written | Cut] = field(default_factory=list)

    def sync(self) -> None:
        for event in self.handed:
            if isinstance(event, Cut):
                del self.durable[event.size :]
            else:
                _write(self.durable, event.offset, event.data)
        self.handed.clear()

    def left(self, fate: Fate) -> bytes:
        """Give what may be left."""
        length, content = len(self.durable), bytearray(self.durable)
        lengths = [length]
        for event in self.handed:
            length = event.size if isinstance(event, Cut) else max(length, event.offset + len(event.data))
            lengths.append(length)
        reached: dict[int, int] = {}  # so many of what was handed it has of a sector
        for number, event in enumerate(self.handed):
            if isinstance(event, Cut):
                continue
            end = event.offset + len(event.data)
            for begin in range(event.offset // _SECTOR * _SECTOR, end, _SECTOR):
                if begin not in reached:
                    reached[begin] = fate.reached(len(self.handed))
                if number < reached[begin]:
                    low, high = max(begin, event.offset), min(begin + _SECTOR, end)
                    _write(content, low, event.data[low - event.offset : high - event.offset])
        length = lengths[fate.reached(len(self.handed))]
        return bytes(content[:length].ljust(length, b"\0"))


def _write(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class Fate:
    """What becomes of what the disk was handed and nobody has waited for.

    Args:
        nothing: Of such a share of the sectors the disk has nothing of it,
        everything: and of such a share all; of the rest it has as much as is drawn.
    """

    def __init__(self, rng: random.Random, nothing: float, everything: float) -> None:
        self._rng = rng
        self._nothing, self._everything = nothing, nothing + everything

    def reached(self, handed: int) -> int:
        """Tell how much of so many the disk has."""
        drawn = self._rng.random()
        if drawn < self._nothing:
            return 0
        return handed if drawn < self._everything else self._rng.randint(0, handed)


def fates(rng: random.Random) -> list[Fate]:
    """Give some that differ."""
    shares = (1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.9, 0.1), (0.1, 0.9), (0.0, 0.0)
    return [Fate(rng, *each) for each in shares]


class Disk:
    """The disk under the files of one folder; what it loses is drawn."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._contents: list[_Content] = []
        self._names: dict[str, int] = {}
        self._durable_names: dict[str, int] = {}
        self._is_folder_durable = True

    def take(self, event: Event) -> None:
        """Be handed something."""
        match event:
            case Created(name):
                self._names[name] = len(self._contents)
                self._contents.append(_Content())
            case Written(name) | Cut(name):
                self._contents[self._names[name]].handed.append(event)
            case FolderMade():
                self._is_folder_durable = False
            case NamesSynced(above=True, failed=False):
                self._is_folder_durable = True
            case NamesSynced(failed=False):
                self._durable_names = dict(self._names)
            case Synced(name, failed=True):
                self._forget(self._contents[self._names[name]])
            case Synced(name, with_folder):
                self._contents[self._names[name]].sync()
                if with_folder:
                    self._durable_names = dict(self._names)
            case Deleted(name, with_folder):
                del self._names[name]
                if with_folder:
                    self._durable_names = dict(self._names)

    def _forget(self, content: _Content) -> None:
        """Fail to take a file: the system does not hand over again what the disk has not got of it."""
        content.durable = bytearray(content.left(self._rng.choice(fates(self._rng))))
        content.handed.clear()

    def fail(self, folder: Path) -> None:
        """Leave in a folder what may be left when the power fails now; nothing, if that is gone itself."""
        fate = self._rng.choice(fates(self._rng))
        if not self._is_folder_durable and not fate.reached(1):
            return
        for name in {*self._names, *self._durable_names}:
            before, now = self._durable_names.get(name), self._names.get(name)
            if (number := now if fate.reached(1) else before) is not None:
                (folder / name).write_bytes(self._contents[number].left(fate))
