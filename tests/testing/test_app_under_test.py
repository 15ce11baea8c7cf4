"""``TestApp`` reaches the whole application: internal functions, routes, live queries, every kind of caller."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from apps import bulletin
from helpers.patience import PATIENCE
from synovia import Identity, InvalidToken
from synovia.config import Settings
from synovia.errors import FunctionError
from synovia.functions.registry import collect
from synovia.limits.settings import HubLimits
from synovia.store.base import Store
from synovia.testing import Subscription, TestApp


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with asyncio.timeout(PATIENCE), TestApp(collect("bulletin", [bulletin]), any_store) as app:
        yield app


async def refused(call: object) -> str:
    with pytest.raises(FunctionError) as failure:
        await call  # type: ignore[misc]
    return failure.value.code


# --- who calls --------------------------------------------------------------------------------------------------------


async def test_internal_functions_are_there_for_the_application_and_for_what_functions_call(app: TestApp) -> None:
    ann = app.caller("ann@example.org")
    await ann.mutation("bulletin:post", {"text": "a"})
    for path, call in (("count", ann.query), ("clear", ann.mutation), ("whoami", ann.action)):
        assert await refused(call(f"bulletin:{path}")) == "unknown_function"
    within = app.caller("ann@example.org", internal=True)
    assert await within.query("bulletin:count") == 1
    assert await within.action("bulletin:whoami") == "ann@example.org"
    assert await within.mutation("bulletin:clear") is False
    assert await app.trusted.query("bulletin:count") == 0
    assert await app.trusted.action("bulletin:whoami") is None
    assert await app.trusted.mutation("bulletin:clear") is True


async def test_the_application_itself_is_refused_nothing_and_a_function_for_somebody_is(app: TestApp) -> None:
    assert await refused(app.caller(internal=True).query("bulletin:own")) == "unauthenticated"
    assert await refused(app.trusted.query("bulletin:own")) == "unauthenticated"  # the body asks who it is
    assert await app.trusted.query("bulletin:current") == []


async def test_callers_have_any_claims_and_any_issuer(app: TestApp) -> None:
    claims = {"org": "acme", "level": 3, "roles": ["a", "b"], "nested": {"x": None}}
    assert await app.caller("ann@example.org", claims=claims).query("bulletin:claims") == claims
    assert await app.caller("ann@example.org").query("bulletin:claims") == {}
    elsewhere = app.caller(Identity("https://issuer.example.org", "42", "ann@example.org", claims={"org": "x"}))
    assert await elsewhere.query("bulletin:claims") == {"org": "x"}
    with pytest.raises(InvalidToken):
        app.caller("nobody")


# --- over HTTP --------------------------------------------------------------------------------------------------------


async def test_routes_and_calls_over_http_are_answered_as_by_a_server(app: TestApp) -> None:
    ann = app.caller("ann@example.org", claims={"org": "acme"})
    assert (await app.caller().http.post("/notices", content="x")).status_code == 401
    assert (await app.caller("bob@example.org").http.post("/notices", content="x")).status_code == 403
    assert (await ann.http.post("/notices", content="hello")).status_code == 201
    listed = await app.caller().http.get("/notices")
    assert (listed.json(), listed.headers["x-content-type-options"]) == (["hello"], "nosniff")
    called = await ann.http.post("/api/query", json={"path": "bulletin:own"})
    assert called.json() == {"result": ["hello"]}
    assert (await ann.http.post("/api/query", json={"path": "bulletin:count"})).status_code == 404
    assert (await ann.http.get("/health")).json()["status"] == "ok"
    assert "/notices" in (await ann.http.get("/openapi.json")).json()["paths"]


async def test_tokens_of_development_and_of_the_server_are_taken_over_http(app: TestApp) -> None:
    nobody = app.caller().http
    headers = {"Authorization": 'Bearer dev:ann@example.org?org=acme&roles:=["admin"]'}
    asked = await nobody.post("/api/query", json={"path": "bulletin:claims"}, headers=headers)
    assert asked.json() == {"result": {"org": "acme", "roles": ["admin"]}}
    own = (await app.sign_in.sessions.open(Identity("dev", "bob", "bob@example.org"))).token
    assert own is not None
    headers = {"Authorization": f"Bearer {own}"}
    assert (await nobody.post("/api/query", json={"path": "bulletin:own"}, headers=headers)).json() == {"result": []}
    headers = {"Authorization": "Bearer dev:ann@example.org?org"}
    assert (await nobody.post("/api/query", json={"path": "bulletin:own"}, headers=headers)).status_code == 401


@pytest.mark.slow
async def test_many_requests_run_into_no_limit_unless_the_test_sets_one() -> None:
    async with TestApp(collect("bulletin", [bulletin])) as app:
        http = app.caller().http
        assert {(await http.get("/health/live")).status_code for _ in range(900)} == {200}
    limits = HubLimits(max_messages_per_second_per_address=5)
    async with TestApp(collect("bulletin", [bulletin]), settings=Settings(limits=limits, store=None)) as app:
        http = app.caller().http
        assert {(await http.get("/health/live")).status_code for _ in range(20)} == {200, 429}


# --- live -------------------------------------------------------------------------------------------------------------


async def test_the_value_is_that_of_now_after_whatever_the_test_does(app: TestApp) -> None:
    ann = app.caller("ann@example.org", claims={"org": "acme"})
    async with app.caller().subscribe("bulletin:current") as notices:
        assert notices.value == []
        await ann.mutation("bulletin:post", {"text": "short", "seconds": 60})
        assert notices.value == ["short"]
        await ann.http.post("/notices", content="by HTTP")
        assert notices.value == ["short", "by HTTP"]
        await ann.mutation("bulletin:post_later", {"text": "later", "seconds": 90})
        await app.advance(59)
        assert notices.value == ["short", "by HTTP"]
        await app.advance(2)
        assert notices.value == ["by HTTP"]  # nothing was written: only time has passed
        await app.advance(30)
        assert notices.value == ["by HTTP", "later"]
        await app.trusted.mutation("bulletin:clear")
        assert notices.value == []


async def test_each_different_result_is_given_to_who_iterates(app: TestApp) -> None:
    ann, seen = app.caller("ann@example.org"), list[list[str]]()
    async for notices in ann.subscribe("bulletin:current"):
        seen.append(notices)
        if len(seen) == 4:
            break
        await ann.mutation("bulletin:post", {"text": f"n{len(seen)}"})
    assert seen == [[], ["n1"], ["n1", "n2"], ["n1", "n2", "n3"]]


async def test_a_query_that_looks_at_the_caller_is_each_ones_own(app: TestApp) -> None:
    ann, bob = app.caller("ann@example.org"), app.caller("bob@example.org")
    async with ann.subscribe("bulletin:own") as of_ann, bob.subscribe("bulletin:own") as of_bob:
        await ann.mutation("bulletin:post", {"text": "a"})
        await bob.mutation("bulletin:post", {"text": "b"})
        assert (of_ann.value, of_bob.value) == (["a"], ["b"])


async def test_a_failing_query_raises_where_its_value_is_asked_for_and_recovers(app: TestApp) -> None:
    ann = app.caller("ann@example.org")
    async with ann.subscribe("bulletin:at_most_one") as one:
        assert one.value == 0
        assert one.error is None
        for _ in range(2):
            await ann.mutation("bulletin:post", {"text": "a"})
        assert one.error is not None
        with pytest.raises(FunctionError, match="more than one"):
            _ = one.value
        with pytest.raises(FunctionError, match="more than one"):
            async for _ in one:
                pass
        await app.trusted.mutation("bulletin:clear")
        assert one.value == 0


@pytest.mark.parametrize(("path", "code"), [("nothing", "unknown_function"), ("count", "unknown_function")])
async def test_what_a_client_cannot_subscribe_to_cannot_be(app: TestApp, path: str, code: str) -> None:
    async def enter(subscription: Subscription) -> None:
        async with subscription:
            pass

    assert await refused(enter(app.caller().subscribe(f"bulletin:{path}"))) == code
    await app.advance()


async def test_who_is_outside_of_the_block_is_told(app: TestApp) -> None:
    notices = app.caller().subscribe("bulletin:current")
    with pytest.raises(RuntimeError, match="async with"):
        _ = notices.value
    async with notices:
        assert notices.value == []
    with pytest.raises(RuntimeError, match="async with"):
        _ = notices.value


# --- the machine it runs on -------------------------------------------------------------------------------------------


async def test_variables_of_the_machine_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STORE": "mongodb://nowhere/x", "HOST": "0.0.0.0", "SCHEDULER_LEASE": "no number"}.items():
        monkeypatch.setenv(f"SYNOVIA_{name}", value)
    async with TestApp(collect("bulletin", [bulletin])) as app:
        await app.caller().mutation("bulletin:post", {"text": "a"})
        assert await app.caller().query("bulletin:current") == ["a"]


@pytest.mark.slow
def test_without_httpx_everything_else_works_and_it_is_named() -> None:
    program = (
        "import asyncio, sys; sys.modules['httpx2'] = None\n"
        "from synovia.functions.registry import collect\n"
        "from synovia.testing import TestApp\n"
        "app = TestApp(collect('nothing', []))\n"
        "try:\n    app.caller().http\nexcept ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "requests in tests need httpx2: install synovia[testing]\n", done.stderr
