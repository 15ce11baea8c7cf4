"""The tables of planner: organizations, their users and their schedules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from synovia import Audited, File, FileLimits, Id, Index, Model, Reference, SoftDelete, Table, Timestamps

Role = Literal["viewer", "member", "admin"]
Status = Literal["draft", "active", "completed", "cancelled"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Description = Annotated[str, Field(max_length=5_000)]
PAPERS = FileLimits(max_bytes=10_000_000, types=("application/pdf", "image/*"))


class Organization(
    Table, Timestamps, Audited, name="organizations", text_ids=True, audit_scope="id",
    indexes=[Index("by_slug", "slug", unique=True)],
):  # fmt: skip
    """A tenant, whose id is the ``organizationId`` in its issuer's tokens."""

    name: Name
    slug: Slug


class User(
    Table, Timestamps, Audited, name="users", audit_scope="organization_id",
    indexes=[
        Index("by_organization", "organization_id", "email", unique=True),
        Index("by_email", "email"),
    ],
):  # fmt: skip
    """Somebody who belongs to an organization; ``auth_id`` is the ``Identity.key`` of the first sign-in."""

    email: Annotated[str, Field(min_length=3, max_length=254)]
    name: Name
    organization_id: Annotated[Id[Organization], Reference("cascade")]
    role: Role
    auth_id: str | None = None


class Schedule(
    Table, Timestamps, SoftDelete, Audited, name="schedules", audit_scope="organization_id",
    indexes=[
        Index("by_organization", "organization_id"),
        Index("by_organization_end", "organization_id", "end_date"),
        Index("by_organization_status", "organization_id", "status"),
        Index("by_user", "user_id"),
        Index("by_status", "status"),
    ],
):  # fmt: skip
    """What is planned from ``start_date`` to ``end_date`` (milliseconds since 1970, UTC), by whom."""

    title: Name
    description: Description | None = None
    organization_id: Annotated[Id[Organization], Reference("cascade")]
    user_id: Annotated[Id[User], Reference("cascade")]
    start_date: int
    end_date: int
    status: Status = "draft"
    paper: Annotated[File, PAPERS] | None = None


class Plan(Model):
    """What a caller says of a new schedule."""

    title: Name
    description: Description | None = None
    start_date: int
    end_date: int
    status: Status = "draft"
