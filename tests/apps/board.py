"""A small application for tests: cards on boards, with a query of every shape that the engine knows."""

from __future__ import annotations

from typing import Any

from synovia import (
    ActionContext,
    FunctionError,
    Id,
    Index,
    Model,
    MutationContext,
    NotFound,
    Page,
    QueryContext,
    SearchIndex,
    SoftDelete,
    Table,
    action,
    between,
    field,
    ge,
    lt,
    mutation,
    query,
)


class Mark(Model):
    by: str
    weight: int


class Card(
    Table,
    name="cards",
    indexes=[
        Index("by_board", "board", "rank"),
        Index("by_tag", "tags", "rank"),
        Index("by_marker", "marks.by"),
        Index("by_slug", "slug", unique=True),
    ],
):
    board: str
    rank: int
    slug: str
    tags: list[str] = []
    marks: list[Mark] = []
    note: str | None = None
    done: bool = False


class Leaf(
    Table,
    SoftDelete,
    name="leaves",
    indexes=[
        Index("by_slug", "slug", unique=True),
        SearchIndex("by_text", "title", "text", filters=("board",), language="english"),
        SearchIndex("everywhere", "title"),
    ],
):
    slug: str
    board: str
    title: str
    text: str = ""
    rank: int = 0


class Pair(Table, name="pairs", indexes=[Index("by_both", "left", "right")]):
    left: list[int] | None = None
    right: list[int] | None = None


@query(public=True)
async def get(ctx: QueryContext, card_id: Id[Card]) -> Card | None:
    return await ctx.db.get(Card, card_id)


@query(public=True)
async def on_board(ctx: QueryContext, board: str, limit: int = 100, descending: bool = False) -> list[Card]:
    return await ctx.db.query(Card).using("by_board", board=board).order("desc" if descending else "asc").take(limit)


@query(public=True)
async def in_range(ctx: QueryContext, board: str, low: int, high: int) -> list[Card]:
    return await ctx.db.query(Card).using("by_board", board=board, rank=between(low, high)).collect()


@query(public=True)
async def open_from(ctx: QueryContext, board: str, low: int, limit: int) -> list[Card]:
    cards = ctx.db.query(Card).using("by_board", board=board, rank=ge(low))
    return await cards.where((field("done") == False) & (field("rank") < 90)).take(limit)  # noqa: E712


@query(public=True)
async def tagged(ctx: QueryContext, tag: str, below: int) -> list[Card]:
    return await ctx.db.query(Card).using("by_tag", tags=tag, rank=lt(below)).order("desc").collect()


@query(public=True)
async def marked(ctx: QueryContext, by: str) -> list[Card]:
    return await ctx.db.query(Card).using("by_marker", marks__by=by).collect()


@query(public=True)
async def by_slug(ctx: QueryContext, slug: str) -> Card | None:
    return await ctx.db.query(Card).using("by_slug", slug=slug).unique()


@query(public=True)
async def count(ctx: QueryContext, board: str) -> int:
    return await ctx.db.query(Card).using("by_board", board=board).count()


@query(public=True)
async def summary(ctx: QueryContext, board: str) -> list[Any]:
    cards = ctx.db.query(Card).using("by_board", board=board)
    ends = await cards.min("rank"), await cards.max("rank"), await cards.max("note")
    return [await cards.sum("rank"), await cards.mean("rank"), *ends, await cards.trend("rank", "rank")]


@query(public=True)
async def groups(ctx: QueryContext, tag: str) -> list[Any]:
    cards = ctx.db.query(Card).using("by_tag", tags=tag).where(field("rank") > 20).group_by("board", "done")
    counts, ranks, notes = await cards.count(), await cards.sum("rank"), await cards.min("note")
    return [[*group, counts[group], ranks[group], notes[group]] for group in counts]


@query(public=True)
async def found(ctx: QueryContext, board: str, text: str, limit: int, below: int) -> list[Leaf]:
    leaves = ctx.db.query(Leaf).search("by_text", text, board=board)
    return await leaves.where(field("rank") < below).take(limit)


