"""Display pictures for all who come: a workflow over a batch, that is watched, cancelled and summed up."""

import asyncio
from datetime import timedelta

from events.access import get_having
from events.drawing import draw_all
from events.functions.service_calls import ask_service
from events.schema import Colour, DpBatch, DpTemplate, Event, GeneratedDp, Notification, Pass
from synovia import (
    ActionContext,
    CallOutcome,
    FunctionError,
    Id,
    Model,
    MutationContext,
    Page,
    Pool,
    QueryContext,
    RateLimit,
    Retry,
    ScheduledCall,
    WorkflowContext,
    action,
    between,
    field,
    mutation,
    query,
    require_identity,
    to_process,
    workflow,
)

DRAWING = Pool("pictures", parallelism=2)
DRAWN = RateLimit("pictures", 20_000, per=timedelta(days=1), window=True)
MOST = 5_000
AT_ONCE = 25
"""So many pictures are one step and one commit: they are drawn again if their hub is lost, and no others."""


class Progress(Model):
    """How far a batch is."""

    status: str
    total: int
    waiting: int
    done: int
    refused: int
    summary: str | None = None


class Shown(Model):
    """A picture, with the address at which it can be had for an hour."""

    holder: str
    url: str


class Drawn(Model):
    """A picture as it was drawn; None: it must not be."""

    dp_id: Id[GeneratedDp]
    png: bytes | None = None


class Work(Model):
    """What there is to draw."""

    template: DpTemplate
    waiting: list[GeneratedDp]


@mutation(signed_in=True)
async def design(
    ctx: MutationContext, event_id: Id[Event], headline: str, background: Colour = "#1e293b", accent: Colour = "#f59e0b"
) -> Id[DpTemplate]:
    """Say how the pictures of an event look."""
    event = await get_having(ctx, "pictures.make", event_id)
    return await ctx.db.insert(DpTemplate(**event.place, headline=headline, background=background, accent=accent))


@mutation(signed_in=True)
async def start(ctx: MutationContext, template_id: Id[DpTemplate]) -> Id[DpBatch]:
    """Begin to make a picture for everybody who has a pass."""
    template = await get_having(ctx, "pictures.make", template_id)
    count = await ctx.as_application().db.query(Pass).using("by_event", event_id=template.event_id).count()
    if not 0 < count <= MOST:
        raise FunctionError("batch_size", f"a batch has 1 to {MOST:,} pictures")
    await DRAWN.spend(ctx, template.workspace_id, count)
    batch = DpBatch(**template.place, template_id=template.id, by=require_identity(ctx).key)
    id_ = await ctx.db.insert(batch)
    told = ctx.scheduler.with_options(on_complete=ended, context=id_)
    await ctx.db.patch(id_, call_id=await told.run_after(timedelta(), make, id_))
    return id_


@workflow
async def make(ctx: WorkflowContext, batch_id: Id[DpBatch]) -> None:
    """Note for whom there is to be a picture, then draw them all, some in each step."""
    total, cursor = await ctx.step(collect, batch_id)
    while cursor is not None:
        total, cursor = await ctx.step(collect, batch_id, cursor)
    await asyncio.gather(*(ctx.step(draw_some, batch_id, first) for first in range(0, total, AT_ONCE)))


@mutation(internal=True)
async def collect(ctx: MutationContext, batch_id: Id[DpBatch], cursor: str | None = None) -> tuple[int, str | None]:
    """Note for whom there is to be a picture, some at a time; tell how many there are by now, and where to go on."""
    batch = await ctx.db.get_one(batch_id)
    passes = await ctx.db.query(Pass).using("by_event", event_id=batch.event_id).paginate(cursor, 250)
    valid = [each for each in passes.items if not each.cancelled]
    await ctx.db.insert_many(
        GeneratedDp(**each.entry, batch_id=batch.id, number=number) for number, each in enumerate(valid, batch.total)
    )
    batch = await ctx.db.patch(batch, total=batch.total + len(valid))
    return batch.total, passes.next_cursor


