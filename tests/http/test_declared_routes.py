from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from helpers.http_server import Served, serving
from helpers.patience import PATIENCE
from helpers.waiting import until
from synovia import ActionContext, http
from synovia.errors import SchemaError
from synovia.functions.registry import collect

GATEWAY = Path(__file__).parents[1] / "apps" / "gateway.py"
ALICE = "dev:alice@example.org"


@pytest.fixture
async def gateway() -> AsyncIterator[Served]:
    async with serving(GATEWAY) as served:
        yield served


# --- answering ----------------------------------------------------------------------------------------------------------


async def test_routes_read_and_write_by_functions(gateway: Served) -> None:
    missing = await gateway.ask("GET", "/pages/first")
    assert (missing.status, missing.code) == (404, "not_found")
    assert (await gateway.ask("PUT", "/pages/first", b"hello", token=ALICE)).status == 201
    shown = await gateway.ask("GET", "/pages/first")
    assert (shown.status, shown.body) == (200, b"hello")
    again = await gateway.ask("PUT", "/pages/first", b"hello", token=ALICE)
    assert (again.status, again.code) == (409, "unique_violation")


async def test_names_go_before_parameters(gateway: Served) -> None:
    assert (await gateway.ask("GET", "/pages/newest")).body == b"the newest"
    assert (await gateway.ask("GET", "/files/a/b.txt")).body == b"a/b.txt"


async def test_a_streamed_answer_comes_whole(gateway: Served) -> None:
    assert (await gateway.ask("GET", "/many")).body == b"0\n1\n2\n"


async def test_other_methods_are_refused(gateway: Served) -> None:
    for method, path in (("DELETE", "/pages/first"), ("POST", "/me"), ("PUT", "/pages/newest/x")):
        answer = await gateway.ask(method, path)
        assert (answer.status, answer.code) in ((405, "method_not_allowed"), (404, "not_found"))
    assert (await gateway.ask("POST", "/me")).headers["allow"] == "GET, HEAD"


# --- access and errors --------------------------------------------------------------------------------------------------


async def test_access_is_that_of_actions(gateway: Served) -> None:
    module: Any = import_module("gateway")
    module.seen.clear()
    for path, method in (("/me", "GET"), ("/pages/x", "PUT")):
        answer = await gateway.ask(method, path, b"" if method == "PUT" else None)
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert module.seen == [], "nothing of a route runs for whom it is not"
    assert (await gateway.ask("GET", "/me", token=ALICE)).json == {"email": "alice@example.org"}
    bad = await gateway.ask("GET", "/many", token="nonsense")
    assert (bad.status, bad.code) == (401, "invalid_token")


async def test_errors_are_told_by_their_codes(gateway: Served, caplog: pytest.LogCaptureFixture) -> None:
    teapot = await gateway.ask("GET", "/trouble/teapot")
    assert teapot.status == 422
    assert teapot.json == {"error": {"code": "teapot", "message": "short and stout", "data": {"spout": 1}}}
    own = await gateway.ask("GET", "/trouble/http")
    assert (own.status, own.json["error"]["message"], own.headers["x-tea"]) == (418, "a teapot", "green")
    for how, said in (("crash", "the secret of the route"), ("wrong", "a route gives a Response, not a dict")):
        answer = await gateway.ask("GET", f"/trouble/{how}")
        assert (answer.status, answer.code) == (500, "server_error")
        assert answer.json["error"]["data"]["id"] in caplog.text
        assert said in caplog.text
        assert said.encode() not in answer.body


async def test_a_route_has_a_deadline(gateway: Served) -> None:
    answer = await gateway.ask("GET", "/trouble/hang")
    assert (answer.status, answer.code) == (504, "timeout")


async def test_bodies_have_a_limit_of_their_route(gateway: Served) -> None:
    assert (await gateway.ask("PUT", "/pages/a", b"x" * 2_000, token=ALICE)).status == 201
    answer = await gateway.ask("PUT", "/pages/b", b"x" * 2_001, token=ALICE)
    assert (answer.status, answer.code, answer.json["error"]["data"]) == (413, "too_large", {"limit": 2_000})
    assert (await gateway.ask("POST", "/count", b"x" * (1 << 20))).json == 1 << 20
    assert (await gateway.ask("POST", "/count", b"x" * ((1 << 20) + 1))).code == "too_large"


