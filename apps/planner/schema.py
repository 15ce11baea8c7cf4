"""The tables of planner: organizations, their users and their schedules."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from synovia import Audited, File, FileLimits, Id, Index, Model, Reference, SearchIndex, SoftDelete, Table, Timestamps

Role = Literal["viewer", "member", "admin"]
Status = Literal["draft", "active", "completed", "cancelled"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Moment = Annotated[int, Field(ge=-62_135_596_800_000, le=253_402_300_799_999)]
"""A time of the years 1 to 9999: pages can show no other, and are shown what others have written."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
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
    indexes=[Index("by_organization", "organization_id", "email", unique=True), Index("by_email", "email")],
):  # fmt: skip
    """Somebody who belongs to an organization; ``auth_id`` is the ``Identity.key`` of the first sign-in."""

    email: Annotated[str, Field(pattern=".@.", max_length=254)]
    name: Name
    organization_id: Annotated[Id[Organization], Reference("cascade")]
    role: Role
    auth_id: str | None = None


class Plan(Model):
    """What is said of a schedule; it takes place from a start to an end, in milliseconds since 1970 (UTC)."""

    title: Name
    description: Annotated[str, Field(max_length=5_000)] | None = None
    start_date: Moment
    end_date: Moment
    status: Status = "draft"

    @model_validator(mode="after")
    def ends_after_it_begins(self) -> Self:
        """Refuse one that would be over before it begins."""
        if self.end_date <= self.start_date:
            raise ValueError("a schedule ends after it begins")
        return self


class Schedule(
    Table, Plan, Timestamps, SoftDelete, Audited, name="schedules", audit_scope="organization_id",
    indexes=[
        Index("by_organization", "organization_id"),
        Index("by_organization_end", "organization_id", "end_date"),
        Index("by_organization_status", "organization_id", "status"),
        Index("by_status", "status"),
        SearchIndex("by_words", "title", "description", filters=["organization_id"], language="english"),
    ],
):  # fmt: skip
    """What a user of an organization plans, with a paper."""

    organization_id: Annotated[Id[Organization], Reference("cascade")]
    user_id: Annotated[Id[User], Reference("cascade")]
    paper: Annotated[File, PAPERS] | None = None