@action(internal=True, pool=DRAWING, retry=Retry(attempts=20, first=timedelta(seconds=1), limit=timedelta(minutes=1)))
async def draw_some(ctx: ActionContext, batch_id: Id[DpBatch], first: int) -> None:
    """Draw what still waits among these, and leave out what the service refuses."""
    work = await ctx.run_query(waiting, batch_id, first)
    if work is None:
        return
    look, names = work.template, [each.holder for each in work.waiting]
    refused = set((await ask_service(ctx, "moderation", {"texts": names})).json()["refused"])
    fine = [name for name in names if name not in refused]
    pngs = dict(zip(fine, await to_process(draw_all, fine, look.headline, look.background, look.accent), strict=True))
    await ctx.run_mutation(keep, batch_id, [Drawn(dp_id=each.id, png=pngs.get(each.holder)) for each in work.waiting])


@query(internal=True)
async def waiting(ctx: QueryContext, batch_id: Id[DpBatch], first: int) -> Work | None:
    """Give what is to be drawn in a step."""
    batch = await ctx.db.get(batch_id)
    template = None if batch is None else await ctx.db.get(batch.template_id)
    if batch is None or template is None or batch.status != "running":
        return None
    of = ctx.db.query(GeneratedDp).using("by_batch", batch_id=batch_id, number=between(first, first + AT_ONCE))
    return Work(template=template, waiting=await of.where(field("status") == "waiting").collect())


@mutation(internal=True)
async def keep(ctx: MutationContext, batch_id: Id[DpBatch], drawn: list[Drawn]) -> None:
    """Keep pictures, unless there are some or nobody wants them any more; all of a step in one commit."""
    batch = await ctx.db.get(batch_id)
    if batch is not None and batch.status == "running":
        await asyncio.gather(*(_keep(ctx, each) for each in drawn))


async def _keep(ctx: MutationContext, drawn: Drawn) -> None:
    dp, picture = await ctx.db.get(drawn.dp_id), None
    if dp is not None and dp.status == "waiting":
        if drawn.png is not None:
            picture = await ctx.files.write(drawn.png, name=f"{dp.number}.png", type="image/png")
        await ctx.db.patch(dp, status="done" if picture else "refused", picture=picture)


@mutation(internal=True)
async def ended(ctx: MutationContext, call_id: Id[ScheduledCall], context: Id[DpBatch], outcome: CallOutcome) -> None:
    """Sum a batch up, and tell whoever began it."""
    batch = await ctx.db.get(context)
    if batch is not None:
        text = ", ".join(f"{number} {what}" for what, number in (await _counts(ctx, batch.id)).items())
        await ctx.db.patch(batch, status=outcome.status, summary=f"{batch.total} pictures: {text}")
        await ctx.db.insert(Notification(auth_id=batch.by, text=f"Your pictures are {outcome.status}: {text}."))


async def _counts(ctx: QueryContext, batch_id: Id[DpBatch]) -> dict[str, int]:
    return await ctx.db.query(GeneratedDp).using("by_status", batch_id=batch_id).group_by("status").count()


@mutation(signed_in=True)
async def cancel(ctx: MutationContext, batch_id: Id[DpBatch]) -> bool:
    """Stop making pictures: none is kept from now on."""
    batch = await get_having(ctx, "pictures.make", batch_id)
    if batch.status != "running" or batch.call_id is None or not await ctx.scheduler.cancel(batch.call_id):
        return False
    await ctx.db.patch(batch_id, status="cancelled")
    return True


@query(signed_in=True)
async def batches(ctx: QueryContext, event_id: Id[Event]) -> list[DpBatch]:
    """List the batches of an event, the newest first."""
    return await ctx.db.query(DpBatch).using("by_event", event_id=event_id).order("desc").take(20)


@query(signed_in=True)
async def progress(ctx: QueryContext, batch_id: Id[DpBatch]) -> Progress | None:
    """Tell how far a batch is, live."""
    batch = await ctx.db.get(batch_id)
    if batch is None:
        return None
    counts = {"waiting": 0, "done": 0, "refused": 0, **await _counts(ctx, batch_id)}
    return Progress(status=batch.status, total=batch.total, summary=batch.summary, **counts)


@query(signed_in=True)
async def of_batch(ctx: QueryContext, batch_id: Id[DpBatch], cursor: str | None = None) -> Page[Shown]:
    """Show the pictures that are made."""
    done = ctx.db.query(GeneratedDp).using("by_status", batch_id=batch_id, status="done")
    page = await done.paginate(cursor, 50)
    shown = [Shown(holder=each.holder, url=ctx.files.url(each.picture)) for each in page.items if each.picture]
    return Page[Shown](items=shown, next_cursor=page.next_cursor)
