"""What the database remembers of migrations, and of checks of its documents; functions read these tables."""

from __future__ import annotations

from typing import Literal

from synovia.schema import Table

MigrationStatus = Literal["running", "done", "failed"]


class MigrationState(Table, name="_migrations", system=True):
    """How far a migration is; its id is the migration's path. Times are in milliseconds since 1970.

    Attributes:
        table: The name of the table whose documents it changes.
        after: The key of the last document that it has been through; None: none yet.
        documents: How many it has been through.
        changed: How many of them it has changed, and ``deleted`` how many it has deleted.
        hub: Which hub runs it, until ``lease_until``.
        error: Why it has failed; a hub that starts tries again from there.
    """

    table: str
    status: MigrationStatus
    started_at: int
    finished_at: int | None = None
    after: bytes | None = None
    documents: int = 0
    changed: int = 0
    deleted: int = 0
    hub: str | None = None
    lease_until: int | None = None
    error: str | None = None


class SchemaCheckState(Table, name="_schemaChecks", system=True, text_ids=True):
    """How far the documents of a table have been compared with one declaration of it. Times are in ms since 1970.

    Attributes:
        after: The key of the last document that was looked at; None: none yet.
        documents: How many were looked at.
        misfits: How many of them did not fit.
        seen_at: When it was last written.
    """

    table: str
    after: bytes | None = None
    documents: int = 0
    misfits: int = 0
    seen_at: int
    finished_at: int | None = None
