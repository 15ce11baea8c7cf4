"""Deleting for good what has been in the archive for long; the samples go with the next sweep of unused arrays."""

from __future__ import annotations

from datetime import timedelta

from motion.schema import Recording
from synovia import MutationContext, between, cron, mutation

KEPT = timedelta(days=30)
BATCH = 100


@cron(daily_at="03:00")
@mutation(internal=True)
async def purge(ctx: MutationContext) -> int:
    """Delete recordings that were archived 30 days ago or longer; tell how many. Many are deleted bit by bit."""
    latest = ctx.now - KEPT // timedelta(milliseconds=1)
    old = await ctx.db.query(Recording).using("by_archived_at", archived_at=between(1, latest + 1)).take(BATCH)
    for recording in old:
        await ctx.db.delete(recording)
    if len(old) == BATCH:
        await ctx.scheduler.run_after(timedelta(), purge)
    return len(old)
