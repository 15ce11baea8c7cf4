"""Functions for any application, in which everything that can be forgotten is: only the rules of its tables hold."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from synovia import Id, MutationContext, Page, QueryContext, Table, mutation, query


def table_of(name: str) -> type[Table]:
    """Find a table by ``MODULE:CLASS``."""
    module, _, class_ = name.partition(":")
    found: type[Table] = getattr(import_module(module), class_)
    return found


@query(public=True)
async def everything(ctx: QueryContext, table: str, field: str, of: str) -> dict[str, Any]:
    """Ask for all of a table in every way; searches, which need a value to filter by, for what is of one tenant."""
    rows = ctx.db.query(table_of(table))
    spec, found = table_of(table).spec, dict[str, list[str]]()
    searches = {each.index.name: each for each in spec.searches}
    own = {each.lacking for each in spec.searches}  # the server's own: which texts are not indexed yet
    for index in [each for each in spec.indexes if each not in own]:
        if index.name in searches:
            search = searches[index.name]
            filters = dict.fromkeys(search.filters, of)
            hits = [await rows.search(search.name, letter, **filters).take(100) for letter in "abhimosw"]
            found[index.name] = [str(row.id) for some in hits for row in some]
        else:
            found[index.name] = [str(row.id) for row in await rows.using(index.name).collect()]
    return {
        "rows": [dict(row) for row in await rows.collect()],
        "indexes": found,
        "count": await rows.count(),
        "groups": len(await rows.group_by(field).count()),
        "last": await rows.max(field),
        "first": [str(row.id) for row in await rows.take(1)],
    }


@query(public=True)
async def page(ctx: QueryContext, table: str, cursor: str | None = None) -> Page[Any]:
    found = await ctx.db.query(table_of(table)).paginate(cursor, 2)
    return Page[Any](items=[str(row.id) for row in found.items], next_cursor=found.next_cursor)


@query(public=True)
async def guess(ctx: QueryContext, table: str, id: str) -> bool:
    found = table_of(table)
    with_deleted = await ctx.db.get(found, Id[Any](id), with_deleted=True)
    hidden = await ctx.as_application().db.get(found, Id[Any](id))
    loaded = {} if hidden is None else await ctx.db.load([hidden], "id")
    return await ctx.db.get(found, Id[Any](id)) is not None or with_deleted is not None or bool(loaded)


@query(public=True)
async def addresses(ctx: QueryContext, table: str, field: str) -> list[str]:
    rows = await ctx.db.query(table_of(table)).collect()
    return [ctx.files.url(file) for row in rows if (file := getattr(row, field)) is not None]


@query(internal=True)
async def ids(ctx: QueryContext, table: str) -> list[str]:
    return [str(row.id) for row in await ctx.db.query(table_of(table)).collect()]


@mutation(public=True)
async def spoil(ctx: MutationContext, table: str, id: str, verb: str) -> None:
    found = table_of(table)
    id_ = Id[Any](id).of(found)
    match verb:
        case "patch":
            await ctx.db.patch(id_)
        case "delete":
            await ctx.db.delete(id_)
        case "delete for good":
            await ctx.db.delete(id_, for_good=True)
        case "restore":
            await ctx.db.restore(id_)
        case _:
            hidden = await ctx.as_application().db.get(found, Id[Any](id))
            assert hidden is not None
            await ctx.db.replace(hidden)


@mutation(public=True)
async def copy(ctx: MutationContext, table: str, id: str) -> None:
    """Insert another one like it: into its tenant, with its references."""
    hidden = await ctx.as_application().db.get(table_of(table), Id[Any](id))
    assert hidden is not None
    await ctx.db.insert(hidden.model_copy(update={"id": None}))


@mutation(public=True)
async def spoil_all(ctx: MutationContext, table: str) -> int:
    return await ctx.db.delete_where(ctx.db.query(table_of(table)))
