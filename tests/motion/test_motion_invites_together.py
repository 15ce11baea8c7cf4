"""Invites when several people, devices and hubs act at the same time, and as a client sees them change."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from helpers.motion_people import Person, later, mailed_token, make_admin, motion, register, signed_in_elsewhere
from helpers.patience import PATIENCE
from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_hub import RunningHub as Hub
from helpers.running_hub import running_hub
from synovia import FunctionError
from synovia.functions.access import CallOrigin
from synovia.testing import Caller, TestApp
from synovia_client import FunctionError as ClientError
from synovia_client import Subscription

DAY = 86_400
NEW = "nina@example.org"


@dataclass
class RunningHub:
    """Anna and Otto are physiotherapists; Nina has no account, and three devices: one signs in by another issuer."""

    app: TestApp
    anna: Person
    otto: Person
    nina: list[Caller]


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with TestApp(motion()) as app:
        anna, otto = [await register(app, name, "physiotherapist") for name in ("Anna", "Otto")]
        yield RunningHub(app, anna, otto, [app.caller(NEW), app.caller(NEW), signed_in_elsewhere(app, NEW)])


async def together(*calls: Any) -> list[Any]:
    """Run calls at the same time; an error stands in the place of a result."""
    return await asyncio.gather(*calls, return_exceptions=True)


def codes(results: list[Any]) -> Counter[str]:
    return Counter(result.code if isinstance(result, FunctionError) else "done" for result in results)


class TestAtTheSameTime:
    async def test_three_devices_accept_once(self, clinic: RunningHub) -> None:
        await clinic.anna.mutation("invites:create", email=NEW)
        token = await mailed_token(clinic.app)
        results = await together(*(device.mutation("invites:accept", {"token": token}) for device in clinic.nina))
        [user_id] = set(results)
        assert [view["userId"] for view in await clinic.anna.query("contacts:list_mine")] == [user_id]
        assert [view["userId"] for view in await clinic.nina[2].query("contacts:list_mine")] == [clinic.anna.id]
        ada = await make_admin(clinic.app, "Ada")
        assert len((await ada.query("admin:list_users", search=NEW))["items"]) == 1

    async def test_two_invite_one_and_both_are_accepted(self, clinic: RunningHub) -> None:
        tokens = []
        for sender in (clinic.anna, clinic.otto):
            await sender.mutation("invites:create", email=NEW)
            tokens.append(await mailed_token(clinic.app))
        results = await together(
            *(
                device.mutation("invites:accept", {"token": token})
                for device, token in zip(clinic.nina, tokens, strict=False)
            )
        )
        assert len(set(results)) == 1
        assert {view["userId"] for view in await clinic.nina[0].query("contacts:list_mine")} == {
            clinic.anna.id,
            clinic.otto.id,
        }
        for sender in (clinic.anna, clinic.otto):
            assert len(await sender.query("contacts:list_mine")) == 1

    async def test_accepting_and_registering(self, clinic: RunningHub) -> None:
        await clinic.anna.mutation("invites:create", email=NEW)
        token = await mailed_token(clinic.app)
        accepted, registered = await together(
            clinic.nina[0].mutation("invites:accept", {"token": token}),
            clinic.nina[2].mutation("users:register", {"role": "physiotherapist"}),
        )
        assert isinstance(accepted, str)
        assert registered == accepted or registered.code == "already_registered"
        assert len(await clinic.anna.query("contacts:list_mine")) == 1

    @pytest.mark.parametrize("end", ["withdraw", "decline"])
    async def test_accepting_what_is_being_ended(self, clinic: RunningHub, end: str) -> None:
        invite = await clinic.anna.mutation("invites:create", email=NEW)
        token = await mailed_token(clinic.app)
        other: Any = clinic.anna.caller if end == "withdraw" else clinic.nina[1]
        results = await together(
            clinic.nina[0].mutation("invites:accept", {"token": token}),
            other.mutation(f"invites:{end}", {"inviteId": invite}),
        )
        assert codes(results) in (
            Counter(done=1, invite_accepted=1),
            Counter({"done": 1, f"invite_{'withdrawn' if end == 'withdraw' else 'declined'}": 1}),
        )
        contacts = await clinic.anna.query("contacts:list_mine")
        assert len(contacts) == isinstance(results[0], str)

    async def test_one_asks_twice(self, clinic: RunningHub) -> None:
        results = await together(*(clinic.anna.mutation("invites:create", email=NEW) for _ in range(4)))
        assert codes(results) == Counter(done=1, already_invited=3)
        await clinic.app.advance(0)
        assert len(clinic.app.mails) == 1

    async def test_two_ask_each_other(self, clinic: RunningHub) -> None:
        await together(
            clinic.anna.mutation("invites:create", email=clinic.otto.email, alias="O."),
            clinic.otto.mutation("invites:create", email=clinic.anna.email, alias="A."),
        )
        assert await clinic.anna.contacts() == ["O."]
        assert await clinic.otto.contacts() == ["A."]
        for person in (clinic.anna, clinic.otto):
            assert await person.query("invites:list_received") == []
            assert {each["status"] for each in await person.query("invites:list_sent")} <= {"accepted"}

    async def test_many_at_the_limit(self, clinic: RunningHub) -> None:
        for number in range(48):
            await clinic.anna.mutation("invites:create", email=f"p{number}@example.org")
        results = await together(
            *(clinic.anna.mutation("invites:create", email=f"q{number}@example.org") for number in range(6))
        )
        assert codes(results) == Counter(done=2, rate_limited=4)


class TestDelivery:
    async def test_is_tried_again_until_the_mail_server_takes_it(self, clinic: RunningHub) -> None:
        clinic.app.mailbox.down = True
        await clinic.anna.mutation("invites:create", email=NEW)
        await clinic.app.advance(120)
        assert clinic.app.mailbox.refused > 1
        [sent] = await clinic.anna.query("invites:list_sent")
        assert (sent["timesSent"], "sentAt" in sent) == (0, False)
        assert len(await clinic.nina[0].query("invites:list_received")) == 1
        clinic.app.mailbox.down = False
        await later(clinic.app, 3_600)
        assert len(clinic.app.mails) == 1
        assert (await clinic.anna.query("invites:list_sent"))[0]["timesSent"] == 1

    async def test_one_that_waits_for_the_server_and_is_sent_again_goes_out_once(self, clinic: RunningHub) -> None:
        clinic.app.mailbox.down = True
        invite = await clinic.anna.mutation("invites:create", email=NEW)
        for _ in range(3):
            await clinic.app.advance(61)
            await clinic.anna.mutation("invites:resend", inviteId=invite)
        await clinic.app.advance(0)
        clinic.app.mailbox.down = False
        await later(clinic.app, 3_600)
        assert len(clinic.app.mails) == 1
        assert (await clinic.anna.query("invites:list_sent"))[0]["timesSent"] == 1

    async def test_nothing_goes_out_for_what_is_over(self, clinic: RunningHub) -> None:
        clinic.app.mailbox.down = True
        invite = await clinic.anna.mutation("invites:create", email=NEW)
        await clinic.app.advance(0)
        await clinic.anna.mutation("invites:withdraw", inviteId=invite)
        clinic.app.mailbox.down = False
        await later(clinic.app, 3_600)
        assert clinic.app.mails == []


# --- over sockets -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with running_hub("sqlite://:memory:") as hub:
        yield hub


async def until(live: Subscription[Any], holds: Any) -> Any:
    async with asyncio.timeout(PATIENCE):
        async for value in live:
            if holds(value):
                return value
    raise AssertionError("the subscription ended")


async def test_lists_follow_without_asking_again(hub: Hub) -> None:
    anna, nina = await hub.person("anna"), await hub.connect("nina")
    async with (
        anna.subscribe("invites:list_sent") as sent,
        nina.subscribe("invites:list_received") as received,
        nina.subscribe("users:me") as me,
        anna.subscribe("contacts:list_mine") as contacts,
    ):
        assert await until(received, lambda value: True) == []
        await anna.mutation("invites:create", {"email": NEW, "alias": "N."})
        [invite] = await until(received, bool)
        assert invite["fromName"] == "Anna"
        await until(sent, lambda value: value and value[0]["timesSent"] == 1)
        user_id = await nina.mutation("invites:accept_received", {"inviteId": invite["_id"], "name": "Nina"})
        assert (await until(me, lambda value: value is not None))["_id"] == user_id
        assert [view["alias"] for view in await until(contacts, bool)] == ["N."]
        await until(sent, lambda value: value[0]["status"] == "accepted")
        assert await until(received, lambda value: not value) == []


async def test_an_archived_accounts_open_lists_are_taken_away(hub: Hub) -> None:
    anna, ben = await hub.person("anna"), await hub.person("ben", "patient")
    await hub.app.engine.mutate("admin:appoint", {"email": "ada@example.org"}, None, origin=CallOrigin.APPLICATION)
    ada = await hub.connect("ada")
    await anna.mutation("contacts:add", {"email": "ben@example.org"})
    await ben.mutation("contacts:add", {"email": "anna@example.org"})
    me = await ben.query("users:me")
    paths = ("contacts:list_mine", "recordings:list_mine", "invites:list_sent", "invites:list_received")
    lives = [await hub.people.enter_async_context(ben.subscribe(path)) for path in paths]
    for live in lives:
        await until(live, lambda value: True)
    await ada.mutation("admin:archive_user", {"userId": me["_id"], "reason": "left"})
    for live in lives:
        assert await _error(live) == "forbidden"
    with pytest.raises(ClientError) as caught:
        await ben.mutation("users:rename", {"name": "x"})
    assert caught.value.code == "forbidden"
    await ada.mutation("admin:restore_user", {"userId": me["_id"]})
    assert len(await until(lives[0], bool)) == 1


async def _error(live: Subscription[Any]) -> str:
    with pytest.raises(ClientError) as caught:
        await until(live, lambda value: False)
    return caught.value.code


async def test_an_invite_expires_in_open_lists(clinic: RunningHub) -> None:
    await clinic.anna.mutation("invites:create", email=NEW)
    token = await mailed_token(clinic.app)
    holder = RecordingSubscriber(clinic.app.engine)
    holder.subscribe("sent", "invites:list_sent", {}, clinic.app.caller(clinic.anna.email).identity)
    holder.subscribe("received", "invites:list_received", {}, clinic.nina[0].identity)
    holder.subscribe("look", "invites:look", {"token": token})
    await holder.settled()
    assert (holder.value("sent")[0]["status"], holder.value("look")["status"]) == ("pending", "pending")
    assert len(holder.value("received")) == 1
    await later(clinic.app, 14 * DAY)
    await holder.until(lambda: holder.value("received") == [])
    await holder.until(lambda: holder.value("sent")[0]["status"] == "expired")
    await holder.until(lambda: holder.value("look")["status"] == "expired")
