"""An application for tests of workflows: trips that are booked in steps."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

from synovia import (
    ActionContext,
    CallOutcome,
    FunctionError,
    Id,
    MutationContext,
    Pool,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    WorkflowContext,
    WorkflowStep,
    action,
    job,
    mutation,
    query,
    workflow,
)

CITY = Pool("city", parallelism=2)
AGAIN = Retry(attempts=100, first=timedelta(seconds=1), factor=1)


class Booking(Table, name="bookings"):
    what: str
    at: int


class Ending(Table, name="trip_endings"):
    status: str
    result: Any = None
    code: str | None = None


# --- steps


FULL: set[str] = {"full"}
"""Where there is no room."""


@mutation(internal=True)
async def book(ctx: MutationContext, what: str) -> Id[Booking]:
    if what in FULL:
        raise FunctionError("full", "there is no room")
    return await ctx.db.insert(Booking(what=what, at=ctx.now))


@mutation(internal=True)
async def undo(ctx: MutationContext, booking: Id[Booking]) -> None:
    row = await ctx.db.get(Booking, booking)
    assert row is not None
    await ctx.db.insert(Booking(what=f"not {row.what}", at=ctx.now))


@mutation(internal=True)
async def long(ctx: MutationContext, size: int) -> str:
    return "x" * size


RUNNING: list[int] = [0, 0]
"""How many visits run at this moment, and the most that ever did."""


@action(internal=True, pool=CITY)
async def visit(ctx: ActionContext, what: str) -> str:
    RUNNING[0] += 1
    RUNNING[1] = max(RUNNING)
    await asyncio.sleep(0)
    await ctx.run_mutation(book, what)
    RUNNING[0] -= 1
    return what.upper()


FAILURES: list[str] = []
"""What is noted of attempts that fail."""


@action(internal=True)
async def flaky(ctx: ActionContext, until: int) -> int:
    FAILURES.append("once")
    if len(FAILURES) < until:
        raise FunctionError("not_yet", "later")
    return len(FAILURES)


class Waiter:
    """Tells of a ``wait`` that it has begun, was cancelled, and has cleaned up once it was let."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.may_clean_up = asyncio.Event()
        self.clean = asyncio.Event()


WAITERS: list[Waiter] = []


@action(internal=True)
async def wait(ctx: ActionContext) -> None:
    """Wait for what never comes."""
    WAITERS[-1].begun.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        WAITERS[-1].cancelled.set()
        await WAITERS[-1].may_clean_up.wait()
        WAITERS[-1].clean.set()
        raise


@job
async def over_all(ctx: MutationContext, bookings: list[Booking]) -> None: ...


# --- workflows


@workflow
async def trip(ctx: WorkflowContext, name: str, nights: int = 1) -> str:
    booking = await ctx.step(book, f"{name} train")
    assert isinstance(booking, Id)
    await ctx.sleep(timedelta(days=nights))
    shown = await ctx.step("trips:visit", {"what": f"{name} city"})
    await ctx.step(book, what=f"{name} back")
    return str(shown)


@workflow
async def wish(ctx: WorkflowContext) -> Any:
    return {await ctx.step(book, "wish")}


@workflow
async def tour(ctx: WorkflowContext, cities: list[str]) -> list[str]:
    async def one(city: str) -> str:
        shown = await ctx.step(visit, city)
        await ctx.step(book, f"after {city}")
        return shown

    return list(await asyncio.gather(*map(one, cities)))


@workflow
async def careful(ctx: WorkflowContext, last: str) -> None:
    for what in ("train", "hotel"):
        ctx.compensate(undo, await ctx.step(book, what))
    await ctx.step(book, last)
    await ctx.wait_for_event("home")


@workflow
async def winding(ctx: WorkflowContext) -> list[Any]:
    """Take the ways that one goes again that is resumed: a failure that it bears, an event, parts, and one in another."""
    found: list[Any] = [await ctx.step(book, "first")]
    try:
        await ctx.step(book, "full")
    except FunctionError as error:
        found.append(error.code)
    found.append(await ctx.wait_for_event("news"))
    async with asyncio.TaskGroup() as group:
        parts: list[asyncio.Task[Any]] = [group.create_task(ctx.step(book, what)) for what in ("left", "right")]
        parts.append(group.create_task(ctx.step(within)))
        group.create_task(ctx.sleep(timedelta(seconds=5)))
    try:
        found.append(await ctx.step(book, "last"))
    except FunctionError:
        await ctx.step(book, "sorry")
        raise
    return [*found, *(each.result() for each in parts)]


@workflow
async def within(ctx: WorkflowContext) -> str:
    await ctx.step(book, "inside")
    await ctx.step(book, "deep")
    return "out"


@workflow
async def waiting(ctx: WorkflowContext) -> list[Any]:
    found = [await ctx.wait_for_event("news"), await ctx.wait_for_event("news")]
    return [*found, await ctx.wait_for_event("end")]


@workflow
async def retried(ctx: WorkflowContext, until: int) -> int:
    return await ctx.with_options(retry=Retry(attempts=5, first=timedelta(seconds=10))).step(flaky, until)


@workflow
async def catching(ctx: WorkflowContext) -> str:
    try:
        await ctx.step(book, "full")
    except FunctionError as error:
        return error.code
    return "none"


@workflow
async def patient(ctx: WorkflowContext) -> None:
    await ctx.step(wait)


@workflow
async def nested(ctx: WorkflowContext, name: str) -> str:
    return await ctx.step(trip, name, nights=2)


