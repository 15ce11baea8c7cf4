"""Actions."""

from __future__ import annotations

import asyncio

from synovia import ActionContext, action


@action(public=True)
async def add(ctx: ActionContext, a: float, b: float) -> float:
    return a + b


@action(public=True)
async def send_later(ctx: ActionContext, channel: str, author: str, body: str, delay_ms: float) -> str:
    await asyncio.sleep(delay_ms / 1000)
    sent: str = await ctx.run_mutation("messages:send", {"channel": channel, "author": author, "body": body})
    return sent
