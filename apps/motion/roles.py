"""The table of roles: what each may do. ``admin:grants`` shows it."""

from __future__ import annotations

from motion.domain.access import current_user
from motion.schema import Role
from synovia import QueryContext, roles

GRANTS: dict[str, frozenset[str]] = {
    "physiotherapist": frozenset({"recordings.keep", "contacts.keep", "invites.send"}),
    "patient": frozenset({"recordings.keep", "contacts.keep"}),
    # Recordings are medical data: admins manage people, and look at theirs only as somebody else, which is audited.
    "admin": frozenset({"contacts.keep", "users.manage", "users.impersonate", "audit.read", "statistics.read"}),
}


@roles(GRANTS)
async def roles_of(ctx: QueryContext) -> Role:
    """Find the caller's role. Who has no account yet, or an archived one, holds none.

    Raises:
        FunctionError: ``not_registered``.
        Forbidden: The account is archived.
    """
    return (await current_user(ctx)).role
