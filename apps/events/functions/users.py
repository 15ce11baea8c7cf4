"""Who is signed in, and what they are told."""

from events.schema import Name, Notification, PlatformRole, PlatformRoleName, Text, User, Workspace
from synovia import Id, MutationContext, NotFound, QueryContext, mutation, query, require_identity


@mutation(signed_in=True)
async def arrive(ctx: MutationContext, name: Name | None = None, profile: Text = "") -> Id[User]:
    """Note who the caller is, or what they call themselves now."""
    caller, db = require_identity(ctx), ctx.as_application().db
    me = await db.query(User).using("by_auth", auth_id=caller.key).unique()
    shown = name or (me.name if me is not None else caller.name) or (caller.email or "somebody").partition("@")[0]
    if me is not None:
        return (await db.patch(me, name=shown, profile=profile or me.profile)).id
    return await db.insert(User(auth_id=caller.key, email=caller.email or "", name=shown, profile=profile))


@query(signed_in=True)
async def me(ctx: QueryContext) -> User | None:
    """Give the caller's own entry."""
    return await ctx.db.query(User).using("by_auth", auth_id=require_identity(ctx).key).unique()


@mutation(signed_in=True)
async def work_in(ctx: MutationContext, workspace_id: Id[Workspace]) -> None:
    """Remember where the caller works."""
    workspace, db = await ctx.db.get(workspace_id), ctx.as_application().db
    user = await db.query(User).using("by_auth", auth_id=require_identity(ctx).key).unique()
    if workspace is None or user is None:
        raise NotFound("there is no such workspace")
    await db.patch(user, workspace_id=workspace.id, organization_id=workspace.organization_id)


@query(signed_in=True)
async def may(ctx: QueryContext, capability: str, workspace_id: Id[Workspace]) -> bool:
    """Tell whether the caller has a capability in a workspace: for what a page shows."""
    return capability in await ctx.capabilities(workspace_id)


@mutation(capability="platform.manage")
async def appoint(ctx: MutationContext, auth_id: str, role: PlatformRoleName) -> None:
    """Give somebody a role on the whole platform."""
    await ctx.as_application().db.insert(PlatformRole(auth_id=auth_id, role=role))
    await ctx.audit("platform.appoint", subject=auth_id, data={"role": role})


@query(signed_in=True)
async def notifications(ctx: QueryContext) -> list[Notification]:
    """List what the caller has not read, the newest first."""
    unread = ctx.db.query(Notification).using("by_auth", auth_id=require_identity(ctx).key, read=False)
    return await unread.order("desc").take(50)


@mutation(signed_in=True)
async def read(ctx: MutationContext, notification_id: Id[Notification]) -> None:
    """Note that the caller has read something."""
    await ctx.db.patch(notification_id, read=True)
