"""Invites: from the mail to the contact, and what nobody can do with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from helpers.motion_people import (
    MISSING_ID,
    Person,
    befriend,
    later,
    mailed_token,
    make_admin,
    motion,
    refusal,
    refused,
    register,
    signed_in_elsewhere,
)
from synovia.testing import Caller, TestApp

DAY = 86_400
NEW = "nina@example.org"


@dataclass
class RunningHub:
    """Anna and Otto are physiotherapists, Ben is a patient; Nina has no account."""

    app: TestApp
    anna: Person
    otto: Person
    ben: Person
    nina: Caller

    async def invited(self, email: str = NEW, **more: Any) -> tuple[str, str]:
        """Let Anna invite somebody; give the invite's id and the token of the mail."""
        invite = await self.anna.mutation("invites:create", email=email, **more)
        return invite, await mailed_token(self.app)

    async def status(self, invite: str) -> str:
        [found] = [each for each in await self.anna.query("invites:list_sent") if each["_id"] == invite]
        return str(found["status"])


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with TestApp(motion()) as app:
        anna, otto = [await register(app, name, "physiotherapist") for name in ("Anna", "Otto")]
        yield RunningHub(app, anna, otto, await register(app, "Ben", "patient"), app.caller(NEW))


class TestSending:
    async def test_the_mail(self, clinic: RunningHub) -> None:
        await clinic.anna.mutation("invites:create", email=" Nina@Example.ORG", alias="knee, left")
        token = await mailed_token(clinic.app)
        [mail] = clinic.app.mails
        text = mail.get_content()
        assert mail["To"] == NEW
        assert mail["Subject"] == "Anna would like to be in touch with you"
        assert "Anna (anna@example.org)" in text
        assert f"https://synovia.invalid/#/invite/{token}" in text
        assert len(token) >= 43
        assert "knee, left" not in text
        [sent] = await clinic.anna.query("invites:list_sent")
        assert sent.keys() == {
            "_id", "toEmail", "alias", "status", "expiresAt", "createdAt", "sentAt", "timesSent"
        }  # fmt: skip
        assert (sent["toEmail"], sent["alias"], sent["status"], sent["timesSent"]) == (NEW, "knee, left", "pending", 1)
        assert sent["expiresAt"] - sent["createdAt"] == 14 * DAY * 1000

    async def test_the_answer_tells_nothing_of_the_address(self, clinic: RunningHub) -> None:
        for email in (NEW, clinic.ben.email, clinic.otto.email):
            for path in ("invites:create", "contacts:add"):
                person = clinic.anna if path == "invites:create" else clinic.ben
                if email == person.email:
                    continue
                assert len(await person.mutation(path, email=email)) == 24
        await clinic.app.advance(0)
        shown = [set(each) for each in await clinic.anna.query("invites:list_sent")]
        assert len(shown) == 3
        assert all(keys == shown[0] for keys in shown)
        assert {mail["To"] for mail in clinic.app.mails} == {NEW, clinic.ben.email, clinic.otto.email}
        assert await clinic.anna.query("contacts:list_mine") == []

    async def test_no_token_is_in_the_database_or_in_what_is_scheduled(self, clinic: RunningHub) -> None:
        _, token = await clinic.invited()
        ts, _ = await clinic.app.store.newest()
        snapshot = clinic.app.store.snapshot(ts)
        from synovia import keys
        from synovia.keys import BY_ID, Order

        for table in clinic.app.registry.tables:
            for document in await snapshot.scan(table.name, BY_ID, keys.prefix(()), Order.ASC):
                assert token not in str(document), table.name

    async def test_refused(self, clinic: RunningHub) -> None:
        await befriend(clinic.anna, clinic.ben)
        async with refused("already_a_contact"):
            await clinic.anna.mutation("invites:create", email=clinic.ben.email)
        async with refused("invalid_arguments"):
            await clinic.anna.mutation("invites:create", email="ANNA@example.org")
        invite = await clinic.anna.mutation("invites:create", email=NEW)
        code, _, data = await refusal(clinic.anna.mutation("invites:create", email=NEW.upper()))
        assert (code, data) == ("already_invited", {"inviteId": invite})
        for email in ("", "nina", "a b@example.org", "a@x,b@y", "<a@b>", "x" * 250 + "@example.org", None, 5):
            async with refused("invalid_arguments"):
                await clinic.anna.mutation("invites:create", email=email)
        async with refused("invalid_arguments"):
            await clinic.anna.mutation("invites:create", email="x@example.org", alias="x" * 201)

    async def test_only_physiotherapists_send_mail(self, clinic: RunningHub) -> None:
        admin = await make_admin(clinic.app, "Ada")
        invite = await clinic.anna.mutation("invites:create", email=NEW)
        for person in (clinic.ben, admin):
            async with refused("forbidden"):
                await person.mutation("invites:create", email=NEW)
            async with refused("forbidden"):
                await person.mutation("invites:resend", inviteId=invite)
        async with refused("not_registered"):
            await clinic.nina.mutation("invites:create", {"email": "x@example.org"})

    async def test_a_name_is_no_way_to_send_links_to_strangers(self, clinic: RunningHub) -> None:
        await clinic.anna.mutation("users:rename", name="You have won! https://evil.example/claim")
        await clinic.invited()
        [mail] = clinic.app.mails
        assert "evil" not in str(mail["Subject"])
        assert "evil" not in mail.get_content()
        assert mail["Subject"] == "anna@example.org would like to be in touch with you"

    @pytest.mark.slow
    async def test_numbers_are_bounded(self, clinic: RunningHub) -> None:
        for number in range(50):
            await clinic.anna.mutation("invites:create", email=f"p{number}@example.org")
        code, _, data = await refusal(clinic.anna.mutation("invites:create", email=NEW))
        assert code == "rate_limited"
        await later(clinic.app, data["retryAt"] / 1000 - clinic.app.clock.now + 1)
        for number in range(50, 100):
            await clinic.anna.mutation("invites:create", email=f"p{number}@example.org")
        await later(clinic.app, DAY + 1)
        async with refused("limit_exceeded"):
            await clinic.anna.mutation("invites:create", email=NEW)
        for each in (await clinic.anna.query("invites:list_sent"))[:1]:
            await clinic.anna.mutation("invites:withdraw", inviteId=each["_id"])
        await clinic.anna.mutation("invites:create", email=NEW)

    async def test_one_address_gets_few_mails_a_day(self, clinic: RunningHub) -> None:
        senders = [await register(clinic.app, f"Sender{number}", "physiotherapist") for number in range(7)]
        for sender in senders:
            await sender.mutation("invites:create", email=NEW)
        await clinic.app.advance(0)
        assert len(clinic.app.mails) == 5
        # All of them are there, whether mailed or not, and look the same but for that.
        assert len(await clinic.nina.query("invites:list_received")) == 7


