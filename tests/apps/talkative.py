"""A small application for tests that logs and prints."""

from __future__ import annotations

import logging

from synovia import MutationContext, QueryContext, mutation, query

logger = logging.getLogger(__name__)


@mutation(public=True)
async def say(ctx: MutationContext, text: str) -> None:
    print("I say", text)
    logger.warning("%s was said", text)
    print("no line's end", end="")


@query(public=True)
async def ask(ctx: QueryContext) -> int:
    print("asked")
    return 1