@workflow
async def journeys(ctx: WorkflowContext, count: int) -> None:
    """Have many at once, each of which takes back what it has done."""
    await asyncio.gather(*(ctx.step(careful, "car") for _ in range(count)))


@workflow
async def early(ctx: WorkflowContext) -> str:
    """Wait for whichever comes first, and give the other up."""
    first = asyncio.create_task(ctx.wait_for_event("answer"))
    second = asyncio.create_task(ctx.sleep(timedelta(hours=1)))
    done, rest = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
    for each in rest:
        each.cancel()
    return str(first.result()) if first in done else "nobody"


CHANGED: set[str] = set()
"""What is different in the code of ``changing``."""


@workflow
async def changing(ctx: WorkflowContext) -> None:
    await ctx.step(book, "first")
    if "broken" in CHANGED:
        raise ValueError("broken")
    if "longer" in CHANGED:
        await ctx.wait_for_event("go")
    if "shorter" not in CHANGED:
        await ctx.step("trips:visit", {"what": "second"})
        await ctx.sleep(timedelta(hours=1))


@workflow
async def by_chance(ctx: WorkflowContext, seed: int) -> list[str]:
    """Do this and that at the same time, in an order that follows from the seed."""
    chance = random.Random(seed)
    plans = [[chance.choice(["book", "visit", "sleep"]) for _ in range(chance.randrange(1, 4))] for _ in range(4)]

    async def line(number: int) -> None:
        for place, what in enumerate(plans[number]):
            if what == "sleep":
                await ctx.sleep(timedelta(seconds=place))
            else:
                patient = ctx.with_options(retry=AGAIN if what == "visit" else None)
                await patient.step(f"trips:{what}", {"what": f"{what} {number} {place}"})

    await asyncio.gather(*map(line, range(4)))
    places = [(what, number, place) for number in range(4) for place, what in enumerate(plans[number])]
    return [f"{what} {number} {place}" for what, number, place in places if what != "sleep"]


NO_ERRORS: dict[str, BaseException] = {
    "an exit": SystemExit(3),
    "an interrupt": KeyboardInterrupt(),
    "a generator's exit": GeneratorExit(),
    "a group": BaseExceptionGroup("several", [KeyboardInterrupt()]),
}


async def end_by(error: BaseException) -> None:
    raise error


@workflow
async def badly(ctx: WorkflowContext, how: str, in_a_task: bool = False) -> Any:
    if how in NO_ERRORS:
        ctx.compensate(undo, await ctx.step(book, how))
        if in_a_task:
            await asyncio.gather(end_by(NO_ERRORS[how]))
        raise NO_ERRORS[how]
    match how:
        case "a query":
            return await ctx.step("trips:bookings")
        case "nothing":
            return await ctx.step("trips:invented")
        case "no function":
            return await ctx.step(max, 1)
        case "other arguments":
            return await ctx.step("trips:book", {"waht": 1})
        case "a job":
            return await ctx.step("trips:over_all")
        case "time":
            return await asyncio.sleep(1)
        case "a negative time":
            return await ctx.sleep(timedelta(seconds=-1))
        case "a long result":
            return await ctx.step(long, 2_000_000)
        case "forgotten":
            ctx.step(book, "forgotten")  # type: ignore[unused-coroutine]
            return None
        case _:
            raise ValueError("broken")


# --- who calls


@mutation(internal=True)
async def ended(ctx: MutationContext, call_id: Id[ScheduledCall], context: None, outcome: CallOutcome) -> None:
    code = None if outcome.error is None else outcome.error.code
    await ctx.db.insert(Ending(status=outcome.status, result=outcome.result, code=code))


@mutation(public=True)
async def begin(ctx: MutationContext, path: str, args: dict[str, Any]) -> Id[ScheduledCall]:
    return await ctx.scheduler.run_after(timedelta(), f"trips:{path}", args, on_complete=ended)


@mutation(public=True)
async def begin_trip(ctx: MutationContext, name: str) -> Id[ScheduledCall]:
    return await ctx.scheduler.run_after(timedelta(), trip, name, nights=3)


@mutation(public=True)
async def send(ctx: MutationContext, call_id: str, name: str, payload: Any = None) -> bool:
    return await ctx.scheduler.send_event(call_id, name, payload)


@mutation(public=True)
async def cancel(ctx: MutationContext, call_id: str) -> bool:
    return await ctx.scheduler.cancel(call_id)


@mutation(public=True)
async def resume(ctx: MutationContext, call_id: str) -> bool:
    return await ctx.scheduler.resume(call_id)


@query(public=True)
async def status(ctx: QueryContext, call_id: Id[ScheduledCall]) -> tuple[str, str | None, str | None]:
    call = await ctx.db.get(ScheduledCall, call_id)
    assert call is not None
    return (call.status, None, None) if call.error is None else (call.status, call.error.code, call.error.message)


@query(public=True)
async def steps(ctx: QueryContext, call_id: Id[ScheduledCall]) -> list[WorkflowStep]:
    return await ctx.db.query(WorkflowStep).using("by_workflow", workflow=call_id).collect()


@query(public=True)
async def calls(ctx: QueryContext) -> list[str]:
    return [each.status for each in await ctx.db.query(ScheduledCall).collect()]


@query(public=True)
async def bookings(ctx: QueryContext) -> list[str]:
    return [each.what for each in await ctx.db.query(Booking).collect()]


@query(public=True)
async def times(ctx: QueryContext) -> list[int]:
    return [each.at for each in await ctx.db.query(Booking).collect()]


@query(public=True)
async def endings(ctx: QueryContext) -> list[Ending]:
    return await ctx.db.query(Ending).collect()
