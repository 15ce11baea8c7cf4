"""Organizations, their workspaces, and who belongs to these."""

from events.schema import Name, Organization, Role, TeamMember, Workspace, WorkspaceMember
from synovia import Id, MutationContext, QueryContext, mutation, query, require_capability, require_identity


@mutation(signed_in=True)
async def found(ctx: MutationContext, organization: Name, slug: str, workspace: Name) -> Id[Workspace]:
    """Set up an organization with a first workspace, which the caller owns."""
    db = ctx.as_application().db  # nobody belongs to it yet who could
    organization_id = await db.insert(Organization(name=organization, slug=slug))
    id_ = await db.insert(Workspace(organization_id=organization_id, name=workspace))
    await db.insert(WorkspaceMember(workspace_id=id_, auth_id=require_identity(ctx).key, role="owner"))
    return id_


@query(signed_in=True)
async def mine(ctx: QueryContext) -> list[Workspace]:
    """List the caller's workspaces."""
    return await ctx.db.query(Workspace).take(100)


@query(signed_in=True)
async def members(ctx: QueryContext, workspace_id: Id[Workspace]) -> list[WorkspaceMember]:
    """List who belongs to a workspace."""
    return await ctx.db.query(WorkspaceMember).using("by_workspace", workspace_id=workspace_id).take(1_000)


@mutation(signed_in=True)
async def set_role(ctx: MutationContext, workspace_id: Id[Workspace], auth_id: str, role: Role | None) -> None:
    """Say what somebody may do in a workspace; without a role, nothing any more."""
    await require_capability(ctx, "members.manage", within=workspace_id)
    of = ctx.db.query(WorkspaceMember).using("by_auth", auth_id=auth_id, workspace_id=workspace_id)
    if role is None:
        await ctx.db.delete_where(of)
    elif await ctx.db.patch_where(of, role=role) == 0:
        await ctx.db.insert(WorkspaceMember(workspace_id=workspace_id, auth_id=auth_id, role=role))


@mutation(signed_in=True)
async def set_team(
    ctx: MutationContext, workspace_id: Id[Workspace], team: Name, auth_id: str, role: Role | None
) -> None:
    """Put somebody into a team, or take them out."""
    await require_capability(ctx, "members.manage", within=workspace_id)
    of = ctx.db.query(TeamMember).using("by_auth", auth_id=auth_id, workspace_id=workspace_id, team=team)
    await ctx.db.delete_where(of)
    if role is not None:
        await ctx.db.insert(TeamMember(workspace_id=workspace_id, team=team, auth_id=auth_id, role=role))
