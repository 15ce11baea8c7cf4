"""CPU time of an operation: of the hub and of the database beside it."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from benchmarks.growth.places import Place
from benchmarks.hub import HubProcess
from benchmarks.results import Setting

Operation = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures a hub.

    Attributes:
        place: Its database, if that is to be counted.
    """

    running: HubProcess
    place: Place | None = None

    async def cpu(self) -> float:
        """Tell the CPU seconds used so far."""
        return await self.running.cpu() + (self.place.cpu() if self.place is not None else 0.0)

    async def least(self, setting: Setting, operation: Operation, count: int, numbers: Iterator[int]) -> float:
        """Do an operation again and again, with a new number each time.

        Args:
            count: How often in each round.

        Returns:
            Microseconds of CPU for one: of the best round, since what else the machine does only ever adds.
        """
        await _repeat(operation, itertools.islice(numbers, max(3, count // 10)))
        rounds = []
        for _ in range(setting.rounds(5)):
            before = await self.cpu()
            await _repeat(operation, itertools.islice(numbers, count))
            rounds.append(await self.cpu() - before)
        return min(rounds) / count * 1e6


async def _repeat(operation: Operation, numbers: Iterable[int]) -> None:
    for number in numbers:
        await operation(number)
