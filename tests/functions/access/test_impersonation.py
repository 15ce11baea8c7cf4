"""Looking at the application as another user, over a real socket, and the catalogue of what such a token cannot do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from jose import jwt

from functions.access.ward_callers import REGISTRY, appoint, sign_in
from helpers.raw_requests import ask
from helpers.running_hub import RunningHub, running_hub
from helpers.sync_server import Client, Running, client_of
from synovia import FunctionError, Identity, InvalidToken
from synovia.auth.development import DevelopmentAuthenticator, development_identity
from synovia.auth.tokens import REFUSAL, read
from synovia.config import Settings
from synovia.functions.access import CallOrigin
from synovia.identity import Impersonation
from synovia.testing import Clock, TestApp
from synovia_protocol.messages import Authenticated, AuthError

ANN, CHIEF = "ann@example.org", "chief@example.org"
LOOK = Impersonation(development_identity(CHIEF), "ward:look_as")


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(REGISTRY) as app:
        await appoint(app, "ann", "doctor")
        await appoint(app, "chief", "chief")
        yield app


async def lent(app: TestApp) -> str:
    token: str = await app.caller(CHIEF).mutation("ward:look_as", {"email": ANN, "reason": "she asked for help"})
    return token


async def refused(app: TestApp, token: str) -> str:
    with pytest.raises(InvalidToken) as caught:
        await app.sign_in.authenticate(token)
    assert str(caught.value) == REFUSAL
    return caught.value.reason


async def code_of(call: Any) -> str:
    with pytest.raises(FunctionError) as caught:
        await call
    return caught.value.code


# --- what it is for


async def test_the_token_shows_what_the_other_sees_and_changes_nothing(app: TestApp) -> None:
    looking = await app.bearer(await lent(app))
    assert looking.identity is not None
    assert (looking.identity.key, looking.identity.actor) == (f"dev|{ANN}", f"dev|{CHIEF}")
    assert await looking.query("ward:who") == f"dev|{ANN}"
    assert await looking.query("ward:for_capability") == 0
    assert await code_of(looking.query("ward:entries")) == "forbidden", "as the other, so without the admin's own role"
    assert await code_of(looking.mutation("ward:write", {"text": "in her name"})) == "forbidden"
    assert await code_of(looking.action("ward:act")) == "forbidden"
    assert await code_of(looking.action("ward:standing")) == "forbidden"


async def test_every_look_is_in_the_audit_table(app: TestApp) -> None:
    await lent(app)
    [entry] = await app.caller(CHIEF).query("ward:entries")
    assert entry["actor"] == f"dev|{CHIEF}"
    assert entry["subject"] == f"dev|{ANN}"
    assert entry["action"] == "impersonate"
    assert entry["reason"] == "she asked for help"
    assert entry["at"] == int(app.clock.now * 1000)


async def test_a_look_needs_the_right_and_a_reason(app: TestApp) -> None:
    look = {"email": CHIEF, "reason": "curious"}
    assert await code_of(app.caller(ANN).mutation("ward:look_as", look)) == "forbidden"
    assert await code_of(app.caller().mutation("ward:look_as", look)) == "unauthenticated"
    assert await code_of(app.caller(CHIEF).mutation("ward:look_as", look | {"reason": " "})) == "invalid_arguments"
    assert await app.caller(CHIEF).query("ward:entries") == []


async def test_nobody_can_look_from_within_a_look(app: TestApp) -> None:
    token: str = await app.caller(CHIEF).mutation("ward:look_as", {"email": CHIEF, "reason": "as myself"})
    looking = await app.bearer(token)
    assert await code_of(looking.mutation("ward:look_as", {"email": ANN, "reason": "further"})) == "forbidden"


# --- what such a token cannot do


async def test_it_ends_after_15_minutes_at_most(app: TestApp) -> None:
    token = await lent(app)
    claims = read(token).claims
    assert claims["exp"] - claims["iat"] <= 900
    app.clock.advance(899)
    assert (await app.bearer(token)).identity is not None
    app.clock.advance(2)
    assert await refused(app, token) == "expired"


async def test_it_gives_no_other_token(app: TestApp) -> None:
    signed_in = await app.sign_in.authenticate(await lent(app), exchange=True)
    assert (signed_in.token, signed_in.refresh_token) == (None, None)


async def test_it_can_be_revoked(app: TestApp) -> None:
    token = await lent(app)
    await app.sign_in.sign_out(token)
    assert await refused(app, token) == "the session was revoked"


async def test_it_ends_with_all_of_the_others_sessions(app: TestApp) -> None:
    token = await lent(app)
    assert await app.sign_in.sessions.revoke_all("dev", ANN) == 1
    assert await refused(app, token) == "the session was revoked"


async def test_it_ends_when_who_looks_signs_out(app: TestApp) -> None:
    own = await app.sign_in.sessions.open(development_identity(CHIEF))
    other = await app.sign_in.sessions.open(development_identity(ANN))
    token = await lent(app)
    await app.sign_in.sign_out(other.token or "")
    assert (await app.sign_in.authenticate(token)).identity.actor == f"dev|{CHIEF}", (
        "she is looked at, and does not look"
    )
    await app.sign_in.sign_out(own.refresh_token or "")
    assert await refused(app, token) == "the session was revoked"


async def test_it_ends_when_the_session_of_who_looks_was_stolen(app: TestApp) -> None:
    own = await app.sign_in.sessions.open(development_identity(CHIEF))
    token = await lent(app)
    await app.sign_in.authenticate(own.refresh_token or "")
    app.clock.advance(60)
    assert await refused(app, own.refresh_token or "") == "a refresh token was used again"
    assert await refused(app, token) == "the session was revoked"


async def test_its_end_before_its_time_is_in_the_audit_table(app: TestApp) -> None:
    token = await lent(app)
    await app.sign_in.sign_out(token)
    await app.sign_in.sign_out(token)
    ended, begun = sorted(await app.caller(CHIEF).query("ward:entries"), key=lambda entry: str(entry["action"]))[::-1]
    assert (begun["action"], ended["action"]) == ("impersonate", "impersonate.end")
    assert (ended["actor"], ended["subject"]) == (f"dev|{CHIEF}", f"dev|{ANN}")


@pytest.mark.parametrize("path", ["ward:who", "ward:for_capability", "ward:for_signed_in"])
@pytest.mark.parametrize("role", [None, "nurse"])
async def test_who_has_lost_the_role_looks_no_longer(app: TestApp, role: str | None, path: str) -> None:
    looking = await app.bearer(await lent(app))
    assert await looking.query(path) is not None
    await appoint(app, "chief", role)
    assert await code_of(looking.query(path)) == "forbidden"
    await appoint(app, "chief", "chief")
    assert await looking.query(path) is not None


async def test_a_look_that_was_not_committed_is_worth_nothing(app: TestApp) -> None:
    loan = await app.sign_in.sessions.impersonate(development_identity(ANN), LOOK)
    assert await refused(app, loan.token) == "the session is not there"


FORGERIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "without the actor": lambda claims: {name: claims[name] for name in claims if name != "act"},
    "another actor": lambda claims: claims | {"act": {"sub": "dev|somebody@example.org"}},
    "a chain of actors": lambda claims: claims | {"act": {"sub": claims["act"]["sub"], "act": {"sub": "dev|x"}}},
    "an actor that is a text": lambda claims: claims | {"act": claims["act"]["sub"]},
    "for refreshing": lambda claims: claims | {"use": "refresh", "gen": 1},
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_what_the_token_says_must_be_what_the_session_says(app: TestApp, forgery: str) -> None:
    """Even signed with the server's own key, which nobody has."""
    token = await lent(app)
    key = await app.sign_in.sessions._ring.signing()
    claims = FORGERIES[forgery](read(token).claims)
    forged = jwt.encode(claims, key.key, "HS256", headers={"kid": key.id})
    await refused(app, forged)


