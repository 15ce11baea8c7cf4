"""What live queries keep of their last runs, so that the next need not read everything again, in one budget of bytes.

Whoever has a place keeps it, so that queries that do not fit take nothing away from those that do. A query that is not
remembered reads everything at each run: the log names it, and it rests between two runs as long as one of them takes.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from synovia.engine.byte_budget import ByteBudget
from synovia.engine.live_query import LiveQuery
from synovia.engine.settings import EngineLimits

logger = logging.getLogger("synovia")

_WARN_SECONDS: Final = 60.0
"""A function is named so often at most."""
_MIB: Final = 1024 * 1024


class Remembered:
    """The memory of the live queries that somebody holds.

    Args:
        limits: How many bytes all of it, and that of one address, may take.

    Attributes:
        refused: How many runs could not be remembered.
    """

    def __init__(self, limits: EngineLimits) -> None:
        self._budget = ByteBudget(limits.max_remembered_bytes, limits.max_remembered_bytes_per_address)
        self._warned: dict[str, float] = {}
        self.refused = 0

    @property
    def bytes(self) -> int:
        """What it takes, as estimated."""
        return self._budget.bytes

    def keep(self, live: LiveQuery) -> bool:
        """Keep what a run has left, if there is room for it; else forget it."""
        size, address = live.recall.size, live.account.address
        if self._budget.has(live, size, address):
            return True
        self._budget.release(live)
        if self._budget.has_room(size, address):
            self._budget.charge(live, size, address)
            return True
        documents = live.recall.documents
        live.recall.drop()
        self.refused += 1
        self._warn(live, size, documents)
        return False

    def release(self, live: LiveQuery) -> None:
        """Give back the room of a query; one that has none is no error."""
        self._budget.release(live)

    def _warn(self, live: LiveQuery, size: int, documents: int) -> None:
        now, path = time.monotonic(), live.key.path
        if now - self._warned.get(path, -_WARN_SECONDS) < _WARN_SECONDS:
            return
        self._warned[path] = now
        logger.warning(
            "the live query %s reads %d documents at each change of one of them: what it has read, about %d MiB, does not"
            " fit into what is left of SYNOVIA_LIMITS_MAX_REMEMBERED_BYTES (%d MiB used of %d; %d of one address)",
            path,
            documents,
            size // _MIB,
            self.bytes // _MIB,
            self._budget.most // _MIB,
            self._budget.most_per_address // _MIB,
        )
