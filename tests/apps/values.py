"""A small application for tests: recordings with fields of every type, and defaults that older documents lack."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from annotated_types import Ge

from synovia import Id, Index, Model, MutationContext, QueryContext, Table, field, mutation, query


class Org(Table, name="orgs"):
    name: str


class City(Table, name="cities", text_ids=True):
    people: int


class Settings(Model):
    theme: str = "light"
    depth: int | None = None


class Mark(Model):
    by: str
    role: str = "viewer"


class Recording(
    Table,
    name="recordings",
    indexes=[
        Index("by_org", "org_id", "rank"),
        Index("by_owner", "owner_id"),
        Index("by_status", "status", "rank"),
        Index("by_rank_status", "rank", "status"),
        Index("by_level", "level", "status"),
        Index("by_theme", "settings.theme", "rank"),
        Index("by_mark", "marks.role", "rank"),
        Index("by_slug", "slug", "edition", unique=True),
    ],
):
    org_id: str
    owner_id: Id[Org] | None = None
    rank: int = 0
    weight: float = 1.5
    status: str = "open"
    level: Annotated[int, Ge(0)] = 3
    kind: Literal["walk", "run"] = "walk"
    done: bool = False
    at: datetime | None = None
    tags: list[str] = []
    settings: Settings = Settings()
    marks: list[Mark] = []
    data: Any = None
    slug: str
    edition: int = 1


@mutation(public=True)
async def add(ctx: MutationContext, org_id: str, slug: str, data: Any = None) -> Id[Recording]:
    return await ctx.db.insert(Recording(org_id=org_id, slug=slug, data=data))


@mutation(public=True)
async def add_org(ctx: MutationContext, name: str) -> Id[Org]:
    return await ctx.db.insert(Org(name=name))


@query(public=True)
async def with_status(ctx: QueryContext, status: str, limit: int = 100) -> list[Recording]:
    return await ctx.db.query(Recording).using("by_status", status=status).take(limit)


@query(public=True)
async def count_with_status(ctx: QueryContext, status: str) -> int:
    return await ctx.db.query(Recording).using("by_status", status=status).count()


@query(public=True)
async def where_status(ctx: QueryContext, status: str) -> list[Recording]:
    return await ctx.db.query(Recording).where(field("status") == status).collect()


@query(public=True)
async def everything(ctx: QueryContext) -> list[Recording]:
    return await ctx.db.query(Recording).collect()


@query(public=True)
async def org(ctx: QueryContext, org_id: Id[Org]) -> Org | None:
    return await ctx.db.get(org_id)


@query(public=True)
async def city(ctx: QueryContext, city_id: Id[City]) -> City | None:
    return await ctx.db.get(city_id)
