"""A mutation that takes its time."""

from __future__ import annotations

import asyncio

from synovia import MutationContext, mutation

from .counter import add_one


@mutation(public=True)
async def increment(ctx: MutationContext, name: str, ms: float) -> int:
    await asyncio.sleep(ms / 1000)
    return await add_one(ctx, name)
