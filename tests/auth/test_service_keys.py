"""Keys of services: over HTTP and sockets, with roles of their own, until they are revoked; the database holds no secret."""

from __future__ import annotations

from collections.abc import AsyncIterator

import bson
import httpx2 as httpx
import pytest

from apps import ward
from helpers.running_hub import RunningHub, running_hub
from synovia.auth.service_keys import SERVICE_KEYS, ServiceKeys
from synovia.errors import InvalidArguments
from synovia.functions.registry import collect
from synovia.identity import InvalidToken
from synovia.keys import BY_ID, between
from synovia.store.base import Store
from synovia_client import AuthenticationError, Client, FunctionError

pytestmark = pytest.mark.same_tables

WARD = collect("ward", [ward])


@pytest.fixture
async def running() -> AsyncIterator[RunningHub]:
    async with running_hub("sqlite://:memory:", WARD) as hub:
        yield hub


async def ask(hub: RunningHub, token: str, path: str = "ward:for_role") -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(
            f"http://127.0.0.1:{hub.port}/api/query",
            json={"path": path, "args": {}},
            headers={"authorization": f"Bearer {token}"},
        )


async def test_a_service_calls_with_the_roles_of_its_key(running: RunningHub) -> None:
    made = await running.app.service_keys.create("billing", ["doctor"])
    assert (await ask(running, made.token)).json() == {"result": 0}
    assert (await ask(running, made.token, "ward:who")).json() == {"result": "service|billing"}
    assert (await ask(running, made.token, "ward:for_nobody")).status_code == 404
    weaker = await running.app.service_keys.create("billing", ["nurse"])
    assert (await ask(running, weaker.token)).json()["error"]["code"] == "forbidden"
    unknown = await running.app.service_keys.create("billing", ["emperor"])
    assert (await ask(running, unknown.token)).json()["error"]["code"] == "forbidden"


async def test_a_revoked_key_ends_at_once_over_http_and_on_open_sockets(running: RunningHub) -> None:
    made = await running.app.service_keys.create("billing", ["doctor"])
    async with Client(f"ws://127.0.0.1:{running.port}", token=made.token) as client:
        assert await client.query("ward:for_role") == 0
        assert await running.app.service_keys.revoke(made.key.id)
        answer = await ask(running, made.token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")
        with pytest.raises((FunctionError, AuthenticationError)) as caught:
            await client.query("ward:for_role")
        assert caught.value.code in ("unauthenticated", "invalid_token")
    assert not await running.app.service_keys.revoke(made.key.id)


async def test_another_hub_hears_of_a_revoked_key(any_store: Store) -> None:
    one, other = ServiceKeys(any_store), ServiceKeys(any_store)
    told: list[str] = []
    other.revoked = told.append
    made = await one.create("billing", ["doctor"])
    session = (await other.authenticate(made.token)).session
    await one.revoke(made.key.id)
    await other.announce_revocations()
    assert told == [session]
    with pytest.raises(InvalidToken):
        await other.authenticate(made.token)


async def test_the_database_holds_no_secret(any_store: Store) -> None:
    service_keys = ServiceKeys(any_store)
    made = await service_keys.create("billing", ["doctor"])
    ts, _ = await any_store.newest()
    [document] = await any_store.snapshot(ts).scan(SERVICE_KEYS.name, BY_ID, between(()))
    secret = made.token[-20:].encode()  # which may have a hyphen of its own
    assert secret not in bson.encode(document)
    assert made.token not in repr(made)
    assert await service_keys.list() == [made.key]


@pytest.mark.parametrize("change", ["", "x", "-", "0"])
async def test_nothing_else_is_a_key(any_store: Store, change: str) -> None:
    service_keys = ServiceKeys(any_store)
    token = (await service_keys.create("billing", ["doctor"])).token
    forged = token[:-1] + ("A" if token[-1] != "A" else "B") if not change else token + change
    for wrong in (forged, token.replace(token[12:28], "0" * 16), "synovia-key-", token.upper()):
        with pytest.raises(InvalidToken):
            await service_keys.authenticate(wrong)


@pytest.mark.parametrize(("name", "roles"), [("", ["r"]), ("a b", ["r"]), ("x" * 65, ["r"]), ("ok", [""])])
async def test_what_no_key_can_be_made_for(any_store: Store, name: str, roles: list[str]) -> None:
    with pytest.raises(InvalidArguments):
        await ServiceKeys(any_store).create(name, roles)
