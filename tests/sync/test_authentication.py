from __future__ import annotations

import asyncio

import pytest

from sync.serving import client_of, serving
from synovia.auth.development import DevelopmentAuthenticator, NoSignIn, development_identity
from synovia.hosts import is_loopback
from synovia.identity import Authenticator, InvalidToken, SignIn
from synovia_protocol.messages import AuthError, QueryAdd


class Hanging:
    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        await asyncio.Event().wait()
        raise AssertionError("never")


class Failing:
    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        raise RuntimeError("the secret of the key server")


async def test_what_looks_at_the_caller_changes_with_the_caller() -> None:
    async with serving() as running, client_of(running) as client:
        assert await client.subscribe(1, "notes:who_am_i") is None
        await client.send(client.session.authenticate("dev:Alice@Example.org"))
        assert await client.result(1) == "alice@example.org"
        await client.send(client.session.authenticate("dev:bob@example.org"))
        assert await client.result(1) == "bob@example.org"
        await client.send(client.session.authenticate(None))
        assert await client.result(1) is None


async def test_messages_after_authenticate_are_of_the_new_caller() -> None:
    async with serving() as running, client_of(running) as client:
        session = client.session
        await client.send(
            session.authenticate("dev:alice@example.org"), session.modify([QueryAdd(1, "notes:who_am_i", {})])
        )
        assert await client.result(1) == "alice@example.org"


@pytest.mark.parametrize(
    ("authenticator", "token", "code"),
    [
        (NoSignIn(), "dev:alice@example.org", "invalid_token"),
        (NoSignIn(), "anything", "invalid_token"),
        (DevelopmentAuthenticator("127.0.0.1"), "alice@example.org", "invalid_token"),
        (DevelopmentAuthenticator("127.0.0.1"), "dev:nobody", "invalid_token"),
        (DevelopmentAuthenticator("127.0.0.1"), "dev:a b@c", "invalid_token"),
        (DevelopmentAuthenticator("127.0.0.1"), "dev:" + "a" * 300 + "@b", "invalid_token"),
        (Hanging(), "slow", "timeout"),
        (Failing(), "unlucky", "server_error"),
    ],
)
async def test_a_token_that_is_not_accepted_makes_the_caller_anonymous(
    authenticator: Authenticator, token: str, code: str
) -> None:
    async with serving(authenticator, authenticate_timeout=0.2) as running, client_of(running) as client:
        await client.send(client.session.authenticate(token))
        refused = await client.until(lambda event: isinstance(event, AuthError))
        assert refused.error.code == code
        assert "secret" not in refused.error.message
        assert await client.subscribe(1, "notes:who_am_i") is None


def test_development_sign_in_exists_only_on_a_loopback_address() -> None:
    with pytest.raises(ValueError, match="loopback"):
        DevelopmentAuthenticator("0.0.0.0")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.1.2.3")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "example.org", "192.168.0.1", "")] == [False] * 5


def test_an_address_is_one_identity_however_it_is_written() -> None:
    assert development_identity(" Alice@Example.ORG ") == development_identity("alice@example.org")
    with pytest.raises(InvalidToken):
        development_identity("@")
