"""Documents with files, each seen by its owner; and notes that an action writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from synovia import (
    ActionContext,
    File,
    FileLimits,
    Id,
    Index,
    MutationContext,
    NotFound,
    QueryContext,
    Table,
    Upload,
    action,
    mutation,
    query,
    require_identity,
)

SCAN = FileLimits(max_bytes=3_000_000, types=("application/pdf", "image/*", "text/plain"))


class Paper(Table, name="papers", indexes=[Index("by_owner", "owner")]):
    owner: str
    title: str
    file: Annotated[File, SCAN]


class Anything(Table, name="anything"):
    value: Any


class Blob(Table, name="blobs"):
    file: File


@mutation(signed_in=True)
async def add(ctx: MutationContext, title: str, scan: Annotated[Upload, SCAN]) -> Id[Paper]:
    file = await ctx.files.accept(scan)
    if title == "refused":
        raise NotFound("refused")
    return await ctx.db.insert(Paper(owner=require_identity(ctx).key, title=title, file=file))


@mutation(signed_in=True)
async def add_other(ctx: MutationContext, first: Upload, second: Upload | None = None) -> Id[Paper]:
    return await ctx.db.insert(
        Paper(owner=require_identity(ctx).key, title="other", file=await ctx.files.accept(first))
    )


@mutation(signed_in=True)
async def remove(ctx: MutationContext, id: Id[Paper]) -> None:
    await ctx.db.delete(id)


@mutation(public=True)
async def keep(ctx: MutationContext, upload: Upload) -> Id[Blob]:
    return await ctx.db.insert(Blob(file=await ctx.files.accept(upload)))


@mutation(public=True)
async def make(ctx: MutationContext, size: int, type: str) -> Id[Blob]:
    """Keep a file that no client has uploaded."""
    return await ctx.db.insert(Blob(file=await ctx.files.write(b"x" * size, name="made/up.txt", type=type)))


@query(public=True)
async def blobs(ctx: QueryContext) -> list[str]:
    return [ctx.files.url(each.file, expires=timedelta(minutes=10)) for each in await ctx.db.query(Blob).collect()]


@query(signed_in=True)
async def mine(ctx: QueryContext) -> list[Paper]:
    return await ctx.db.query(Paper).using("by_owner", owner=require_identity(ctx).key).collect()


@query(signed_in=True)
async def address(ctx: QueryContext, id: Id[Paper], download: bool = False) -> str:
    paper = await ctx.db.get(Paper, id)
    if paper is None or paper.owner != require_identity(ctx).key:
        raise NotFound("there is no such paper")
    return ctx.files.url(paper.file, download=download)


@query(internal=True)
async def all_papers(ctx: QueryContext) -> list[Paper]:
    return await ctx.db.query(Paper).collect()


@action(signed_in=True)
async def summarize(ctx: ActionContext, title: str) -> str:
    (paper,) = [each for each in await ctx.run_query(all_papers) if each.title == title]
    text = (await ctx.files.read(paper.file)).decode()
    upload = await ctx.files.write(text.upper().encode(), name=f"summary/of\n{title}.txt", type="text/plain")
    await ctx.run_mutation(add, title=f"{title}, in short", scan=upload)
    return text


@action(signed_in=True)
async def import_scan(ctx: ActionContext, scan: Upload) -> Id[Paper]:
    return await ctx.run_mutation(add, title="imported", scan=scan)


@mutation(public=True)
async def put_anything(ctx: MutationContext, value: Any) -> Id[Anything]:
    return await ctx.db.insert(Anything(value=value))
