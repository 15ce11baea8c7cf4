"""An application with HTTP routes: well-behaved ones, and ones that misbehave on request."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from synovia import (
    ActionContext,
    FunctionError,
    Index,
    MutationContext,
    NotFound,
    QueryContext,
    Table,
    http,
    mutation,
    query,
)

seen: list[str] = []
"""What routes have begun."""


class Page(Table, name="pages", indexes=[Index("by_slug", "slug", unique=True)]):
    slug: str
    text: str


@query(public=True)
async def read(ctx: QueryContext, slug: str) -> str:
    page = await ctx.db.query(Page).using("by_slug", slug=slug).unique()
    if page is None:
        raise NotFound("there is no such page")
    return page.text


@mutation(internal=True)
async def write(ctx: MutationContext, slug: str, text: str) -> None:
    await ctx.db.insert(Page(slug=slug, text=text))


@http.route("/pages/{slug}", methods=["GET"], public=True)
async def get_page(ctx: ActionContext, request: Request) -> Response:
    """Show a page."""
    return PlainTextResponse(await ctx.run_query("gateway:read", {"slug": request.path_params["slug"]}))


@http.route("/pages/{slug}", methods=["PUT"], signed_in=True, max_body_bytes=2_000, timeout=5)
async def put_page(ctx: ActionContext, request: Request) -> Response:
    """Write a page.

    It cannot be changed afterwards.
    """
    seen.append("put")
    text = (await request.body()).decode()
    await ctx.run_mutation("gateway:write", {"slug": request.path_params["slug"], "text": text})
    return Response(status_code=201)


@http.route("/pages/newest", methods=["GET"], public=True)
async def newest(ctx: ActionContext, request: Request) -> Response:
    return PlainTextResponse("the newest")


@http.route("/files/{name:path}", methods=["get"], public=True)
async def files(ctx: ActionContext, request: Request) -> Response:
    return PlainTextResponse(request.path_params["name"])


@http.route("/me", methods=["GET"], signed_in=True)
async def me(ctx: ActionContext, request: Request) -> Response:
    return JSONResponse({"email": ctx.identity.email if ctx.identity else None})


@http.route("/count", methods=["POST"], public=True)
async def count(ctx: ActionContext, request: Request) -> Response:
    total = 0
    async for part in request.stream():
        total += len(part)
    return JSONResponse(total)


@http.route("/many", methods=["GET"], public=True)
async def many(ctx: ActionContext, request: Request) -> Response:
    async def parts() -> Any:
        for number in range(3):
            yield f"{number}\n"

    return StreamingResponse(parts())


async def _teapot() -> Response:
    raise FunctionError("teapot", "short and stout", {"spout": 1})


async def _crash() -> Response:
    raise RuntimeError("the secret of the route")


async def _http() -> Response:
    raise HTTPException(418, "a teapot", {"x-tea": "green"})


async def _wrong() -> Response:
    return cast(Response, {"a": "dict"})


async def _hang() -> Response:
    await asyncio.Event().wait()
    raise AssertionError


_HOWS = {"teapot": _teapot, "crash": _crash, "http": _http, "wrong": _wrong, "hang": _hang}


@http.route("/trouble/{how}", methods=["GET"], public=True, timeout=0.2)
async def trouble(ctx: ActionContext, request: Request) -> Response:
    return await _HOWS[request.path_params["how"]]()
