"""Tasks are ended even if a library loses a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from helpers.patience import PATIENCE
from synovia import tasks


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_SECONDS", 0.01)
    lost = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if lost.is_set():
                raise
            lost.set()

    running = tasks.keep_running(work, "work")
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        await tasks.end([running])
    assert lost.is_set()
    assert running.cancelled()


async def test_there_may_be_nothing_to_end() -> None:
    done = asyncio.create_task(asyncio.sleep(0))
    await done
    await tasks.end([done])
    await tasks.end([])
