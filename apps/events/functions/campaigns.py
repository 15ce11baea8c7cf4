"""Campaigns: everybody for whom there is a picture gets it by mail."""

import asyncio
from datetime import timedelta

from events.access import get_having
from events.functions.pictures import AT_ONCE
from events.schema import Campaign, DpBatch, GeneratedDp, Name, Text
from synovia import (
    ActionContext,
    Attachment,
    CallOutcome,
    FunctionError,
    Id,
    Model,
    MutationContext,
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
    workflow,
)

MAILING = Pool("mailing", parallelism=2, across_hubs=True)
MAILED = RateLimit("campaign mails", 10_000, per=timedelta(days=1), window=True)


class Letters(Model):
    """What is to be mailed."""

    subject: str
    text: str
    to: list[GeneratedDp]


@mutation(signed_in=True)
async def send(ctx: MutationContext, batch_id: Id[DpBatch], subject: Name, text: Text) -> Id[Campaign]:
    """Mail the pictures of a batch that is done."""
    batch = await get_having(ctx, "campaigns.send", batch_id)
    if batch.status != "done":
        raise FunctionError("not_done", f"this batch is {batch.status}")
    await MAILED.spend(ctx, batch.workspace_id, batch.total)
    campaign = Campaign(workspace_id=batch.workspace_id, batch_id=batch.id, subject=subject, text=text)
    id_ = await ctx.db.insert(campaign)
    await ctx.scheduler.with_options(on_complete=ended, context=id_).run_after(timedelta(), mail_all, id_, batch.total)
    return id_


@workflow
async def mail_all(ctx: WorkflowContext, campaign_id: Id[Campaign], total: int) -> None:
    """Mail everything, some in each step."""
    await asyncio.gather(*(ctx.step(mail_some, campaign_id, first) for first in range(0, total, AT_ONCE)))


@action(internal=True, pool=MAILING, retry=Retry(attempts=10, first=timedelta(seconds=5)))
async def mail_some(ctx: ActionContext, campaign_id: Id[Campaign], first: int) -> None:
    """Mail what is not mailed yet among these; one of them comes twice if the hub is lost between sending and noting it."""
    letters = await ctx.run_query(unmailed, campaign_id, first)
    for dp in letters.to:
        if dp.picture is not None and dp.email:
            picture = Attachment("picture.png", await ctx.files.read(dp.picture), "image/png")
            await ctx.mail.send(dp.email, letters.subject, letters.text, attachments=[picture])
            await ctx.run_mutation(note_mailed, dp.id)


@query(internal=True)
async def unmailed(ctx: QueryContext, campaign_id: Id[Campaign], first: int) -> Letters:
    """Give what is to be mailed in a step."""
    campaign = await ctx.db.get(campaign_id)
    if campaign is None:
        return Letters(subject="", text="", to=[])
    numbers = between(first, first + AT_ONCE)
    made = ctx.db.query(GeneratedDp).using("by_batch", batch_id=campaign.batch_id, number=numbers)
    to = await made.where((field("status") == "done") & (field("mailed") == False)).collect()  # noqa: E712
    return Letters(subject=campaign.subject, text=campaign.text, to=to)


@mutation(internal=True)
async def note_mailed(ctx: MutationContext, dp_id: Id[GeneratedDp]) -> None:
    """Note that a picture was mailed."""
    await ctx.db.patch(dp_id, mailed=True)


@mutation(internal=True)
async def ended(ctx: MutationContext, call_id: Id[ScheduledCall], context: Id[Campaign], outcome: CallOutcome) -> None:
    """Note how a campaign has ended."""
    await ctx.db.patch(context, status=outcome.status)


@query(signed_in=True)
async def of_batch(ctx: QueryContext, batch_id: Id[DpBatch]) -> list[Campaign]:
    """List the campaigns of a batch."""
    return await ctx.db.query(Campaign).using("by_batch", batch_id=batch_id).take(20)
