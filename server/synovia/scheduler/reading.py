"""Whom it is charged to that a hub reads what is due: those who have caused it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from synovia.charges import Payer
from synovia.scheduler.due_calls import DueCall


class DueReading(Payer):
    """Charges each their part of what was due when it was last read; it is read at once, as others wait for it, too.

    Args:
        payer_of: Finds whom calls are charged to, by who has caused them.
    """

    __slots__ = ("_causes", "_payer_of")

    def __init__(self, payer_of: Callable[[str | None], Payer | None]) -> None:
        self._payer_of = payer_of
        self._causes: Counter[str | None] = Counter()

    def note(self, items: Iterable[DueCall]) -> None:
        """Hear what is due."""
        self._causes = Counter(item.caused_by for item in items)

    async def admit(self) -> float:
        """Let it begin."""
        return 0.0

    def spend(self, seconds: float) -> None:
        """Charge everybody their part."""
        whole = self._causes.total()
        for cause, count in self._causes.items():
            if (payer := self._payer_of(cause)) is not None:
                payer.spend(seconds * count / whole)

    def settle(self, left: float, cost: float) -> None:
        """Hear that it is over."""
