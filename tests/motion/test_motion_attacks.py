"""What somebody with bad intentions tries in the motion application, each attempt as a client could make it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from helpers.motion_people import Person, befriend, motion, refused, register
from synovia.testing import TestApp

NEW = "nina@example.org"
MOST = 5
"""Mails with invites that one address gets in a day, whoever sends them."""


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(motion()) as app:
        yield app


class TestMailingSomebodyAgainAndAgain:
    async def test_by_withdrawing_and_inviting_anew(self, app: TestApp) -> None:
        mallory = await register(app, "Mallory", "physiotherapist")
        for _ in range(2 * MOST):
            invite = await mallory.mutation("invites:create", email=NEW)
            await app.advance(0)
            await mallory.mutation("invites:withdraw", inviteId=invite)
        assert len(app.mails) == MOST

    async def test_by_deleting_the_account_and_making_another(self, app: TestApp) -> None:
        for _ in range(2 * MOST):
            mallory = await register(app, "Mallory", "physiotherapist")
            await mallory.mutation("invites:create", email=NEW)
            await app.advance(0)
            await mallory.mutation("users:delete_account", email=mallory.email)
            await app.advance(0)
        assert len(app.mails) == MOST

    async def test_by_letting_it_be_declined(self, app: TestApp) -> None:
        mallory = await register(app, "Mallory", "physiotherapist")
        nina = app.caller(NEW)
        for _ in range(2 * MOST):
            await mallory.mutation("invites:create", email=NEW)
            await app.advance(0)
            [received] = await nina.query("invites:list_received")
            await nina.mutation("invites:decline", {"inviteId": received["_id"]})
        assert len(app.mails) == MOST


class TestGettingASharedSessionBack:
    async def live_between(self, app: TestApp) -> tuple[Person, Person, str]:
        anna, mallory = await register(app, "Anna", "physiotherapist"), await register(app, "Mallory", "patient")
        await befriend(anna, mallory)
        session = await anna.mutation("live:start", sampleRate=100.0, sharedWith=[mallory.id])
        samples = np.arange(10.0)
        await anna.mutation("live:append", sessionId=session, position=0, leftKnee=samples, rightKnee=samples)
        await anna.mutation("contacts:remove", userId=mallory.id)
        await app.advance(0)
        await befriend(anna, mallory)
        return anna, mallory, session

    async def test_a_contact_that_begins_again_brings_no_session_back(self, app: TestApp) -> None:
        _, mallory, session = await self.live_between(app)
        async with refused("not_found"):
            await mallory.query("live:follow", sessionId=session)
        assert await mallory.query("live:list_running") == []

    async def test_nor_the_recording_of_it(self, app: TestApp) -> None:
        anna, mallory, session = await self.live_between(app)
        recording = await anna.mutation("live:finish", sessionId=session)
        async with refused("not_found"):
            await mallory.query("recordings:get", recordingId=recording)
        assert "sharedWith" not in await anna.query("recordings:get", recordingId=recording)
