"""What was changed in an organization, for its admins."""

from __future__ import annotations

from typing import Any

from planner.schema import Organization, User
from synovia import AuditEntry, Id, Model, Page, QueryContext, query


class Change(Model):
    """An entry of the audit trail; ``changes`` holds the changed fields ``before`` and ``after``."""

    action: str
    entity_id: str | None = None
    user: str
    timestamp: int
    changes: Any = None


@query(role="admin", name="list")
async def list_changes(
    ctx: QueryContext, organization_id: Id[Organization], cursor: str | None = None, limit: int = 50
) -> Page[Change]:
    """List an organization's changes, the newest first."""
    entries = ctx.db.query(AuditEntry).using("by_scope", scope=organization_id)
    page = await entries.order("desc").paginate(cursor, limit)
    users = await ctx.db.query(User).using("by_organization", organization_id=organization_id).take(1_000)
    names = {user.auth_id: user.name for user in users}
    changes = [
        Change(
            action=each.action,
            entity_id=each.subject,
            user=names.get(each.actor) or each.actor or "",
            timestamp=each.at,
            changes=each.data,
        )
        for each in page.items
    ]
    return Page[Change](items=changes, next_cursor=page.next_cursor)
