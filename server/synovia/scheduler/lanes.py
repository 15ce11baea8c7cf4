"""How much a hub does at the same time: each lane has places of its own, so that what is slow holds up only its like."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count

from synovia.errors import SchemaError
from synovia.functions.pool import Pool
from synovia.functions.registry import Registry
from synovia.limits.recent import Recent
from synovia.scheduler.due_calls import DueCall, Task
from synovia.scheduler.settings import SchedulerSettings

MUTATIONS, ACTIONS, BATCHES, JOBS = "mutations", "actions", "batches", "jobs"
MOST_SERVED = 10_000
BESIDE_OTHERS = 4
"""While others have something computed, one caller has one in so many places for mutations: they are committed together with
those of clients, who wait for all of them."""
_LANES: dict[Task, str] = {"batch": BATCHES, "job": JOBS}


class Lanes:
    """The lanes of one hub: one for mutations, crons and sweeps, one for actions, each pool, batches, jobs.

    Raises:
        SchemaError: The settings name a pool that the application does not have.
    """

    def __init__(self, registry: Registry, settings: SchedulerSettings) -> None:
        unknown = sorted(settings.pools.keys() - registry.pools.keys())
        if unknown:
            known = ", ".join(sorted(registry.pools)) or "none"
            raise SchemaError(f"SYNOVIA_SCHEDULER_POOLS: there is no pool {unknown[0]!r}; the application has: {known}")
        self._registry = registry
        self._taken: Counter[str] = Counter()
        self._taken_by: Counter[tuple[str, str | None]] = Counter()
        self._served = Recent[tuple[str, str | None], int](MOST_SERVED)
        self._turns = count(1)
        self._most = {
            MUTATIONS: settings.max_mutations,
            ACTIONS: settings.max_actions,
            BATCHES: 1,
            JOBS: settings.max_jobs,
        }
        self._most |= {_lane(name): _most(pool, settings) for name, pool in registry.pools.items()}

    def of(self, item: DueCall) -> str:
        """Tell in which lane something is done."""
        if item.task not in ("action", "running"):
            return _LANES.get(item.task, MUTATIONS)
        function = self._registry.functions.get(item.path)
        return ACTIONS if function is None or function.pool is None else _lane(function.pool)

    def in_turn(self, items: Iterable[DueCall]) -> Iterator[tuple[DueCall, str]]:
        """Give what is due in the order in which it takes places, each with its lane: of whoever has the fewest places
        there, then of whoever has had one longest ago (max-min fairness); of one caller what is due longest."""
        waiting = defaultdict[tuple[str, str | None], deque[DueCall]](deque)
        for item in sorted(items, key=lambda item: item.due_at):
            waiting[self.of(item), item.caused_by].append(item)
        heap = [(*self._rank(each), number, each) for number, each in enumerate(waiting)]
        heapify(heap)
        while heap:
            *_, number, each = heappop(heap)
            yield waiting[each].popleft(), each[0]
            if waiting[each]:
                heappush(heap, (*self._rank(each), number, each))

    def _rank(self, caller: tuple[str, str | None]) -> tuple[int, int]:
        return self._taken_by[caller], self._served.get(caller, 0)

    def take(self, lane: str, caused_by: str | None = None, *, alone: bool = True) -> bool:
        """Take a place for somebody; False: there is none for them.

        Args:
            alone: Whether nobody else has anything computed.
        """
        caller = lane, caused_by
        if self._taken[lane] >= self._most[lane]:
            return False
        if lane == MUTATIONS and not alone and self._taken_by[caller] >= max(1, self._most[lane] // BESIDE_OTHERS):
            return False
        self.take_on(lane, caused_by)
        return True

    def take_on(self, lane: str, caused_by: str | None) -> None:
        """Take a place for somebody that another one is about to give back."""
        caller = lane, caused_by
        self._taken[lane] += 1
        self._taken_by[caller] += 1
        self._served.put(caller, next(self._turns))

    def free(self, lane: str, caused_by: str | None = None) -> None:
        """Give a place back."""
        self._taken[lane] -= 1
        self._taken_by[lane, caused_by] -= 1
        if not self._taken_by[lane, caused_by]:
            del self._taken_by[lane, caused_by]


def _lane(pool: str) -> str:
    return f"pool {pool}"


def _most(pool: Pool, settings: SchedulerSettings) -> int:
    """Tell how many of a pool this hub runs; of one that all hubs share, no more than all may."""
    chosen = settings.pools.get(pool.name, pool.parallelism)
    return min(chosen, pool.parallelism) if pool.across_hubs else chosen
