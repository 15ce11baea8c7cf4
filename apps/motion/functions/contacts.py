"""Contacts: the people one records and shares with.

A contact is mutual and needs the consent of both: one asks, the other accepts (``invites``). Removing somebody takes each
out of the other's list and ends every share between the two, in both directions. Being a contact shows nobody's recordings;
it allows to share one's own and to name the other as a subject. Aliases are private to each side. Recordings of oneself
stay visible when a contact ends.
"""

from __future__ import annotations

from datetime import timedelta

from motion.domain.access import contact_of, current_user
from motion.domain.bounds import Alias, Email
from motion.domain.people import leave, take_back
from motion.functions.invites import ask
from motion.schema import Contact, Invite, Role, User
from synovia import Id, Model, MutationContext, NotFound, QueryContext, mutation, query


class ContactView(Model):
    """A contact as its list shows it."""

    user_id: Id[User]
    name: str
    email: str
    image: str | None = None
    role: Role
    alias: str | None = None
    added_at: int


@query(capability="contacts.keep")
async def list_mine(ctx: QueryContext) -> list[ContactView]:
    """List the caller's contacts by alias or name; there are at most ``MAX_CONTACTS``."""
    me = await current_user(ctx)
    views = [await _view(ctx, contact) for contact in me.contacts]
    return sorted((view for view in views if view is not None), key=_shown_name)


@mutation(capability="contacts.keep")
async def add(ctx: MutationContext, email: Email, alias: Alias | None = None) -> Id[Invite]:
    """Ask whoever has this address to be a contact, without a mail: they see it when they sign in.

    The answer is the same whether the address has an account or not. If its owner has asked the caller before, both become
    contacts at once.

    Raises:
        FunctionError: As ``invites:create``.
        InvalidArguments: It is the caller's own address.
    """
    invite, _ = await ask(ctx, await current_user(ctx), email, alias)
    return invite.id


@mutation(capability="contacts.keep")
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


@mutation(capability="contacts.keep")
async def remove(ctx: MutationContext, user_id: Id[User]) -> None:
    """End a contact on both sides, and all shares between the two.

    Raises:
        NotFound: No such contact.
    """
    me = await current_user(ctx)
    if contact_of(me, user_id) is None:
        raise _no_contact()
    await leave(ctx, me, user_id)
    other = await ctx.db.get(User, user_id)
    if other is not None:
        await leave(ctx, other, me.id)
    await end_shares(ctx, me.id, user_id)


@mutation(internal=True)
async def end_shares(ctx: MutationContext, one: Id[User], other: Id[User]) -> None:
    """Take back all shares between two people who are no contacts; nobody sees anything by them meanwhile.

    Many are taken back in several transactions. Until none is left the two cannot become contacts again, so what this
    finds is always of the contact that has ended.
    """
    if await _are_contacts(ctx, one, other):
        return
    done = [await take_back(ctx, one, other), await take_back(ctx, other, one)]
    if not all(done):
        await ctx.scheduler.run_after(timedelta(), end_shares, one, other)


async def _are_contacts(ctx: QueryContext, one: Id[User], other: Id[User]) -> bool:
    user = await ctx.db.get(User, one)
    return user is not None and contact_of(user, other) is not None


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


def _no_contact() -> NotFound:
    return NotFound("there is no such contact")
