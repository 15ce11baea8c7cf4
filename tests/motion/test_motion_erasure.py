"""Deleting users and ending contacts: what goes, what stays for others, and what nobody sees meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from helpers.motion_people import (
    Person,
    befriend,
    mailed_token,
    make_admin,
    motion,
    refused,
    register,
    signed_in_elsewhere,
)
from synovia import keys
from synovia.keys import BY_ID, Order
from synovia.schema.specs import Document
from synovia.testing import TestApp

MANY = 230
"""More than two transactions of a cascade take."""


@dataclass
class RunningHub:
    """Anna, a physiotherapist, has the patients Ben and Carl as contacts."""

    app: TestApp
    anna: Person
    ben: Person
    carl: Person

    async def documents(self, table: str) -> list[Document]:
        """Read a whole table, as the database has it."""
        ts, _ = await self.app.store.newest()
        return list(await self.app.store.snapshot(ts).scan(table, BY_ID, keys.prefix(()), Order.ASC))

    async def traces(self, person: Person) -> list[str]:
        """Name the tables that still hold somebody's id or address, the audit table and finished calls apart."""
        words = (person.id, person.email)
        tables = [table.name for table in self.app.registry.tables if not table.system]
        return [
            name for name in tables for each in await self.documents(name) if any(word in repr(each) for word in words)
        ]


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with TestApp(motion()) as app:
        anna = await register(app, "Anna", "physiotherapist")
        ben, carl = await register(app, "Ben", "patient"), await register(app, "Carl", "patient")
        await befriend(anna, ben, "B.")
        await befriend(anna, carl)
        yield RunningHub(app, anna, ben, carl)


async def live(person: Person, **more: Any) -> str:
    session: str = await person.mutation("live:start", sampleRate=100.0, **more)
    samples = np.linspace(0, 1, 50)
    await person.mutation("live:append", sessionId=session, position=0, leftKnee=samples, rightKnee=samples)
    return session


class TestDeletingAnAccount:
    async def test_needs_ones_own_address(self, clinic: RunningHub) -> None:
        for email in (clinic.anna.email, "ben@example.com", ""):
            async with refused("invalid_arguments"):
                await clinic.ben.mutation("users:delete_account", email=email)
        assert (await clinic.ben.query("users:me"))["_id"] == clinic.ben.id
        await clinic.ben.mutation("users:delete_account", email=" BEN@example.org ")
        assert await clinic.ben.query("users:me") is None

    async def test_nothing_of_them_is_left(self, clinic: RunningHub) -> None:
        own = await clinic.ben.save(subjectId=clinic.ben.id)
        archived = await clinic.ben.save()
        await clinic.ben.mutation("recordings:archive", recordingId=archived)
        await clinic.ben.mutation("recordings:share", recordingId=own, userId=clinic.anna.id)
        await live(clinic.ben)
        await live(clinic.anna, subjectId=clinic.ben.id, sharedWith=[clinic.ben.id, clinic.carl.id])
        await clinic.ben.mutation("contacts:add", email="friend@example.org")
        otto = await register(clinic.app, "Otto", "physiotherapist")
        await otto.mutation("invites:create", email=clinic.ben.email)
        of_anna = await clinic.anna.save(subjectId=clinic.ben.id)
        await clinic.anna.mutation("recordings:share", recordingId=of_anna, userId=clinic.ben.id)
        await clinic.anna.mutation("recordings:share", recordingId=of_anna, userId=clinic.carl.id)

        await clinic.ben.mutation("users:delete_account", email=clinic.ben.email)
        assert await clinic.anna.ids("recordings:list_shared") == []
        assert await clinic.anna.contacts() == ["Carl"]
        await clinic.app.advance(0)
        assert await clinic.traces(clinic.ben) == []
        assert [each for each in await clinic.documents("_scheduled") if clinic.ben.email in repr(each)] == []

        # Others keep what is theirs.
        [recording] = await clinic.anna.query("recordings:list_mine")
        assert recording["sharedWith"] == [clinic.carl.id]
        [session] = await clinic.carl.query("live:list_running")
        assert session["ownerId"] == clinic.anna.id
        assert await otto.query("invites:list_sent") == []

    async def test_a_recording_of_them_keeps_what_its_owner_called_them(self, clinic: RunningHub) -> None:
        by_contact = await clinic.anna.save(subjectId=clinic.ben.id)
        by_itself = await clinic.anna.save(subjectId=clinic.ben.id, subjectAlias="left knee of B.")
        nameless = await clinic.anna.save(subjectId=clinic.carl.id)
        for person in (clinic.ben, clinic.carl):
            await person.mutation("users:delete_account", email=person.email)
        shown = {each["_id"]: each for each in await clinic.anna.query("recordings:list_mine")}
        assert shown[by_contact]["subjectAlias"] == "B."
        assert shown[by_itself]["subjectAlias"] == "left knee of B."
        assert "subjectAlias" not in shown[nameless]
        assert all("subjectId" not in each for each in shown.values())

    @pytest.mark.slow
    async def test_much_goes_in_steps_but_nobody_can_refer_to_them_any_more(self, clinic: RunningHub) -> None:
        for _ in range(MANY):
            await clinic.anna.save(subjectId=clinic.ben.id)
        own = await clinic.anna.save()
        await clinic.ben.mutation("users:delete_account", email=clinic.ben.email)
        assert len([each for each in await clinic.documents("recordings") if "subjectId" in each]) > 100
        # Not gone everywhere yet, but nothing new can be hung on them.
        async with refused("not_a_contact"):
            await clinic.anna.save(subjectId=clinic.ben.id)
        async with refused("not_a_contact"):
            await clinic.anna.mutation("recordings:share", recordingId=own, userId=clinic.ben.id)
        async with refused("not_a_contact"):
            await live(clinic.anna, sharedWith=[clinic.ben.id])
        assert await clinic.anna.contacts() == ["Carl"]
        await clinic.app.advance(0)
        assert await clinic.traces(clinic.ben) == []
        assert len(await clinic.documents("recordings")) == MANY + 1
        assert {each["subjectAlias"] for each in await clinic.documents("recordings") if "subjectAlias" in each} == {
            "B."
        }

    async def test_the_same_address_begins_anew(self, clinic: RunningHub) -> None:
        old = await clinic.ben.save()
        await clinic.ben.mutation("users:delete_account", email=clinic.ben.email)
        clinic.app.clock.advance(1)
        again = await register(clinic.app, "Ben", "physiotherapist")
        assert again.id != clinic.ben.id
        await clinic.anna.mutation("invites:create", email=again.email)
        await clinic.app.advance(0)
        assert await again.query("recordings:list_mine") == await again.query("contacts:list_mine") == []
        async with refused("not_found"):
            await again.query("recordings:get", recordingId=old)
        # What is meant for the new account is not taken along by the rest of the old one.
        assert len(await again.query("invites:list_received")) == 1

    async def test_other_sign_ins_of_the_same_person_lose_it_too(self, clinic: RunningHub) -> None:
        other = signed_in_elsewhere(clinic.app, clinic.ben.email)
        await other.mutation("users:delete_account", {"email": clinic.ben.email})
        assert await clinic.ben.query("users:me") is None

    async def test_accepting_while_the_sender_leaves_ends_in_one_of_two_ways(self, clinic: RunningHub) -> None:
        await clinic.anna.mutation("invites:create", email="nina@example.org")
        token = await mailed_token(clinic.app)
        nina = clinic.app.caller("nina@example.org")
        await asyncio.gather(
            nina.mutation("invites:accept", {"token": token}),
            clinic.anna.mutation("users:delete_account", email=clinic.anna.email),
            return_exceptions=True,
        )
        await clinic.app.advance(0)
        assert await clinic.traces(clinic.anna) == []
        if await nina.query("users:me") is not None:
            assert await nina.query("contacts:list_mine") == []

    async def test_by_an_admin(self, clinic: RunningHub) -> None:
        ada = await make_admin(clinic.app, "Ada")
        recording = await clinic.anna.save(subjectId=clinic.ben.id)
        assert await clinic.ben.ids("recordings:list_of_me") == [recording]
        await ada.mutation("admin:delete_user", userId=clinic.anna.id)
        async with refused("not_registered"):
            await clinic.anna.query("recordings:list_mine")
        assert await clinic.ben.ids("recordings:list_of_me") == []
        await clinic.app.advance(0)
        assert await clinic.traces(clinic.anna) == []
        async with refused("not_found"):
            await ada.mutation("admin:delete_user", userId=clinic.anna.id)


