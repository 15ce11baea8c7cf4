"""The application that is measured: rooms of sensors, each with a level that moves."""

from __future__ import annotations

from synovia import Float64Array, Id, Index, MutationContext, NotFound, QueryContext, Table, ge, mutation, query

RUNS = [0]
"""How often ``in_room`` has been run."""


class Sensor(Table, name="sensors", indexes=[Index("by_room", "room", "rank")]):
    """A sensor; ``trace`` is an array apart from the document, ``curve`` one inside it."""

    room: str
    rank: int
    label: str
    level: int = 0
    trace: Float64Array | None = None
    curve: list[float] | None = None


@query(public=True)
async def in_room(ctx: QueryContext, room: str) -> list[Sensor]:
    RUNS[0] += 1
    return await ctx.db.query(Sensor).using("by_room", room=room).collect()


@query(public=True)
async def one(ctx: QueryContext, sensor_id: Id[Sensor]) -> Sensor | None:
    return await ctx.db.get(Sensor, sensor_id)


@query(public=True)
async def page(ctx: QueryContext, room: str, first: int, count: int = 20) -> list[Sensor]:
    """Read a few sensors of a room from a rank on."""
    return await ctx.db.query(Sensor).using("by_room", room=room, rank=ge(first)).take(count)


@query(public=True)
async def highest(ctx: QueryContext, room: str, count: int = 20) -> list[Sensor]:
    """Read the few of a room that have the highest ranks."""
    return await ctx.db.query(Sensor).using("by_room", room=room).order("desc").take(count)


@mutation(public=True)
async def add(
    ctx: MutationContext, room: str, rank: int, trace: Float64Array | None = None, curve: list[float] | None = None
) -> Id[Sensor]:
    label = f"sensor {rank} of {room}"
    return await ctx.db.insert(Sensor(room=room, rank=rank, label=label, trace=trace, curve=curve))


@mutation(public=True)
async def set_level(ctx: MutationContext, sensor_id: Id[Sensor], level: int) -> None:
    sensor = await ctx.db.get(Sensor, sensor_id)
    if sensor is None:
        raise NotFound(f"no sensor {sensor_id}")
    await ctx.db.patch(sensor, level=level)


@query(public=True)
async def total_level(ctx: QueryContext, room: str, number: int = 0) -> int:
    """Read a whole room; ``number`` makes queries differ that are otherwise the same."""
    return sum(sensor.level for sensor in await ctx.db.query(Sensor).using("by_room", room=room).collect())


@query(public=True)
async def listing(ctx: QueryContext, room: str, number: int) -> list[Sensor]:
    """Give a whole room; ``number`` as for ``total_level``."""
    return await ctx.db.query(Sensor).using("by_room", room=room).collect()


@query(public=True)
async def summed_level(ctx: QueryContext, room: str) -> float:
    """Tell the same without reading the room again."""
    return await ctx.db.query(Sensor).using("by_room", room=room).sum("level")


@mutation(public=True)
async def add_many(ctx: MutationContext, room: str, first: int, count: int, more: str = "") -> Id[Sensor] | None:
    """Add sensors to a room, with ``more`` in their labels; give the id of the last one."""
    added = None
    for rank in range(first, first + count):
        added = await ctx.db.insert(Sensor(room=room, rank=rank, label=f"sensor {rank} of {room}{more}"))
    return added


@mutation(public=True)
async def set_all_levels(ctx: MutationContext, room: str, level: int) -> None:
    for sensor in await ctx.db.query(Sensor).using("by_room", room=room).collect():
        await ctx.db.patch(sensor, level=level)


@query(public=True, presence=True)
async def here(ctx: QueryContext, room: str) -> None:
    """The room in which the benchmark of presence meets."""