async def test_an_actor_in_an_ordinary_session_is_refused(app: TestApp) -> None:
    signed_in = await app.sign_in.sessions.open(development_identity(ANN))
    key = await app.sign_in.sessions._ring.signing()
    claims = read(signed_in.token or "").claims | {"act": {"sub": f"dev|{CHIEF}"}}
    await refused(app, jwt.encode(claims, key.key, "HS256", headers={"kid": key.id}))


async def test_looks_push_out_none_of_the_others_own_sessions(app: TestApp) -> None:
    own = await app.sign_in.sessions.open(development_identity(ANN))
    for _ in range(51):
        await lent(app)
    await app.sign_in.sessions.open(development_identity(ANN))
    assert (await app.sign_in.authenticate(own.token or "")).identity.email == ANN


async def test_who_looks_is_another_caller_to_live_queries() -> None:
    ann = development_identity(ANN)
    assert Identity(ann.issuer, ann.subject, ann.email, ann.name, impersonation=LOOK) != ann


# --- over a socket


async def look(ward: RunningHub, client: Client) -> str:
    for name, role in (("ann", "doctor"), ("chief", "chief")):
        args = {"email": f"{name}@example.org", "role": role}
        assert (await ward.app.engine.mutate("ward:appoint", args, None, origin=CallOrigin.APPLICATION)).error is None
    await sign_in(client, f"dev:{CHIEF}")
    response = await client.mutate("ward:look_as", {"email": ANN, "reason": "help"})
    assert response.error is None
    token: str = response.result
    return token


