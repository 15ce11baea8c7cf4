"""How long large commits rest: while one goes on everybody who writes waits, so somebody who makes one after the other would
have everybody wait at each commit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Set
from typing import Final

from synovia.charges import Payer

SHARE: Final = 8.0
"""After a large commit none begins for so many times as long, while small ones of the same payer come ..."""
MOST_SECONDS: Final = 0.25
"""... but no longer than this."""
SHARE_BESIDE_OTHERS: Final = 24.0
"""The same while small ones of others come: of twenty of these, less than one is to meet a large one."""
MOST_SECONDS_BESIDE_OTHERS: Final = 1.0
AMONG_SECONDS: Final = 1.0
"""Small ones come if there was one so lately."""


class Resting:
    """Remembers who has had something small committed of late."""

    def __init__(self) -> None:
        self._small: OrderedDict[Payer | None, float] = OrderedDict()  # the latest at the end

    def note_small(self, payers: Set[Payer | None], now: float) -> None:
        """Take notice of a small commit of some payers; None stands for the application and the server."""
        for payer in payers:
            self._small[payer] = now
            self._small.move_to_end(payer)
        self._forget(now - AMONG_SECONDS)

    def after_large(self, payers: Set[Payer | None], began: float, ended: float) -> float:
        """Tell for how many seconds no large one is to begin; 0: nobody has waited for this one."""
        self._forget(began - AMONG_SECONDS)
        if self._small.keys() - payers:
            return min(MOST_SECONDS_BESIDE_OTHERS, SHARE_BESIDE_OTHERS * (ended - began))
        return min(MOST_SECONDS, SHARE * (ended - began)) if self._small else 0.0

    def _forget(self, until: float) -> None:
        while self._small and next(iter(self._small.values())) <= until:
            self._small.popitem(last=False)
