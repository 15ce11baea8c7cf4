"""Deleting a user for good, with what is theirs and what others keep of them.

The account goes at once, and with it everything its owner could do. What may be much goes in transactions of bounded size,
one after the other: with few documents all of it is gone together with the account.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from motion.domain.access import contact_of
from motion.domain.people import BATCH, keep_one_admin, leave, unshare_with
from motion.functions.live import remove_live_sessions
from motion.schema import Invite, LiveSession, Recording, User
from synovia import Id, MutationContext, Table, field, mutation


async def erase(ctx: MutationContext, user: User) -> None:
    """Delete a user and begin with everything else.

    Raises:
        FunctionError: ``last_admin``.
    """
    await keep_one_admin(ctx, user)
    await ctx.db.delete(user)
    await ctx.audit("users.delete", subject=user.id)
    await go_on(ctx, user.id, ctx.now, user.email)


@mutation(internal=True)
async def go_on(ctx: MutationContext, user_id: Id[User], deleted_at: int, email: str | None = None) -> None:
    """Delete up to ``BATCH`` documents of a deleted user, and come again until a whole round finds none.

    Args:
        email: Their address until the invites to it are deleted; from then on the schedule knows nothing of them but the id.
    """
    left = BATCH
    if email is not None:
        left -= await _invites_to(ctx, email, deleted_at, left)
        email = None if left else email
    for step in _STEPS:
        left -= await step(ctx, user_id, left) if left > 0 else 0
    if left < BATCH:
        await ctx.scheduler.run_after(timedelta(), go_on, user_id, deleted_at, email)


async def _invites_to(ctx: MutationContext, email: str, before: int, most: int) -> int:
    """Delete the invites to an address; not later ones, which may be meant for a new account."""
    found = ctx.db.query(Invite).using("by_to_email", to_email=email).where(field("created_at") <= before)
    return await _delete(ctx, await found.take(most))


async def _invites(ctx: MutationContext, user_id: Id[User], most: int) -> int:
    return await _delete(ctx, await ctx.db.query(Invite).using("by_from_user", from_user_id=user_id).take(most))


async def _own(ctx: MutationContext, user_id: Id[User], most: int) -> int:
    return await _delete(ctx, await ctx.db.query(Recording).using("by_owner", owner_id=user_id).take(most))


async def _delete(ctx: MutationContext, rows: Sequence[Table]) -> int:
    for row in rows:
        await ctx.db.delete(row)
    return len(rows)


async def _shares(ctx: MutationContext, user_id: Id[User], most: int) -> int:
    shared = await ctx.db.query(Recording).using("by_shared_with", shared_with=user_id).take(most)
    for recording in shared:
        await unshare_with(ctx, recording, user_id)
    return len(shared)


async def _subjects(ctx: MutationContext, user_id: Id[User], most: int) -> int:
    """Take the person off others' recordings; what the owner has called them stays, so that it is known whose they are."""
    recordings = await ctx.db.query(Recording).using("by_subject", subject_id=user_id).take(most)
    for recording in recordings:
        alias = recording.subject_alias or await _alias(ctx, recording.owner_id, user_id)
        await ctx.db.patch(recording, subject_id=None, subject_alias=alias)
    return len(recordings)


async def _alias(ctx: MutationContext, owner_id: Id[User], user_id: Id[User]) -> str | None:
    owner = await ctx.db.get(User, owner_id)
    contact = None if owner is None else contact_of(owner, user_id)
    return None if contact is None else contact.alias


async def _live(ctx: MutationContext, user_id: Id[User], most: int) -> int:
    sessions = ctx.db.query(LiveSession)
    count = await sessions.using("by_owner", owner_id=user_id).count()
    await remove_live_sessions(ctx, user_id)
    of_them = await sessions.using("by_subject", subject_id=user_id).take(most)
    for session in of_them:
        alias = session.subject_alias or await _alias(ctx, session.owner_id, user_id)
        await ctx.db.patch(session, subject_id=None, subject_alias=alias)
    shared = await sessions.using("by_shared_with", shared_with=user_id).take(most)
    for session in shared:
        await unshare_with(ctx, session, user_id)
    return count + len(of_them) + len(shared)


async def _contacts(ctx: MutationContext, user_id: Id[User], most: int) -> int:
    others = await ctx.db.query(User).using("by_contact", contacts__user_id=user_id).take(most)
    for other in others:
        await leave(ctx, other, user_id)
    return len(others)


# Contacts go last: until then an owner's alias for the person can be found.
_STEPS: tuple[Callable[[MutationContext, Id[User], int], Awaitable[int]], ...] = (
    _shares,
    _subjects,
    _own,
    _live,
    _invites,
    _contacts,
)
