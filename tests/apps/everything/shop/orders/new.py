"""In a folder that is no package, which has no functions of its own."""

from __future__ import annotations

from synovia import Id, MutationContext, QueryContext, mutation, query

from ...schema import Part, Thing  # noqa: TID252 (the folder's own name differs in the tests' tree)


@mutation(public=True)
async def create(ctx: MutationContext, thing_id: Id[Thing], how_many: int = 1) -> list[Id[Thing]]:
    return [thing_id] * how_many


@query(public=True, name="list")
async def list_parts(ctx: QueryContext, owner: Id[Thing]) -> list[Part]:
    return [Part(owner=owner)]
