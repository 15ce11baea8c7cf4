"""An application whose functions name each other by themselves, not by their paths."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, assert_type

import numpy as np

from synovia import (
    ActionContext,
    Array,
    CallOutcome,
    FunctionError,
    Id,
    Index,
    Model,
    MutationContext,
    QueryContext,
    ScheduledCall,
    Table,
    action,
    mutation,
    query,
)

Level = Literal["stalls", "balcony"]


class Seat(Table, name="seats", indexes=[Index("by_level", "level")]):
    level: Level
    row_number: int
    held_until: datetime | None = None
    view: Array | None = None


class Hall(Model):
    seats: dict[Level, list[Seat]]
    free: int


class Note(Table, name="notes"):
    text: str


@query(internal=True)
async def hall(ctx: QueryContext, *, levels: list[Level]) -> Hall:
    seats = {level: await ctx.db.query(Seat).using("by_level", level=level).collect() for level in levels}
    return Hall(seats=seats, free=sum(seat.held_until is None for found in seats.values() for seat in found))


@mutation(internal=True, name="build")
async def build_seat(ctx: MutationContext, level: Level, row_number: int, view: Array | None = None) -> Seat:
    seat_id = await ctx.db.insert(Seat(level=level, row_number=row_number, view=view))
    seat = await ctx.db.get(Seat, seat_id)
    assert seat is not None
    return seat


@mutation(internal=True)
async def hold(ctx: MutationContext, seat_id: Id[Seat], until: datetime | None = None) -> None:
    seat = await ctx.db.get(Seat, seat_id)
    if seat is None:
        raise FunctionError("no_seat", "there is no such seat")
    await ctx.db.patch(seat, held_until=until)


@mutation(internal=True)
async def ended(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None:
    await ctx.db.insert(Note(text=f"{context}: {outcome.status}"))


@query(public=True)
async def notes(ctx: QueryContext) -> list[str]:
    return [note.text for note in await ctx.db.query(Note).collect()]


@action(public=True)
async def open_hall(ctx: ActionContext, until: datetime) -> list[str]:
    seat = assert_type(await ctx.run_mutation(build_seat, "stalls", row_number=3), Seat)
    view = await ctx.arrays.write(np.array([1.5, 2.5]))
    with_view = await ctx.run_mutation(build_seat, "balcony", 1, view)
    await ctx.run_mutation(hold, seat.id, until=until)
    found = assert_type(await ctx.run_query(hall, levels=["stalls", "balcony"]), Hall)
    [held] = found.seats["stalls"]
    return [
        held.level,
        str(held.held_until),
        str(held.id.table),
        str(held.creation_time == seat.creation_time > 0),
        str(with_view.view == view),
        str(found.free),
    ]


@action(public=True)
async def hold_nothing(ctx: ActionContext) -> None:
    await ctx.run_mutation(hold, Id[Seat]("0" * 24))


@action(public=True)
async def hold_wrongly(ctx: ActionContext, how: str) -> None:
    if how == "type":
        await ctx.run_mutation(hold, 7)  # type: ignore[call-overload]
    if how == "name":
        await ctx.run_mutation(hold, seat="0" * 24)  # type: ignore[call-overload]
    if how == "kind":
        await ctx.run_mutation(notes)
    if how == "undecorated":
        await ctx.run_query(undecorated)


async def undecorated(ctx: QueryContext) -> None:
    """Is no function of the application."""


@mutation(public=True)
async def hold_later(ctx: MutationContext, seat_id: Id[Seat], times: int) -> None:
    telling = ctx.scheduler.with_options(on_complete=ended, context="held")
    await ctx.scheduler.run_after(timedelta(minutes=1), hold, seat_id)
    await telling.run_at(ctx.now + 60_000, hold, seat_id=seat_id)
    await telling.with_options(context="many").run_many(hold, [{"seatId": seat_id}] * times)


@action(public=True)
async def hold_soon(ctx: ActionContext, seat_id: Id[Seat]) -> None:
    await ctx.scheduler.with_options(on_failure=ended, context="soon").run_after(timedelta(), hold, seat_id)
