"""Passes and the door, where each is admitted once."""

from typing import Annotated, Literal

from pydantic import Field

from events.access import find_having, get_having
from events.schema import CheckIn, Event, Moment, Name, Pass
from synovia import Id, Model, MutationContext, NotFound, QueryContext, mutation, query, require_identity


class Scan(Model):
    """What a scanner has read, now or while it was offline; ``scan_id`` is its own name for that."""

    scan_id: Annotated[str, Field(min_length=1, max_length=100)]
    code: Annotated[str, Field(max_length=100)]
    scanned_at: Moment


class Verdict(Model):
    """What comes of a scan; ``at`` and ``scanner`` tell of the one that was admitted."""

    scan_id: str
    outcome: Literal["admitted", "already", "cancelled", "unknown"]
    holder: str | None = None
    scanner: str | None = None
    at: int | None = None


class Door(Model):
    """How an event's door stands."""

    admitted: int
    passes: int
    last: list[CheckIn]


class Paper(Model):
    """What is printed on a pass."""

    code: str
    holder: str
    title: str
    venue: str
    starts_at: int


@mutation(signed_in=True)
async def check_in(
    ctx: MutationContext, event_id: Id[Event], scanner: Name, scans: Annotated[list[Scan], Field(max_length=500)]
) -> list[Verdict]:
    """Admit whoever holds these passes, each pass once; a scanner may say the same again."""
    event = await get_having(ctx, "passes.check_in", event_id)
    return [await _verdict(ctx, event, scanner, scan) for scan in sorted(scans, key=lambda each: each.scanned_at)]


async def _verdict(ctx: MutationContext, event: Event, scanner: str, scan: Scan) -> Verdict:
    held = await ctx.db.query(Pass).using("by_code", code=scan.code.strip().lower()).unique()
    if held is None or held.event_id != event.id:
        return Verdict(scan_id=scan.scan_id, outcome="unknown")
    if held.cancelled:
        return Verdict(scan_id=scan.scan_id, outcome="cancelled", holder=held.holder)
    entry = await ctx.db.query(CheckIn).using("by_pass", pass_id=held.id).unique()
    if entry is None:
        said = {"scanner": scanner, **scan.model_dump(exclude={"code"})}
        entry = CheckIn(**event.place, pass_id=held.id, holder=held.holder, **said)
        await ctx.db.insert(entry)
    own = (entry.scan_id, entry.scanner) == (scan.scan_id, scanner)
    return Verdict(
        scan_id=scan.scan_id, outcome="admitted" if own else "already", holder=held.holder, scanner=entry.scanner,
        at=entry.scanned_at,
    )  # fmt: skip


@query(signed_in=True)
async def door(ctx: QueryContext, event_id: Id[Event]) -> Door | None:
    """Tell how many are in, live."""
    if await find_having(ctx, "passes.check_in", event_id) is None:
        return None
    entries, passes = (ctx.db.query(each).using("by_event", event_id=event_id) for each in (CheckIn, Pass))
    last = await ctx.db.query(CheckIn).using("by_event", event_id=event_id).order("desc").take(8)
    return Door(admitted=await entries.count(), passes=await passes.count(), last=last)


@query(signed_in=True)
async def find(ctx: QueryContext, event_id: Id[Event], text: str) -> list[Pass]:
    """Find the passes of somebody who comes to the door without one."""
    await get_having(ctx, "passes.check_in", event_id)
    return await ctx.db.query(Pass).search("by_holder", text, event_id=event_id).take(8)


@query(signed_in=True)
async def mine(ctx: QueryContext) -> list[Pass]:
    """List the caller's passes."""
    return await ctx.db.query(Pass).using("by_owner", auth_id=require_identity(ctx).key).order("desc").take(100)


@query(capability="papers.read")
async def paper(ctx: QueryContext, code: str) -> Paper:
    """Tell the service what is printed on a pass."""
    held = await ctx.db.query(Pass).using("by_code", code=code).unique()
    if held is None:
        raise NotFound("there is no such pass")
    event = await ctx.as_application().db.get_one(held.event_id)
    return Paper(code=code, holder=held.holder, title=event.title, venue=event.venue, starts_at=event.starts_at)