class TestEndingAContact:
    @pytest.mark.slow
    async def test_many_shares_end_at_once_for_reading(self, clinic: RunningHub) -> None:
        shared = [await clinic.anna.save() for _ in range(MANY)]
        for recording in shared:
            await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.ben.id)
        await clinic.ben.mutation("contacts:remove", userId=clinic.anna.id)
        left = [each for each in await clinic.documents("recordings") if "sharedWith" in each]
        assert len(left) > 100, "the test is about what is left for later"
        assert await clinic.ben.ids("recordings:list_shared", limit=200) == []
        for recording in shared:
            async with refused("not_found"):
                await clinic.ben.query("recordings:get", recordingId=recording)

        # Becoming contacts again before that is over must not bring them back.
        await clinic.anna.mutation("contacts:add", email=clinic.ben.email)
        async with refused("busy"):
            await clinic.ben.mutation("contacts:add", email=clinic.anna.email)
        await clinic.app.advance(0)
        assert [each for each in await clinic.documents("recordings") if "sharedWith" in each] == []
        await clinic.ben.mutation("contacts:add", email=clinic.anna.email)
        assert await clinic.ben.contacts() == ["Anna"]
        assert await clinic.ben.ids("recordings:list_shared") == []

    async def test_what_is_shared_anew_stays(self, clinic: RunningHub) -> None:
        old = await clinic.anna.save()
        await clinic.anna.mutation("recordings:share", recordingId=old, userId=clinic.ben.id)
        await clinic.ben.mutation("contacts:remove", userId=clinic.anna.id)
        await befriend(clinic.anna, clinic.ben)
        new = await clinic.anna.save()
        await clinic.anna.mutation("recordings:share", recordingId=new, userId=clinic.ben.id)
        await clinic.app.advance(0)
        assert await clinic.ben.ids("recordings:list_shared") == [new]

    async def test_removing_each_other_at_the_same_time(self, clinic: RunningHub) -> None:
        results = await asyncio.gather(
            clinic.anna.mutation("contacts:remove", userId=clinic.ben.id),
            clinic.ben.mutation("contacts:remove", userId=clinic.anna.id),
            return_exceptions=True,
        )
        assert None in results
        assert await clinic.anna.contacts() == ["Carl"]
        assert await clinic.ben.contacts() == []
