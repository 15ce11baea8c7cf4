"""What a page is told of the ways to sign in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.routing import Route

from auth.sign_in_scene import CERTS, DESKTOP, JWKS, WEB, SignInScene, settings_of
from helpers.key_server import KeyServer
from synovia.auth.development import DevelopmentAuthenticator
from synovia.auth.issuers import clerk
from synovia.auth.routes import routes
from synovia.auth.settings import AuthSettings
from synovia.auth.sign_in import SignInService
from synovia.auth.tokens import REFUSAL
from synovia.identity import InvalidToken
from synovia.mail.smtp import ConsoleMailer
from synovia.store.base import Store

NOBODY: dict[str, Any] = {"googleClientId": None, "email": False, "development": False, "issuers": []}


async def told(sign_in: SignInService) -> Any:
    """Ask the route as a page does."""
    [route] = [route for route in routes(sign_in) if isinstance(route, Route) and route.path == "/auth/config"]
    response = await route.endpoint(Request({"type": "http", "method": "GET", "headers": []}))
    assert response.headers["cache-control"] == "no-store"
    return json.loads(response.body)


async def test_a_page_learns_of_google_by_the_first_client_id(scene: SignInScene) -> None:
    assert (await told(scene.sign_in))["googleClientId"] == DESKTOP


async def test_a_desktop_program_learns_the_issuers_and_their_client_ids(scene: SignInScene) -> None:
    answer = await told(scene.sign_in)
    assert answer == NOBODY | {"googleClientId": DESKTOP, "issuers": answer["issuers"]}
    assert {each["issuer"]: each["clientIds"] for each in answer["issuers"]} == {
        "https://accounts.google.com": [DESKTOP, WEB],
        scene.issuer: ["the-app"],
    }


async def test_an_issuer_that_knows_no_client_ids_is_not_told(store: Store) -> None:
    by_page = clerk("https://clerk.example.org", ["https://app.example.org"])
    sign_in = SignInService.configured(AuthSettings(issuers=(by_page,)), store)
    assert sign_in is not None
    assert await told(sign_in) == NOBODY
    for each in sign_in._verifiers:
        await each.close()


async def test_a_page_learns_of_codes_by_mail_and_of_development(store: Store) -> None:
    by_name = DevelopmentAuthenticator("127.0.0.1")
    sign_in = SignInService.configured(AuthSettings(), store, development=by_name, mailer=ConsoleMailer())
    assert sign_in is not None
    assert await told(sign_in) == NOBODY | {"email": True, "development": True}


@pytest.mark.parametrize("token", ["alice", "alice@example.org", "a.b@example.org"])
async def test_in_development_what_is_no_token_is_told_what_is_one_and_elsewhere_nothing(
    store: Store, scene: SignInScene, token: str
) -> None:
    by_name = DevelopmentAuthenticator("127.0.0.1")
    sign_in = SignInService.configured(AuthSettings(), store, development=by_name, mailer=ConsoleMailer())
    assert sign_in is not None
    for service, words in ((sign_in, f"{REFUSAL}: in development it is dev:EMAIL"), (scene.sign_in, REFUSAL)):
        with pytest.raises(InvalidToken) as refused:
            await service.authenticate(token)
        assert str(refused.value).startswith(words)
        assert ("dev:" in str(refused.value)) == (service is sign_in)


async def test_nothing_else_of_the_settings_is_told(store: Store, key_server: KeyServer) -> None:
    settings = settings_of(key_server, secret="x" * 40)
    sign_in = SignInService.configured(settings, store)
    assert sign_in is not None
    answer = json.dumps(await told(sign_in))
    assert "x" * 40 not in answer
    assert CERTS not in answer
    assert JWKS not in answer
    assert "organizationId" not in answer
    for each in sign_in._verifiers:
        await each.close()
