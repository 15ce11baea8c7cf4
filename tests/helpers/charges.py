"""Somebody who is charged what is computed."""

from __future__ import annotations

import math

from synovia.charges import Payer


class Counted(Payer):
    """Counts what it is charged."""

    def __init__(self, prepaid: float = 0.0) -> None:
        self.prepaid = prepaid
        self.seconds = 0.0
        self.cost = math.nan
        self.admitted = 0

    async def admit(self) -> float:
        self.admitted += 1
        self.spend(self.prepaid)
        return self.prepaid

    def spend(self, seconds: float) -> None:
        self.seconds += seconds

    def settle(self, left: float, cost: float) -> None:
        self.seconds -= left
        self.cost = cost
