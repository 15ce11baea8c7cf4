"""The application that is attacked: what searches, files, jobs, shared documents and rules offer to anybody."""

from __future__ import annotations

import random
from datetime import timedelta
from string import ascii_lowercase
from typing import ClassVar

from benchmarks.sensors import Sensor
from synovia import (
    Id,
    Index,
    MutationContext,
    QueryContext,
    RuleContext,
    ScheduledCall,
    Scored,
    SearchIndex,
    SharedChanges,
    SharedDoc,
    Table,
    Upload,
    VectorIndex,
    WorkflowContext,
    job,
    may_read,
    mutation,
    query,
    workflow,
)

DIMENSIONS = 64
GUARDED_ROWS = 50


class Paper(
    Table,
    name="papers",
    indexes=[SearchIndex("by_text", "text"), VectorIndex("by_meaning", "meaning", dimensions=DIMENSIONS)],
):
    """What is searched, has files and is written together."""

    text: str
    meaning: list[float] | None = None
    body: ClassVar[SharedDoc] = SharedDoc()


class Guarded(Table, name="guarded", indexes=[Index("by_rank", "rank")]):
    """A row that a dear rule guards."""

    rank: int


@may_read(Sensor, Paper)
async def all_is_read(ctx: RuleContext) -> bool:
    return True


@may_read(Guarded)
async def much_is_read(ctx: RuleContext, row: Guarded) -> bool:
    """Read a large room again for each row."""
    sensors = await ctx.db.query(Sensor).using("by_room", room="large").collect()
    return sum(sensor.level for sensor in sensors) >= -row.rank


@query(public=True)
async def find(ctx: QueryContext, text: str) -> list[str]:
    return [paper.text for paper in await ctx.db.query(Paper).search("by_text", text).take(20)]


@query(public=True)
async def similar(ctx: QueryContext, vector: list[float], number: int = 0) -> list[Scored[Paper]]:
    """Find the nearest; ``number`` makes queries differ that are otherwise the same."""
    return await ctx.db.query(Paper).nearest("by_meaning", vector).scored(10)


@query(public=True)
async def guarded(ctx: QueryContext, number: int) -> int:
    """Count what the rule lets through; ``number`` as above."""
    return len(await ctx.db.query(Guarded).collect())


@query(public=True)
async def body(ctx: QueryContext, id: Id[Paper], since: int | None = None) -> SharedChanges:
    return await ctx.shared.changes(Paper.body, id, since)


@mutation(public=True)
async def write_body(ctx: MutationContext, id: Id[Paper], update: bytes) -> None:
    await ctx.shared.append(Paper.body, id, update)


@mutation(public=True)
async def add(ctx: MutationContext, text: str, meaning: list[float] | None = None) -> Id[Paper]:
    return await ctx.db.insert(Paper(text=text, meaning=meaning))


@mutation(public=True)
async def add_many(ctx: MutationContext, count: int) -> Id[Paper] | None:
    """Add papers to look for; give the id of the last one."""
    draw, paper = random.Random(1), None
    for number in range(count):
        words = " ".join(f"{letter}{number % 97}" for letter in ascii_lowercase)
        meaning = [draw.random() for _ in range(DIMENSIONS)]
        paper = await ctx.db.insert(Paper(text=f"common {words}", meaning=meaning))
    return paper


@mutation(public=True)
async def guard(ctx: MutationContext) -> None:
    for rank in range(GUARDED_ROWS):
        await ctx.db.insert(Guarded(rank=rank))


@mutation(public=True)
async def attach(ctx: MutationContext, file: Upload) -> None:
    await ctx.files.accept(file)


@job
async def touch(ctx: MutationContext, sensors: list[Sensor]) -> None:
    for sensor in sensors:
        await ctx.db.patch(sensor, level=sensor.level + 1)


@mutation(internal=True)
async def nothing(ctx: MutationContext) -> None: ...


@workflow
async def wait(ctx: WorkflowContext) -> None:
    await ctx.step(nothing)
    await ctx.sleep(timedelta(days=1))


@mutation(public=True)
async def begin_job(ctx: MutationContext) -> Id[ScheduledCall]:
    return await ctx.scheduler.run_job(touch, ctx.db.query(Sensor).using("by_room", room="large"))


@mutation(public=True)
async def begin_workflows(ctx: MutationContext, count: int) -> None:
    for _ in range(count):
        await ctx.scheduler.run_after(timedelta(0), wait)
