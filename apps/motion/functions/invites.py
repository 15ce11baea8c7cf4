"""Invites: how two people become contacts, by the consent of both.

One asks under an e-mail address, the other accepts: from the mail's link, or, signed in with that address, from their list.
Nobody learns by asking whether an address has an account. Links are not kept, only a hash of the secret in each.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field as Info

from motion.domain.access import contact_of, current_user, known_user, user_with
from motion.domain.bounds import MAX_INVITES_A_DAY, MAX_LETTERS, MAX_PENDING_INVITES, Alias, Email, Name, Token
from motion.domain.letters import Letter, fresh_token, hash_of, letter_of, link_of
from motion.domain.people import BATCH, active, befriend, new_user
from motion.schema import Invite, Mailing, User
from synovia import (
    ActionContext,
    FunctionError,
    Id,
    InvalidArguments,
    Model,
    MutationContext,
    NotFound,
    QueryContext,
    Retry,
    action,
    cron,
    gt,
    lt,
    mutation,
    normal_email,
    query,
)

DAY = 86_400_000
LIFETIME = 14 * DAY
"""So long an invite can be accepted, in milliseconds, counted anew when it is sent again."""
KEPT = 90 * DAY
"""So long it is shown to the sender after that, and then deleted."""
RESEND_PAUSE = 60_000
MOST_SHOWN = 200
MOST_LINKS = 100

PERSISTENT = Retry(attempts=10, first=timedelta(seconds=10), factor=3, limit=timedelta(hours=6))
"""For a day, as mail servers do."""

Status = Literal["pending", "accepted", "expired", "withdrawn", "declined"]


class SentInvite(Model):
    """An invite as its sender sees it. ``sent_at`` is when a mail last went out."""

    id: Id[Invite] = Info(alias="_id")
    to_email: str
    alias: str | None = None
    status: Status
    expires_at: int
    created_at: int
    sent_at: int | None = None
    times_sent: int


class ReceivedInvite(Model):
    """An invite as the one who is asked sees it."""

    id: Id[Invite] = Info(alias="_id")
    from_name: str
    from_email: str
    expires_at: int


class InviteLook(Model):
    """What an invite shows to whoever has its link."""

    from_name: str
    status: Status
    expires_at: int


# --- the sender -------------------------------------------------------------------------------------------------------


@mutation(capability="invites.send")
async def create(ctx: MutationContext, email: Email, alias: Alias | None = None) -> Id[Invite]:
    """Invite whoever has this address by mail; the answer is the same whether it has an account or not.

    If its owner has asked the caller before, both become contacts at once, and no mail is sent.

    Args:
        alias: What the caller will call them; nobody else sees it.

    Raises:
        InvalidArguments: It is the caller's own address.
        FunctionError: ``already_a_contact``; ``already_invited`` (``data`` has the ``inviteId``): send that again;
            ``limit_exceeded``: too many are pending; ``rate_limited``: too many of one day; ``data`` has ``retryAt``.
    """
    invite, is_new = await ask(ctx, await current_user(ctx), email, alias)
    if is_new:
        await _send(ctx, invite)
    return invite.id


@query(capability="contacts.keep")
async def list_sent(ctx: QueryContext) -> list[SentInvite]:
    """List the caller's invites, the newest first, for 90 days after they have expired."""
    me = await current_user(ctx)
    invites = await ctx.db.query(Invite).using("by_from_user", from_user_id=me.id).order("desc").take(MOST_SHOWN)
    _hold(ctx, invites)
    return [_sent(invite, ctx.now) for invite in invites]


@mutation(capability="invites.send")
async def resend(ctx: MutationContext, invite_id: Id[Invite]) -> None:
    """Mail an invite again, also one that has expired; it is good for another 14 days, and so are earlier mails' links.

    Raises:
        NotFound: The caller has sent no such invite.
        FunctionError: ``invite_accepted``, ``invite_declined``, ``invite_withdrawn``; ``limit_exceeded``: it has been
            mailed too often; ``rate_limited``: it was mailed a moment ago; ``data`` has ``retryAt``.
    """
    invite = await _own(ctx, invite_id)
    _check_open(invite, ctx.now, expired=True)
    if invite.times_sent >= MAX_LETTERS:
        raise FunctionError("limit_exceeded", f"an invite is mailed at most {MAX_LETTERS} times")
    if invite.asked_at is not None and ctx.now < invite.asked_at + RESEND_PAUSE:
        raise _too_often(invite.asked_at + RESEND_PAUSE)
    if invite.expires_at <= ctx.now:
        await _check_pending(ctx, invite.from_user_id)
    await _send(ctx, await ctx.db.patch(invite, expires_at=ctx.now + LIFETIME))


