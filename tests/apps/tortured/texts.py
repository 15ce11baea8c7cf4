"""A text that changes often and is large enough to fill sockets."""

from __future__ import annotations

from synovia import Index, MutationContext, QueryContext, Table, mutation, query


class Text(Table, name="texts", indexes=[Index("by_name", "name")]):
    name: str
    body: str


@query(public=True)
async def of(ctx: QueryContext, name: str) -> str | None:
    text = await ctx.db.query(Text).using("by_name", name=name).unique()
    return None if text is None else text.body


@mutation(public=True)
async def write(ctx: MutationContext, name: str, letter: str, length: int) -> None:
    """Make the text ``length`` times the letter: the request stays small."""
    text = await ctx.db.query(Text).using("by_name", name=name).unique()
    body = letter * length
    if text is None:
        await ctx.db.insert(Text(name=name, body=body))
    else:
        await ctx.db.patch(text, body=body)
