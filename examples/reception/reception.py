"""The reception of a practice, for the examples: who waits, in which order, and a sensor that somebody tries out."""

from __future__ import annotations

from synovia import FunctionError, Id, Index, Model, MutationContext, NotFound, QueryContext, Table, mutation, query

STEP = 1024
"""Between the ranks of two visits, so that another fits in between."""
MOST_READINGS = 2_000


class Visit(Table, name="visits", indexes=[Index("by_rank", "rank")]):
    """Somebody who waits; a smaller rank is called earlier."""

    name: str
    reason: str
    rank: int
    note: str = ""
    urgent: bool = False


class Sample(Model):
    """What the sensor read: the angle of a knee in degrees, `at` seconds after it was switched on."""

    at: float
    angle: float


class Reading(Table, name="readings", indexes=[Index("by_time", "at")]):
    """A sample that is kept."""

    at: float
    angle: float


@query(signed_in=True)
async def waiting(ctx: QueryContext) -> list[Visit]:
    """List who waits, in the order in which they are called."""
    return await ctx.db.query(Visit).using("by_rank").collect()


@mutation(signed_in=True)
async def arrive(ctx: MutationContext, name: str, reason: str = "") -> Id[Visit]:
    """Put somebody at the end of the line."""
    if not name.strip():
        raise FunctionError("invalid_name", "a visit needs a name")
    last = await ctx.db.query(Visit).using("by_rank").order("desc").first()
    return await ctx.db.insert(Visit(name=name.strip(), reason=reason.strip(), rank=last.rank + STEP if last else 0))


@mutation(signed_in=True)
async def hurry(ctx: MutationContext, visit_id: Id[Visit]) -> None:
    """Put somebody at the head of the line."""
    visit = await _visit(ctx, visit_id)
    first = await ctx.db.query(Visit).using("by_rank").first()
    assert first is not None  # noqa: S101
    await ctx.db.patch(visit, rank=first.rank - STEP, urgent=True)


@mutation(signed_in=True)
async def write_note(ctx: MutationContext, visit_id: Id[Visit], note: str) -> None:
    """Note something about a visit."""
    await ctx.db.patch(await _visit(ctx, visit_id), note=note)


@mutation(signed_in=True)
async def leave(ctx: MutationContext, visit_id: Id[Visit]) -> None:
    """Take somebody out of the line; nothing happens if they have gone already."""
    visit = await ctx.db.get(Visit, visit_id)
    if visit is not None:
        await ctx.db.delete(visit)


@query(signed_in=True)
async def readings(ctx: QueryContext, last: int = 200) -> list[Reading]:
    """List the newest readings, the oldest of them first."""
    newest = await ctx.db.query(Reading).using("by_time").order("desc").take(min(last, MOST_READINGS))
    return newest[::-1]


@mutation(signed_in=True)
async def measure(ctx: MutationContext, samples: list[Sample]) -> None:
    """Keep what the sensor has read."""
    await ctx.db.insert_many([Reading(at=sample.at, angle=sample.angle) for sample in samples])


async def _visit(ctx: MutationContext, visit_id: Id[Visit]) -> Visit:
    visit = await ctx.db.get(Visit, visit_id)
    if visit is None:
        raise NotFound("this visit is over")
    return visit
