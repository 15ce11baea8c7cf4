"""What a run has written is freed when it is over: nothing of it holds itself, which only garbage collection would free."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from apps import many, tally, trips
from scheduler.scheduled import later
from synovia.functions.registry import collect
from synovia.testing import TestApp


@contextmanager
def circles() -> Iterator[set[str]]:
    """Give the types of what a block leaves that holds itself, once the block has ended."""
    found = set[str]()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found.update(type(each).__name__ for each in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("begun", ["calls", "many calls", "a workflow", "by an action"])
async def test_what_is_scheduled_and_run_leaves_no_run_that_holds_itself(begun: str) -> None:
    async with TestApp(collect("tally", [tally, many, trips])) as app:
        caller = app.caller()

        async def begin() -> None:
            match begun:
                case "calls":
                    await later(caller, "tally:add", times=3, name="a")
                case "many calls":
                    await caller.mutation("many:plan", {"count": 3})
                case "a workflow":
                    await caller.mutation("trips:begin", {"path": "tour", "args": {"cities": ["a", "b"]}})
                case _:
                    await caller.action("tally:later_by_action", {"path": "tally:add", "args": {"name": "a"}})
            await app.advance(5)

        await begin()
        with circles() as found:
            await begin()
        assert not found & {"MutationContext", "ActionContext", "Transaction", "KeyedCommit", "ScheduledCall"}
