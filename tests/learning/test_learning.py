"""Learning as its users write tests: enrolling, lifecycles, bounds, reports, and one code for one violation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from synovia import FunctionError
from synovia.seeding import run_seeds
from synovia.store.base import Store
from synovia.testing import Caller, TestApp

LEARNING = Path(__file__).resolve().parents[2] / "apps" / "learning"


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(LEARNING, any_store) as app:
        await run_seeds(app.engine, app.registry)
        yield app


def person(app: TestApp, name: str, tenant: str = "south") -> Caller:
    return app.caller(f"{name}@{tenant}.example", claims={"tenantId": tenant})


async def refusal(call: Any) -> tuple[str, Any]:
    with pytest.raises(FunctionError) as refused:
        await call
    return refused.value.code, refused.value.data


async def test_reports_move_with_each_commit(app: TestApp) -> None:
    ada, member = person(app, "ada"), person(app, "member0")
    course = await ada.mutation("courses:create", {"title": "Knots", "places": 2, "categoryIds": []})
    async with ada.subscribe("reports:enrolments") as report:

        def counts() -> dict[str, int]:
            return {each["of"][1]: each["count"] for each in report.value if each["of"][0] == course}

        await member.mutation("courses:enrol", {"courseId": course})
        await ada.mutation("courses:enrol", {"courseId": course})
        assert counts() == {"enrolled": 2}
        page = await ada.query("courses:enrolments", {"courseId": course, "sort": "made", "order": "asc"})
        assert [(each["member"], each["course"]) for each in page["items"]] == [("Member 0", "Knots"), ("Ada", "Knots")]
        await member.mutation(
            "courses:setStatus", {"enrollmentId": page["items"][0]["row"]["_id"], "status": "completed"}
        )
        assert counts() == {"completed": 1, "enrolled": 1}


@pytest.mark.alike
async def test_open_tickets_grow_older(app: TestApp) -> None:
    sofia, member = person(app, "sofia"), person(app, "member0")
    async with sofia.subscribe("reports:openTickets") as report:
        assert [each["count"] for each in report.value] == [3, 0, 0, 0, 0]
        app.clock.advance(timedelta(days=4).total_seconds())
        await app.advance()
        assert [each["count"] for each in report.value] == [0, 0, 3, 0, 0]
        ticket = await member.mutation("support:open", {"subject": "Help", "text": "Nothing works."})
        assert [each["count"] for each in report.value] == [1, 0, 3, 0, 0]
        await sofia.mutation("support:say", {"ticketId": ticket, "text": "What have you tried?"})
        assert [each["count"] for each in report.value] == [0, 0, 3, 0, 0]
        await member.mutation("support:say", {"ticketId": ticket, "text": "All of it."})
        assert [each["text"] for each in await member.query("support:messages", {"ticketId": ticket})] == [
            "Nothing works.", "What have you tried?", "All of it.",
        ]  # fmt: skip
        assert await person(app, "mia").query("support:messages", {"ticketId": ticket}) == []


async def test_who_has_dropped_a_course_comes_back_only_to_a_place(app: TestApp) -> None:
    ada, mia = person(app, "ada"), person(app, "mia")
    course = await ada.mutation("courses:create", {"title": "Knots", "places": 1, "categoryIds": []})
    await mia.mutation("courses:enrol", {"courseId": course})
    [page] = (await ada.query("courses:enrolments", {"courseId": course}))["items"]
    own = {"enrollmentId": page["row"]["_id"]}
    await mia.mutation("courses:setStatus", {**own, "status": "dropped"})
    await ada.mutation("courses:enrol", {"courseId": course})
    with pytest.raises(FunctionError) as caught:
        await mia.mutation("courses:setStatus", {**own, "status": "enrolled"})
    assert caught.value.code == "course_full"


@pytest.mark.alike
async def test_one_violation_has_one_code(app: TestApp) -> None:
    ada, mia = person(app, "ada"), person(app, "mia")
    course = await ada.mutation("courses:create", {"title": "Knots", "places": 1, "categoryIds": []})
    north = (await person(app, "ada", "north").query("courses:list"))[0]["_id"]
    await mia.mutation("courses:enrol", {"courseId": course})
    assert await refusal(mia.mutation("courses:enrol", {"courseId": course})) == ("course_full", {"places": 1})
    for other in (north, "f" * 24):
        code, data = await refusal(mia.mutation("courses:enrol", {"courseId": other}))
        assert (code, data[0]["at"]) == ("invalid_arguments", "courseId")
    like = {"categoryId": await ada.mutation("courses:createCategory", {"name": "Ropes"})}
    await mia.mutation("members:like", like)
    assert await refusal(mia.mutation("members:like", like)) == ("unique_violation", {"index": "by_pair"})
    enrollment = (await ada.query("courses:enrolments"))["items"][0]["row"]["_id"]
    done = {"enrollmentId": enrollment, "status": "dropped"}
    assert (await refusal(person(app, "ada", "north").mutation("courses:setStatus", done)))[0] == "not_found"
    assert (await refusal(person(app, "sofia").mutation("courses:setStatus", done)))[0] == "forbidden"
    speakers = [{"name": "Ines", "topic": "Rope"}] * 11
    event = {"title": "Day", "startsAt": 1, "speakers": speakers, "sponsors": []}
    code, data = await refusal(ada.mutation("events:create", event))
    assert (code, data[0]["at"]) == ("invalid_arguments", "speakers")


@pytest.mark.alike
async def test_admins_read_the_matrix(app: TestApp) -> None:
    matrix = await person(app, "ada").query("members:matrix")
    assert matrix["member"] == ["learn", "tickets.open"]
    assert (await refusal(person(app, "theo").query("members:matrix")))[0] == "forbidden"
    assert await person(app, "eve").query("members:me") is None


def test_nothing_grows_without_a_bound() -> None:
    assert list(TestApp(LEARNING).registry.concerns()) == []