@mutation(capability="contacts.keep")
async def withdraw(ctx: MutationContext, invite_id: Id[Invite]) -> None:
    """Take an invite back; its links lead nowhere any more.

    Raises:
        NotFound: The caller has sent no such invite.
        FunctionError: ``invite_accepted``, ``invite_declined``, ``invite_withdrawn``.
    """
    invite = await _own(ctx, invite_id)
    _check_open(invite, ctx.now, expired=True)
    await ctx.db.patch(invite, status="withdrawn")


# --- the one who is asked ---------------------------------------------------------------------------------------------


@query(signed_in=True)
async def list_received(ctx: QueryContext) -> list[ReceivedInvite]:
    """List the invites that wait for the caller's answer, by the address that their sign-in vouches for."""
    await known_user(ctx)
    invites = await _received(ctx)
    _hold(ctx, invites)
    shown = [(invite, await _sender(ctx, invite)) for invite in invites]
    return [
        ReceivedInvite(id=invite.id, from_name=sender.name, from_email=sender.email, expires_at=invite.expires_at)
        for invite, sender in shown
        if sender is not None
    ]


@query(public=True)
async def look(ctx: QueryContext, token: Token) -> InviteLook | None:
    """Tell from whom the invite behind a link is, and whether it can be accepted; nothing for a wrong link."""
    invite = await _by_token(ctx, token)
    sender = None if invite is None else await _sender(ctx, invite)
    if invite is None or sender is None:
        return None
    _hold(ctx, [invite])
    return InviteLook(from_name=sender.name, status=_status(invite, ctx.now), expires_at=invite.expires_at)


@mutation(signed_in=True)
async def accept(ctx: MutationContext, token: Token, name: Name | None = None) -> Id[User]:
    """Accept the invite behind a link, and give the caller's id: both are contacts from now on.

    Whoever has the link may do so, under any address: it was mailed to one who was meant. A newcomer gets an account as a
    patient; others keep theirs. Accepting again changes nothing.

    Args:
        name: How others see a newcomer, as in ``users:register``.

    Raises:
        NotFound: No such invite, or its sender has no account any more.
        FunctionError: ``invite_accepted`` (by somebody else), ``invite_declined``, ``invite_withdrawn``,
            ``invite_expired``; ``own_invite``; ``email_missing``: a newcomer's sign-in vouches for no address;
            ``limit_exceeded``: a list of contacts is full; ``busy``.
        Forbidden: The caller's account is archived.
    """
    return await _accept(ctx, await _by_token(ctx, token), name)


@mutation(signed_in=True)
async def accept_received(ctx: MutationContext, invite_id: Id[Invite], name: Name | None = None) -> Id[User]:
    """Accept an invite to the caller's address without its link; else as ``accept``."""
    return await _accept(ctx, await _to_me(ctx, invite_id), name)


@mutation(signed_in=True)
async def decline(ctx: MutationContext, invite_id: Id[Invite]) -> None:
    """Decline an invite to the caller's address; its sender sees that.

    Raises:
        NotFound: There is none to the caller's address.
        FunctionError: ``invite_accepted``, ``invite_declined``, ``invite_withdrawn``, ``invite_expired``.
    """
    await known_user(ctx)
    invite = await _to_me(ctx, invite_id)
    if invite is None:
        raise _no_invite()
    _check_open(invite, ctx.now)
    await ctx.db.patch(invite, status="declined")


# --- delivery ---------------------------------------------------------------------------------------------------------


@action(internal=True, retry=PERSISTENT)
async def deliver(ctx: ActionContext, invite_id: Id[Invite]) -> None:
    """Mail an invite with a link of its own; run again when the mail could not be sent."""
    token = fresh_token()
    letter = await ctx.run_mutation(prepare, invite_id, hash_of(token))
    if letter is None:
        return
    await ctx.mail.send(letter.to, letter.subject, letter.text(link_of(ctx.mail.home, token)))
    await ctx.run_mutation(note_sent, invite_id)


