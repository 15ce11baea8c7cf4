"""An application with something of everything that a test of an application may want to reach."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from synovia import (
    ActionContext,
    Forbidden,
    FunctionError,
    Index,
    MutationContext,
    QueryContext,
    Table,
    action,
    cron,
    gt,
    http,
    mutation,
    query,
    require_identity,
)


class Notice(Table, name="notices", indexes=[Index("by_end", "ends_at")]):
    text: str
    ends_at: int
    author: str | None = None


@mutation(public=True)
async def post(ctx: MutationContext, text: str, seconds: int = 3_600) -> str:
    author = None if ctx.identity is None else ctx.identity.email
    return await ctx.db.insert(Notice(text=text, ends_at=ctx.now + 1000 * seconds, author=author))


@query(public=True)
async def current(ctx: QueryContext) -> list[str]:
    notices = await ctx.db.query(Notice).using("by_end", ends_at=gt(ctx.now)).collect()
    ctx.hold_until(*(notice.ends_at for notice in notices))
    return [notice.text for notice in notices]


@query(signed_in=True)
async def own(ctx: QueryContext) -> list[str]:
    email = require_identity(ctx).email
    return [notice.text for notice in await ctx.db.query(Notice).collect() if notice.author == email]


@query(public=True)
async def at_most_one(ctx: QueryContext) -> int:
    count = await ctx.db.query(Notice).count()
    if count > 1:
        raise FunctionError("too_many", "there is more than one")
    return count


@query(signed_in=True)
async def claims(ctx: QueryContext) -> dict[str, Any]:
    return dict(require_identity(ctx).claims)


@query(internal=True)
async def count(ctx: QueryContext) -> int:
    return await ctx.db.query(Notice).count()


@mutation(internal=True)
async def clear(ctx: MutationContext) -> bool:
    for notice in await ctx.db.query(Notice).collect():
        await ctx.db.delete(notice)
    return ctx.trusted


@action(internal=True)
async def whoami(ctx: ActionContext) -> str | None:
    return None if ctx.identity is None else ctx.identity.email


@mutation(public=True)
async def post_later(ctx: MutationContext, text: str, seconds: int) -> None:
    await ctx.scheduler.run_after(timedelta(seconds=seconds), "bulletin:post", {"text": text})


@cron(every=timedelta(days=1))
@mutation(internal=True)
async def daily(ctx: MutationContext) -> None:
    await ctx.db.insert(Notice(text="a new day", ends_at=ctx.now + 86_400_000))


@http.route("/notices", methods=["GET"], public=True)
async def listed(ctx: ActionContext, request: Request) -> Response:
    return JSONResponse(await ctx.run_query("bulletin:current"))


@http.route("/notices", methods=["POST"], signed_in=True)
async def posted(ctx: ActionContext, request: Request) -> Response:
    if require_identity(ctx).claims.get("org") != "acme":
        raise Forbidden("only for Acme")
    await ctx.run_mutation("bulletin:post", {"text": (await request.body()).decode()})
    return Response(status_code=201)
