"""Support tickets and what is said about them."""

from learning.access import require_member
from learning.schema import LongText, SupportTicket, SupportTicketMessage, Text, TicketStatus
from synovia import FunctionError, Id, MutationContext, Page, QueryContext, mutation, query


@mutation(capability="tickets.open", name="open")
async def open_ticket(ctx: MutationContext, subject: Text, text: LongText) -> Id[SupportTicket]:
    """Ask for help."""
    me = await require_member(ctx)
    ticket = await ctx.db.insert(SupportTicket(tenant_id=me.tenant_id, member_id=me.id, subject=subject))
    await ctx.db.insert(SupportTicketMessage(tenant_id=me.tenant_id, ticket_id=ticket, member_id=me.id, text=text))
    return ticket


@mutation(capability="learn")
async def say(ctx: MutationContext, ticket_id: Id[SupportTicket], text: LongText) -> None:
    """Say something about a ticket that is not closed: it is answered if somebody else than its member does."""
    me, ticket = await require_member(ctx), await ctx.db.get(ticket_id)
    if ticket is not None and ticket.status == "closed":
        raise FunctionError("ticket_closed", "this ticket is closed: open another one")
    message = SupportTicketMessage(tenant_id=me.tenant_id, ticket_id=ticket_id, member_id=me.id, text=text)
    await ctx.db.insert(message)
    status: TicketStatus = "open" if ticket is None or ticket.member_id == me.id else "answered"
    await ctx.db.patch(ticket_id, status=status)


@mutation(capability="learn")
async def close(ctx: MutationContext, ticket_id: Id[SupportTicket]) -> SupportTicket:
    """Close a ticket."""
    return await ctx.db.patch(ticket_id, status="closed")


@query(capability="learn")
async def tickets(
    ctx: QueryContext, status: TicketStatus = "open", cursor: str | None = None, limit: int = 50
) -> Page[SupportTicket]:
    """List the tickets that the caller may see, the oldest first."""
    tenant = (await require_member(ctx)).tenant_id
    return await ctx.db.query(SupportTicket).using("by_status", tenant_id=tenant, status=status).paginate(cursor, limit)


@query(capability="learn")
async def messages(ctx: QueryContext, ticket_id: Id[SupportTicket]) -> list[SupportTicketMessage]:
    """List what was said about a ticket."""
    return await ctx.db.query(SupportTicketMessage).using("by_ticket", ticket_id=ticket_id).take(1_000)