class TestSendingAgain:
    async def test_both_links_are_good_until_the_new_day(self, clinic: RunningHub) -> None:
        invite, first = await clinic.invited()
        await later(clinic.app, 20 * DAY)
        assert await clinic.status(invite) == "expired"
        await clinic.anna.mutation("invites:resend", inviteId=invite)
        second = await mailed_token(clinic.app)
        assert first != second
        for token in (first, second):
            assert (await clinic.nina.query("invites:look", {"token": token}))["status"] == "pending"
        [sent] = await clinic.anna.query("invites:list_sent")
        assert sent["timesSent"] == 2
        assert sent["expiresAt"] == pytest.approx(clinic.app.clock.now * 1000 + 14 * DAY * 1000, abs=60_000)
        await clinic.nina.mutation("invites:accept", {"token": first})

    async def test_not_too_often(self, clinic: RunningHub) -> None:
        invite, _ = await clinic.invited()
        code, _, data = await refusal(clinic.anna.mutation("invites:resend", inviteId=invite))
        assert code == "rate_limited"
        assert data["retryAt"] > clinic.app.clock.now * 1000
        for _ in range(4):
            await later(clinic.app, 61)
            await clinic.anna.mutation("invites:resend", inviteId=invite)
        await later(clinic.app, 61)
        async with refused("limit_exceeded"):
            await clinic.anna.mutation("invites:resend", inviteId=invite)
        assert len(clinic.app.mails) == 5

    async def test_only_ones_own_and_only_while_it_is_open(self, clinic: RunningHub) -> None:
        invite, token = await clinic.invited()
        for path in ("invites:resend", "invites:withdraw"):
            for invite_id in (invite, MISSING_ID, "nonsense"):
                answer = await refusal(clinic.otto.mutation(path, inviteId=invite_id))
                assert answer == ("not_found", "there is no such invite", None)
        await clinic.nina.mutation("invites:accept", {"token": token})
        for path in ("invites:resend", "invites:withdraw"):
            async with refused("invite_accepted"):
                await clinic.anna.mutation(path, inviteId=invite)


