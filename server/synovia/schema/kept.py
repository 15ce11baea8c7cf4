"""What a table has kept for it: bases beside ``Table``, as in ``class Note(Table, Timestamps, SoftDelete)``."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from synovia.schema.models import Model

CREATED_AT: Final = "createdAt"
UPDATED_AT: Final = "updatedAt"
DELETED_AT: Final = "deletedAt"


class Timestamps(Model):
    """When a row was inserted and last changed, in milliseconds since 1970 (UTC); functions cannot set it."""

    created_at: int = Field(default=0)
    updated_at: int = Field(default=0)


class SoftDelete(Model):
    """``ctx.db.delete`` only marks a row: it is gone for whoever does not ask for the deleted, until it is purged."""

    deleted_at: int | None = Field(default=None)


class Audited(Model):
    """Every change of a row is written to the audit table: who, when, and the fields that changed, before and after.

    ``class Note(Table, Audited, audit_scope="organization_id")`` writes the value of a field of the row into each entry's
    ``scope``, by which rules can tell whose entries these are.
    """
