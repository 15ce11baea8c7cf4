"""Waiting for what nothing tells of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from helpers.patience import PATIENCE


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, letting everybody else run."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (nothing tells when it is so)
            await asyncio.sleep(0.002)
