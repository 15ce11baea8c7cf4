"""A function that logs."""

from __future__ import annotations

import logging

from synovia import MutationContext, mutation

logger = logging.getLogger(__name__)


@mutation(public=True)
async def noisy(ctx: MutationContext) -> None:
    logger.info("one line %s", {"a": 1})
    logger.warning("another line")
