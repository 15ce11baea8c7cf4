"""Who may do what: capabilities, granted by platform roles and, in a workspace, by membership and teams; the row rules."""

from __future__ import annotations

from typing import TypeVar

from events.schema import (
    Campaign,
    CheckIn,
    Delivery,
    DpBatch,
    DpTemplate,
    Event,
    GeneratedDp,
    Notification,
    Order,
    Organization,
    Pass,
    Payment,
    PlatformRole,
    Release,
    Session,
    TeamMember,
    TicketTier,
    User,
    Workspace,
    WorkspaceMember,
)
from synovia import (
    AuditEntry,
    Condition,
    Forbidden,
    Id,
    QueryContext,
    RuleContext,
    field,
    may_read,
    may_write,
    require_identity,
    roles,
)

T = TypeVar("T", DpBatch, DpTemplate, Event, Order)
_ORGANIZER = {"events.manage", "sales.read", "pictures.make", "campaigns.send", "passes.check_in"}
_OWNER = _ORGANIZER | {"members.manage", "orders.refund"}


@roles(
    {
        "owner": _OWNER,
        "organizer": _ORGANIZER,
        "door": {"passes.check_in"},
        "finance": {"sales.read", "orders.refund"},
        "admin": _OWNER | {"releases.read", "platform.manage"},
        "support": {"sales.read", "releases.read"},
        "papers": {"papers.read"},
        "scheduler": {"jobs.run"},
    }
)
async def roles_of(ctx: QueryContext) -> set[str]:
    """Give a caller's platform roles; those in a workspace count only there."""
    key = require_identity(ctx).key
    return {each.role for each in await ctx.db.query(PlatformRole).using("by_auth", auth_id=key).collect()}


async def _memberships(ctx: QueryContext) -> list[WorkspaceMember | TeamMember]:
    if ctx.identity is None:
        return []
    db, key = ctx.as_application().db, ctx.identity.key
    members = await db.query(WorkspaceMember).using("by_auth", auth_id=key).take(100)
    return [*members, *await db.query(TeamMember).using("by_auth", auth_id=key).take(100)]


async def workspaces_with(ctx: QueryContext, capability: str) -> set[Id[Workspace]] | None:
    """Give the workspaces in which the caller has a capability; None: all."""
    if capability in await ctx.capabilities():
        return None
    return {each.workspace_id for each in await _memberships(ctx) if capability in ctx.grants[each.role]}


async def require_capability_in(ctx: QueryContext, capability: str, workspace_id: Id[Workspace]) -> None:
    """Let go on whoever has a capability in a workspace.

    Raises:
        Forbidden: The caller has not.
    """
    found = await workspaces_with(ctx, capability)
    if found is not None and workspace_id not in found:
        raise Forbidden(f"this needs {capability} in the workspace")


async def get_having(ctx: QueryContext, capability: str, id: Id[T]) -> T:
    """Give a row of a workspace in which the caller has a capability.

    Raises:
        NotFound, Forbidden: There is none that the caller sees, or they have not.
    """
    row = await ctx.db.get_one(id)
    await require_capability_in(ctx, capability, row.workspace_id)
    return row


async def _having(ctx: RuleContext, capability: str, name: str = "workspace_id") -> Condition | bool:
    found = await workspaces_with(ctx, capability)
    return True if found is None else bool(found) and field(name).in_(sorted(found))


async def _own_or(ctx: RuleContext, capability: str) -> Condition | bool:
    """Show what is the caller's, and what the capability shows."""
    if ctx.identity is None:
        return False
    own, shown = field("auth_id") == ctx.identity.key, await _having(ctx, capability)
    return shown if shown is True else own if shown is False else own | shown


async def _in_own(ctx: RuleContext, name: str) -> Condition | bool:
    if ctx.identity is not None and await ctx.roles() & {"admin", "support"}:
        return True
    ids = sorted({each.workspace_id for each in await _memberships(ctx)})
    return bool(ids) and field(name).in_(ids)


@may_read(Workspace)
async def own_workspaces(ctx: RuleContext) -> Condition | bool:
    return await _in_own(ctx, "id")


@may_read(Organization)
async def organizations_of_own_workspaces(ctx: RuleContext, row: Organization) -> bool:
    workspaces = ctx.db.visible.query(Workspace).using("by_organization", organization_id=row.id)
    return await workspaces.first() is not None


@may_read(Event)
async def published_or_own(ctx: RuleContext) -> Condition | bool:
    own, published = await _in_own(ctx, "workspace_id"), field("published") == True  # noqa: E712
    return published if own is False else own if own is True else own | published


@may_read(TicketTier, Session)
async def of_an_event_that_is_seen(ctx: RuleContext, row: TicketTier | Session) -> bool:
    return await ctx.db.visible.get(Event, row.event_id) is not None


@may_read(Order)
async def own_orders_or_sales(ctx: RuleContext) -> Condition | bool:
    return await _own_or(ctx, "sales.read")


@may_read(Pass)
async def own_passes_or_door(ctx: RuleContext) -> Condition | bool:
    return True if "papers.read" in await ctx.capabilities() else await _own_or(ctx, "passes.check_in")


@may_read(CheckIn)
async def of_the_door(ctx: RuleContext) -> Condition | bool:
    return await _having(ctx, "passes.check_in")


@may_read(GeneratedDp)
async def own_pictures_or_makers(ctx: RuleContext) -> Condition | bool:
    return await _own_or(ctx, "pictures.make")


@may_read(DpTemplate, DpBatch)
@may_write(DpTemplate, DpBatch, GeneratedDp)
async def makers(ctx: RuleContext) -> Condition | bool:
    return await _having(ctx, "pictures.make")


@may_read(Campaign)
@may_write(Campaign)
async def senders(ctx: RuleContext) -> Condition | bool:
    return await _having(ctx, "campaigns.send")


@may_read(WorkspaceMember, TeamMember)
async def own_or_managed(ctx: RuleContext) -> Condition | bool:
    return await _own_or(ctx, "members.manage")


@may_write(WorkspaceMember, TeamMember)
async def member_managers(ctx: RuleContext) -> Condition | bool:
    return await _having(ctx, "members.manage")


@may_write(Event, TicketTier, Session)
async def managers(ctx: RuleContext) -> Condition | bool:
    return await _having(ctx, "events.manage")


@may_write(CheckIn)
async def door(ctx: RuleContext) -> Condition | bool:
    return await _having(ctx, "passes.check_in")


@may_read(User, Notification)
@may_write(Notification)
async def own_rows(ctx: RuleContext) -> Condition | bool:
    return ctx.identity is not None and field("auth_id") == ctx.identity.key


@may_read(Release)
async def who_reads_releases(ctx: RuleContext) -> bool:
    return "releases.read" in await ctx.capabilities()


@may_read(AuditEntry)
async def entries_for_managers(ctx: RuleContext) -> Condition | bool:
    return await _having(ctx, "members.manage", "scope")


@may_read(PlatformRole, Payment, Delivery)
@may_write(PlatformRole, Payment, Delivery, Order, Pass, User, Organization, Workspace, Release)
async def nobody(ctx: RuleContext) -> bool:
    """Leave it to functions that write as the application, having asked themselves."""
    return False