class TestLooking:
    async def test_it_shows_the_senders_name_and_no_more_without_signing_in(self, clinic: RunningHub) -> None:
        _, token = await clinic.invited(alias="N.")
        seen = await clinic.app.caller(None).query("invites:look", {"token": token})
        assert seen.keys() == {"fromName", "status", "expiresAt"}
        assert (seen["fromName"], seen["status"]) == ("Anna", "pending")

    async def test_wrong_tokens_show_nothing(self, clinic: RunningHub) -> None:
        invite, token = await clinic.invited()
        for wrong in (token[:-1], token + "A", token.swapcase(), invite, "x", "null", "é" * 50, "x" * 200):
            assert await clinic.app.caller(None).query("invites:look", {"token": wrong}) is None
            async with refused("not_found"):
                await clinic.nina.mutation("invites:accept", {"token": wrong})
        nonsense: list[Any] = ["", "x" * 201, None, 5, ["x"], {"$ne": ""}]
        for value in nonsense:
            async with refused("invalid_arguments"):
                await clinic.app.caller(None).query("invites:look", {"token": value})

    async def test_nothing_once_the_sender_is_archived_or_gone(self, clinic: RunningHub) -> None:
        _, token = await clinic.invited()
        admin = await make_admin(clinic.app, "Ada")
        await admin.mutation("admin:archive_user", userId=clinic.anna.id)
        assert await clinic.nina.query("invites:look", {"token": token}) is None
        assert await clinic.nina.query("invites:list_received") == []
        async with refused("not_found"):
            await clinic.nina.mutation("invites:accept", {"token": token})
        await admin.mutation("admin:restore_user", userId=clinic.anna.id)
        assert len(await clinic.nina.query("invites:list_received")) == 1
        await clinic.anna.mutation("users:delete_account", email=clinic.anna.email)
        assert await clinic.nina.query("invites:look", {"token": token}) is None


class TestAccepting:
    async def test_a_newcomer_becomes_a_patient_and_both_are_contacts(self, clinic: RunningHub) -> None:
        invite, token = await clinic.invited(alias="N.")
        user_id = await clinic.nina.mutation("invites:accept", {"token": token, "name": "Nina"})
        me = await clinic.nina.query("users:me")
        assert (me["_id"], me["role"], me["name"], me["email"]) == (user_id, "patient", "Nina", NEW)
        assert await clinic.anna.contacts() == ["N."]
        [anna] = await clinic.nina.query("contacts:list_mine")
        assert (anna["userId"], anna["name"]) == (clinic.anna.id, "Anna")
        assert "alias" not in anna
        assert await clinic.status(invite) == "accepted"
        await clinic.anna.save(subjectId=user_id)
        assert len(await clinic.nina.query("recordings:list_of_me")) == 1

    async def test_who_has_an_account_keeps_it(self, clinic: RunningHub) -> None:
        _, token = await clinic.invited(clinic.otto.email)
        assert await clinic.otto.mutation("invites:accept", token=token, name="Somebody") == clinic.otto.id
        me = await clinic.otto.query("users:me")
        assert (me["role"], me["name"]) == ("physiotherapist", "Otto")
        assert await clinic.anna.contacts() == ["Otto"]

    async def test_whoever_has_the_link_may_use_another_address(self, clinic: RunningHub) -> None:
        invite, token = await clinic.invited()
        work = signed_in_elsewhere(clinic.app, "nina@work.example", name="Nina")
        await work.mutation("invites:accept", {"token": token})
        assert [view["email"] for view in await clinic.anna.query("contacts:list_mine")] == ["nina@work.example"]
        async with refused("invite_accepted"):
            await clinic.nina.mutation("invites:accept", {"token": token})
        async with refused("invite_accepted"):
            await clinic.nina.mutation("invites:accept_received", {"inviteId": invite})
        assert await clinic.nina.query("users:me") is None

    async def test_a_newcomer_needs_an_address_that_somebody_vouches_for(self, clinic: RunningHub) -> None:
        invite, token = await clinic.invited()
        nobody = signed_in_elsewhere(clinic.app, None)
        async with refused("email_missing"):
            await nobody.mutation("invites:accept", {"token": token})
        assert await clinic.status(invite) == "pending"

    async def test_not_by_oneself_and_not_unless_signed_in(self, clinic: RunningHub) -> None:
        invite, token = await clinic.invited()
        async with refused("own_invite"):
            await clinic.anna.mutation("invites:accept", token=token)
        async with refused("unauthenticated"):
            await clinic.app.caller(None).mutation("invites:accept", {"token": token})
        assert await clinic.anna.query("contacts:list_mine") == []
        assert await clinic.status(invite) == "pending"

    async def test_not_by_an_archived_account(self, clinic: RunningHub) -> None:
        admin = await make_admin(clinic.app, "Ada")
        invite, token = await clinic.invited(clinic.ben.email)
        await admin.mutation("admin:archive_user", userId=clinic.ben.id)
        for path, args in (
            ("invites:accept", {"token": token}),
            ("invites:accept_received", {"inviteId": invite}),
            ("invites:decline", {"inviteId": invite}),
        ):
            async with refused("forbidden"):
                await clinic.ben.mutation(path, **args)

    async def test_again_changes_nothing(self, clinic: RunningHub) -> None:
        invite, token = await clinic.invited()
        first = await clinic.nina.mutation("invites:accept", {"token": token, "name": "Nina"})
        await clinic.anna.mutation("contacts:remove", userId=first)
        assert await clinic.nina.mutation("invites:accept", {"token": token, "name": "Else"}) == first
        assert await clinic.nina.mutation("invites:accept_received", {"inviteId": invite}) == first
        # An invite is used up: it does not bring back a contact that was ended.
        assert await clinic.anna.query("contacts:list_mine") == []

    async def test_withdrawn_declined_expired(self, clinic: RunningHub) -> None:
        for end, code in (("withdraw", "invite_withdrawn"), ("decline", "invite_declined"), ("", "invite_expired")):
            invite, token = await clinic.invited()
            if end == "withdraw":
                await clinic.anna.mutation("invites:withdraw", inviteId=invite)
            elif end == "decline":
                await clinic.nina.mutation("invites:decline", {"inviteId": invite})
            else:
                await later(clinic.app, 14 * DAY)
            async with refused(code):
                await clinic.nina.mutation("invites:accept", {"token": token})
            async with refused(code):
                await clinic.nina.mutation("invites:accept_received", {"inviteId": invite})
            async with refused(code):
                await clinic.nina.mutation("invites:decline", {"inviteId": invite})
            assert await clinic.status(invite) == code.removeprefix("invite_")
            assert await clinic.nina.query("invites:list_received") == []
        assert await clinic.nina.query("users:me") is None


