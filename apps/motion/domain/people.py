"""People: making an account, and the contact of two, which is mutual and begins and ends on both sides at once."""

from __future__ import annotations

import re
import unicodedata
from typing import TypedDict

from pydantic import Field

from motion.domain.access import contact_of
from motion.domain.bounds import MAX_CONTACTS, MAX_NAME, is_seen
from motion.schema import Contact, LiveSession, Recording, Role, User
from synovia import FunctionError, Id, Model, MutationContext, QueryContext, Unauthenticated, field, normal_email

BATCH = 100
"""So many documents one transaction changes where there may be any number."""


class UserView(Model):
    """A user as they and admins see them: without the keys of their sign-ins, and without their contacts."""

    id: Id[User] = Field(alias="_id")
    email: str
    name: str
    image: str | None = None
    role: Role
    is_archived: bool | None = None
    archived_at: int | None = None
    archive_reason: str | None = None
    created_at: int


def view_of(user: User) -> UserView:
    """Show a user."""
    return UserView(**{name: getattr(user, name) for name in UserView.model_fields})


# --- accounts ---------------------------------------------------------------------------------------------------------


async def new_user(ctx: MutationContext, role: Role, name: str | None) -> User:
    """Make the caller's account; they have none yet.

    Args:
        name: How others see the caller; by default the name that the sign-in gave, else the address.

    Raises:
        FunctionError: ``email_missing``: the sign-in vouches for no address.
    """
    identity = ctx.identity
    if identity is None:
        raise Unauthenticated("sign in first")
    email = normal_email(identity.email or "")
    if not email:
        raise FunctionError("email_missing", "the sign-in gave no e-mail address, which an account needs")
    user = User(
        auth_id=identity.key,
        email=email,
        image=identity.image,
        role=role,
        created_at=ctx.now,
        **names(name or one_line(identity.name or "") or email),
    )
    await ctx.db.insert(user)
    return user


class Names(TypedDict):
    """A name as a user's document holds it."""

    name: str
    name_key: str
    last_name_key: str


def names(name: str) -> Names:
    """Give a name with the two keys by which it is searched for: from its beginning, and from its last word."""
    key = folded(name)
    return {"name": name, "name_key": key, "last_name_key": key.rpartition(" ")[2]}


def folded(text: str) -> str:
    """Write a name the one way in which it is searched for: without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in apart if not unicodedata.combining(letter)).split())


def one_line(text: str) -> str:
    """Write a name that came from elsewhere on one line, without control characters, no longer than a name may be."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = re.sub(r"\s+", " ", printable).strip()[:MAX_NAME].rstrip()
    return line if is_seen(line) else ""


async def keep_one_admin(ctx: QueryContext, user: User) -> None:
    """Refuse what would leave nobody who can manage users; of two who do it at the same time, one is run again.

    Raises:
        FunctionError: ``last_admin``.
    """
    if user.role != "admin" or user.is_archived:
        return
    admins = ctx.db.query(User).using("by_role", role="admin").where(field("is_archived") != True)  # noqa: E712
    if len(await admins.take(2)) < 2:
        raise FunctionError("last_admin", "this is the only admin; make somebody else one first")


async def active(ctx: QueryContext, user_id: Id[User]) -> User | None:
    """Find a user whose account is not archived."""
    user = await ctx.db.get(User, user_id)
    return None if user is None or user.is_archived else user


# --- contacts ---------------------------------------------------------------------------------------------------------


async def befriend(ctx: MutationContext, asking: User, agreeing: User, alias: str | None) -> None:
    """Put each into the other's list; whoever is there already stays as they are.

    Args:
        alias: What ``asking`` calls ``agreeing``.

    Raises:
        FunctionError: ``limit_exceeded`` when one of the lists is full; ``busy`` while shares of an earlier contact of the
            two are still being taken back.
    """
    for one, other in ((asking, agreeing), (agreeing, asking)):
        if contact_of(one, other.id) is None and not await take_back(ctx, one.id, other.id):
            raise FunctionError(
                "busy", "shares of an earlier contact are still being taken back; try again in a moment"
            )
    await _enter(ctx, asking, Contact(user_id=agreeing.id, alias=alias or None, added_at=ctx.now))
    await _enter(ctx, agreeing, Contact(user_id=asking.id, added_at=ctx.now))


async def _enter(ctx: MutationContext, user: User, contact: Contact) -> None:
    if contact_of(user, contact.user_id) is not None:
        return
    if len(user.contacts) >= MAX_CONTACTS:
        raise FunctionError("limit_exceeded", f"a list of contacts holds at most {MAX_CONTACTS:,} people")
    await ctx.db.patch(user, contacts=[*user.contacts, contact])


async def leave(ctx: MutationContext, user: User, other: Id[User]) -> None:
    """Take somebody out of a list of contacts."""
    await ctx.db.patch(user, contacts=[contact for contact in user.contacts if contact.user_id != other])


async def take_back(ctx: MutationContext, owner: Id[User], other: Id[User]) -> bool:
    """Take back up to ``BATCH`` shares of one person with another; tell whether none is left."""
    for session in await ctx.db.query(LiveSession).using("by_owner", owner_id=owner, is_running=True).collect():
        await unshare_with(ctx, session, other)
    shared = await ctx.db.query(Recording).using("by_share", owner_id=owner, shared_with=other).take(BATCH)
    for recording in shared:
        await unshare_with(ctx, recording, other)
    return len(shared) < BATCH


async def unshare_with(ctx: MutationContext, shared: Recording | LiveSession, other: Id[User]) -> None:
    """Take one person off the list of those a recording or a live session is shared with."""
    rest = [id_ for id_ in shared.shared_with or () if id_ != other]
    await ctx.db.patch(shared, shared_with=rest or None)
