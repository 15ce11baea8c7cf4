"""A hub inside another ASGI application: its lifespan, calls from the host's own routes, and the path below it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from apps import ledger, posts, ward
from synovia import ArrayRef, FunctionError, http
from synovia.app import Synovia
from synovia.auth.development import DevelopmentAuthenticator
from synovia.cli.server import listen
from synovia.config import Settings
from synovia.functions.registry import Registry, collect
from synovia.identity import InvalidToken, SignInUnavailable
from synovia_client import Client

POSTS, WARD, LEDGER = collect("posts", [posts]), collect("ward", [ward]), collect("ledger", [ledger])


def hub_of(registry: Registry, **settings: Any) -> Synovia:
    return Synovia(
        registry, settings=Settings(store=None, **settings), authenticator=DevelopmentAuthenticator("127.0.0.1")
    )


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve any ASGI application, its lifespan too; give its host and port."""
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        task = asyncio.create_task(server.serve([listener]), name="host")
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def asking(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://host") as client:
        yield client


async def test_a_host_gives_its_lifespan_and_calls_functions_from_its_own_routes() -> None:
    hub = hub_of(POSTS)

    async def pin(request: Request) -> JSONResponse:
        await hub.mutation("posts:post", {"wall": "w", "text": request.path_params["text"]})
        return JSONResponse(await hub.query("posts:texts", {"wall": "w"}))

    host = Starlette(routes=[Route("/pin/{text}", pin), Mount("/live", hub)], lifespan=hub.lifespan)
    async with served(host) as where, Client(f"ws://{where}/live") as client, httpx.AsyncClient() as web:
        async with client.subscribe("posts:texts", {"wall": "w"}) as values:
            seen = aiter(values)
            assert await anext(seen) == []
            assert (await web.get(f"http://{where}/pin/hello")).json() == ["hello"]
            assert await anext(seen) == ["hello"]
        assert (await web.get(f"http://{where}/live/health")).json()["status"] == "ok"


async def test_a_hub_that_was_not_started_says_how() -> None:
    hub = hub_of(POSTS)
    async with asking(Starlette(routes=[Mount("/live", hub)])) as client:
        answer = await client.get("/live/health")
        assert answer.status_code == 503
        assert "hub.lifespan" in answer.json()["error"]["message"]
    with pytest.raises(RuntimeError, match=r"hub\.lifespan"):
        await hub.query("posts:texts", {"wall": "w"})
    async with hub.lifespan():
        assert await hub.query("posts:texts", {"wall": "w"}) == []
    with pytest.raises(RuntimeError, match="not started"):
        await hub.mutation("posts:post", {"wall": "w", "text": "late"})


async def test_calls_in_process_are_those_of_whoever_they_are_made_for() -> None:
    async with (hub := hub_of(WARD)).lifespan():
        ann = await hub.authenticate("dev:ann@example.org")
        with pytest.raises(FunctionError) as caught:
            await hub.query("ward:for_role", identity=ann)
        assert caught.value.code == "forbidden"
        with pytest.raises(FunctionError) as caught:
            await hub.mutation("ward:appoint", {"email": "ann@example.org", "role": "doctor"}, identity=ann)
        assert caught.value.code == "unknown_function", "internal"
        await hub.mutation("ward:appoint", {"email": "ann@example.org", "role": "doctor"}, trusted=True)
        assert await hub.query("ward:for_role", identity=ann) == 0
        assert await hub.query("ward:for_nobody", trusted=True) == 0
        with pytest.raises(InvalidToken):
            await hub.authenticate("nonsense")


async def test_a_host_may_answer_errors_as_the_hub_does() -> None:
    hub = hub_of(WARD)

    async def look(request: Request) -> JSONResponse:
        ann = await hub.authenticate(request.headers["authorization"])
        return JSONResponse(await hub.query(f"ward:{request.path_params['name']}", identity=ann))

    async def unverified(request: Request) -> JSONResponse:
        raise SignInUnavailable("the issuer's keys cannot be had")

    routes = [Route("/look/{name}", look), Route("/unverified", unverified)]
    host = Starlette(routes=routes, exception_handlers=http.exception_handlers())
    async with hub.lifespan(), asking(host) as client:
        headers = {"authorization": "dev:ann@example.org"}
        refused = await client.get("/look/for_role", headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
        unknown = await client.get("/look/nothing", headers=headers)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_function")
        nobody = await client.get("/look/for_nobody", headers={"authorization": "nonsense"})
        assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "invalid_token")
        assert nobody.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        later = await client.get("/unverified")
        assert (later.status_code, later.headers["retry-after"]) == (503, "10")


async def test_arrays_may_be_those_of_numpy() -> None:
    async with (hub := hub_of(LEDGER)).lifespan():
        samples = np.arange(3.0)
        ref = await hub.query("ledger:everything", {"value": {"series": [samples]}})
        assert isinstance(ref["series"][0], ArrayRef)


async def test_the_description_names_where_the_hub_lies() -> None:
    async with (hub := hub_of(POSTS)).lifespan():
        async with asking(Starlette(routes=[Mount("/live/v1", hub)])) as client:
            assert (await client.get("/live/v1/openapi.json")).json()["servers"] == [{"url": "/live/v1"}]
        async with asking(hub) as client:
            assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "/"}]


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("/app", "/app"),
        ("/app/", "/app"),
        ("/a/b-c", "/a/b-c"),
        ("app", ""),
        ('/"><script>', ""),
        ("//evil.example", ""),
    ],
)
async def test_a_trusted_proxy_that_strips_a_path_says_so(tmp_path: Path, said: str, prefix: str) -> None:
    page = '<!doctype html><html><head><base href="/" /></head><body>the page</body></html>'
    (tmp_path / "index.html").write_text(page)
    hub = hub_of(POSTS, trusted_proxies="127.0.0.1", web=tmp_path)
    async with hub.lifespan(), asking(hub) as client:
        headers = {"x-forwarded-prefix": said, "accept": "text/html"}
        described = await client.get("/openapi.json", headers=headers)
        assert json.loads(described.content)["servers"] == [{"url": prefix or "/"}]
        shown = await client.get("/", headers=headers)
        assert shown.text == page.replace('href="/"', f'href="{prefix}/"')
        again = await client.get("/", headers=headers | {"if-none-match": shown.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_page_and_its_files_are_found_below_a_mount(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "page-AbCd1234.js").write_text("the script")
    (tmp_path / "index.html").write_text('<base href="/" />')
    hub = hub_of(POSTS, web=tmp_path)
    async with hub.lifespan(), asking(Starlette(routes=[Mount("/clinic/app", hub)])) as client:
        assert (await client.get("/clinic/app/assets/page-AbCd1234.js")).text == "the script"
        for path in ("/clinic/app/", "/clinic/app/some/view"):
            answer = await client.get(path, headers={"accept": "text/html"})
            assert answer.text == '<base href="/clinic/app/" />'
        assert (await client.get("/clinic/app/api/nothing", headers={"accept": "text/html"})).status_code == 404


async def test_nobody_else_can_say_so(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<base href="/" />')
    hub = hub_of(POSTS, web=tmp_path)
    async with hub.lifespan(), asking(hub) as client:
        answer = await client.get("/", headers={"x-forwarded-prefix": "/evil", "accept": "text/html"})
        assert answer.text == '<base href="/" />'
