"""Administration: who has an account and what they may do. Admins see no recordings; looking as somebody is audited."""

from __future__ import annotations

from motion.domain.access import user_with
from motion.domain.bounds import Cause, Email, Limit, Reason, Search
from motion.domain.people import UserView, keep_one_admin, names, view_of
from motion.domain.search import search_users
from motion.functions.erasure import erase
from motion.schema import Invite, LiveSession, Recording, Role, User
from synovia import (
    AuditEntry,
    FunctionError,
    Id,
    Identity,
    Model,
    MutationContext,
    NotFound,
    Page,
    Query,
    QueryContext,
    field,
    gt,
    mutation,
    query,
)

MINUTE = 60_000
NOT_ARCHIVED = field("is_archived") != True  # noqa: E712 (a condition of the query)


class Statistics(Model):
    """How much of everything there is; archived users are counted apart from the others."""

    physiotherapists: int
    patients: int
    admins: int
    archived_users: int
    recordings: int
    running_sessions: int
    pending_invites: int


class Grant(Model):
    """What a role may do."""

    role: str
    capabilities: list[str]


# --- reading ----------------------------------------------------------------------------------------------------------


@query(capability="users.manage")
async def list_users(
    ctx: QueryContext,
    role: Role | None = None,
    archived: bool | None = None,
    search: Search = "",
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[UserView]:
    """List users, the newest first, or those whose address, name or last name begins with ``search``.

    Args:
        role: Only those who have it.
        archived: Only those who are archived, or who are not.
        search: Without regard to case and accents.
        cursor: The page before's ``next_cursor``; the other arguments have to be the same.

    Raises:
        BadCursor: The cursor is of another list.
    """
    users = ctx.db.query(User)
    if search:
        found = await search_users(_kept(users, role, archived), search, cursor, limit)
    else:
        found = await _listed(users, role, archived).order("desc").paginate(cursor, limit)
    return Page(items=[view_of(user) for user in found.items], next_cursor=found.next_cursor)


def _listed(users: Query[User], role: Role | None, archived: bool | None) -> Query[User]:
    """Choose the index that leaves out most."""
    if archived:
        return _kept(users.using("by_archive", is_archived=True), role, None)
    if role is not None:
        return _kept(users.using("by_role", role=role), None, archived)
    return _kept(users.using("by_creation"), None, archived)


def _kept(users: Query[User], role: Role | None, archived: bool | None) -> Query[User]:
    if role is not None:
        users = users.where(field("role") == role)
    if archived is not None:
        users = users.where(field("is_archived") == True if archived else NOT_ARCHIVED)  # noqa: E712
    return users


@query(capability="users.manage")
async def grants(ctx: QueryContext) -> list[Grant]:
    """Show the table of roles."""
    return [Grant(role=role, capabilities=sorted(granted)) for role, granted in ctx.grants.items()]


@query(capability="audit.read")
async def audit(ctx: QueryContext, cursor: str | None = None, limit: Limit = 50) -> Page[AuditEntry]:
    """Read the audit table, the newest entry first."""
    return await ctx.db.query(AuditEntry).using("by_time").order("desc").paginate(cursor, limit)


@query(capability="statistics.read")
async def statistics(ctx: QueryContext) -> Statistics:
    """Count everything; numbers only, never whose."""
    users, pending = ctx.db.query(User), ctx.db.query(Invite).using("by_expiry", expires_at=gt(ctx.now))
    ctx.hold_until(ctx.now + MINUTE)
    return Statistics(
        physiotherapists=await _with_role(users, "physiotherapist"),
        patients=await _with_role(users, "patient"),
        admins=await _with_role(users, "admin"),
        archived_users=await users.using("by_archive", is_archived=True).count(),
        recordings=await ctx.db.query(Recording).count(),
        running_sessions=await ctx.db.query(LiveSession).using("by_last_batch", is_running=True).count(),
        pending_invites=await pending.where(field("status") == "pending").count(),
    )


async def _with_role(users: Query[User], role: Role) -> int:
    return await users.using("by_role", role=role).where(NOT_ARCHIVED).count()


# --- changing ---------------------------------------------------------------------------------------------------------


@mutation(capability="users.manage")
async def change_role(ctx: MutationContext, user_id: Id[User], role: Role) -> None:
    """Give a user another role; what they have made stays, and what they see follows at once.

    Raises:
        NotFound: No such user.
        FunctionError: ``last_admin``.
    """
    user = await _user(ctx, user_id)
    if user.role == role:
        return
    await keep_one_admin(ctx, user)
    await ctx.db.patch(user, role=role)
    await ctx.audit("users.change_role", subject=user.id, data={"from": user.role, "to": role})


@mutation(capability="users.manage")
async def archive_user(ctx: MutationContext, user_id: Id[User], reason: Reason = "") -> None:
    """Close an account without deleting anything: its user can do nothing any more, at once, until it is restored.

    Raises:
        NotFound: No such user.
        FunctionError: ``archived``: it is already; ``last_admin``.
    """
    user = await _user(ctx, user_id)
    if user.is_archived:
        raise FunctionError("archived", "this account is archived already")
    await keep_one_admin(ctx, user)
    await ctx.db.patch(user, is_archived=True, archived_at=ctx.now, archive_reason=reason or None)
    await ctx.audit("users.archive", subject=user.id, reason=reason or None)


@mutation(capability="users.manage")
async def restore_user(ctx: MutationContext, user_id: Id[User]) -> None:
    """Open an archived account again; everything is as it was.

    Raises:
        NotFound: No such user.
        FunctionError: ``not_archived``.
    """
    user = await _user(ctx, user_id)
    if not user.is_archived:
        raise FunctionError("not_archived", "this account is not archived")
    await ctx.db.patch(user, is_archived=None, archived_at=None, archive_reason=None)
    await ctx.audit("users.restore", subject=user.id)


@mutation(capability="users.manage")
async def delete_user(ctx: MutationContext, user_id: Id[User]) -> None:
    """Delete a user with everything that is theirs, for good.

    Raises:
        NotFound: No such user.
        FunctionError: ``last_admin``.
    """
    await erase(ctx, await _user(ctx, user_id))


@mutation(capability="users.impersonate")
async def look_as(ctx: MutationContext, user_id: Id[User], reason: Cause) -> str:
    """Give a token with which the caller sees the application as a user does, for some minutes, and changes nothing.

    Args:
        reason: Why; it stands in the audit table with the names of both.

    Raises:
        NotFound: No such user.
        FunctionError: ``impersonation_unavailable``: this server has no sign-in of its own.
    """
    user = await _user(ctx, user_id)
    issuer, _, subject = user.auth_id.partition("|")
    return await ctx.impersonate(Identity(issuer, subject, user.email, user.name, user.image), reason=reason)


@mutation(internal=True)
async def appoint(ctx: MutationContext, email: Email) -> UserView:
    """Make an admin of whoever has an address, for the operator; an archived account is restored.

    Where nobody has it yet an account is made, which belongs to whoever signs in with this address.
    """
    user = await user_with(ctx, email)
    if user is None:
        # The key is the one of a sign-in by mail; every other is found by the address.
        user = User(auth_id=f"email|{email}", email=email, role="admin", created_at=ctx.now, **names(email))
        await ctx.db.insert(user)
    else:
        user = await ctx.db.patch(user, role="admin", is_archived=None, archived_at=None, archive_reason=None)
    await ctx.audit("users.appoint", subject=user.id)
    return view_of(user)


async def _user(ctx: QueryContext, user_id: Id[User]) -> User:
    user = await ctx.db.get(User, user_id)
    if user is None:
        raise NotFound("there is no such user")
    return user