async def test_over_a_socket() -> None:
    clock = Clock(time.time())
    async with running_hub("sqlite://:memory:", REGISTRY, clock) as ward:
        running = Running(ward.app, None, ward.port)  # type: ignore[arg-type]
        async with client_of(running) as admin, client_of(running) as client:
            token = await look(ward, admin)
            await sign_in(client, token)
            assert await client.subscribe(1, "ward:who") == f"dev|{ANN}"
            refusal = await client.mutate("ward:write", {"text": "no"})
            assert refusal.error is not None
            assert refusal.error.code == "forbidden"
            acted = await client.response(await client.act("ward:act"))
            assert acted.error.code == "forbidden"
            clock.advance(901)
            await client.until(lambda event: isinstance(event, AuthError))
            assert (await client.result(1)).code == "unauthenticated"


async def test_a_role_that_is_lost_ends_it_at_once_on_the_connection() -> None:
    async with running_hub("sqlite://:memory:", REGISTRY) as ward:
        running = Running(ward.app, None, ward.port)  # type: ignore[arg-type]
        async with client_of(running) as admin, client_of(running) as client:
            await sign_in(client, await look(ward, admin))
            assert await client.subscribe(1, "ward:who") == f"dev|{ANN}"
            taken = {"email": CHIEF, "role": None}
            assert (
                await ward.app.engine.mutate("ward:appoint", taken, None, origin=CallOrigin.APPLICATION)
            ).error is None
            assert (await client.result(1)).code == "forbidden"


async def test_signing_out_ends_it_at_once_on_the_connection() -> None:
    async with running_hub("sqlite://:memory:", REGISTRY) as ward:
        running = Running(ward.app, None, ward.port)  # type: ignore[arg-type]
        async with client_of(running) as admin, client_of(running) as client:
            token = await look(ward, admin)
            await sign_in(client, token)
            assert await client.subscribe(1, "ward:who") == f"dev|{ANN}"
            answer = await ask(running, "POST", "/auth/sign-out", content_length="0", authorization=f"Bearer {token}")
            assert answer.status == 204
            assert (await client.result(1)).code == "unauthenticated"
            await client.send(client.session.authenticate(token))
            answer = await client.until(lambda event: isinstance(event, (Authenticated, AuthError)))
            assert isinstance(answer, AuthError)


async def test_without_a_desk_there_is_a_clear_error() -> None:
    from synovia.app import Synovia

    by_name = DevelopmentAuthenticator("127.0.0.1")
    server = Synovia(REGISTRY, store="sqlite://:memory:", settings=Settings(store=None), authenticator=by_name)
    await server.start()
    try:
        await server.engine.mutate(
            "ward:appoint", {"email": CHIEF, "role": "chief"}, None, origin=CallOrigin.APPLICATION
        )
        args = {"email": ANN, "reason": "help"}
        outcome = await server.engine.mutate("ward:look_as", args, development_identity(CHIEF))
    finally:
        await server.stop()
    assert outcome.error is not None
    assert outcome.error.code == "impersonation_unavailable"
