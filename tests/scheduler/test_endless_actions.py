"""An action that says how long it may run ends then, whoever calls it, and leaves its place to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.written_applications import refusal_of, write_application
from synovia import FunctionError
from synovia.testing import TestApp

SOURCE = """
import asyncio
from datetime import timedelta
from typing import Any

class Note(Table, name="notes"):
    text: str

SLOW = Pool("slow", parallelism=1)
SOON = timedelta(milliseconds=20)

@mutation(internal=True)
async def note(ctx: MutationContext, text: str) -> None:
    await ctx.db.insert(Note(text=text))

@query(public=True)
async def notes(ctx: QueryContext) -> list[str]:
    return [each.text for each in await ctx.db.query(Note).collect()]

@action(public=True, timeout=SOON, pool=SLOW)
async def wait(ctx: ActionContext, text: str) -> None:
    \"\"\"Wait without end.\"\"\"
    try:
        await asyncio.Event().wait()
    finally:
        await ctx.run_mutation(note, f"{text} cleaned up")

@action(internal=True, timeout=SOON, pool=SLOW, retry=Retry(attempts=3))
async def wait_again(ctx: ActionContext, text: str) -> None:
    await ctx.run_mutation(note, text)
    await asyncio.Event().wait()

@action(public=True, timeout=timedelta(hours=1), pool=SLOW)
async def quick(ctx: ActionContext, text: str, own: bool = False) -> str:
    if own:
        raise TimeoutError("of the world")
    await ctx.run_mutation(note, text)
    return text

@workflow
async def steps(ctx: WorkflowContext) -> str:
    try:
        await ctx.step(wait, "step")
    except FunctionError as error:
        return error.code
    return "no error"

@mutation(internal=True)
async def told(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    await ctx.db.insert(Note(text=f"{context} {outcome.status} {outcome.result or (outcome.error and outcome.error.code)}"))

@mutation(public=True)
async def plan(ctx: MutationContext) -> None:
    scheduler = ctx.scheduler.with_options(on_complete=told, context="told:")
    await scheduler.run_after(timedelta(), wait, "first")
    await scheduler.run_after(timedelta(), quick, "second")

@mutation(public=True)
async def plan_again(ctx: MutationContext) -> None:
    await ctx.scheduler.with_options(on_complete=told, context="told:").run_after(timedelta(), wait_again, "once")

@mutation(public=True)
async def flow(ctx: MutationContext) -> None:
    await ctx.scheduler.with_options(on_complete=told, context="told:").run_after(timedelta(), steps)
"""

REFUSED = """from datetime import timedelta
@action(public=True, timeout={})
async def f(ctx: ActionContext, text: {}) -> None: ...
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_application(tmp_path, SOURCE)


async def test_who_calls_it_is_told_when_its_time_is_over(path: Path) -> None:
    async with TestApp(path) as app:
        caller: Any = app.caller()
        with pytest.raises(FunctionError, match=r":wait took longer than 0.02 s, and was cancelled") as ended:
            await caller.action(f"{path.stem}:wait", {"text": "called"})
        assert (ended.value.code, ended.value.data) == ("timeout", {"seconds": 0.02})
        assert await caller.query(f"{path.stem}:notes") == ["called cleaned up"]
        answer = await caller.http.post(
            "/api/action", json={"path": f"{path.stem}:wait", "args": {"text": "over HTTP"}}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
        assert await caller.action(f"{path.stem}:quick", {"text": "quick"}) == "quick"


async def test_a_timeout_of_its_own_is_its_own(path: Path) -> None:
    async with TestApp(path) as app:
        with pytest.raises(FunctionError, match="TimeoutError: of the world") as failed:
            await app.caller().action(f"{path.stem}:quick", {"text": "x", "own": True})
        assert failed.value.code == "server_error"


async def test_a_call_that_waits_gets_its_place(path: Path) -> None:
    async with TestApp(path) as app:
        await app.caller().mutation(f"{path.stem}:plan")
        await app.advance(raise_failures=False)
        notes = await app.caller().query(f"{path.stem}:notes")
        assert notes == ["first cleaned up", "told: failed timeout", "second", "told: done second"]


async def test_it_is_tried_again_by_its_policy(path: Path) -> None:
    async with TestApp(path) as app:
        await app.caller().mutation(f"{path.stem}:plan_again")
        await app.advance(60, raise_failures=False)
        assert await app.caller().query(f"{path.stem}:notes") == ["once"] * 3 + ["told: failed timeout"]


async def test_a_workflow_goes_on_after_a_step_that_has_taken_too_long(path: Path) -> None:
    async with TestApp(path) as app:
        await app.caller().mutation(f"{path.stem}:flow")
        await app.advance(raise_failures=False)
        assert await app.caller().query(f"{path.stem}:notes") == ["step cleaned up", "told: done timeout"]


@pytest.mark.parametrize("limit", ["5", "timedelta(0)", "timedelta(seconds=-1)", "'1s'"])
def test_what_is_no_time_is_refused(tmp_path: Path, limit: str) -> None:
    assert "timeout is a timedelta of more than nothing" in refusal_of(tmp_path, REFUSED.format(limit, "str"))


def test_its_annotations_and_its_place_are_its_own(tmp_path: Path) -> None:
    assert ".py:4: " in refusal_of(tmp_path, REFUSED.format("timedelta(1)", "set[str]"))
