"""Codes and links by mail, through a real SMTP server on this machine."""

from __future__ import annotations

import asyncio
import re

import pytest

from auth.email_sign_in import is_refused, newest, sign_in_with
from helpers.mail_server import MailServer
from helpers.token_issuing import MovedClock
from synovia import keys
from synovia.auth.email import BY_IDLE, CODES, EmailSignIn
from synovia.auth.records import Records
from synovia.identity import Identity, InvalidToken, SignInUnavailable
from synovia.limits.rate import LimitReached, Rates
from synovia.mail.smtp import ConsoleMailer
from synovia.store.base import Store

pytestmark = pytest.mark.alike

ALICE = Identity("email", "alice@example.org", "alice@example.org")


@pytest.fixture
def email(any_store: Store, mail_server: MailServer, clock: MovedClock) -> EmailSignIn:
    return sign_in_with(any_store, mail_server, clock)


async def test_a_code_signs_in_once(email: EmailSignIn, mail_server: MailServer) -> None:
    asked = await email.ask(" Alice@Example.org ")
    to, message = mail_server.received[-1]
    assert (to, message["From"]) == ("alice@example.org", "Motion <no-reply@example.org>")
    code, link = newest(mail_server)
    assert code not in message["Subject"]
    assert await email.authenticate(f"email-code:{asked.challenge}:{code[:4]} {code[4:]}") == ALICE
    await is_refused(email, f"email-code:{asked.challenge}:{code}")
    await is_refused(email, link)


async def test_a_link_signs_in_once(email: EmailSignIn, mail_server: MailServer) -> None:
    asked = await email.ask("alice@example.org")
    code, link = newest(mail_server)
    assert await email.authenticate(link) == ALICE
    await is_refused(email, link)
    await is_refused(email, f"email-code:{asked.challenge}:{code}")


async def test_a_code_needs_the_challenge_it_was_sent_for(email: EmailSignIn, mail_server: MailServer) -> None:
    """Who asks for codes in somebody else's name learns nothing about those that the other one waits for."""
    mine = await email.ask("alice@example.org")
    code, _ = newest(mail_server)
    forgers = await email.ask("alice@example.org")
    for _ in range(10):
        await is_refused(email, f"email-code:{forgers.challenge}:{code}")
    assert await email.authenticate(f"email-code:{mine.challenge}:{code}") == ALICE


@pytest.mark.parametrize("spoilt", [1, 4, 5])
async def test_five_guesses_are_all(email: EmailSignIn, mail_server: MailServer, spoilt: int) -> None:
    asked = await email.ask("alice@example.org")
    code, link = newest(mail_server)
    for number in range(spoilt):
        await is_refused(email, f"email-code:{asked.challenge}:{(int(code) + 1 + number) % 10**8:08}")
    if spoilt < 5:
        assert await email.authenticate(f"email-code:{asked.challenge}:{code}") == ALICE
    else:
        await is_refused(email, f"email-code:{asked.challenge}:{code}")
        await is_refused(email, link)


async def test_guesses_at_many_hubs_at_once_are_counted(
    any_store: Store, mail_server: MailServer, clock: MovedClock
) -> None:
    hubs = [sign_in_with(any_store, mail_server, clock) for _ in range(5)]
    asked = await hubs[0].ask("alice@example.org")
    code, _ = newest(mail_server)
    wrong = f"email-code:{asked.challenge}:{(int(code) + 1) % 10**8:08}"
    await asyncio.gather(*(is_refused(each, wrong) for each in hubs))
    await is_refused(hubs[0], f"email-code:{asked.challenge}:{code}")


async def test_the_right_code_at_two_hubs_at_once_signs_in_one(
    any_store: Store, mail_server: MailServer, clock: MovedClock
) -> None:
    hubs = [sign_in_with(any_store, mail_server, clock) for _ in range(3)]
    asked = await hubs[0].ask("alice@example.org")
    code, _ = newest(mail_server)
    tokens = (each.authenticate(f"email-code:{asked.challenge}:{code}") for each in hubs)
    outcomes = await asyncio.gather(*tokens, return_exceptions=True)
    assert sum(each == ALICE for each in outcomes) == 1
    assert sum(isinstance(each, InvalidToken) for each in outcomes) == 2


async def test_codes_and_links_end_by_the_clock(email: EmailSignIn, mail_server: MailServer, clock: MovedClock) -> None:
    asked = await email.ask("alice@example.org")
    code, link = newest(mail_server)
    clock.advance(601)
    await is_refused(email, f"email-code:{asked.challenge}:{code}")
    await is_refused(email, link)