@query(public=True)
async def found_everywhere(ctx: QueryContext, text: str, with_deleted: bool) -> list[Any]:
    leaves = ctx.db.query(Leaf).with_deleted() if with_deleted else ctx.db.query(Leaf)
    found, best = leaves.search("everywhere", text), await leaves.search("everywhere", text).first()
    return [await found.count(), best and best.slug]


@query(public=True)
async def newest(ctx: QueryContext, limit: int) -> list[Card]:
    return await ctx.db.query(Card).order("desc").take(limit)


@query(public=True)
async def page(ctx: QueryContext, board: str, cursor: str | None = None, size: int = 3) -> Page[Card]:
    return await ctx.db.query(Card).using("by_board", board=board).paginate(cursor, size)


@query(public=True)
async def two_pages(ctx: QueryContext, board: str, size: int = 2) -> list[Page[Card]]:
    cards = ctx.db.query(Card).using("by_board", board=board)
    first = await cards.paginate(None, size)
    return [first, await cards.order("desc").paginate(None, size)]


@query(public=True)
async def neighbours(ctx: QueryContext, slug: str) -> dict[str, Any]:
    """Reads what it reads because of what it read before."""
    card = await by_slug(ctx, slug)
    if card is None:
        raise NotFound(f"no card {slug}")
    around = await in_range(ctx, card.board, card.rank - 2, card.rank + 3)
    return {"slug": slug, "around": [other.slug for other in around]}


@query(public=True)
async def whoami(ctx: QueryContext) -> str | None:
    return None if ctx.identity is None else ctx.identity.email


@query(public=True)
async def greeting(ctx: QueryContext, slug: str) -> str:
    """Looks at the identity only when the card is done."""
    card = await by_slug(ctx, slug)
    if card is not None and card.done:
        return f"done, {ctx.identity.email if ctx.identity else 'stranger'}"
    return "not done"


@query(public=True)
async def broken(ctx: QueryContext, board: str) -> int:
    cards = await on_board(ctx, board)
    return 1 // (1 - len(cards))


@query(public=True)
async def touched_within(ctx: QueryContext, board: str, seconds: int) -> list[str]:
    """Cards whose rank, taken as a time in seconds, is not longer ago than that."""
    cards = await on_board(ctx, board)
    fresh = [card for card in cards if card.rank * 1000 > ctx.now - seconds * 1000]
    ctx.hold_until(*((card.rank + seconds) * 1000 for card in fresh))
    return [card.slug for card in fresh]


@query(public=True)
async def clock(ctx: QueryContext) -> int:
    return ctx.now // 1000


@mutation(isolation="snapshot", public=True)
async def add_if_fewer_snapshot(ctx: MutationContext, slug: str, board: str, most: int) -> bool:
    """As ``add_if_fewer``, but open to write skew."""
    return await add_if_fewer(ctx, slug, board, most)


@mutation(isolation="snapshot", public=True)
async def bump_snapshot(ctx: MutationContext, slug: str) -> int:
    return await bump(ctx, slug)


@query(internal=True)
async def secret(ctx: QueryContext) -> int:
    return await ctx.db.query(Card).count()


@mutation(public=True)
async def add(
    ctx: MutationContext, slug: str, board: str = "a", rank: int = 0, tags: list[str] | None = None, done: bool = False
) -> Id[Card]:
    return await ctx.db.insert(Card(slug=slug, board=board, rank=rank, tags=tags or [], done=done))


@mutation(public=True)
async def change(
    ctx: MutationContext,
    slug: str,
    board: str | None = None,
    rank: int | None = None,
    tags: list[str] | None = None,
    marks: list[Mark] | None = None,
    note: str | None = None,
    done: bool | None = None,
) -> None:
    card = await by_slug(ctx, slug)
    if card is None:
        raise NotFound(f"no card {slug}")
    changes = {"board": board, "rank": rank, "tags": tags, "marks": marks, "note": note, "done": done}
    await ctx.db.patch(card, **{name: value for name, value in changes.items() if value is not None})


