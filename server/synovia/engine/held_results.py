"""The results of live queries that somebody holds, in one budget of bytes: whoever asks for more than that is told so."""

from __future__ import annotations

import logging

from synovia.engine.byte_budget import ByteBudget
from synovia.engine.live_query import LiveQuery
from synovia.engine.runs import Run
from synovia.engine.settings import EngineLimits
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")


class HeldResults:
    """What is kept of results, also of earlier ones that clients may come back with; charged to whoever holds them.

    Args:
        limits: How many bytes all of it, and that of one address, may take.

    Attributes:
        refused: How many runs had a result for which there was no room.
    """

    def __init__(self, limits: EngineLimits) -> None:
        self._budget = ByteBudget(limits.max_held_bytes, limits.max_held_bytes_per_address)
        self.refused = 0

    @property
    def bytes(self) -> int:
        """What they take, as estimated."""
        return self._budget.bytes

    def take(self, live: LiveQuery, run: Run) -> bool:
        """Take the result of a run instead of the one before; if there is no room for it, refuse it, and tell so."""
        address, size = live.account.address, live.size_with(run.value, run.packed)
        if not live.is_refused and self._budget.has(live, size, address):
            return True
        self._budget.release(live)
        live.is_refused = address is not None and not self._budget.has_share(size, address)
        if live.is_refused:
            self.refused += 1
            run.refuse(self._refusal(live, size))
        else:
            self._budget.charge(live, size, address)
        return not live.is_refused

    def hold(self, live: LiveQuery) -> None:
        """Charge a result that is there already to whoever holds it now: nobody may have held it, or somebody else."""
        self._budget.charge(live, live.held_size(), live.account.address)

    def release(self, live: LiveQuery) -> None:
        """Give back the room of a query; one that has none is no error."""
        self._budget.release(live)

    def _refusal(self, live: LiveQuery, size: int) -> ErrorInfo:
        budget, address = self._budget, live.account.address
        held, most = budget.bytes_of(address), budget.most_per_address
        text = (
            f"the result of {live.key.path} takes about {size:,} bytes of memory, and the live queries of this address hold"
            f" {held:,} of {most:,} already; hold fewer of them, or ask for pages"
        )
        logger.warning("%s (all addresses: %d of %d)", text, budget.bytes, budget.most)
        return ErrorInfo(ErrorCode.LIMIT_EXCEEDED, text, {"limit": "bytes", "size": size, "held": held, "most": most})
