"""A table with arrays for tests of learning, under the rule of its other tables."""

from __future__ import annotations

from learning.access import own_tenant
from synovia import Array, Index, MutationContext, QueryContext, Table, may_read, mutation, query


class Sample(Table, name="samples", indexes=[Index("by_tenant", "tenant_id")]):
    tenant_id: str
    values: Array


may_read(Sample)(own_tenant)


@mutation(public=True)
async def keep(ctx: MutationContext, of: str, values: Array) -> None:
    await ctx.db.insert(Sample(tenant_id=of, values=values))


@query(public=True)
async def arrays(ctx: QueryContext) -> list[Array]:
    return [row.values for row in await ctx.db.query(Sample).collect()]