@mutation(internal=True)
async def prepare(ctx: MutationContext, invite_id: Id[Invite], token_hash: str) -> Letter | None:
    """Make a link good and write the mail; nothing if the invite is over, or its address gets too much mail already."""
    invite = await ctx.db.get(Invite, invite_id)
    sender = None if invite is None else await _sender(ctx, invite)
    if invite is None or sender is None or _status(invite, ctx.now) != "pending":
        return None
    if not await _note_mailing(ctx, invite):
        return None
    # The links of earlier mails stay good.
    hashes = [*(invite.token_hashes or ()), token_hash][-MOST_LINKS:]
    await ctx.db.patch(invite, token_hashes=hashes)
    return letter_of(invite, sender)


async def _note_mailing(ctx: MutationContext, invite: Invite) -> bool:
    """Note that an invite is mailed to its address; not if as many others were today, of whomever, there still or not."""
    address = hash_of(invite.to_email)
    mailed = ctx.db.query(Mailing).using("by_address", address=address, at=gt(ctx.now - DAY))
    today = await mailed.take(MAX_LETTERS)
    if any(each.invite_id == invite.id for each in today):
        return True
    if len(today) == MAX_LETTERS:
        return False
    await ctx.db.insert(Mailing(address=address, invite_id=invite.id, at=ctx.now))
    return True


@mutation(internal=True)
async def note_sent(ctx: MutationContext, invite_id: Id[Invite]) -> None:
    """Note that a mail has gone out."""
    invite = await ctx.db.get(Invite, invite_id)
    if invite is not None:
        await ctx.db.patch(invite, sent_at=ctx.now, times_sent=invite.times_sent + 1)


@cron(daily_at="03:30")
@mutation(internal=True)
async def purge(ctx: MutationContext) -> None:
    """Delete invites that have expired, or would have, 90 days ago: addresses are not kept for ever."""
    old = await ctx.db.query(Invite).using("by_expiry", expires_at=lt(ctx.now - KEPT)).take(BATCH)
    mailed = await ctx.db.query(Mailing).using("by_time", at=lt(ctx.now - DAY)).take(BATCH)
    for each in (*old, *mailed):
        await ctx.db.delete(each)
    if BATCH in (len(old), len(mailed)):
        await ctx.scheduler.run_after(timedelta(), purge)


# --- asking -----------------------------------------------------------------------------------------------------------


async def ask(ctx: MutationContext, me: User, email: str, alias: str | None) -> tuple[Invite, bool]:
    """Ask whoever has an address to be a contact; tell also whether the invite is a new one.

    What is done does not depend on whether the address has an account, except where the caller knows it has: it is a
    contact's, or that of somebody who has asked the caller.
    """
    if email in (me.email, _address(ctx)):
        raise InvalidArguments("nobody is a contact of themselves")
    asked = [(each, await _sender(ctx, each)) for each in await _received(ctx)]
    for invite, sender in asked:
        if sender is not None and sender.email == email and sender.id != me.id:
            await _link(ctx, invite, sender, me)
            await _set_alias(ctx, me.id, sender.id, alias)
            return invite, False
    await _check_new(ctx, me, email)
    invite = Invite(
        from_user_id=me.id, to_email=email, alias=alias or None, expires_at=ctx.now + LIFETIME, created_at=ctx.now
    )
    await ctx.db.insert(invite)
    return invite, True


async def _check_new(ctx: MutationContext, me: User, email: str) -> None:
    other = await user_with(ctx, email)
    if other is not None and contact_of(me, other.id) is not None:
        raise FunctionError("already_a_contact", f"{email} is a contact already")
    for invite in await _pending_between(ctx, me.id, email):
        if invite.expires_at > ctx.now:
            raise FunctionError("already_invited", f"{email} is invited already", {"inviteId": invite.id})
    await _check_pending(ctx, me.id)
    today = ctx.db.query(Invite).using("by_from_user", from_user_id=me.id, created_at=gt(ctx.now - DAY))
    recent = await today.take(MAX_INVITES_A_DAY)
    if len(recent) == MAX_INVITES_A_DAY:
        raise _too_often(recent[0].created_at + DAY)


async def _check_pending(ctx: MutationContext, sender: Id[User]) -> None:
    pending = ctx.db.query(Invite).using("by_sender", from_user_id=sender, status="pending", expires_at=gt(ctx.now))
    if await pending.count() >= MAX_PENDING_INVITES:
        raise FunctionError("limit_exceeded", f"at most {MAX_PENDING_INVITES} invites of one person are pending")


def _too_often(retry_at: int) -> FunctionError:
    return FunctionError("rate_limited", "too many invites in a short time; try again later", {"retryAt": retry_at})


