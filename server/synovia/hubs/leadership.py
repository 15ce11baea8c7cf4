"""Who runs what: of the hubs that overtake each other with a function, the one with the least name runs it for all.

There is no election and no lease. Each hub tells its name and its address with each commit, by the database itself; whoever
has heard of the same hubs comes to the same answer, and if two do not, they overtake each other a little longer. The fence
decides what is committed in any case.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LATELY: Final = 5.0
"""So long after it was overtaken a function is run by one hub for all, and a hub counts that has not committed since."""
_NAME_BYTES: Final = 8
_PORT: Final = struct.Struct(">H")
_MOST_HUBS: Final = 64
_MOST_FUNCTIONS: Final = 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """A hub as its commits tell of it: its name, new each time that it starts, and where it is reached."""

    name: bytes
    host: str
    port: int

    def pack(self) -> bytes:
        return self.name + _PORT.pack(self.port) + self.host.encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Mark | None:
        """Read a mark; None if it is none, as of a hub that does nothing for others."""
        start = _NAME_BYTES + _PORT.size
        try:
            host = packed[start:].decode("ascii")
        except UnicodeDecodeError:
            return None
        if not host or len(host) > 255:
            return None
        return cls(packed[:_NAME_BYTES], host, _PORT.unpack_from(packed, _NAME_BYTES)[0])


def new_name() -> bytes:
    """Make a name that no other hub has."""
    return secrets.token_bytes(_NAME_BYTES)


class Leadership:
    """What one hub knows of who overtakes whom.

    Args:
        name: Its own.
        clock: Tells seconds that never go back.
    """

    def __init__(self, name: bytes, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._hubs: dict[bytes, tuple[Mark, float]] = {}
        self._avoided: dict[bytes, float] = {}
        self._overtaken: dict[str, float] = {}

    def heard(self, packed: bytes) -> None:
        """Take notice of a hub that has committed."""
        mark = Mark.unpack(packed)
        if mark is None or mark.name == self._name:
            return
        if mark.name not in self._hubs and len(self._hubs) >= _MOST_HUBS:
            del self._hubs[min(self._hubs, key=lambda name: self._hubs[name][1])]
        self._hubs[mark.name] = mark, self._clock()

    def overtaken(self, path: str) -> None:
        """Take notice that another hub's commit has overtaken a run of a function."""
        if path not in self._overtaken and len(self._overtaken) >= _MOST_FUNCTIONS:
            del self._overtaken[min(self._overtaken, key=self._overtaken.__getitem__)]
        self._overtaken[path] = self._clock()

    def avoid(self, name: bytes) -> None:
        """Ask nothing of a hub for a while: it has not answered."""
        self._avoided[name] = self._clock()

    def leader(self, path: str) -> Mark | None:
        """Find the hub that should run a function; None: this one."""
        at = self._overtaken.get(path)
        if at is None or self._clock() - at > LATELY:
            return None
        marks = [mark for mark, heard_at in self._hubs.values() if self._may_lead(mark.name, heard_at)]
        first = min(marks, key=lambda mark: mark.name, default=None)
        return first if first is not None and first.name < self._name else None

    def _may_lead(self, name: bytes, heard_at: float) -> bool:
        now = self._clock()
        return now - heard_at <= LATELY and now - self._avoided.get(name, -LATELY) >= LATELY
