"""Contacts: the people one records and shares with.

A contact is mutual: adding somebody puts each into the other's list, removing takes both out and ends every share
between the two, in both directions. Being a contact shows nobody's recordings; it allows to share one's own and to name
the other as a subject. Aliases are private to each side. Recordings of oneself stay visible when a contact ends.
"""

from __future__ import annotations

from synovia import FunctionError, Id, InvalidArguments, Model, MutationContext, NotFound, QueryContext, mutation, query

from ._access import contact_of, current_user
from ._bounds import MAX_CONTACTS, Alias, Email
from .schema import Contact, Recording, Role, User


class ContactView(Model):
    """A contact as its list shows it."""

    user_id: Id[User]
    name: str
    email: str
    image: str | None = None
    role: Role
    alias: str | None = None
    added_at: int


@query
async def list_mine(ctx: QueryContext) -> list[ContactView]:
    """List the caller's contacts by alias or name; there are at most ``MAX_CONTACTS``."""
    me = await current_user(ctx)
    views = [await _view(ctx, contact) for contact in me.contacts]
    return sorted((view for view in views if view is not None), key=_shown_name)


@mutation
async def add(ctx: MutationContext, email: Email, alias: Alias | None = None) -> Id[User]:
    """Make contact with a registered person.

    Raises:
        NotFound: Nobody has registered with this address.
        FunctionError: ``already_a_contact``, or ``limit_exceeded`` when one of the lists is full.
        InvalidArguments: It is the caller's own address.
    """
    me = await current_user(ctx)
    if email == me.email:
        raise InvalidArguments("nobody is a contact of themselves")
    other = await ctx.db.query(User).using("by_email", email=email).unique()
    if other is None or other.is_archived:
        raise NotFound(f"nobody has registered with {email}")
    if contact_of(me, other.id) is not None:
        raise FunctionError("already_a_contact", f"{email} is a contact already")
    await _enter(ctx, me, Contact(user_id=other.id, alias=alias or None, added_at=ctx.now))
    if contact_of(other, me.id) is None:
        await _enter(ctx, other, Contact(user_id=me.id, added_at=ctx.now))
    return other.id


@mutation
async def set_alias(ctx: MutationContext, user_id: Id[User], alias: Alias = "") -> None:
    """Change what the caller calls a contact; an empty alias removes it.

    Raises:
        NotFound: No such contact.
    """
    me = await current_user(ctx)
    if contact_of(me, user_id) is None:
        raise _no_contact()
    await ctx.db.patch(
        me,
        contacts=[
            contact.model_copy(update={"alias": alias or None}) if contact.user_id == user_id else contact
            for contact in me.contacts
        ],
    )


@mutation
async def remove(ctx: MutationContext, user_id: Id[User]) -> None:
    """End a contact on both sides, and all shares between the two.

    Raises:
        NotFound: No such contact.
    """
    me = await current_user(ctx)
    if contact_of(me, user_id) is None:
        raise _no_contact()
    await _leave(ctx, me, user_id)
    other = await ctx.db.get(User, user_id)
    if other is not None:
        await _leave(ctx, other, me.id)
    await _unshare_all(ctx, me.id, user_id)
    await _unshare_all(ctx, user_id, me.id)


async def _view(ctx: QueryContext, contact: Contact) -> ContactView | None:
    user = await ctx.db.get(User, contact.user_id)
    if user is None:
        return None
    return ContactView(
        user_id=user.id,
        name=user.name,
        email=user.email,
        image=user.image,
        role=user.role,
        alias=contact.alias,
        added_at=contact.added_at,
    )


def _shown_name(view: ContactView) -> tuple[str, str]:
    return (view.alias or view.name).casefold(), view.user_id


async def _enter(ctx: MutationContext, user: User, contact: Contact) -> None:
    if len(user.contacts) >= MAX_CONTACTS:
        raise FunctionError("limit_exceeded", f"a list of contacts holds at most {MAX_CONTACTS:,} people")
    await ctx.db.patch(user, contacts=[*user.contacts, contact])


async def _leave(ctx: MutationContext, user: User, other: Id[User]) -> None:
    await ctx.db.patch(user, contacts=[contact for contact in user.contacts if contact.user_id != other])


async def _unshare_all(ctx: MutationContext, owner: Id[User], other: Id[User]) -> None:
    shared = await ctx.db.query(Recording).using("by_share", owner_id=owner, shared_with=other).collect()
    for recording in shared:
        rest = [id_ for id_ in recording.shared_with or () if id_ != other]
        await ctx.db.patch(recording, shared_with=rest or None)


def _no_contact() -> NotFound:
    return NotFound("there is no such contact")
