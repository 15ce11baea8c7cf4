"""An application for tests: trees in orchards, changed many at once, and what refers to what."""

from __future__ import annotations

from synovia import Id, Index, MutationContext, QueryContext, Table, field, lt, mutation, query


class Orchard(Table, name="orchards"):
    name: str


class Tree(Table, name="trees", indexes=[Index("by_height", "height"), Index("by_number", "number", unique=True)]):
    orchard_id: Id[Orchard]
    height: int
    number: int
    neighbours: list[Id[Orchard]] = []
    felled: bool = False


@mutation(public=True)
async def plant(ctx: MutationContext, name: str, numbers: list[int]) -> list[Id[Tree]]:
    orchard = await ctx.db.insert(Orchard(name=name))
    return await ctx.db.insert_many(
        Tree(orchard_id=orchard, height=number * 10, number=number, neighbours=[orchard]) for number in numbers
    )


@mutation(public=True)
async def fell(ctx: MutationContext, below: int, height: int | None = None) -> int:
    trees = ctx.db.query(Tree).using("by_height", height=lt(below)).where(field("felled") == False)  # noqa: E712
    return await ctx.db.patch_where(trees, felled=True, **({} if height is None else {"height": height}))


@mutation(public=True)
async def clear(ctx: MutationContext, below: int) -> list[int]:
    gone = await ctx.db.delete_where(ctx.db.query(Tree).using("by_height", height=lt(below)))
    return [gone, await ctx.db.query(Tree).count()]


@mutation(public=True)
async def number_all(ctx: MutationContext, number: int) -> int:
    return await ctx.db.patch_where(ctx.db.query(Tree), number=number)


@mutation(public=True)
async def forget(ctx: MutationContext, name: str) -> int:
    return await ctx.db.delete_where(ctx.db.query(Orchard).where(field("name") == name))


@query(public=True)
async def orchards_of(ctx: QueryContext, by: str) -> list[str | None]:
    trees = await ctx.db.query(Tree).using("by_number").collect()
    orchards = await ctx.db.load(trees, by)
    named = [orchards.get(tree.orchard_id) for tree in trees]
    return [None if orchard is None else orchard.name for orchard in named]


@query(public=True)
async def heights(ctx: QueryContext) -> list[list[int]]:
    trees = await ctx.db.query(Tree).using("by_number").collect()
    return [[tree.number, tree.height, int(tree.felled)] for tree in trees]
