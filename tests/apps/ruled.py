"""An application for tests: one table is asked in every way, and the caller's own row says what the rules show of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from synovia import (
    Condition,
    FunctionError,
    Id,
    Index,
    MutationContext,
    QueryContext,
    RuleContext,
    Table,
    field,
    ge,
    may_read,
    mutation,
    query,
)
from synovia.functions.query import Query

INDEXES = ["by_id", "by_rank", "by_tenant", "by_tenant_rank", "by_kind_rank", "by_tag"]


class Caller(Table, name="callers", text_ids=True):
    tenant: str
    kind: str | None = None
    tag: str | None = None
    by_row: bool = False


ROW_INDEXES = [
    Index("by_rank", "rank"),
    Index("by_tenant", "tenant"),
    Index("by_tenant_rank", "tenant", "rank"),
    Index("by_kind_rank", "kind", "rank"),
    Index("by_tag", "tags", "rank"),
    Index("by_tenant_kind_rank", "tenant", "kind", "rank"),
]


class Row(Table, name="rows", indexes=ROW_INDEXES):
    tenant: str
    rank: int
    kind: str
    tags: Annotated[list[str], Field(max_length=2)] = []
    open: bool = False


class Checked(Row, name="checked", indexes=ROW_INDEXES):
    """The same with a rule that is asked row by row."""


async def caller_of(ctx: RuleContext) -> Caller | None:
    return None if ctx.identity is None else await ctx.db.get(Caller, Id(ctx.identity.key))


@may_read(Caller)
async def nobody(ctx: RuleContext) -> bool:
    return False


@may_read(Row, Checked)
async def of_the_tenant(ctx: RuleContext) -> Condition | bool:
    me = await caller_of(ctx)
    if me is None:
        return False
    return me.tenant == "both" or field("tenant") == me.tenant


@may_read(Row, Checked)
async def of_a_kind(ctx: RuleContext) -> Condition | bool:
    me = await caller_of(ctx)
    if me is None or not (me.kind or me.tag):
        return True
    if me.kind and me.tag:
        return (field("kind") == me.kind) & (field("tags") == me.tag)
    return field("kind") == me.kind if me.kind else field("tags") == me.tag


@may_read(Checked)
async def open_ones(ctx: RuleContext, row: Checked) -> bool:
    me = await caller_of(ctx)
    return me is not None and (not me.by_row or row.open)


@query(public=True)
async def ask(
    ctx: QueryContext, index: str, descending: bool, size: int, least: int | None = None, checked: bool = False
) -> dict[str, Any]:
    table = Checked if checked else Row
    rows = chosen(ctx.db.query(table), index, least).order("desc" if descending else "asc")
    pages, cursors, cursor = list[list[str]](), list[str | None](), None
    while index != "by_tag" and len(pages) < 30:
        page = await rows.paginate(cursor, size)
        pages.append([str(row.id) for row in page.items])
        cursors.append(cursor := page.next_cursor)
        if cursor is None:
            break
    return {
        "all": [str(row.id) for row in await rows.collect()],
        "some": [str(row.id) for row in await rows.take(size)],
        "pages": pages,
        "cursors": cursors,
        "where": [str(row.id) for row in await rows.where(field("kind") != "y").collect()],
        "count": await rows.count(),
        "sum": await rows.sum("rank"),
        "groups": [[key, number] for key, number in (await rows.group_by("kind").count()).items()],
        "most": await rows.max("rank"),
        "got": [str(row.id) for n in range(24) if (row := await ctx.db.get(table, Id(f"{n:03}"))) is not None],
        "only": await code_of(rows),
    }


def chosen(rows: Query[Any], index: str, least: int | None) -> Query[Any]:
    bound = {} if least is None else {"rank": ge(least)}
    match index:
        case "by_rank":
            return rows.using("by_rank", **bound)
        case "by_tenant":
            return rows.using("by_tenant", tenant="a")
        case "by_tenant_rank":
            return rows.using("by_tenant_rank", **({} if least is None else {"tenant": "b", **bound}))
        case "by_kind_rank":
            return rows.using("by_kind_rank", kind="x", **bound)
        case "by_tag":
            return rows.using("by_tag", tags="p", **bound)
        case _:
            return rows


async def code_of(rows: Query[Any]) -> str:
    try:
        found = await rows.unique()
    except FunctionError as error:
        return error.code
    return "none" if found is None else str(found.id)


@mutation(internal=True)
async def raise_some(ctx: MutationContext) -> None:
    """Change every second row, by its id, in ways that no rule is about; and delete one."""
    for row in [*await ctx.db.query(Row).collect(), *await ctx.db.query(Checked).collect()]:
        if int(row.id) % 2 == 0:
            await ctx.db.patch(row, rank=row.rank + 1)
        elif int(row.id) % 7 == 0:
            await ctx.db.delete(row)
