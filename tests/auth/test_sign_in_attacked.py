"""Somebody who guesses: at codes of many addresses, at who has asked for one, and at sessions of others."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest

from auth.email_sign_in import is_refused, newest, sign_in_with
from helpers.mail_server import MailServer
from helpers.raw_requests import answer, head, line
from helpers.sync_server import client_of, serving
from helpers.token_issuing import MovedClock
from synovia import keys
from synovia.auth.email import BY_IDLE, CODES, EmailSignIn
from synovia.auth.records import Records
from synovia.limits.rate import LimitReached
from synovia.store.base import Store
from synovia_protocol.messages import Authenticated

pytestmark = pytest.mark.same_tables


@pytest.fixture
def email(any_store: Store, mail_server: MailServer, clock: MovedClock) -> EmailSignIn:
    return sign_in_with(any_store, mail_server, clock, per_client=1_000)


def guess_at(address: str, code: str) -> str:
    """Make a guess at somebody's code, whose document anybody can name, but not their challenge."""
    return f"email-code:e_{hashlib.sha256(address.encode()).hexdigest()[:32]}.{'x' * 32}:{code}"


async def test_a_guess_costs_the_same_whether_or_not_somebody_has_asked(
    email: EmailSignIn, any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One read and no write: neither the time that it takes nor a change at rest tells who waits for a code."""
    await email.ask("alice@example.org")
    calls: list[str] = []
    for name in ("commit", "snapshot"):
        original = getattr(any_store, name)

        def counted(argument: object, name: str = name, original: object = original) -> object:
            calls.append(name)
            return original(argument)  # type: ignore[operator]

        monkeypatch.setattr(any_store, name, counted)
    done = {}
    for address in ("alice@example.org", "nobody@example.org"):
        calls.clear()
        await is_refused(email, guess_at(address, "12345678"))
        done[address] = list(calls)
    assert done["alice@example.org"] == done["nobody@example.org"] == ["snapshot"]


async def test_guesses_across_accounts_lock_nobody_out(email: EmailSignIn, mail_server: MailServer) -> None:
    """Who guesses at everybody without their challenges spends nobody's attempts."""
    asked = {}
    for name in ("anna", "ben", "cleo"):
        challenge = (await email.ask(f"{name}@example.org")).challenge
        asked[name] = challenge, newest(mail_server)[0]
    guesses = (guess_at(f"{name}@example.org", f"{number:08}") for name in asked for number in range(20))
    await asyncio.gather(*(is_refused(email, guess) for guess in guesses))
    for name, (challenge, code) in asked.items():
        identity = await email.authenticate(f"email-code:{challenge}:{code}")
        assert identity.email == f"{name}@example.org"


async def test_a_challenge_that_was_put_upon_somebody_signs_in_only_as_who_was_asked_for(
    email: EmailSignIn, mail_server: MailServer
) -> None:
    """Fixation: an attacker asks for a code of their own and hands the challenge on; the other's code does not fit it."""
    attackers = await email.ask("attacker@example.org")
    await email.ask("alice@example.org")
    code, _ = newest(mail_server)
    await is_refused(email, f"email-code:{attackers.challenge}:{code}")
    document = attackers.challenge.partition(".")[0]
    victims = hashlib.sha256(b"alice@example.org").hexdigest()[:32]
    await is_refused(email, f"email-code:{attackers.challenge.replace(document, f'e_{victims}')}:{code}")


async def wrong_guesses(email: EmailSignIn, challenge: str, many: int) -> None:
    """Guess at a code of one's own challenge; no code begins with letters, so each guess is wrong."""
    for number in range(many):
        await is_refused(email, f"email-code:{challenge}:x{number}")


async def is_limited(email: EmailSignIn, address: str, client: str) -> None:
    with pytest.raises(LimitReached):
        await email.ask(address, client)


async def test_who_uses_up_the_mail_of_somebody_keeps_them_out_of_nothing(
    any_store: Store, mail_server: MailServer, clock: MovedClock
) -> None:
    """At two hubs, from an address of their own: who is asked for at other places still gets a code, and it is good."""
    hubs = [sign_in_with(any_store, mail_server, clock) for _ in range(2)]
    for number in range(5):
        mallorys = await hubs[number % 2].ask("alice@example.org", "203.0.113.1")
        await wrong_guesses(hubs[number % 2], mallorys.challenge, 5)
    for each in hubs:
        await is_limited(each, "alice@example.org", "203.0.113.1")
    asked = await hubs[0].ask("alice@example.org", "192.0.2.7")
    code, _ = newest(mail_server)
    assert (await hubs[1].authenticate(f"email-code:{asked.challenge}:{code}")).email == "alice@example.org"


async def test_however_many_networks_ask_one_mailbox_is_not_flooded(
    email: EmailSignIn, mail_server: MailServer
) -> None:
    for number in range(20):
        await email.ask("alice@example.org", f"198.51.100.{number}")
    await is_limited(email, "alice@example.org", "198.51.100.99")
    assert len(mail_server.received) == 20


async def test_addresses_of_one_network_are_one(any_store: Store, mail_server: MailServer, clock: MovedClock) -> None:
    """Whoever has one IPv6 network has 2**64 addresses; the form in which one address comes makes no second one of it."""
    email = sign_in_with(any_store, mail_server, clock, per_client=4)
    for number in range(4):
        await email.ask(f"person{number}@example.org", f"2001:db8:0:7::{number + 1:x}")
    await is_limited(email, "person4@example.org", "2001:db8:0:7:ffff::1")
    await email.ask("person4@example.org", "2001:db8:0:8::1")
    for number in range(4):
        await email.ask(f"person{number}@example.org", ("192.0.2.1", "::ffff:192.0.2.1")[number % 2])
    await is_limited(email, "person5@example.org", "192.0.2.1")


async def test_an_account_that_is_guessed_at_gets_codes_that_nobody_guesses(
    email: EmailSignIn, mail_server: MailServer, clock: MovedClock
) -> None:
    """From ever other networks: ten guesses at codes of 8 digits in a day, at no more; then 12, until its owner signs in."""
    for number in range(2):
        asked = await email.ask("alice@example.org", f"198.51.100.{number}")
        assert len(newest(mail_server)[0]) == 8
        await wrong_guesses(email, asked.challenge, 5)
    clock.advance(3_600)
    await email.tidy()
    asked = await email.ask("alice@example.org", "192.0.2.7")
    code, _ = newest(mail_server)
    assert len(code) == 12
    await email.ask("ben@example.org", "192.0.2.7")
    assert len(newest(mail_server)[0]) == 8, "nobody guesses at his"
    assert (await email.authenticate(f"email-code:{asked.challenge}:{code}")).email == "alice@example.org"
    await email.ask("alice@example.org", "192.0.2.7")
    assert len(newest(mail_server)[0]) == 8


async def test_codes_that_were_asked_for_in_advance_take_one_guess_each_after_that(
    email: EmailSignIn, mail_server: MailServer
) -> None:
    """Twenty codes, and only then guesses: 10 at two of them, one at each other; the owner's own code is good."""
    asked = [
        (await email.ask("alice@example.org", f"198.51.100.{number}"), newest(mail_server)[0]) for number in range(19)
    ]
    owners = await email.ask("alice@example.org", "192.0.2.7")
    code, _ = newest(mail_server)
    for each, _ in asked[:2]:
        await wrong_guesses(email, each.challenge, 5)
    for each, right in asked[2:]:
        await wrong_guesses(email, each.challenge, 1)
        await is_refused(email, f"email-code:{each.challenge}:{right}")
    assert await email.authenticate(f"email-code:{owners.challenge}:{code}")


async def test_wrong_guesses_are_forgotten_after_a_day(
    email: EmailSignIn, mail_server: MailServer, clock: MovedClock, any_store: Store
) -> None:
    for number in range(2):
        await wrong_guesses(email, (await email.ask("alice@example.org", f"198.51.100.{number}")).challenge, 5)
    clock.advance(86_401)
    await email.ask("alice@example.org")
    assert len(newest(mail_server)[0]) == 8
    clock.advance(3_601)
    await email.tidy()
    assert await Records(any_store, CODES.name).find(BY_IDLE, keys.prefix(()), 10) == []


async def test_a_mailbox_that_there_is_not_is_answered_alike(
    email: EmailSignIn, mail_server: MailServer, any_store: Store
) -> None:
    """Mail servers know who has a mailbox; those who ask for a code learn it from nobody."""
    mail_server.refused = "nobody@example.org"
    answers = [await email.ask(address) for address in ("alice@example.org", "nobody@example.org")]
    assert len({(each.expires_in, len(each.challenge)) for each in answers}) == 1
    assert [to for to, _ in mail_server.received] == ["alice@example.org"]


# --- clocks


@pytest.mark.parametrize("ahead", [600, 366 * 86_400])
async def test_a_clock_that_was_ahead_leaves_nothing_that_is_good_for_longer(
    email: EmailSignIn, mail_server: MailServer, clock: MovedClock, any_store: Store, ahead: int
) -> None:
    for _ in range(5):
        clock.now += ahead
        asked = await email.ask("alice@example.org", "192.0.2.7")
        code, link = newest(mail_server)
        await wrong_guesses(email, asked.challenge, 2)
        clock.now -= ahead
    if ahead > 3_600:
        await is_refused(email, f"email-code:{asked.challenge}:{code}")
        await is_refused(email, link)
        await email.tidy()
        assert await Records(any_store, CODES.name).find(BY_IDLE, keys.prefix(()), 10) == []
    asked = await email.ask("alice@example.org", "192.0.2.7")
    code, _ = newest(mail_server)
    assert await email.authenticate(f"email-code:{asked.challenge}:{code}")


async def test_a_network_waits_no_longer_because_the_clock_went_back(
    any_store: Store, mail_server: MailServer, clock: MovedClock
) -> None:
    email = sign_in_with(any_store, mail_server, clock, per_client=1)
    await email.ask("alice@example.org", "192.0.2.7")
    clock.now -= 366 * 86_400
    await is_limited(email, "ben@example.org", "192.0.2.7")
    clock.advance(3_600)
    await email.ask("ben@example.org", "192.0.2.7")


# --- over HTTP


async def test_nobody_asks_as_somebody_else_by_naming_another_address() -> None:
    """``X-Forwarded-For`` and the like of a peer that is no trusted proxy change nothing."""
    async with serving(development=True) as running, line(running) as (reader, writer):
        statuses = []
        for number in range(21):
            content = json.dumps({"email": f"person{number}@example.org"}).encode()
            named = f"198.51.100.{number}"
            told = {
                "x-forwarded-for": named,
                "forwarded": f"for={named}",
                "x-real-ip": named,
                "cf-connecting-ip": named,
            }
            sent = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(content))}
            writer.write(head("POST", "/auth/email", sent | told) + content)
            statuses.append((await answer(reader)).status)
    assert statuses == [202] * 20 + [429]


async def test_known_and_unknown_addresses_are_answered_alike() -> None:
    """To the byte, but for the challenge; who has signed in before is known, who has not is not."""
    async with serving(development=True) as running, line(running) as (reader, writer):
        async with client_of(running) as client:
            await client.send(client.session.authenticate("dev:alice@example.org"))
            await client.until(lambda event: isinstance(event, Authenticated))
        answers = []
        for name in ("alice", "nobody"):
            content = json.dumps({"email": f"{name}@example.org"}).encode()
            sent = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(content))}
            writer.write(head("POST", "/auth/email", sent) + content)
            status, headers, body = await answer(reader)
            challenge = json.loads(body)["challenge"]
            answers.append((status, headers | {"date": ""}, body.replace(challenge.encode(), b""), len(challenge)))
    assert answers[0] == answers[1]
