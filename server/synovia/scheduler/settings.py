"""Settings of the scheduler: ``SYNOVIA_SCHEDULER_...``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from synovia.functions.pool import MOST_PARALLEL

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class SchedulerSettings(BaseModel):
    """How a hub runs what is scheduled. Times are in seconds.

    Attributes:
        enabled: Whether this hub runs anything; scheduling works on every hub.
        lease: For which an action belongs to the hub that runs it, unless that renews it; so late the actions of a lost hub
            are taken over.
        keep: For which calls are kept when they are over.
        max_mutations: Run at the same time, crons among them.
        max_actions: Run at the same time, of those without a pool.
        max_jobs: Whose steps run at the same time.
        max_kept_workflows: That wait in memory between their turns; others are run from their beginning in each.
        pools: How many actions of each pool run at the same time at this hub, by its name; 0: none. Of pools that are not
            named it is what their declaration says.
        max_pending: Calls to come that one caller may have caused.
        stop_timeout: For running actions to finish when the hub stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    lease: Annotated[float, Field(ge=1, le=3_600)] = 30.0
    keep: Seconds = 7 * 86_400.0
    max_mutations: Count = 8
    max_actions: Count = 16
    max_jobs: Count = 2
    max_kept_workflows: Annotated[int, Field(ge=0)] = 1_000
    pools: dict[str, Annotated[int, Field(ge=0, le=MOST_PARALLEL)]] = {}
    max_pending: Count = 100_000
    stop_timeout: Seconds = 5.0
