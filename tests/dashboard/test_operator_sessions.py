"""Who operates a hub: sessions over real sockets, and what everybody else is told of the dashboard, which is nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from helpers.convex_wire import add, convex_wire
from helpers.http_server import Answer, Served
from helpers.sync_server import Client, Running, client_of, serving
from synovia import keys
from synovia.dashboard.operators import BY_EXPIRY
from synovia.functions.access import CallOrigin
from synovia.functions.function import Kind
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Authenticated, AuthError

INVENTED = "_system/invented:nothing"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with serving(settings={"convex": True}) as running:
        yield running


async def post(
    running: Running, path: str, content: Any, headers: dict[str, str] | None = None, **options: Any
) -> Answer:
    return await Served(running.app, running.port).post(path, content, headers, **options)


async def key(running: Running, *roles: str) -> str:
    return (await running.app.service_keys.create("ops", list(roles))).token


async def session(running: Running, *roles: str) -> str:
    answer = await post(running, "/_synovia/session", {"key": await key(running, *(roles or ("operator",)))})
    assert answer.status == 200
    return str(answer.json["token"])


async def signed_in(client: Client, token: str) -> Any:
    await client.send(client.session.authenticate(token))
    return await client.until(lambda event: isinstance(event, Authenticated | AuthError))


def system(running: Running, kind: Kind) -> list[str]:
    return [path for path, each in running.app.registry.system.items() if each.kind is kind]


def unknown(message: str, path: str) -> str:
    """Give what would be said of a function that nobody has thought of."""
    return message.replace(path, INVENTED)


# --- those who are not operators --------------------------------------------------------------------------------------

OTHERS = ["nobody", "dev:alice@example.org", 'dev:eve@example.org?roles:=["operator"]', "a service"]


async def token_of(running: Running, who: str) -> str | None:
    return None if who == "nobody" else await key(running, "service") if who == "a service" else who


@pytest.mark.parametrize("who", OTHERS)
async def test_over_a_socket_no_system_function_exists_for_others(running: Running, who: str) -> None:
    token = await token_of(running, who)
    async with client_of(running) as client:
        if token is not None:
            assert isinstance(await signed_in(client, token), Authenticated)
        invented = await client.subscribe(1, INVENTED)
        for number, path in enumerate(running.app.registry.system, 2):
            refused = await client.subscribe(number, path)
            assert (refused.code, unknown(refused.message, path)) == ("unknown_function", invented.message)
        lacking = (await client.mutate(INVENTED, {})).error
        for path in running.app.registry.system:
            error = (await client.mutate(path, {"table": "notes"})).error
            assert error is not None
            assert lacking is not None
            assert (error.code, unknown(error.message, path), error.data) == (
                lacking.code,
                lacking.message,
                lacking.data,
            )
            answer = await client.response(await client.act(path))
            assert answer.error.code == "unknown_function"
            assert answer.error.data is None


@pytest.mark.slow
@pytest.mark.parametrize("who", OTHERS)
async def test_over_http_no_system_function_exists_for_others(running: Running, who: str) -> None:
    token = await token_of(running, who)
    for path in running.app.registry.system:
        for address in ("query", "mutation", "action"):
            answer = await post(running, f"/api/{address}", {"path": path, "args": {}}, token=token)
            invented = await post(running, f"/api/{address}", {"path": INVENTED, "args": {}}, token=token)
            assert answer.status == 404
            assert unknown(answer.body.decode(), path) == invented.body.decode()
        there = await post(running, f"/api/run/{path.replace(':', '/')}", {}, token=token)
        invented = await post(running, f"/api/run/{INVENTED.replace(':', '/')}", {}, token=token)
        assert unknown(there.body.decode(), path) == invented.body.decode()


async def test_convex_clients_find_none_not_even_with_a_key(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.authenticate(await key(running, "operator"))
        paths = system(running, Kind.QUERY)
        await wire.follow(*[add(number, path) for number, path in enumerate([INVENTED, *paths])])
        messages = {
            unknown(wire.results[number]["errorMessage"].partition("] ")[2], path)
            for number, path in enumerate([INVENTED, *paths])
        }
        assert len(messages) == 1
        assert "notes" not in str(messages)


async def test_no_description_names_a_system_function(running: Running) -> None:
    description = await Served(running.app, running.port).ask("GET", "/openapi.json")
    assert b"_system" not in description.body
    page = await Served(running.app, running.port).ask("GET", "/_synovia/")
    assert b"notes" not in page.body


async def test_functions_of_the_application_reach_no_system_function(running: Running) -> None:
    for origin in CallOrigin:
        answer = await running.app.engine.query("_system/data:tables", {}, None, origin=origin)
        assert answer.error is not None
        assert answer.error.code == "unknown_function"


# --- operators --------------------------------------------------------------------------------------------------------


async def test_a_key_opens_a_session_that_sees_the_tables(running: Running) -> None:
    token = await session(running)
    async with client_of(running) as client:
        assert isinstance(await signed_in(client, token), Authenticated)
        tables = await client.subscribe(1, "_system/data:tables")
        assert [each["name"] for each in tables if each["declared"]] == ["notes"]
        answer = await post(running, "/api/query", {"path": "_system/data:tables", "args": {}}, token=token)
        assert answer.status == 200


@pytest.mark.parametrize("roles", [("service",), ("admin", "user")])
async def test_other_keys_open_none(running: Running, roles: tuple[str, ...]) -> None:
    answer = await post(running, "/_synovia/session", {"key": await key(running, *roles)})
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 401, "unauthenticated"),
        ({"key": 5}, 400, "invalid_arguments"),
        ({"key": "synovia-key-0000000000000000-" + "x" * 43}, 401, "invalid_token"),
        ({"key": "nonsense"}, 401, "invalid_token"),
        ([], 401, "unauthenticated"),
        (b"{", 400, "bad_json"),
        ({"key": "x" * 5_000}, 413, "too_large"),
    ],
)
async def test_what_is_no_key_opens_none(running: Running, body: Any, status: int, code: str) -> None:
    answer = await post(running, "/_synovia/session", body)
    assert (answer.status, answer.code) == (status, code)


async def test_a_form_of_another_site_cannot_be_sent(running: Running) -> None:
    served = Served(running.app, running.port)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await served.ask("POST", "/_synovia/session", b"key=x", form)).status == 415


async def test_keys_cannot_be_tried_one_after_the_other() -> None:
    async with serving(max_authentications_per_minute_per_address=5) as running:
        codes = [(await post(running, "/_synovia/session", {"key": "nonsense"})).code for _ in range(12)]
    assert codes.count("invalid_token") <= 5 < codes.count("rate_limited")


async def test_another_origin_opens_and_ends_no_session_not_even_in_development() -> None:
    async with serving(development=True) as running:
        own = f"http://127.0.0.1:{running.port}"
        assert (await post(running, "/_synovia/session", {}, {"origin": own})).status == 200
        for origin in (
            f"http://127.0.0.1:{running.port + 1}",
            f"http://localhost:{running.port}",
            "https://evil.example",
            "null",
        ):
            for path in ("/_synovia/session", "/_synovia/session/end"):
                answer = await post(running, path, {}, {"origin": origin})
                assert (answer.status, answer.code) == (403, "origin_refused"), origin


async def test_in_development_on_loopback_no_key_is_needed() -> None:
    async with serving(development=True) as running:
        opened = (await post(running, "/_synovia/session", {})).json
        assert (opened["name"], opened["roles"]) == ("development", ["operator", "operator-opens"])
        tables = await post(running, "/api/query", {"path": "_system/data:tables", "args": {}}, token=opened["token"])
        assert tables.status == 200


async def test_a_key_that_only_looks_changes_nothing(running: Running) -> None:
    token = await session(running, "operator-read")
    async with client_of(running) as client:
        await signed_in(client, token)
        assert isinstance(await client.subscribe(1, "_system/data:tables"), list)
        for path in system(running, Kind.MUTATION):
            error = (await client.mutate(path, {})).error
            assert error is not None
            assert error.code == "forbidden"
        for path in system(running, Kind.ACTION):
            assert (await client.response(await client.act(path))).error.code == "forbidden"
    for path in [*system(running, Kind.MUTATION), *system(running, Kind.ACTION)]:
        kind = str(running.app.registry.system[path].kind)
        answer = await post(running, f"/api/{kind}", {"path": path, "args": {}}, token=token)
        assert (answer.status, answer.code) == (403, "forbidden")


async def test_a_session_ends_with_its_key_at_once_also_on_open_connections(running: Running) -> None:
    made = await running.app.service_keys.create("ops", ["operator"])
    token = (await post(running, "/_synovia/session", {"key": made.token})).json["token"]
    async with client_of(running) as client:
        await signed_in(client, token)
        await client.subscribe(1, "_system/data:tables")
        await running.app.service_keys.revoke(made.key.id)
        assert (await client.result(1)).code == "unknown_function"
        assert isinstance(await signed_in(client, token), AuthError)
    answer = await post(running, "/api/query", {"path": "_system/data:tables", "args": {}}, token=token)
    assert (answer.status, answer.code) == (401, "invalid_token")


async def test_a_session_can_be_ended_and_is_over_after_an_hour() -> None:
    now = 1_700_000_000.0
    async with serving() as running:
        running.app.operators._clock = lambda: now
        first, second = await session(running), await session(running)
        assert (await post(running, "/_synovia/session/end", {}, token=first)).status == 204
        asking = {"path": "_system/data:tables", "args": {}}
        assert (await post(running, "/api/query", asking, token=first)).code == "invalid_token"
        assert (await post(running, "/api/query", asking, token=second)).status == 200
        now += 3_601
        assert (await post(running, "/api/query", asking, token=second)).code == "invalid_token"
        await session(running)
        kept = await running.app.operators._records.find(BY_EXPIRY, keys.between(()), 10)
        assert len(kept) == 1, "what is over is forgotten when another one is opened"


async def test_keys_and_sessions_are_in_no_log_line_at_any_level(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in the log of calls, which other operators read."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("websockets.client"), "disabled", True)  # of the test's own end
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    async with serving(debug=True, options={"log_level": "debug", "access_log": True, "log_config": None}) as running:
        good = await key(running, "operator")
        token = (await post(running, "/_synovia/session", {"key": good})).json["token"]
        served = Served(running.app, running.port)
        for body in ({"key": good[:-1]}, {"key": [good]}, {"other": good}, [good]):
            await post(running, "/_synovia/session", body)
        await served.ask(
            "POST", "/_synovia/session", f'{{"key": "{good}"'.encode(), {"content-type": "application/json"}
        )
        async with client_of(running) as client:
            assert isinstance(await signed_in(client, token), Authenticated)
            shown = await client.subscribe(1, "_system/logs:recent", {})
            assert not isinstance(shown, ErrorInfo)
        await post(running, "/_synovia/session/end", {}, {"authorization": f"Bearer {token}"})
        await post(running, "/api/query", {"path": "_system/data:tables"}, {"authorization": f"Bearer {token}"})
    printed = capfd.readouterr()
    secrets = [each.rpartition("-")[2] for each in (good, token)]
    lines = [record.getMessage() + str(record.exc_info or "") for record in caplog.records]
    assert any("POST /_synovia/session" in line for line in lines), "the access log was not looked at"
    for text in (*lines, printed.out, printed.err, caplog.text, str(shown)):
        assert not [secret for secret in secrets if secret[:20] in text]
