"""Who is calling, and what they may see or change.

A recording is seen by its owner; while it is not archived also by its subject and by those contacts of the owner it is
shared with. Only its owner changes it. Who may not see it is told the same as if it did not exist.
"""

from __future__ import annotations

from typing import TypeVar

from motion.schema import Contact, LiveSession, Recording, User
from synovia import Forbidden, FunctionError, Id, NotFound, QueryContext, Unauthenticated, normal_email, same_user

Shared = TypeVar("Shared", Recording, LiveSession)


async def registered_user(ctx: QueryContext) -> User | None:
    """Find the caller's user, an archived one too, or None before they have registered.

    It is the user with the caller's identity, else the one with the address that the caller's issuer vouches for: who signs
    in by Google today and by a code in the mail tomorrow is one user.

    Raises:
        Unauthenticated: Nobody is signed in.
    """
    identity = ctx.identity
    if identity is None:
        raise Unauthenticated("sign in first")
    by_key = await ctx.db.query(User).using("by_auth_id", auth_id=identity.key).unique()
    by_email = None
    if by_key is None and identity.email is not None:
        by_email = await user_with(ctx, identity.email)
    return same_user(identity, by_key=by_key, by_email=by_email)


async def user_with(ctx: QueryContext, email: str) -> User | None:
    """Find the user with an address."""
    return await ctx.db.query(User).using("by_email", email=normal_email(email)).unique()


async def known_user(ctx: QueryContext) -> User | None:
    """Find the caller's user, or None before they have registered.

    Raises:
        Unauthenticated: Nobody is signed in.
        Forbidden: The account is archived.
    """
    me = await registered_user(ctx)
    if me is not None and me.is_archived:
        raise Forbidden("this account is archived")
    return me


async def current_user(ctx: QueryContext) -> User:
    """Find the caller's user.

    Raises:
        Unauthenticated: Nobody is signed in.
        FunctionError: ``not_registered``.
        Forbidden: The account is archived.
    """
    me = await known_user(ctx)
    if me is None:
        raise FunctionError("not_registered", "register first: users:register")
    return me


def contact_of(user: User, other: Id[User]) -> Contact | None:
    """Find a person among somebody's contacts."""
    return next((contact for contact in user.contacts if contact.user_id == other), None)


async def require_contact(ctx: QueryContext, user: User, other: Id[User]) -> None:
    """Refuse people who are no contacts, in the same words whether they exist or not.

    Raises:
        FunctionError: ``not_a_contact``.
    """
    # Somebody whose account was deleted may still be in the list for a moment.
    if contact_of(user, other) is None or await ctx.db.get(User, other) is None:
        raise FunctionError("not_a_contact", "this person is not among your contacts")


def may_see(me: User, recording: Recording) -> bool:
    """Tell whether a recording exists for ``me``."""
    if recording.owner_id == me.id:
        return True
    if recording.is_archived:
        return False
    if recording.subject_id == me.id:
        return True
    # A share ends with the contact, at once; the list of those it is shared with may be cleaned up a little later.
    return me.id in (recording.shared_with or ()) and contact_of(me, recording.owner_id) is not None


def shown_to(me: User, document: Shared) -> Shared:
    """Give a document as ``me`` may see it: with whom else it is shared is its owner's business."""
    if document.owner_id == me.id or not document.shared_with:
        return document
    return document.model_copy(update={"shared_with": [me.id] if me.id in document.shared_with else None})


async def visible_recording(ctx: QueryContext, me: User, recording_id: Id[Recording]) -> Recording:
    """Read a recording that ``me`` may see.

    Raises:
        NotFound: There is none, or it is not for ``me``; which of the two is not told.
    """
    recording = await ctx.db.get(Recording, recording_id)
    if recording is None or not may_see(me, recording):
        raise NotFound("there is no such recording")
    return recording


async def owned_recording(ctx: QueryContext, recording_id: Id[Recording]) -> Recording:
    """Read a recording that belongs to the caller.

    Raises:
        NotFound: There is none that the caller may see.
        Forbidden: The caller may see it, but it belongs to somebody else.
    """
    me = await current_user(ctx)
    recording = await visible_recording(ctx, me, recording_id)
    if recording.owner_id != me.id:
        raise Forbidden("only its owner may do this to a recording")
    return recording


async def unarchived_recording(ctx: QueryContext, recording_id: Id[Recording]) -> Recording:
    """Read a recording that belongs to the caller and is not archived.

    Raises:
        FunctionError: ``archived``; and as ``owned_recording``.
    """
    recording = await owned_recording(ctx, recording_id)
    if recording.is_archived:
        raise FunctionError("archived", "this recording is archived; restore it first")
    return recording
