"""Issuers, their key server, a clock that is moved, and a sign_in with the real verifiers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from auth.issuing import MovedClock, RsaSigner
from auth.key_server import KeyServer
from synovia.auth.settings import AuthSettings
from synovia.auth.sign_in import TABLES, SignInService
from synovia.store import open_store
from synovia.store.base import Store
from synovia.store.mongo import MongoStore

DESKTOP, WEB = "desktop.apps.example", "web.apps.example"
CERTS, JWKS = "/oauth2/v1/certs", "/jwks"


@pytest.fixture(autouse=True)
def loop_never_blocked() -> Iterator[None]:
    """Fail whoever blocks the event loop from within sign-in."""
    with blockbuster_ctx("synovia.auth"):
        yield


@pytest.fixture(scope="session")
def signer() -> RsaSigner:
    return RsaSigner("key-1")


@pytest.fixture(scope="session")
def second_signer() -> RsaSigner:
    return RsaSigner("key-2")


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(time.time())


@pytest.fixture
async def key_server(signer: RsaSigner) -> AsyncIterator[KeyServer]:
    """A key server with one key, as certificates and as a JWK set."""
    server = KeyServer()
    await server.start()
    server.documents[CERTS] = {signer.kid: signer.certificate}
    server.documents[JWKS] = {"keys": [signer.jwk]}
    yield server
    server.open.set()
    await server.stop()


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = open_store("sqlite://:memory:")
    await store.open(TABLES)
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def any_store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An open store with the tables of sign-in, of each kind."""
    if request.param == "sqlite":
        store: Store = open_store("sqlite://:memory:")
    else:
        store = MongoStore(request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name"))
    await store.open(TABLES)
    yield store
    await store.close()


@dataclass
class Place:
    """A sign_in that knows Google and another issuer, both served by one key server."""

    sign_in: SignInService
    server: KeyServer
    signer: RsaSigner
    clock: MovedClock
    issuer: str
    settings: AuthSettings = field(repr=False)

    def google_claims(self, **changed: Any) -> dict[str, Any]:
        """Claims of a good Google token; None leaves one out."""
        now = int(self.clock.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": DESKTOP,
            "azp": DESKTOP,
            "sub": "1098",
            "email": "Alice@Example.org",
            "email_verified": True,
            "name": "Alice",
            "picture": "https://example.org/alice.png",
            "iat": now,
            "exp": now + 3600,
        }
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Claims of a good token of the other issuer."""
        return self.google_claims(**{"iss": self.issuer, "aud": "the-app", "azp": None, "org": {"id": "o1"}} | changed)

    def google_token(self, **changed: Any) -> str:
        return self.signer.sign(self.google_claims(**changed))

    def token(self, **changed: Any) -> str:
        return self.signer.sign(self.claims(**changed))


def settings_of(server: KeyServer, **more: Any) -> AuthSettings:
    """Settings with Google and another issuer, both at one key server."""
    return AuthSettings.model_validate(
        {
            "google_client_ids": f"{DESKTOP}, {WEB}",
            "google_certs_url": server.url + CERTS,
            "issuers": [
                {
                    "issuer": server.url,
                    "audience": ["the-app"],
                    "jwks_uri": server.url + JWKS,
                    "claims": {"organizationId": "org.id"},
                }
            ],
            "key_fetch_timeout": 1.0,
            **more,
        }
    )


@pytest.fixture
async def place(store: Store, key_server: KeyServer, signer: RsaSigner, clock: MovedClock) -> AsyncIterator[Place]:
    settings = settings_of(key_server)
    sign_in = SignInService.configured(settings, store, clock=clock.time, monotonic=clock.monotonic)
    assert sign_in is not None
    yield Place(sign_in, key_server, signer, clock, key_server.url, settings)
    await sign_in.stop()
