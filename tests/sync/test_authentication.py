from __future__ import annotations

import asyncio

import pytest

from helpers.sync_server import client_of, fresh_board, serving
from synovia.auth.development import DevelopmentAuthenticator, NoSignIn, development_identity
from synovia.hosts import is_loopback
from synovia.identity import Authenticator, InvalidToken, SignIn
from synovia_protocol.messages import AuthError, MutationResponse, QueryAdd


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


async def test_nothing_sent_behind_a_refused_token_runs_as_nobody() -> None:
    async with serving(NoSignIn()) as running, client_of(running) as client:
        fresh_board()
        session = client.session
        await client.send(
            session.authenticate("dev:alice@example.org"),
            session.mutation(1, "notes:sign", {"board": "a"}),
            session.action(2, "notes:long_text", {"length": 1}),
        )
        for number in (1, 2):
            error = (await client.response(number)).error
            assert (error.code, error.data) == ("unauthenticated", {"signedOut": True})
        assert await client.subscribe(1, "notes:on_board", {"board": "a"}) == [], "queries go on as nobody's"
        await client.send(session.authenticate(None), session.mutation(3, "notes:sign", {"board": "a"}))
        assert (await client.response(3)).result == "nobody", "it has said that it goes on as nobody"


async def test_a_retry_behind_a_refused_token_is_not_answered() -> None:
    """Whether it has run is to be looked up for whoever sent it first, and they are not signed in."""
    async with serving(NoSignIn()) as running, client_of(running) as client:
        session = client.session
        await client.send(
            session.authenticate("dev:alice@example.org"),
            session.mutation(1, "notes:sign", {"board": "a"}, retry=True),
        )
        fatal, closed_with = await client.end()
        assert (fatal.error.code, fatal.retry_after, closed_with) == ("unauthenticated", 0.0, 4401)
        assert not [event for event in client.events if isinstance(event, MutationResponse)]


def test_development_sign_in_exists_only_on_a_loopback_address() -> None:
    with pytest.raises(ValueError, match="loopback"):
        DevelopmentAuthenticator("0.0.0.0")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.1.2.3")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "example.org", "192.168.0.1", "")] == [False] * 5


def test_an_address_is_one_identity_however_it_is_written() -> None:
    assert development_identity(" Alice@Example.ORG ") == development_identity("alice@example.org")
    with pytest.raises(InvalidToken):
        development_identity("@")
