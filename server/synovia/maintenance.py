"""What hubs do for their database by themselves, beside what the application declares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from synovia.functions.access import Access
from synovia.functions.cascades import GO_ON
from synovia.functions.context import ActionContext, MutationContext
from synovia.functions.expired_uploads import FORGET_UPLOADS, forget_uploads, takes_uploads
from synovia.functions.function import Function, Kind
from synovia.functions.rate_limits import FORGET_LIMITS, forget_limits
from synovia.functions.registry import Registry
from synovia.functions.schedules import Schedule, daily, interval
from synovia.store.sweep import GRACE, Swept

SWEEP = "_arrays:sweep"
"""The path of the cron that deletes arrays nobody refers to."""


class ArraySettings(BaseModel):
    """How long arrays are kept: ``SYNOVIA_ARRAYS_...``.

    Attributes:
        grace: Seconds for which an array to which no document refers is kept after its last use; longer than the longest
            upload takes.
        sweep_at: When they are deleted, a time of day (UTC) as ``03:30``; empty: never.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace: Annotated[float, Field(ge=3_600, allow_inf_nan=False)] = GRACE
    sweep_at: str = "03:30"

    @field_validator("sweep_at")
    @classmethod
    def _time_of_day(cls, text: str) -> str:
        if text:
            try:
                daily(text, "UTC")
            except TypeError as error:
                raise ValueError(str(error)) from None
        return text


def with_upkeep(registry: Registry, settings: ArraySettings, sweep: Callable[[float], Awaitable[Swept]]) -> Registry:
    """Add to an application what the hubs do by themselves.

    Args:
        sweep: Deletes arrays that were not used for so many seconds.
    """
    if registry.limits:
        registry = _with_cron(registry, FORGET_LIMITS, forget_limits, Kind.MUTATION, interval(timedelta(hours=1)))
    if any(map(takes_uploads, registry.functions.values())):
        registry = _with_cron(registry, FORGET_UPLOADS, forget_uploads, Kind.MUTATION, interval(timedelta(hours=1)))
    if any(each.on_delete == "cascade" for relations in registry.relations.of.values() for each in relations):
        registry = _with_cron(registry, GO_ON, go_on_deleting, Kind.MUTATION, daily("03:45", "UTC"))
    if not settings.sweep_at:
        return registry

    async def run(ctx: ActionContext) -> dict[str, int]:
        swept = await sweep(settings.grace)
        return {"arrays": swept.arrays, "chunks": swept.chunks, "bytes": swept.bytes}

    return _with_cron(registry, SWEEP, run, Kind.ACTION, daily(settings.sweep_at, "UTC"))


async def go_on_deleting(ctx: MutationContext) -> None:
    """Delete the next of what is going, and go on until nothing is; it is begun anew if that has failed."""
    if await ctx.db.go_on_deleting():
        await ctx.scheduler.run_after(timedelta(), GO_ON)


def _with_cron(
    registry: Registry, path: str, body: Callable[..., Awaitable[object]], kind: Kind, times: Schedule
) -> Registry:
    function = Function(body, kind, access=Access(internal=True))
    function.path, function.cron = path, times
    function.prepare()
    return replace(registry, functions={**registry.functions, path: function})
