"""Somebody who guesses: at codes of many addresses, at who has asked for one, and at sessions of others."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from auth.email_sign_in import is_refused, newest, sign_in_with
from auth.issuing import MovedClock
from helpers.mail_server import MailServer
from synovia.auth.email import EmailSignIn
from synovia.store.base import Store


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