async def test_a_body_that_hides_its_length_has_the_same_limit(gateway: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"POST /count HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(17):
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        assert b" 413 " in await reader.readline()
    writer.close()


async def test_a_caller_who_goes_amid_the_body_is_no_error(gateway: Served, caplog: pytest.LogCaptureFixture) -> None:
    module: Any = import_module("gateway")
    module.seen.clear()
    head = f"PUT /pages/gone HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ALICE}\r\ncontent-length: 99\r\n\r\nx"
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(head.encode())
    await until(lambda: module.seen == ["put"])
    writer.transport.abort()
    await until(lambda: not gateway.app.hub.requests.busy)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (await gateway.ask("GET", "/pages/gone")).status == 404


async def test_a_server_that_stops_takes_no_more_requests(gateway: Served) -> None:
    gateway.app.hub.requests.stopping = True
    answer = await gateway.ask("GET", "/many")
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "stopping", "1")


# --- declaring ----------------------------------------------------------------------------------------------------------


async def body(ctx: ActionContext, request: Request) -> Response:
    return Response()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "begins with a slash and a name"),
        ("", "begins with a slash and a name"),
        ("import", "begins with a slash and a name"),
        ("//x", "begins with a slash and a name"),
        ("/sync", "paths under /sync are not for applications"),
        ("/api/query", "paths under /api are not for applications"),
        ("/auth/{x}", "paths under /auth are not for applications"),
        ("/health", "paths under /health are not for applications"),
        ("/metrics", "paths under /metrics are not for applications"),
        ("/openapi.json", "paths under /openapi.json are not for applications"),
        ("/{anything}", "are not for applications"),
        ("/a b", "are not for applications"),
        ("/a/{}", "neither a name nor a parameter"),
        ("/a/{X}", "neither a name nor a parameter"),
        ("/a/", "neither a name nor a parameter"),
        ("/a/x{y}", "neither a name nor a parameter"),
        ("/a/{x}/{x}", "two parameters have one name"),
    ],
)
def test_paths_that_cannot_be_are_refused(path: str, said: str) -> None:
    with pytest.raises(SchemaError, match="route") as caught:
        http.route(path, methods=["GET"], public=True)
    assert said in str(caught.value)


def test_declarations_that_cannot_be_are_refused() -> None:
    with pytest.raises(SchemaError, match="methods are some of"):
        http.route("/a", methods=[], public=True)
    with pytest.raises(SchemaError, match="methods are some of"):
        http.route("/a", methods=["BREW"], public=True)
    with pytest.raises(SchemaError, match="say who may ask"):
        http.route("/a", methods=["GET"])
    with pytest.raises(SchemaError, match="say who may ask"):
        http.route("/a", methods=["GET"], internal=True)
    with pytest.raises(SchemaError, match="not several"):
        http.route("/a", methods=["GET"], public=True, signed_in=True)

    async def lonely(ctx: ActionContext) -> Response:
        return Response()

    for wrong in (lonely, lambda ctx, request: Response()):
        with pytest.raises(SchemaError, match="an async function of a context and a request"):
            http.route("/a", methods=["GET"], public=True)(wrong)  # type: ignore[type-var]


def module_with(*patterns: tuple[str, list[str]]) -> ModuleType:
    module = ModuleType("declared")
    for number, (path, methods) in enumerate(patterns):

        async def each(ctx: ActionContext, request: Request) -> Response:
            return Response()

        each.__module__, each.__name__ = "declared", f"route_{number}"
        setattr(module, f"route_{number}", http.route(path, methods=methods, public=True)(each))
    return module


def test_duplicates_are_refused_at_start() -> None:
    with pytest.raises(SchemaError, match=r"GET /a/\{\w\} is declared twice"):
        collect("x", [module_with(("/a/{x}", ["GET", "POST"]), ("/a/{y}", ["GET"]))])
    registry = collect("x", [module_with(("/a/{x}", ["GET"]), ("/a/{y}", ["POST"]), ("/a/b", ["GET"]))])
    assert [route.pattern for route in registry.routes] == ["/a/b", "/a/{x}", "/a/{y}"]
