"""Events with their tiers and sessions."""

from events.access import get_having
from events.schema import Count, Event, Name, Session, Text, TicketTier, Workspace
from synovia import Id, MutationContext, Page, QueryContext, mutation, query, require_capability


@mutation(signed_in=True)
async def plan(
    ctx: MutationContext, workspace_id: Id[Workspace], title: Name, venue: Name, starts_at: int, description: Text = ""
) -> Id[Event]:
    """Begin an event, which others see once it is published."""
    await require_capability(ctx, "events.manage", within=workspace_id)
    event = Event(workspace_id=workspace_id, title=title, venue=venue, starts_at=starts_at, description=description)
    return await ctx.db.insert(event)


@mutation(signed_in=True)
async def publish(ctx: MutationContext, event_id: Id[Event], published: bool = True) -> None:
    """Show an event to everybody, or no more."""
    await ctx.db.patch(await get_having(ctx, "events.manage", event_id), published=published)


@mutation(signed_in=True)
async def add_tier(ctx: MutationContext, event_id: Id[Event], name: Name, price: Count, stock: Count) -> Id[TicketTier]:
    """Offer a kind of ticket."""
    event = await get_having(ctx, "events.manage", event_id)
    return await ctx.db.insert(TicketTier(**event.place, name=name, price=price, stock=stock, left=stock))


@mutation(signed_in=True)
async def add_session(ctx: MutationContext, event_id: Id[Event], title: Name, starts_at: int) -> Id[Session]:
    """Add a part of an event."""
    event = await get_having(ctx, "events.manage", event_id)
    return await ctx.db.insert(Session(**event.place, title=title, starts_at=starts_at))


@query(public=True)
async def published(ctx: QueryContext, cursor: str | None = None) -> Page[Event]:
    """List what takes place, the latest first."""
    shown = ctx.db.query(Event).using("by_publication", published=True)
    return await shown.order("desc").paginate(cursor, 50)


@query(signed_in=True)
async def of_workspace(ctx: QueryContext, workspace_id: Id[Workspace]) -> list[Event]:
    """List the events of a workspace."""
    return await ctx.db.query(Event).using("by_workspace", workspace_id=workspace_id).take(200)


@query(public=True)
async def get(ctx: QueryContext, event_id: Id[Event]) -> Event | None:
    """Give an event."""
    return await ctx.db.get(event_id)


@query(public=True)
async def tiers(ctx: QueryContext, event_id: Id[Event]) -> list[TicketTier]:
    """List what there is to buy, with what is left of it."""
    return await ctx.db.query(TicketTier).using("by_event", event_id=event_id).take(50)


@query(public=True)
async def sessions(ctx: QueryContext, event_id: Id[Event]) -> list[Session]:
    """List the parts of an event."""
    return await ctx.db.query(Session).using("by_event", event_id=event_id).take(200)
