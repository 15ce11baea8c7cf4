"""A workflow that has ended goes on: from the step that failed, with its events, by code that was mended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps import trips
from scheduler.workflows.trip_calls import begin, bookings, cancel, ending, error, resume, send, status, steps
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables


async def test_one_that_has_failed_goes_on_from_the_step_that_failed(app: TestApp) -> None:
    trips.FULL |= {"right", "deep", "last"}
    call_id = await begin(app, "winding")
    await send(app, call_id, "news", 7)
    await app.advance(raise_failures=False)
    assert await status(app, call_id) == "failed"
    for room, booked in (
        ("right", ["first", "left"]), ("deep", ["right"]), ("last", ["deep", "sorry"]), ("", ["last"]),
    ):  # fmt: skip
        # What is inside is booked before the part beside it fails, or after that was resumed.
        others = [each for each in await bookings(app) if each != "inside"]
        assert others[-len(booked) :] == booked
        before = len(await bookings(app))
        trips.FULL.discard(room)
        if room:
            assert await resume(app, call_id) is True
            assert await resume(app, call_id) is False, "it is under way"
            await app.advance(10, raise_failures=False)
            assert len(await bookings(app)) > before
    assert (await bookings(app)).count("inside") == 1
    last = await ending(app)
    assert (last["status"], last["result"][1:3], last["result"][-1]) == ("done", ["full", 7], "out")
    assert await resume(app, call_id) is False, "it is done"


async def test_one_that_has_taken_back_goes_on_from_the_first_step_that_was_taken_back(app: TestApp) -> None:
    call_id = await begin(app, "careful", last="full")
    await app.advance(raise_failures=False)
    trips.FULL.clear()
    assert await resume(app, call_id) is True
    await app.advance()
    trips.FULL.add("full")
    assert (await bookings(app))[4:] == ["train", "hotel", "full"]
    assert await steps(app, call_id) == [("trips:book", "done")] * 3 + [("home", "pending")]
    assert await cancel(app, call_id) is True
    await app.advance()
    assert (await bookings(app))[7:] == ["not hotel", "not train"], "and is taken back once more"


async def test_one_that_was_cancelled_goes_on_where_it_waited(app: TestApp) -> None:
    call_id = await begin(app, "trip", name="a")
    await app.advance()
    assert await cancel(app, call_id) is True
    await app.advance()
    assert await resume(app, call_id) is True
    await app.advance(timedelta(days=1))
    assert (await bookings(app), await status(app, call_id)) == (["a train", "a city", "a back"], "done")


async def test_events_are_given_again_to_one_that_is_resumed(app: TestApp) -> None:
    call_id = await begin(app, "waiting")
    await app.advance()
    await send(app, call_id, "news", 1)
    await app.advance()
    await cancel(app, call_id)
    await app.advance()
    await resume(app, call_id)
    await send(app, call_id, "news", 2)
    await send(app, call_id, "end", 3)
    await app.advance()
    assert await ending(app) == {"status": "done", "result": [1, 2, 3]}


async def test_a_step_that_is_a_workflow_is_not_resumed_without_its_own(app: TestApp) -> None:
    trips.FULL.add("a city")
    call_id = await begin(app, "nested", name="a")
    await app.advance(timedelta(days=3), raise_failures=False)
    rows = await app.caller().query("trips:steps", {"callId": call_id})
    assert await resume(app, rows[0]["call"]) is False
    trips.FULL.clear()
    assert await resume(app, call_id) is True
    await app.advance()
    trips.FULL.add("full")
    assert (await bookings(app), await status(app, call_id)) == (["a train", "a city", "a back"], "done")


async def test_mended_code_goes_on_behind_the_last_step(app: TestApp) -> None:
    trips.CHANGED.add("broken")
    call_id = await begin(app, "changing")
    await app.advance(raise_failures=False)
    assert await error(app, call_id) == "server_error"
    assert await resume(app, call_id) is True
    await app.advance(raise_failures=False)
    assert await error(app, call_id) == "server_error", "it is as broken as before"
    trips.CHANGED.clear()
    await resume(app, call_id)
    await app.advance(3_600)
    assert (await bookings(app), await status(app, call_id)) == (["first", "second"], "done")