async def _send(ctx: MutationContext, invite: Invite) -> None:
    if invite.delivery is not None:
        await ctx.scheduler.cancel(invite.delivery)  # or a mail server that was down would get both
    delivery = await ctx.scheduler.run_after(timedelta(), deliver, invite.id)
    await ctx.db.patch(invite, asked_at=ctx.now, delivery=delivery)


# --- accepting --------------------------------------------------------------------------------------------------------


async def _accept(ctx: MutationContext, invite: Invite | None, name: str | None) -> Id[User]:
    sender = None if invite is None else await _sender(ctx, invite)
    if invite is None or sender is None:
        raise _no_invite()
    known = await known_user(ctx)
    if known is not None and invite.accepted_by == known.id:
        return known.id
    _check_open(invite, ctx.now)
    me = known or await new_user(ctx, "patient", name)
    if me.id == sender.id:
        raise FunctionError("own_invite", "this is an invite of your own, for somebody else to accept")
    await _link(ctx, invite, sender, me)
    return me.id


async def _link(ctx: MutationContext, invite: Invite, sender: User, me: User) -> None:
    await befriend(ctx, sender, me, invite.alias)
    await ctx.db.patch(invite, status="accepted", accepted_by=me.id, accepted_at=ctx.now)
    # What they have asked each other besides is answered too.
    for one, other in ((sender, me), (me, sender)):
        for each in await _pending_between(ctx, one.id, other.email):
            await ctx.db.patch(each, status="accepted", accepted_by=other.id, accepted_at=ctx.now)


async def _set_alias(ctx: MutationContext, of: Id[User], other: Id[User], alias: str | None) -> None:
    user = await ctx.db.get(User, of)
    if user is not None and alias:
        contacts = [c.model_copy(update={"alias": alias}) if c.user_id == other else c for c in user.contacts]
        await ctx.db.patch(user, contacts=contacts)


# --- finding ----------------------------------------------------------------------------------------------------------


async def _own(ctx: QueryContext, invite_id: Id[Invite]) -> Invite:
    me = await current_user(ctx)
    invite = await ctx.db.get(Invite, invite_id)
    if invite is None or invite.from_user_id != me.id:
        raise _no_invite()
    return invite


async def _by_token(ctx: QueryContext, token: str) -> Invite | None:
    return await ctx.db.query(Invite).using("by_token_hash", token_hashes=hash_of(token)).first()


async def _to_me(ctx: QueryContext, invite_id: Id[Invite]) -> Invite | None:
    invite = await ctx.db.get(Invite, invite_id)
    address = _address(ctx)
    return invite if invite is not None and address is not None and invite.to_email == address else None


async def _pending_between(ctx: QueryContext, sender: Id[User], address: str) -> list[Invite]:
    asked = ctx.db.query(Invite).using("by_pair", from_user_id=sender, to_email=address, status="pending")
    return await asked.take(MOST_SHOWN)


async def _received(ctx: QueryContext) -> list[Invite]:
    address = _address(ctx)
    if address is None:
        return []
    waiting = ctx.db.query(Invite).using("by_to_email", to_email=address, status="pending", expires_at=gt(ctx.now))
    return await waiting.take(MOST_SHOWN)


def _address(ctx: QueryContext) -> str | None:
    """Give the address that the caller's sign-in vouches for; what an account says is not asked."""
    email = None if ctx.identity is None else ctx.identity.email
    return None if email is None else normal_email(email)


async def _sender(ctx: QueryContext, invite: Invite) -> User | None:
    return await active(ctx, invite.from_user_id)


def _no_invite() -> NotFound:
    return NotFound("there is no such invite")


# --- what the clock says ----------------------------------------------------------------------------------------------


def _status(invite: Invite, now: int) -> Status:
    return "expired" if invite.status == "pending" and invite.expires_at <= now else invite.status


def _check_open(invite: Invite, now: int, *, expired: bool = False) -> None:
    status = _status(invite, now)
    if status != "pending" and not (expired and status == "expired"):
        raise FunctionError(f"invite_{status}", f"this invite is {status}")


def _hold(ctx: QueryContext, invites: list[Invite]) -> None:
    """Let the answer hold until the first of the invites expires."""
    ctx.hold_until(*(each.expires_at for each in invites if _status(each, ctx.now) == "pending"))


def _sent(invite: Invite, now: int) -> SentInvite:
    return SentInvite(
        id=invite.id,
        to_email=invite.to_email,
        alias=invite.alias,
        status=_status(invite, now),
        expires_at=invite.expires_at,
        created_at=invite.created_at,
        sent_at=invite.sent_at,
        times_sent=invite.times_sent,
    )