@mutation(public=True)
async def write(ctx: MutationContext, slug: str, board: str, title: str, text: str, rank: int) -> list[str]:
    """Write a leaf, there or anew, and find what has its words at that moment."""
    leaf = await ctx.db.query(Leaf).using("by_slug", slug=slug).unique()
    if leaf is None:
        await ctx.db.insert(Leaf(slug=slug, board=board, title=title, text=text, rank=rank))
    else:
        await ctx.db.patch(leaf, board=board, title=title, text=text, rank=rank)
    return [each.slug for each in await ctx.db.query(Leaf).search("by_text", title, board=board).take(5)]


@mutation(public=True)
async def tear_off(ctx: MutationContext, slug: str, for_good: bool) -> None:
    leaf = await ctx.db.query(Leaf).using("by_slug", slug=slug).unique()
    if leaf is not None:
        await ctx.db.delete(leaf, for_good=for_good)


@mutation(public=True)
async def spoil(ctx: MutationContext) -> None:
    """Insert what no index over two arrays can hold."""
    await ctx.db.insert(Pair(left=[1, 2], right=[1, 2]))


@mutation(public=True)
async def remove(ctx: MutationContext, slug: str) -> bool:
    card = await by_slug(ctx, slug)
    if card is not None:
        await ctx.db.delete(card)
    return card is not None


@mutation(public=True)
async def bump(ctx: MutationContext, slug: str, by: int = 1) -> int:
    """Reads and writes one document: the smallest thing that can be lost."""
    card = await by_slug(ctx, slug)
    if card is None:
        raise NotFound(f"no card {slug}")
    return (await ctx.db.patch(card, rank=card.rank + by)).rank


@mutation(public=True)
async def move(ctx: MutationContext, source: str, target: str, by: int) -> None:
    """Takes from one rank and gives to another; their sum stays."""
    await bump(ctx, source, -by)
    await bump(ctx, target, by)


@mutation(public=True)
async def add_if_fewer(ctx: MutationContext, slug: str, board: str, most: int) -> bool:
    """Adds only while the board has fewer than ``most`` cards: write skew would break it."""
    if await ctx.db.query(Card).using("by_board", board=board).count() >= most:
        return False
    await add(ctx, slug, board)
    return True


@mutation(public=True)
async def own_reads(ctx: MutationContext, board: str) -> list[list[str]]:
    """Sees its own inserts, changes and deletions in every kind of read."""
    cards = ctx.db.query(Card).using("by_board", board=board)
    seen = []
    for rank in (5, 1, 3):
        await ctx.db.insert(Card(slug=f"own{rank}", board=board, rank=rank))
        seen.append([card.slug for card in await cards.collect()])
    one = await by_slug(ctx, "own1")
    three = await by_slug(ctx, "own3")
    assert one is not None
    assert three is not None
    await ctx.db.patch(one, rank=9)
    seen.append([card.slug for card in await cards.order("desc").take(2)])
    await ctx.db.delete(three)
    seen.append([card.slug for card in await cards.take(2)])
    seen.append([str(await cards.count())])
    return seen


@mutation(public=True)
async def fail_after_writing(ctx: MutationContext, slug: str) -> None:
    await add(ctx, slug)
    raise FunctionError("changed_my_mind", "nothing of this may stay", {"slug": slug})


@mutation(public=True)
async def random_ids(ctx: MutationContext) -> list[float]:
    return [ctx.random.random(), float(ctx.now)]


@action(public=True)
async def add_twice(ctx: ActionContext, slug: str) -> int:
    await ctx.run_mutation("board:add", {"slug": slug, "board": "z"})
    await ctx.run_mutation("board:add", {"slug": slug + "2", "board": "z"})
    return int(await ctx.run_query("board:secret"))
