"""Functions named by themselves, in place of their paths: with Python's arguments, and with what they give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from apps import box_office
from synovia import FunctionError
from synovia.functions.registry import collect
from synovia.testing import CallsFailed, TestApp

UNTIL = datetime(2026, 11, 28, 20, tzinfo=UTC)
NO_SEAT = "0" * 24


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(collect("box_office", [box_office])) as app:
        yield app


async def test_an_action_calls_functions_with_pythons_values_and_gets_what_they_give(app: TestApp) -> None:
    found = await app.caller().action("box_office:open_hall", {"until": UNTIL})
    assert found == ["stalls", str(UNTIL), str(box_office.Seat), "True", "True", "1"]


async def test_what_a_called_function_raises_is_raised(app: TestApp) -> None:
    with pytest.raises(FunctionError) as raised:
        await app.caller().action("box_office:hold_nothing")
    assert raised.value.code == "no_seat"


@pytest.mark.parametrize(
    ("how", "code"),
    [("type", "invalid_arguments"), ("name", "server_error"), ("kind", "wrong_kind"), ("undecorated", "server_error")],
)
async def test_what_cannot_be_called_so_is_refused(app: TestApp, how: str, code: str) -> None:
    with pytest.raises(FunctionError) as raised:
        await app.caller().action("box_office:hold_wrongly", {"how": how})
    assert raised.value.code == code


async def test_calls_are_scheduled_with_pythons_arguments_and_options_of_their_scheduler(app: TestApp) -> None:
    caller = app.caller()
    seat = await app.trusted.mutation("box_office:build", {"level": "stalls", "rowNumber": 1})
    await caller.mutation("box_office:hold_later", {"seatId": seat["_id"], "times": 2})
    await app.advance(timedelta(minutes=1))
    assert sorted(await caller.query("box_office:notes")) == ["held: done", "many: done", "many: done"]


async def test_an_action_schedules_too_and_is_told_of_the_failure(app: TestApp) -> None:
    await app.caller().action("box_office:hold_soon", {"seatId": NO_SEAT})
    with pytest.raises(CallsFailed, match="no_seat"):
        await app.advance()
    assert await app.caller().query("box_office:notes") == ["soon: failed"]
