"""Planner as its users write tests: single functions, a whole workflow, and what each role may do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from synovia import FunctionError
from synovia.store.base import Store
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.same_tables

PLANNER = Path(__file__).resolve().parents[2] / "apps" / "planner"
NORTH = {"organizationId": "org_north"}


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(PLANNER, any_store) as app:
        yield app


def person(app: TestApp, name: str, organization: str = "org_north") -> Caller:
    return app.caller(f"{name}@example.org", claims={"organizationId": organization})


async def code_of(call: Awaitable[Any]) -> str:
    try:
        await call
    except FunctionError as error:
        return error.code
    return "ok"


async def founded(app: TestApp) -> dict[str, Caller]:
    """Set up an organization with an admin, a member and a viewer."""
    ada = person(app, "ada")
    await ada.mutation("mutations/organizations:create", {"name": "North", "slug": "north"})
    for name, role in (("ben", "member"), ("cleo", "viewer")):
        await ada.mutation(
            "mutations/organizations:invite", {"email": f"{name}@example.org", "name": name.title(), "role": role}
        )
    return {name: person(app, name) for name in ("ada", "ben", "cleo")}


def plan(title: str, start: int = 10, end: int = 20, **more: Any) -> dict[str, Any]:
    return {"title": title, "startDate": start, "endDate": end, **more}


async def test_from_an_organization_to_its_calendar(app: TestApp) -> None:
    who = await founded(app)
    async with who["cleo"].subscribe("queries/schedules:calendar", {**NORTH, "start": 0, "end": 15}) as calendar:
        made = await who["ben"].mutation(
            "mutations/schedules:create", {"plans": [plan("move"), plan("later", 30, 40), plan("long", -50, 500)]}
        )
        assert [each["title"] for each in calendar.value] == ["move", "long"]
        await who["ben"].mutation("mutations/schedules:update", {"scheduleId": made[1]["_id"], "startDate": 14})
        assert [each["title"] for each in calendar.value] == ["move", "later", "long"]
        await who["ben"].mutation("mutations/schedules:remove", {"scheduleIds": [made[0]["_id"]]})
        assert [each["title"] for each in calendar.value] == ["later", "long"]
        deleted = await who["ben"].query("queries/schedules:deleted", NORTH)
        assert [each["title"] for each in deleted] == ["move"]
        restored = await who["ben"].mutation("mutations/schedules:restore", {"scheduleId": made[0]["_id"]})
        assert restored == made[0] | {"updatedAt": restored["updatedAt"]}
        assert len(calendar.value) == 3


async def test_a_batch_is_all_or_nothing(app: TestApp) -> None:
    who = await founded(app)
    batch = {"plans": [plan("good"), plan("backwards", 20, 10)]}
    assert await code_of(who["ben"].mutation("mutations/schedules:create", batch)) == "invalid_arguments"
    made = await who["ben"].mutation("mutations/schedules:create", {"plans": [plan("one")]})
    ids = {"scheduleIds": [made[0]["_id"], "f" * 24]}
    assert await code_of(who["ben"].mutation("mutations/schedules:remove", ids)) == "not_found"
    page = await who["ada"].query("queries/schedules:getByOrganization", NORTH)
    assert [each["title"] for each in page["items"]] == ["one"]


async def test_what_is_live_of_an_organization_and_of_a_user(app: TestApp) -> None:
    who = await founded(app)
    me = await who["ben"].query("queries/organizations:me")
    async with (
        who["cleo"].subscribe("queries/schedules:active", NORTH) as active,
        who["cleo"].subscribe("queries/schedules:getByUser", {"userId": me["_id"]}) as of_ben,
    ):
        [made] = await who["ben"].mutation("mutations/schedules:create", {"plans": [plan("one")]})
        assert (active.value, [each["_id"] for each in of_ben.value]) == ([], [made["_id"]])
        await who["ada"].mutation("mutations/schedules:update", {"scheduleId": made["_id"], "status": "active"})
        assert [each["status"] for each in active.value] == ["active"]
        await who["ada"].mutation("mutations/organizations:removeUser", {"userId": me["_id"]})
        assert (active.value, of_ben.value) == ([], [])
    assert await code_of(who["ben"].query("queries/schedules:active", NORTH)) == "forbidden"


async def test_every_change_is_in_the_audit_trail_with_what_it_changed(app: TestApp) -> None:
    who = await founded(app)
    await who["ben"].mutation("mutations/organizations:arrive")
    [made] = await who["ben"].mutation("mutations/schedules:create", {"plans": [plan("one")]})
    await who["ben"].mutation("mutations/schedules:update", {"scheduleId": made["_id"], "title": "two"})
    page = await who["ada"].query("queries/organizations:auditLogs", {**NORTH, "limit": 2})
    assert (page["items"][0]["action"], page["items"][0]["data"]) == (
        "schedules.update",
        {"before": {"title": "one"}, "after": {"title": "two"}},
    )
    assert page["items"][0]["actor"] == (await who["ben"].query("queries/organizations:me"))["authId"]
    assert await code_of(who["ben"].query("queries/organizations:auditLogs", NORTH)) == "forbidden"


async def test_an_organization_goes_with_all_that_is_its_own(app: TestApp) -> None:
    who, sue = await founded(app), person(app, "sue", "org_south")
    await sue.mutation("mutations/organizations:create", {"name": "South", "slug": "south"})
    await sue.mutation("mutations/schedules:create", {"plans": [plan("south's")]})
    await who["ben"].mutation("mutations/schedules:create", {"plans": [plan(str(number)) for number in range(9)]})
    assert await code_of(sue.mutation("mutations/organizations:remove", NORTH)) == "not_found"
    await who["ada"].mutation("mutations/organizations:remove", NORTH)
    assert await who["ada"].query("queries/organizations:me") is None
    page = await sue.query("queries/schedules:getByOrganization", {"organizationId": "org_south"})
    assert [each["title"] for each in page["items"]] == ["south's"]


async def test_what_was_deleted_is_forgotten_after_thirty_days(app: TestApp) -> None:
    who = await founded(app)
    [made] = await who["ben"].mutation("mutations/schedules:create", {"plans": [plan("one")]})
    await who["ben"].mutation("mutations/schedules:remove", {"scheduleIds": [made["_id"]]})
    app.clock.advance(timedelta(days=32).total_seconds())
    await app.advance()
    assert await who["ben"].query("queries/schedules:deleted", NORTH) == []


@pytest.mark.parametrize(
    ("claims", "code"),
    [({}, "forbidden"), ({"organizationId": ""}, "forbidden"), ({"organizationId": ["a"]}, "forbidden")],
)
async def test_a_sign_in_without_an_organization_is_told_so(app: TestApp, claims: dict[str, Any], code: str) -> None:
    somebody = app.caller("eve@example.org", claims=claims)
    for path, args in (("queries/organizations:me", {}), ("queries/schedules:active", NORTH)):
        with pytest.raises(FunctionError, match="names no organization") as refused:
            await somebody.query(path, args)
        assert refused.value.code == code


async def test_an_organization_is_set_up_once_and_has_an_admin(app: TestApp) -> None:
    who = await founded(app)
    again = {"name": "Mine", "slug": "mine"}
    assert await code_of(person(app, "eve").mutation("mutations/organizations:create", again)) == "unique_violation"
    taken = {"name": "South", "slug": "north"}
    assert (
        await code_of(person(app, "s", "org_s").mutation("mutations/organizations:create", taken)) == "unique_violation"
    )
    me = {"userId": (await who["ada"].query("queries/organizations:me"))["_id"]}
    for path, args in (("setRole", {**me, "role": "viewer"}), ("removeUser", me)):
        assert await code_of(who["ada"].mutation(f"mutations/organizations:{path}", args)) == "last_admin"
