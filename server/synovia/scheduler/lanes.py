"""How much a hub does at the same time: each lane has places of its own, so that what is slow holds up only its like."""

from __future__ import annotations

from collections import Counter

from synovia.errors import SchemaError
from synovia.functions.pool import Pool
from synovia.functions.registry import Registry
from synovia.scheduler.due_calls import DueCall, Task
from synovia.scheduler.settings import SchedulerSettings

MUTATIONS, ACTIONS, BATCHES, JOBS = "mutations", "actions", "batches", "jobs"
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

    def take(self, lane: str) -> bool:
        """Take a place; False: there is none."""
        if self._taken[lane] >= self._most[lane]:
            return False
        self._taken[lane] += 1
        return True

    def free(self, lane: str) -> None:
        """Give a place back."""
        self._taken[lane] -= 1


def _lane(pool: str) -> str:
    return f"pool {pool}"


def _most(pool: Pool, settings: SchedulerSettings) -> int:
    """Tell how many of a pool this hub runs; of one that all hubs share, no more than all may."""
    chosen = settings.pools.get(pool.name, pool.parallelism)
    return min(chosen, pool.parallelism) if pool.across_hubs else chosen