async def test_nothing_at_rest_signs_in(email: EmailSignIn, mail_server: MailServer, any_store: Store) -> None:
    asked = await email.ask("alice@example.org")
    code, link = newest(mail_server)
    at_rest = repr(await Records(any_store, CODES.name).find(BY_IDLE, keys.prefix(()), 10))
    assert "alice@example.org" in at_rest
    assert code not in at_rest
    assert asked.challenge.partition(".")[2] not in at_rest
    assert link.removeprefix("email-link:")[-20:] not in at_rest


@pytest.mark.parametrize(
    "token",
    [
        "email-code:",
        "email-code:::",
        "email-code:e_0.x:1",
        "email-code:" + "e_" + "0" * 32 + ".x:12345678",
        "email-link:",
        "email-link:!!!",
        "email-link:ZV8w",
        "email-link:" + "A" * 9000,
        "email-link:w7w",
    ],
)
async def test_what_was_never_sent_is_refused(email: EmailSignIn, token: str) -> None:
    await email.ask("alice@example.org")
    await is_refused(email, token)


# --- limits


async def test_mail_to_one_address_is_limited_across_hubs(
    any_store: Store, mail_server: MailServer, clock: MovedClock
) -> None:
    hubs = [sign_in_with(any_store, mail_server, clock, per_address=3) for _ in range(2)]
    for number in range(3):
        await hubs[number % 2].ask("alice@example.org", "10.0.0.9")
        clock.advance(60)
    for each in hubs:
        with pytest.raises(LimitReached) as caught:
            await each.ask("ALICE@example.org", "10.0.0.9")
        assert 3400 < caught.value.retry_after < 3600
    await hubs[0].ask("bob@example.org", "10.0.0.9")
    clock.advance(3_421)
    await hubs[0].ask("alice@example.org", "10.0.0.9")
    assert len(mail_server.received) == 5


async def test_what_one_network_address_may_ask_for_is_limited(
    store: Store, mail_server: MailServer, clock: MovedClock
) -> None:
    email = sign_in_with(store, mail_server, clock, per_client=4)
    for number in range(4):
        await email.ask(f"person{number}@example.org", "10.0.0.1")
    with pytest.raises(LimitReached):
        await email.ask("person5@example.org", "10.0.0.1")
    await email.ask("person5@example.org", "10.0.0.2")
    clock.advance(900)
    await email.ask("person6@example.org", "10.0.0.1")


def test_callers_are_forgotten_in_time(clock: MovedClock) -> None:
    rates = Rates(1, 60, clock.time)
    rates.take("first")
    for number in range(10_000):
        rates.take(f"caller {number}")
    rates.take("first")
    with pytest.raises(LimitReached):
        rates.take("first")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "@example.org",
        "alice@",
        "a b@example.org",
        "a@b@c",
        "alice@example.org\r\nBcc: eve@example.org",
        "alice@example.org, eve@example.org",
        "<alice@example.org>",
        "a" * 250 + "@example.org",
        "al\0ice@example.org",
        "al\u202eice@example.org",
        "al\u200bice@example.org",
        "alice\ufeff@example.org",
        "alice@example\u2066.org",
        "al\ud800ice@example.org",
    ],
)
async def test_what_is_no_address_gets_no_mail(email: EmailSignIn, mail_server: MailServer, address: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        await email.ask(address)
    assert mail_server.received == []


@pytest.mark.parametrize("fault", ["put off", "gone"])
async def test_mail_that_cannot_be_sent_is_said(email: EmailSignIn, mail_server: MailServer, fault: str) -> None:
    if fault == "gone":
        await mail_server.stop()
    mail_server.put_off = "alice@example.org"
    with pytest.raises(SignInUnavailable, match="cannot be sent"):
        await email.ask("alice@example.org")


async def test_in_development_mail_is_printed(store: Store, clock: MovedClock) -> None:
    shown: list[str] = []
    email = EmailSignIn(store, ConsoleMailer(shown.append), sender="synovia@localhost", clock=clock.time)
    asked = await email.ask("alice@example.org")
    code = re.search(r"^ +(\d{8})$", shown[0], re.M)
    assert code is not None
    assert shown[0].startswith("mail to alice@example.org: Sign in to Synovia")
    assert "http" not in shown[0]
    assert await email.authenticate(f"email-code:{asked.challenge}:{code[1]}") == ALICE


async def test_old_documents_are_deleted(email: EmailSignIn, any_store: Store, clock: MovedClock) -> None:
    await email.ask("alice@example.org")
    clock.advance(1800)
    await email.ask("bob@example.org")
    clock.advance(1801)
    await email.tidy()
    found = await Records(any_store, CODES.name).find(BY_IDLE, keys.prefix(()), 10)
    assert [each["email"] for each in found] == ["bob@example.org"]


def test_a_link_without_a_place_for_the_token_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="token"):
        EmailSignIn(store, ConsoleMailer(), sender="a@b", link="https://example.org")
