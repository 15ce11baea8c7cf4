"""A table with arrays for tests of planner, under the rule of its other tables."""

from __future__ import annotations

from planner.access import own_organization
from synovia import Array, Index, MutationContext, QueryContext, Table, may_read, mutation, query


class Sample(Table, name="samples", indexes=[Index("by_organization", "organization_id")]):
    organization_id: str
    values: Array


may_read(Sample)(own_organization)


@mutation(public=True)
async def keep(ctx: MutationContext, of: str, values: Array) -> None:
    await ctx.db.insert(Sample(organization_id=of, values=values))


@query(public=True)
async def arrays(ctx: QueryContext) -> list[Array]:
    return [row.values for row in await ctx.db.query(Sample).collect()]
