"""Events, who speaks and who pays, and who comes."""

from learning.access import require_member
from learning.schema import Event, EventRegistration, EventSponsor, RegistrationStatus, Speaker, Sponsor, Text
from synovia import Id, MutationContext, QueryContext, gt, mutation, query


@query(capability="learn")
async def coming(ctx: QueryContext) -> list[Event]:
    """List the events that have not begun."""
    tenant = (await require_member(ctx)).tenant_id
    events = await ctx.db.query(Event).using("by_start", tenant_id=tenant, starts_at=gt(ctx.now)).take(200)
    ctx.hold_until(*(event.starts_at for event in events))
    return events


@mutation(capability="events.plan")
async def create(
    ctx: MutationContext, title: Text, starts_at: int, speakers: list[Speaker], sponsors: list[Text]
) -> Id[Event]:
    """Plan an event with its speakers, and who pays for it."""
    tenant = (await require_member(ctx)).tenant_id
    event = await ctx.db.insert(Event(tenant_id=tenant, title=title, starts_at=starts_at, speakers=speakers))
    for name in sponsors:
        sponsor = await ctx.db.insert(Sponsor(tenant_id=tenant, name=name))
        await ctx.db.insert(EventSponsor(tenant_id=tenant, event_id=event, sponsor_id=sponsor))
    return event


@mutation(capability="learn")
async def register(ctx: MutationContext, event_id: Id[Event]) -> Id[EventRegistration]:
    """Register the caller."""
    me = await require_member(ctx)
    return await ctx.db.insert(EventRegistration(tenant_id=me.tenant_id, event_id=event_id, member_id=me.id))


@mutation(capability="learn", name="setStatus")
async def set_status(ctx: MutationContext, registration_id: Id[EventRegistration], status: RegistrationStatus) -> None:
    """Say that somebody was there, or does not come."""
    await ctx.db.patch(registration_id, status=status)
