"""Accounts: one person behind several ways of signing in, names, and who is let in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from helpers.motion_people import Person, make_admin, motion, refused, register, signed_in_elsewhere
from synovia.testing import TestApp


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(motion()) as app:
        yield app


@pytest.fixture
async def anna(app: TestApp) -> Person:
    return await register(app, "Anna", "physiotherapist")


class TestOneUser:
    async def test_another_sign_in_with_the_same_verified_address_is_the_same_user(
        self, app: TestApp, anna: Person
    ) -> None:
        recording = await anna.save()
        other = signed_in_elsewhere(app, "Anna@Example.org")
        assert (await other.query("users:me"))["_id"] == anna.id
        assert [item["_id"] for item in await other.query("recordings:list_mine")] == [recording]
        await other.mutation("recordings:rename", {"recordingId": recording, "notes": "from the other one"})
        async with refused("already_registered"):
            await other.mutation("users:register", {"role": "patient"})

    async def test_an_address_that_nobody_vouches_for_is_nobodys(self, app: TestApp, anna: Person) -> None:
        await anna.save()
        other = signed_in_elsewhere(app, None, name="anna@example.org")
        assert await other.query("users:me") is None
        async with refused("not_registered"):
            await other.query("recordings:list_mine")
        async with refused("email_missing"):
            await other.mutation("users:register", {"role": "patient"})

    async def test_who_has_an_account_keeps_it_whatever_address_comes_later(self, app: TestApp, anna: Person) -> None:
        first = signed_in_elsewhere(app, "carl@example.org", "carl")
        carl = await first.mutation("users:register", {"role": "patient"})
        moved = signed_in_elsewhere(app, "anna@example.org", "carl")
        assert (await moved.query("users:me"))["_id"] == carl
        assert (await anna.query("users:me"))["_id"] == anna.id

    async def test_two_sign_ins_that_register_at_the_same_time_become_one(self, app: TestApp) -> None:
        callers = [app.caller("dora@example.org"), signed_in_elsewhere(app, "dora@example.org")]
        results = await asyncio.gather(
            *(caller.mutation("users:register", {"role": "patient"}) for caller in callers), return_exceptions=True
        )
        assert sum(isinstance(result, str) for result in results) == 1
        first, second = [await caller.query("users:me") for caller in callers]
        assert first == second

    async def test_me_shows_no_keys_and_no_list(self, anna: Person) -> None:
        assert (await anna.query("users:me")).keys() == {"_id", "email", "name", "role", "createdAt"}

    async def test_a_name_that_a_sign_in_brings_is_one_line(self, app: TestApp) -> None:
        caller = signed_in_elsewhere(app, "eve@example.org", name="Eve\r\nBcc: all@example.org\u202e" + "x" * 300)
        await caller.mutation("users:register", {"role": "patient"})
        name = (await caller.query("users:me"))["name"]
        assert name.startswith("Eve Bcc: all@example.org")
        assert name.isprintable()
        assert len(name) <= 200


class TestRenaming:
    async def test_contacts_see_the_new_name(self, app: TestApp, anna: Person) -> None:
        ben = await register(app, "Ben", "patient")
        await anna.mutation("contacts:add", email=ben.email)
        await ben.mutation("contacts:add", email=anna.email)
        await anna.mutation("users:rename", name="  Anna Berger ")
        assert (await ben.query("contacts:list_mine"))[0]["name"] == "Anna Berger"

    @pytest.mark.parametrize(
        "name",
        ["", "  ", "x" * 201, 5, None, "two\nlines", "bell\a", "\u202eevil", "a\u2028b", "\u200b\u2060", "\u3164"],
    )
    async def test_names_are_one_bounded_line(self, anna: Person, name: Any) -> None:
        async with refused("invalid_arguments"):
            await anna.mutation("users:rename", name=name)
        assert (await anna.query("users:me"))["name"] == "Anna"

    async def test_names_in_any_script(self, anna: Person) -> None:
        for name in ("Łukasz Żółć", "李小龙", "مریم\u200cسادات", "👩🏽\u200d⚕️ Anna"):
            await anna.mutation("users:rename", name=name)
            assert (await anna.query("users:me"))["name"] == name

    async def test_newcomers_have_no_name_to_change(self, app: TestApp) -> None:
        async with refused("not_registered"):
            await app.caller("new@example.org").mutation("users:rename", {"name": "New"})


async def test_an_archived_account_is_told_so_and_nothing_else(app: TestApp, anna: Person) -> None:
    admin = await make_admin(app, "Ada")
    await admin.mutation("admin:archive_user", userId=anna.id, reason="left the clinic")
    me = await anna.query("users:me")
    assert (me["isArchived"], me["archiveReason"]) == (True, "left the clinic")
    for caller in (anna.caller, signed_in_elsewhere(app, anna.email)):
        for path in ("recordings:list_mine", "contacts:list_mine", "invites:list_sent", "invites:list_received"):
            async with refused("forbidden"):
                await caller.query(path, {})
        for path, args in (("users:rename", {"name": "x"}), ("users:delete_account", {"email": anna.email})):
            async with refused("forbidden"):
                await caller.mutation(path, args)
        async with refused("already_registered"):
            await caller.mutation("users:register", {"role": "patient"})
