"""Who may do what: capabilities, granted by platform roles and, in a workspace, by membership and teams."""

from typing import TypeVar

from events.schema import DpBatch, DpTemplate, Event, Order, PlatformRole, TeamMember, WorkspaceMember
from synovia import Id, NotFound, QueryContext, RoleIn, require_capability, require_identity, roles

T = TypeVar("T", DpBatch, DpTemplate, Event, Order)
_MEMBER = {"workspace.see"}
_DOOR = _MEMBER | {"passes.see", "passes.check_in"}
_ORGANIZER = _DOOR | {"events.manage", "sales.read", "pictures.make", "campaigns.send"}
_OWNER = _ORGANIZER | {"members.manage", "orders.refund"}


@roles(
    {
        "owner": _OWNER,
        "organizer": _ORGANIZER,
        "door": _DOOR,
        "finance": _MEMBER | {"sales.read", "orders.refund"},
        "admin": _OWNER | {"releases.read", "platform.manage"},
        "support": _MEMBER | {"sales.read", "releases.read"},
        "papers": {"passes.see", "papers.read"},
        "scheduler": {"jobs.run"},
    },
    within="workspace_id",
)
async def roles_of(ctx: QueryContext) -> list[str | RoleIn]:
    """Give a caller's platform roles, and those in their workspaces, by membership and teams.

    All of them: anybody may take anybody into a workspace of their own, which must not push others out.
    """
    db, key = ctx.db, require_identity(ctx).key
    platform = await db.query(PlatformRole).using("by_auth", auth_id=key).collect()
    members = await db.query(WorkspaceMember).using("by_auth", auth_id=key).collect()
    teams = await db.query(TeamMember).using("by_auth", auth_id=key).collect()
    return [*(each.role for each in platform), *(RoleIn(each.workspace_id, each.role) for each in [*members, *teams])]


async def find_having(ctx: QueryContext, capability: str, id: Id[T]) -> T | None:
    """Give a row of a workspace in which the caller has a capability; None: there is none that they see.

    Raises:
        Forbidden: They have not.
    """
    row = await ctx.db.get(id)
    if row is not None:
        await require_capability(ctx, capability, within=row.workspace_id)
    return row


async def get_having(ctx: QueryContext, capability: str, id: Id[T]) -> T:
    """Give a row of a workspace in which the caller has a capability.

    Raises:
        NotFound, Forbidden: There is none that they see, or they have not.
    """
    row = await find_having(ctx, capability, id)
    if row is None:
        raise NotFound("there is no such thing")
    return row
