from __future__ import annotations

import asyncio

from synovia import (
    ActionContext,
    Float64Array,
    Id,
    Index,
    MutationContext,
    QueryContext,
    Table,
    action,
    field,
    mutation,
    query,
)


class Note(Table, name="notes", indexes=[Index("by_board", "board")]):
    board: str
    text: str
    samples: Float64Array | None = None


gate = asyncio.Event()
"""Functions that wait do so until a test opens this."""

started: list[str] = []
"""What has begun, in order."""


@query(public=True)
async def on_board(ctx: QueryContext, board: str) -> list[Note]:
    return await ctx.db.query(Note).using("by_board", board=board).collect()


@query(public=True)
async def with_text(ctx: QueryContext, text: str) -> list[Note]:
    """Notes that are found by no index."""
    return await ctx.db.query(Note).where(field("text") == text).collect()


@query(public=True)
async def lines(ctx: QueryContext, board: str, length: int) -> list[str]:
    """As many lines as there are notes on a board."""
    notes = await ctx.db.query(Note).using("by_board", board=board).collect()
    return ["x" * length for _ in notes]


@query(public=True)
async def who_am_i(ctx: QueryContext) -> str | None:
    return ctx.identity.email if ctx.identity else None


@query(public=True)
async def broken(ctx: QueryContext) -> str:
    raise RuntimeError("the secret of the query")


@query(public=True)
async def wrong_index(ctx: QueryContext, index: str = "by_colour") -> list[Note]:
    return await ctx.db.query(Note).using(index, colour="red").collect()


@mutation(public=True)
async def post(ctx: MutationContext, board: str, text: str) -> Id[Note]:
    started.append(text)
    return await ctx.db.insert(Note(board=board, text=text))


@mutation(public=True)
async def post_and_tell(ctx: MutationContext, board: str, length: int) -> str:
    await ctx.db.insert(Note(board=board, text="told"))
    return "x" * length


@mutation(public=True)
async def sign(ctx: MutationContext, board: str) -> str:
    """Post a note with the name of who calls, also if it is nobody, and give the name."""
    name = ctx.identity.email if ctx.identity and ctx.identity.email else "nobody"
    await ctx.db.insert(Note(board=board, text=name))
    return name


@mutation(public=True)
async def edit(ctx: MutationContext, note_id: Id[Note], text: str) -> None:
    note = await ctx.db.get(Note, note_id)
    assert note is not None
    await ctx.db.patch(note, text=text)


@mutation(public=True)
async def move(ctx: MutationContext, note_id: Id[Note], board: str) -> None:
    note = await ctx.db.get(Note, note_id)
    assert note is not None
    await ctx.db.patch(note, board=board)


@mutation(public=True)
async def plot(ctx: MutationContext, board: str, samples: Float64Array) -> Id[Note]:
    return await ctx.db.insert(Note(board=board, text="plot", samples=samples))


@mutation(public=True)
async def measure(ctx: MutationContext, numbers: list[int]) -> int:
    return sum(numbers)


@mutation(public=True)
async def post_when_open(ctx: MutationContext, board: str, text: str) -> Id[Note]:
    started.append(text)
    await gate.wait()
    return await ctx.db.insert(Note(board=board, text=text))


@mutation(public=True)
async def fail(ctx: MutationContext) -> None:
    raise RuntimeError("the secret of the mutation")


@mutation(internal=True)
async def hidden(ctx: MutationContext) -> None:
    return None


@action(public=True)
async def wait(ctx: ActionContext) -> str:
    started.append("wait")
    await gate.wait()
    return "waited"


@action(public=True)
async def long_text(ctx: ActionContext, length: int) -> str:
    return "x" * length
