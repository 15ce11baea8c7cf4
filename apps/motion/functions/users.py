"""Accounts: registering, who one is, and leaving for good."""

from __future__ import annotations

from typing import Literal

from motion.domain.access import current_user, registered_user
from motion.domain.bounds import Email, Name
from motion.domain.people import UserView, names, new_user, view_of
from motion.functions.erasure import erase
from motion.schema import User
from synovia import FunctionError, Id, InvalidArguments, MutationContext, QueryContext, mutation, query


@query(signed_in=True)
async def me(ctx: QueryContext) -> UserView | None:
    """Tell who is signed in; None before they have registered. Whose account is archived learns that here."""
    user = await registered_user(ctx)
    return None if user is None else view_of(user)


@mutation(signed_in=True)
async def register(
    ctx: MutationContext, role: Literal["physiotherapist", "patient"], name: Name | None = None
) -> Id[User]:
    """Create the caller's account, once.

    Args:
        role: What the caller is here; nobody makes themselves an admin.
        name: How others see the caller; by default the name that the sign-in gave, else the e-mail address.

    Raises:
        FunctionError: ``already_registered``, also under another sign-in with the same address; ``email_missing``: the
            sign-in vouches for none.
    """
    if await registered_user(ctx) is not None:
        raise FunctionError("already_registered", "this account exists already")
    return (await new_user(ctx, role, name)).id


@mutation(signed_in=True)
async def rename(ctx: MutationContext, name: Name) -> None:
    """Change how others see the caller."""
    await ctx.db.patch(await current_user(ctx), **names(name))


@mutation(signed_in=True)
async def delete_account(ctx: MutationContext, email: Email) -> None:
    """Delete the caller's account with everything that is theirs, for good.

    Args:
        email: The account's own address, typed in to confirm.

    Raises:
        InvalidArguments: It is another address.
        FunctionError: ``last_admin``.
    """
    me = await current_user(ctx)
    if email != me.email:
        raise InvalidArguments("to delete your account, confirm with its own e-mail address")
    await erase(ctx, me)
