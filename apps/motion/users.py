"""Registering, and who one is."""

from __future__ import annotations

from typing import Literal

from synovia import FunctionError, Id, MutationContext, QueryContext, Unauthenticated, mutation, query

from ._access import registered_user
from ._bounds import Name
from .schema import User


@query
async def me(ctx: QueryContext) -> User | None:
    """Tell who is signed in; None before they have registered."""
    return await registered_user(ctx)


@mutation
async def register(
    ctx: MutationContext, role: Literal["physiotherapist", "patient"], name: Name | None = None
) -> Id[User]:
    """Create the caller's account, once.

    Args:
        role: What the caller is here; nobody makes themselves an admin.
        name: How others see the caller; by default the name that the sign-in gave, else the e-mail address.

    Raises:
        FunctionError: ``already_registered``, ``email_missing`` (the sign-in told none) or ``email_taken``.
    """
    if await registered_user(ctx) is not None:
        raise FunctionError("already_registered", "this account exists already")
    identity = ctx.identity
    if identity is None:
        raise Unauthenticated("sign in first")
    email = (identity.email or "").strip().lower()
    if not email:
        raise FunctionError("email_missing", "the sign-in gave no e-mail address, which an account needs")
    if await ctx.db.query(User).using("by_email", email=email).first() is not None:
        raise FunctionError("email_taken", "another account has this e-mail address")
    return await ctx.db.insert(
        User(
            auth_id=identity.key,
            email=email,
            name=name or identity.name or email,
            image=identity.image,
            role=role,
            created_at=ctx.now,
        )
    )
