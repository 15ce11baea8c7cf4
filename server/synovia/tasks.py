"""Background tasks that are started again when they fail: without its log or its committer a hub would be deaf or mute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

logger = logging.getLogger("synovia")

RESTART_SECONDS = 0.5
CANCEL_SECONDS = 2.0


def keep_running(
    work: Callable[[], Awaitable[None]], name: str, expected: type[Exception] | tuple[type[Exception], ...] = ()
) -> asyncio.Task[None]:
    """Start a task that does ``work`` again and again until it is cancelled.

    Args:
        expected: Failures that pass by themselves, as a database that is away: a warning without a traceback.
    """
    return asyncio.create_task(_keep_running(work, name, expected), name=name)


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end.

    Those that go on are cancelled again: ``asyncio.wait_for``, which the database driver uses, loses a cancellation
    before Python 3.12 if what it waits for is done at that moment.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_SECONDS)


async def _keep_running(
    work: Callable[[], Awaitable[None]], name: str, expected: type[Exception] | tuple[type[Exception], ...]
) -> None:
    while True:
        try:
            await work()
        except expected as error:
            logger.warning("%s: %s; trying again", name, error)
        except Exception:
            logger.exception("%s failed; starting it again", name)
        await asyncio.sleep(RESTART_SECONDS)
