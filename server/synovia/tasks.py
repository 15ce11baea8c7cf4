"""Background tasks that are started again when they fail: without its log or its committer a hub would be deaf or mute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

logger = logging.getLogger("synovia")

RESTART_SECONDS = 0.5
CANCEL_SECONDS = 2.0


class AwaitedExit(RuntimeError):
    """What was awaited has ended by GeneratorExit, which Python takes as a wish that whoever awaits it be closed."""


def begin(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Begin a task in which a function runs.

    If something that the function awaits raises GeneratorExit, it has an AwaitedExit in its place: asyncio would throw that
    into the whole task, and Python would close all that runs in it, so that nobody could answer the caller any more.
    """
    return asyncio.get_running_loop().create_task(cast(Coroutine[Any, Any, T], _Work(work)), name=name)


class _Work(Generic[T]):
    """A coroutine into which no GeneratorExit is thrown; to end it is to close it. Each step is the coroutine's own."""

    __slots__ = ("_work", "close", "send")

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self.send = work.send
        self.close = work.close

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()

    def throw(self, error: BaseException) -> Any:
        """Raise an error where it waits."""
        if isinstance(error, GeneratorExit):
            told = AwaitedExit("what was awaited raised GeneratorExit, which is no error")
            told.__cause__ = error
            error = told
        return self._work.throw(error)


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
