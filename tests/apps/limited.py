"""An application that declares how often something may be done."""

from __future__ import annotations

from datetime import timedelta

from synovia import (
    ActionContext,
    MutationContext,
    QueryContext,
    RateLimit,
    RuleContext,
    Table,
    action,
    may_read,
    mutation,
    query,
)

POSTS = RateLimit("posts", 6, per=timedelta(minutes=1), burst=3)
QUICK = RateLimit("quick", 20, per=timedelta(seconds=1), burst=1)
MAILS = RateLimit("mails", 5, per=timedelta(hours=1), window=True)


class Post(Table, name="posts"):
    text: str


@may_read(Post)
async def everybody(ctx: RuleContext) -> bool:
    return True


@mutation(public=True)
async def post(ctx: MutationContext, who: str, text: str, size: float = 1) -> None:
    await ctx.db.insert(Post(text=text))
    await POSTS.spend(ctx, who, size)


@mutation(public=True)
async def mail(ctx: MutationContext, size: float = 1) -> None:
    await MAILS.spend(ctx, amount=size)


@mutation(public=True)
async def quick(ctx: MutationContext) -> None:
    await QUICK.spend(ctx)


@mutation(public=True)
async def forgets(ctx: MutationContext) -> None:
    MAILS.spend(ctx)  # type: ignore[unused-coroutine]


@query(public=True)
async def left(ctx: QueryContext, who: str) -> list[float]:
    return [await POSTS.left(ctx, who), await MAILS.left(ctx)]


@query(public=True)
async def posts(ctx: QueryContext) -> int:
    return await ctx.db.query(Post).count()


@action(public=True)
async def post_twice(ctx: ActionContext, who: str) -> None:
    await ctx.run_mutation(post, who, "one", 2)
    await ctx.run_mutation(post, who, "two", 2)
