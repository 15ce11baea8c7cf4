"""Failures of calls and crons, which nobody waits for: said in the log, counted, told by health."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from apps import failing
from helpers.health import health_of
from helpers.sync_server import serving
from scheduler.hubs import hub_beside
from synovia.functions.function import function_of
from synovia.functions.registry import Registry, collect
from synovia.store.base import Store
from synovia.testing import Caller, CallsFailed, TestApp


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("failing", [failing])


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING, "synovia"):
        yield


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.ERROR) -> list[str]:
    """Give what was said about calls and crons."""
    told = (record for record in caplog.records if record.levelno == level and record.exc_info is None)
    return [record.getMessage() for record in told]


async def later(caller: Caller, path: str, seconds: int = 0, /, **args: Any) -> str:
    call_id: str = await caller.mutation("failing:later", {"path": path, "args": args, "seconds": seconds})
    return call_id


def without(registry: Registry, path: str) -> Registry:
    return replace(registry, functions={name: each for name, each in registry.functions.items() if name != path})


def with_other_arguments(registry: Registry) -> Registry:
    """Give a version of the application in which ``needs_text`` takes nothing any more."""
    changed, other = function_of(failing.refuse), registry.functions["failing:needs_text"]
    assert changed is not None
    newer = object.__new__(type(other))
    newer.__dict__.update(other.__dict__, _signature=changed._signature)
    return replace(registry, functions={**registry.functions, "failing:needs_text": newer})


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("refuse", "no_good: this never works"),
        ("ask_wrongly", "unknown_index: notes has no index 'by_nothing'"),
        ("act_and_refuse", "no_good: this never works either"),
    ],
)
async def test_a_failure_is_said_once_and_counted(
    registry: Registry, any_store: Store, name: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(registry, any_store) as app:
        call_id = await later(app.caller(), f"failing:{name}")
        app.clock.advance(60)
        await app.advance(raise_failures=False)
        now = int(app.clock() * 1000)
        assert lines(caplog) == [f"the scheduled call {call_id} of failing:{name} failed: {error}"]
        assert (app.scheduler.failures.total.count, app.scheduler.failures.total.last) == (1, now)
        assert app.scheduler.failures.total.count == 1


@pytest.mark.parametrize("name", ["break_down", "act_and_break"])
async def test_the_reference_leads_to_the_traceback(
    registry: Registry, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(registry) as app:
        await later(app.caller(), f"failing:{name}")
        await app.advance(raise_failures=False)
        [row] = await app.caller().query("failing:failed")
    traceback = next(record for record in caplog.records if record.exc_info is not None)
    found = re.search(r"error (\w+)", traceback.getMessage())
    assert found is not None
    assert lines(caplog)[0].endswith(f"(error {found[1]})")
    assert row["error"]["reference"] == found[1]


async def test_arguments_that_do_not_fit_any_more_are_a_failure(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(registry) as app, hub_beside(app, with_other_arguments(registry)) as newer:
        call_id = await later(app.caller(), "failing:needs_text", 60, text="hello")
        await newer.advance(61, raise_failures=False)
        assert newer.scheduler.failures.total.count == 1
    assert lines(caplog)[0].startswith(
        f"the scheduled call {call_id} of failing:needs_text failed: invalid_arguments: failing:needs_text: text:"
    )


async def test_a_function_that_is_gone_is_a_failure(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    async with TestApp(registry) as app, hub_beside(app, without(registry, "failing:needs_text")) as newer:
        call_id = await later(app.caller(), "failing:needs_text", text="hello")
        await newer.advance(61, raise_failures=False)
    assert f"the scheduled call {call_id} of failing:needs_text failed: unknown_function" in lines(caplog)[0]


async def test_an_attempt_that_is_not_the_last_is_a_warning_and_not_counted(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(registry) as app:
        call_id = await later(app.caller(), "failing:act_twice")
        await app.advance()
        told = f"the scheduled call {call_id} of failing:act_twice failed at attempt"
        assert lines(caplog, logging.WARNING) == [f"{told} 1: not_yet: again, please; it will be tried again"]
        assert (lines(caplog), app.scheduler.failures.total.count) == ([], 0)
        await app.advance(10, raise_failures=False)
        assert lines(caplog) == [f"{told} 2: not_yet: again, please"]
        assert app.scheduler.failures.total.count == 1


async def test_a_cron_that_fails_is_said_each_time(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    async with TestApp(registry) as app:
        await app.advance(3 * 3_600 + 1, raise_failures=False)
        assert lines(caplog) == ["the cron failing:hourly failed: no_good: never on the hour"] * 3
        assert app.scheduler.failures.total.count == 3


async def test_advance_raises_what_has_failed_once_the_time_has_passed(registry: Registry) -> None:
    async with TestApp(registry) as app:
        call_id = await later(app.caller(), "failing:refuse", 60)
        began = app.clock()
        with pytest.raises(CallsFailed) as raised:
            await app.advance(2 * 3_600 + 1)
        assert [failure.path for failure in raised.value.failures] == ["failing:refuse", *["failing:hourly"] * 2]
        assert raised.value.failures[0].id == call_id
        assert "failing:refuse failed: no_good: this never works" in str(raised.value)
        assert app.clock() == began + 2 * 3_600 + 1
        await app.advance()  # what was raised once is not raised again
        await later(app.caller(), "failing:refuse")
        await app.advance(raise_failures=False)
        await app.advance()


async def test_health_counts_them_and_stays_good(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as hub:
        before = (await health_of(hub.port))[1]
        assert (before["failedCalls"], before["lastFailedCall"]) == (0, None)
        hub.app.scheduler.failures.note([failing_call()], 5)
        status, report = await health_of(hub.port)
        assert (status, report["failedCalls"], report["lastFailedCall"]) == (200, 1, 5)


def failing_call() -> Any:
    from synovia.functions.scheduled_calls import CallError
    from synovia.scheduler.failures import Failure

    return Failure(path="a:b", id="x", error=CallError(code="no_good", message="no"))