class TestReceived:
    async def test_the_address_decides_not_the_account(self, clinic: RunningHub) -> None:
        invite, _ = await clinic.invited()
        [received] = await clinic.nina.query("invites:list_received")
        assert received.keys() == {"_id", "fromName", "fromEmail", "expiresAt"}
        assert (received["_id"], received["fromEmail"]) == (invite, "anna@example.org")
        assert len(await signed_in_elsewhere(clinic.app, "NINA@example.org").query("invites:list_received")) == 1
        for stranger in (clinic.ben.caller, clinic.otto.caller, signed_in_elsewhere(clinic.app, None, name=NEW)):
            assert await stranger.query("invites:list_received", {}) == []
            for path in ("invites:accept_received", "invites:decline"):
                for invite_id in (invite, MISSING_ID):
                    answer = await refusal(stranger.mutation(path, {"inviteId": invite_id}))
                    assert answer == ("not_found", "there is no such invite", None)
        assert await clinic.nina.mutation("invites:accept_received", {"inviteId": invite, "name": "Nina"})
        assert await clinic.anna.contacts() == ["Nina"]

    async def test_patients_ask_without_mail_and_both_asking_is_consent(self, clinic: RunningHub) -> None:
        await clinic.ben.mutation("contacts:add", email=clinic.anna.email, alias="my physio")
        await clinic.app.advance(0)
        assert clinic.app.mails == []
        assert await clinic.anna.query("contacts:list_mine") == []
        assert len(await clinic.anna.query("invites:list_received")) == 1
        await clinic.anna.mutation("invites:create", email=clinic.ben.email, alias="B.")
        await clinic.app.advance(0)
        assert clinic.app.mails == []
        assert (await clinic.anna.contacts(), await clinic.ben.contacts()) == (["B."], ["my physio"])
        assert [each["status"] for each in await clinic.ben.query("invites:list_sent")] == ["accepted"]

    async def test_a_patient_may_take_a_request_back(self, clinic: RunningHub) -> None:
        invite = await clinic.ben.mutation("contacts:add", email=clinic.anna.email)
        await clinic.ben.mutation("invites:withdraw", inviteId=invite)
        assert await clinic.anna.query("invites:list_received") == []
        async with refused("invite_withdrawn"):
            await clinic.anna.mutation("invites:accept_received", inviteId=invite)


async def test_old_invites_are_deleted(clinic: RunningHub) -> None:
    await clinic.invited()
    await later(clinic.app, 100 * DAY)
    [sent] = await clinic.anna.query("invites:list_sent")
    assert sent["status"] == "expired"
    await later(clinic.app, 6 * DAY)
    assert await clinic.anna.query("invites:list_sent") == []
