"""Functions that log."""

from __future__ import annotations

import logging

from synovia import ActionContext, MutationContext, QueryContext, action, mutation, query
from synovia.errors import FunctionError

from .counter import get

logger = logging.getLogger(__name__)


@mutation(public=True)
async def noisy(ctx: MutationContext) -> None:
    logger.info("one line %s", {"a": 1})
    logger.warning("another line")


@mutation(public=True)
async def noisy_failure(ctx: MutationContext) -> None:
    logger.error("about to fail")
    raise FunctionError("failed", "it has")


@query(public=True)
async def noisy_query(ctx: QueryContext, name: str) -> int:
    value: int = await get(ctx, name)
    logger.info("%s is %d", name, value)
    return value


@action(public=True)
async def noisy_action(ctx: ActionContext) -> None:
    logger.info("before")
    await ctx.run_mutation("logs:noisy")
    logger.info("after")
