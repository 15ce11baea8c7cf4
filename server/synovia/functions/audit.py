"""The audit table: who did what that others may have to account for. Entries are added, never changed."""

from __future__ import annotations

from typing import Annotated, Any

from bson import ObjectId
from pydantic import BeforeValidator

from synovia.schema import Index, Table

APPLICATION = "application"
"""The actor of what the application does by itself: its schedule, its operator."""
IMPERSONATE = "impersonate"
"""The action of looking at the application as another user."""
IMPERSONATE_END = "impersonate.end"
"""The end of that before its time."""


def _text_of_id(value: Any) -> Any:
    """Read entries whose subject an older version has stored as an ObjectId."""
    return str(value) if isinstance(value, ObjectId) else value


class AuditEntry(
    Table,
    name="_audit",
    system=True,
    indexes=[
        Index("by_time", "at"),
        Index("by_actor", "actor", "at"),
        Index("by_subject", "subject", "at"),
        Index("by_action", "action", "at"),
        Index("by_scope", "scope", "at"),
    ],
):
    """One entry; ``ctx.audit`` of a mutation adds it in the mutation's transaction.

    Attributes:
        at: When, in milliseconds since 1970 (UTC).
        actor: Who: ``Identity.key``, or ``application``; None if nobody was signed in.
        action: What was done, as ``users.impersonate``.
        subject: To whom or what: an id, or an ``Identity.key``.
        reason: Why, in the actor's words.
        scope: Whose it is, as an organization's id; set by tables that are ``Audited``, and by ``ctx.audit``.
        data: What else the application keeps with it.
    """

    at: int
    actor: str | None = None
    action: str
    subject: Annotated[str | None, BeforeValidator(_text_of_id)] = None
    reason: str | None = None
    scope: str | None = None
    data: Any = None
