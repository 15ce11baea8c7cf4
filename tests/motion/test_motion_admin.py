"""Administration: finding people, changing what they may do, and what not even an admin may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from helpers.motion_people import MISSING_ID, Person, befriend, make_admin, motion, refusal, refused, register
from synovia.testing import TestApp


@dataclass
class RunningHub:
    """Ada is the only admin, Anna a physiotherapist, Ben her patient."""

    app: TestApp
    ada: Person
    anna: Person
    ben: Person


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with TestApp(motion()) as app:
        ada = await make_admin(app, "Ada")
        anna, ben = await register(app, "Anna", "physiotherapist"), await register(app, "Ben", "patient")
        await befriend(anna, ben)
        yield RunningHub(app, ada, anna, ben)


async def names(person: Person, **args: Any) -> list[str]:
    return [user["name"] for user in (await person.query("admin:list_users", **args))["items"]]


EVERY_FUNCTION: list[tuple[str, str, dict[str, Any]]] = [
    ("query", "admin:list_users", {}),
    ("query", "admin:grants", {}),
    ("query", "admin:audit", {}),
    ("query", "admin:statistics", {}),
    ("mutation", "admin:change_role", {"userId": MISSING_ID, "role": "admin"}),
    ("mutation", "admin:archive_user", {"userId": MISSING_ID, "reason": "x"}),
    ("mutation", "admin:restore_user", {"userId": MISSING_ID}),
    ("mutation", "admin:delete_user", {"userId": MISSING_ID}),
    ("mutation", "admin:look_as", {"userId": MISSING_ID, "reason": "x"}),
]


class TestWho:
    @pytest.mark.parametrize(("kind", "path", "args"), EVERY_FUNCTION)
    async def test_admins_only(self, clinic: RunningHub, kind: str, path: str, args: dict[str, Any]) -> None:
        newcomer, nobody = clinic.app.caller("new@example.org"), clinic.app.caller(None)
        for caller, code in (
            (clinic.anna.caller, "forbidden"),
            (clinic.ben.caller, "forbidden"),
            (newcomer, "not_registered"),
            (nobody, "unauthenticated"),
        ):
            async with refused(code):
                await (caller.query(path, args) if kind == "query" else caller.mutation(path, args))

    async def test_the_operators_way_in_is_no_function_for_clients(self, clinic: RunningHub) -> None:
        for person in (clinic.ada, clinic.ben):
            async with refused("unknown_function"):
                await person.mutation("admin:appoint", email=person.email)
            for path in (
                "erasure:go_on",
                "invites:prepare",
                "invites:note_sent",
                "invites:purge",
                "contacts:end_shares",
            ):
                async with refused("unknown_function"):
                    await person.mutation(path)

    async def test_admins_see_no_recordings(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save(subjectId=clinic.ben.id)
        for path in ("list_mine", "page_mine", "list_of_me", "list_shared", "list_archived"):
            async with refused("forbidden"):
                await clinic.ada.query(f"recordings:{path}")
        async with refused("forbidden"):
            await clinic.ada.query("recordings:get", recordingId=recording)
        # Not even their own, or those of them, from the time before they were one.
        await clinic.ada.mutation("admin:change_role", userId=clinic.anna.id, role="admin")
        async with refused("forbidden"):
            await clinic.anna.query("recordings:get", recordingId=recording)
        assert await clinic.ben.ids("recordings:list_of_me") == [recording]


class TestFinding:
    async def test_the_newest_first_in_pages(self, clinic: RunningHub) -> None:
        for number in range(3):
            clinic.app.clock.advance(1)
            await register(clinic.app, f"New{number}", "patient")
        first = await clinic.ada.query("admin:list_users", limit=4)
        second = await clinic.ada.query("admin:list_users", limit=4, cursor=first["nextCursor"])
        found = [user["name"] for user in first["items"] + second["items"]]
        assert found[:3] == ["New2", "New1", "New0"]
        assert sorted(found[3:]) == ["Anna", "Ben", "ada@example.org"]
        assert "nextCursor" not in second

    async def test_by_role_and_whether_archived(self, clinic: RunningHub) -> None:
        await clinic.ada.mutation("admin:archive_user", userId=clinic.ben.id, reason="moved away")
        assert await names(clinic.ada, role="patient") == ["Ben"]
        assert await names(clinic.ada, archived=True) == ["Ben"]
        assert await names(clinic.ada, role="physiotherapist", archived=True) == []
        assert await names(clinic.ada, role="patient", archived=False) == []
        assert set(await names(clinic.ada, archived=False)) == {"Anna", "ada@example.org"}

    async def test_what_is_shown(self, clinic: RunningHub) -> None:
        await clinic.ada.mutation("admin:archive_user", userId=clinic.ben.id, reason="moved away")
        [ben] = (await clinic.ada.query("admin:list_users", role="patient"))["items"]
        shown = {"_id", "email", "name", "role", "createdAt", "isArchived", "archivedAt", "archiveReason"}
        assert ben.keys() == shown

    async def test_search(self, clinic: RunningHub) -> None:
        await clinic.anna.mutation("users:rename", name="Änna van  der Müller")
        for text in ("anna@EX", "änna", "ANNA v", "anna van der m", "muller", "MÜLL", " anna "):
            assert await names(clinic.ada, search=text) == ["Änna van  der Müller"], text
        for text in ("van", "nna", "example", "x", ".*", "%", "\U0010ffff", "\u0301"):
            assert await names(clinic.ada, search=text) == [], text
        assert await names(clinic.ada, search="anna", role="patient") == []

    async def test_who_is_found_twice_comes_once_on_all_pages(self, clinic: RunningHub) -> None:
        for number in range(5):
            person = await register(clinic.app, f"Otto{number}", "patient")
            await person.mutation("users:rename", name="Otto Otto" if number % 2 else f"Eva Otto{number}")
        other = await register(clinic.app, "Zoe", "patient")
        await other.mutation("users:rename", name="Zoe Ottone")
        found: list[str] = []
        cursor = None
        for _ in range(20):
            page = await clinic.ada.query(
                "admin:list_users", search="otto", limit=2, **({"cursor": cursor} if cursor else {})
            )
            assert len(page["items"]) <= 2
            found += [user["_id"] for user in page["items"]]
            cursor = page.get("nextCursor")
            if cursor is None:
                break
        assert len(found) == len(set(found)) == 6

    @pytest.mark.parametrize("search", ["", "an"])
    @pytest.mark.parametrize("cursor", ["nonsense", "0:nonsense", "9:", "-1:", ":", "0:" + "A" * 1000, ""])
    async def test_bad_cursors(self, clinic: RunningHub, search: str, cursor: str) -> None:
        async with refused("bad_cursor"):
            await clinic.ada.query("admin:list_users", search=search, cursor=cursor)

    @pytest.mark.parametrize(
        "args",
        [{"role": "doctor"}, {"archived": "yes"}, {"limit": 0}, {"limit": 201}, {"search": "x" * 255}, {"search": 5}],
    )
    async def test_bad_arguments(self, clinic: RunningHub, args: dict[str, Any]) -> None:
        async with refused("invalid_arguments"):
            await clinic.ada.query("admin:list_users", **args)

    async def test_statistics_and_grants(self, clinic: RunningHub) -> None:
        await clinic.anna.save()
        await clinic.anna.mutation("invites:create", email="new@example.org")
        await clinic.ada.mutation("admin:archive_user", userId=clinic.ben.id)
        assert await clinic.ada.query("admin:statistics") == {
            "physiotherapists": 1,
            "patients": 0,
            "admins": 1,
            "archivedUsers": 1,
            "recordings": 1,
            "runningSessions": 0,
            "pendingInvites": 1,
        }
        granted = {grant["role"]: grant["capabilities"] for grant in await clinic.ada.query("admin:grants")}
        assert granted.keys() == {"physiotherapist", "patient", "admin"}
        assert granted["patient"] == ["contacts.keep", "recordings.keep"]
        assert "recordings.keep" not in granted["admin"]


class TestChanging:
    async def test_a_role_that_is_changed_changes_what_one_may(self, clinic: RunningHub) -> None:
        await clinic.ada.mutation("admin:change_role", userId=clinic.ben.id, role="physiotherapist")
        await clinic.ben.mutation("invites:create", email="new@example.org")
        await clinic.ada.mutation("admin:change_role", userId=clinic.ben.id, role="patient")
        async with refused("forbidden"):
            await clinic.ben.mutation("invites:create", email="other@example.org")
        await clinic.ada.mutation("admin:change_role", userId=clinic.ben.id, role="admin")
        assert "Anna" in await names(clinic.ben)

    async def test_archive_and_restore(self, clinic: RunningHub) -> None:
        recording = await clinic.ben.save()
        await clinic.ben.mutation("recordings:share", recordingId=recording, userId=clinic.anna.id)
        await clinic.ada.mutation("admin:archive_user", userId=clinic.ben.id, reason="moved away")
        async with refused("archived"):
            await clinic.ada.mutation("admin:archive_user", userId=clinic.ben.id)
        async with refused("forbidden"):
            await clinic.ben.query("recordings:list_mine")
        assert await clinic.anna.ids("recordings:list_shared") == [recording]
        await clinic.ada.mutation("admin:restore_user", userId=clinic.ben.id)
        async with refused("not_archived"):
            await clinic.ada.mutation("admin:restore_user", userId=clinic.ben.id)
        assert await clinic.ben.ids("recordings:list_mine") == [recording]

    async def test_people_who_are_not_there(self, clinic: RunningHub) -> None:
        for _, path, args in EVERY_FUNCTION[4:]:
            for user_id in (MISSING_ID, "nonsense"):
                answer = await refusal(clinic.ada.mutation(path, **{**args, "userId": user_id}))
                assert answer == ("not_found", "there is no such user", None)

    @pytest.mark.parametrize("role", ["doctor", "", None, 1])
    async def test_roles_that_there_are_not(self, clinic: RunningHub, role: Any) -> None:
        async with refused("invalid_arguments"):
            await clinic.ada.mutation("admin:change_role", userId=clinic.ben.id, role=role)

    async def test_what_was_done_is_in_the_audit_table(self, clinic: RunningHub) -> None:
        for path, args in (
            ("admin:change_role", {"role": "physiotherapist"}),
            ("admin:archive_user", {"reason": "moved away"}),
            ("admin:delete_user", {}),
        ):
            clinic.app.clock.advance(1)
            await clinic.ada.mutation(path, userId=clinic.ben.id, **args)
        page = await clinic.ada.query("admin:audit", limit=3)
        assert [entry["action"] for entry in page["items"]] == ["users.delete", "users.archive", "users.change_role"]
        assert {(entry["actor"], entry["subject"]) for entry in page["items"]} == {
            ("dev|ada@example.org", clinic.ben.id)
        }
        assert page["items"][1]["reason"] == "moved away"
        rest = await clinic.ada.query("admin:audit", cursor=page["nextCursor"])
        assert [(entry["action"], entry["actor"]) for entry in rest["items"]] == [("users.appoint", "application")]

    async def test_nothing_is_noted_of_what_was_refused(self, clinic: RunningHub) -> None:
        async with refused("last_admin"):
            await clinic.ada.mutation("admin:archive_user", userId=clinic.ada.id)
        assert len((await clinic.ada.query("admin:audit"))["items"]) == 1


class TestTheLastAdmin:
    async def test_stays(self, clinic: RunningHub) -> None:
        me = clinic.ada.id
        for path, args in (
            ("admin:change_role", {"userId": me, "role": "patient"}),
            ("admin:archive_user", {"userId": me, "reason": "x"}),
            ("admin:delete_user", {"userId": me}),
            ("users:delete_account", {"email": clinic.ada.email}),
        ):
            async with refused("last_admin"):
                await clinic.ada.mutation(path, **args)
        await clinic.ada.mutation("admin:change_role", userId=me, role="admin")

    async def test_an_archived_admin_does_not_count(self, clinic: RunningHub) -> None:
        await clinic.ada.mutation("admin:change_role", userId=clinic.anna.id, role="admin")
        await clinic.ada.mutation("admin:archive_user", userId=clinic.anna.id)
        async with refused("last_admin"):
            await clinic.ada.mutation("admin:change_role", userId=clinic.ada.id, role="patient")
        # The archived one may go.
        await clinic.ada.mutation("admin:delete_user", userId=clinic.anna.id)

    @pytest.mark.parametrize(
        ("path", "args"),
        [
            ("admin:change_role", {"role": "patient"}),
            ("admin:archive_user", {"reason": "x"}),
            ("admin:delete_user", {}),
        ],
    )
    async def test_two_who_turn_on_each_other_at_the_same_time(
        self, clinic: RunningHub, path: str, args: dict[str, Any]
    ) -> None:
        await clinic.ada.mutation("admin:change_role", userId=clinic.anna.id, role="admin")
        results = await asyncio.gather(
            clinic.ada.mutation(path, userId=clinic.anna.id, **args),
            clinic.anna.mutation(path, userId=clinic.ada.id, **args),
            return_exceptions=True,
        )
        assert sorted(result is None for result in results) == [False, True]
        left = [one for one, result in zip((clinic.ada, clinic.anna), results, strict=True) if result is None]
        assert len(await names(left[0], role="admin", archived=False)) == 1


class TestLookingAsSomebody:
    async def test_it_shows_what_they_see_changes_nothing_and_is_audited(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save(notes="before")
        token = await clinic.ada.mutation("admin:look_as", userId=clinic.anna.id, reason="she sees no plot")
        looking = await clinic.app.bearer(token)
        assert (await looking.query("users:me", {}))["_id"] == clinic.anna.id
        assert [item["_id"] for item in await looking.query("recordings:list_mine", {})] == [recording]
        for path, args in (
            ("recordings:rename", {"recordingId": recording, "notes": "after"}),
            ("users:delete_account", {"email": clinic.anna.email}),
            ("contacts:remove", {"userId": clinic.ben.id}),
            ("invites:create", {"email": "x@example.org"}),
        ):
            async with refused("forbidden"):
                await looking.mutation(path, args)
        async with refused("forbidden"):
            await looking.query("admin:list_users", {})
        [entry, *_] = [
            each
            for each in (await clinic.ada.query("admin:audit"))["items"]
            if each.get("reason") == "she sees no plot"
        ]
        assert (entry["actor"], entry["subject"]) == ("dev|ada@example.org", "dev|anna@example.org")

    async def test_as_an_admin_one_gets_no_further(self, clinic: RunningHub) -> None:
        await clinic.ada.mutation("admin:change_role", userId=clinic.anna.id, role="admin")
        looking = await clinic.app.bearer(
            await clinic.ada.mutation("admin:look_as", userId=clinic.anna.id, reason="to try")
        )
        async with refused("forbidden"):
            await looking.mutation("admin:look_as", {"userId": clinic.ben.id, "reason": "further"})

    async def test_it_ends_with_the_account(self, clinic: RunningHub) -> None:
        looking = await clinic.app.bearer(
            await clinic.ada.mutation("admin:look_as", userId=clinic.ben.id, reason="to try")
        )
        await clinic.ada.mutation("admin:archive_user", userId=clinic.ben.id)
        async with refused("forbidden"):
            await looking.query("recordings:list_mine", {})
        await clinic.ada.mutation("admin:delete_user", userId=clinic.ben.id)
        assert await looking.query("users:me", {}) is None

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 2001, None, 5])
    async def test_not_without_a_reason(self, clinic: RunningHub, reason: Any) -> None:
        async with refused("invalid_arguments"):
            await clinic.ada.mutation("admin:look_as", userId=clinic.ben.id, reason=reason)
        assert len((await clinic.ada.query("admin:audit"))["items"]) == 1


class TestTheOperator:
    async def test_appoints_who_is_there_and_restores_them(self, clinic: RunningHub) -> None:
        await clinic.ada.mutation("admin:archive_user", userId=clinic.anna.id)
        again = await make_admin(clinic.app, "Anna")
        assert again.id == clinic.anna.id
        assert (await clinic.anna.query("users:me"))["role"] == "admin"

    async def test_who_was_appointed_first_signs_in_later(self, clinic: RunningHub) -> None:
        me = await clinic.ada.query("users:me")
        assert (me["_id"], me["role"]) == (clinic.ada.id, "admin")
        async with refused("already_registered"):
            await clinic.ada.mutation("users:register", role="patient")
