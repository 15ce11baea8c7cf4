"""Issuers, their key server, a clock that is moved, and a sign_in with the real verifiers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import blockbuster_ctx

from auth.sign_in_scene import CERTS, JWKS, SignInScene, settings_of
from helpers.key_server import KeyServer
from helpers.mail_server import MailServer
from helpers.token_issuing import MovedClock, RsaSigner
from synovia.auth.service_keys import SERVICE_KEYS
from synovia.auth.sign_in import TABLES, SignInService
from synovia.store import open_store
from synovia.store.base import Store
from synovia.store.mongo import MongoStore


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
async def mail_server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
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
    await store.open([*TABLES, SERVICE_KEYS])
    yield store
    await store.close()


@pytest.fixture
async def scene(
    store: Store, key_server: KeyServer, signer: RsaSigner, clock: MovedClock
) -> AsyncIterator[SignInScene]:
    settings = settings_of(key_server)
    sign_in = SignInService.configured(settings, store, clock=clock.time, monotonic=clock.monotonic)
    assert sign_in is not None
    yield SignInScene(sign_in, key_server, signer, clock, key_server.url, settings)
    await sign_in.stop()
