"""The tables: users with their contacts, recordings of knee angles, invitations."""

from __future__ import annotations

from typing import Literal

from synovia import Float64Array, Id, Index, Model, Table

Role = Literal["physiotherapist", "patient", "admin"]
InviteStatus = Literal["pending", "accepted", "expired"]


class Contact(Model):
    """A person in somebody's list; the other one has the same entry the other way round, with an alias of their own."""

    user_id: Id[User]
    alias: str | None = None
    added_at: int


class User(
    Table,
    name="users",
    indexes=[
        Index("by_auth_id", "auth_id", unique=True),
        Index("by_email", "email", unique=True),
    ],
):
    """A registered person. ``auth_id`` is ``Identity.key``; ``email`` is in lower case."""

    auth_id: str
    email: str
    name: str
    image: str | None = None
    role: Role
    contacts: list[Contact] = []
    is_archived: bool | None = None
    archived_at: int | None = None
    archive_reason: str | None = None
    created_at: int


class Recording(
    Table,
    name="recordings",
    indexes=[
        Index("by_owner", "owner_id", "start_time"),
        Index("by_subject", "subject_id", "start_time"),
        Index("by_shared_with", "shared_with", "start_time"),
        Index("by_share", "owner_id", "shared_with"),
        Index("by_archive", "owner_id", "archived_at"),
    ],
):
    """One measurement of both knees.

    ``subject_id`` is the person measured, ``subject_alias`` a name for someone without an account. Times are UTC
    milliseconds, ``sample_rate`` is in Hz, the knees are float64 degrees of shape ``(sample_count,)``. Optional fields
    that say nothing are left out: one that is not archived has no ``is_archived``, one shared with nobody has no
    ``shared_with``.
    """

    owner_id: Id[User]
    subject_id: Id[User] | None = None
    subject_alias: str | None = None
    shared_with: list[Id[User]] | None = None
    start_time: int
    end_time: int
    sample_rate: float
    sample_count: int
    duration_ms: float
    left_knee: Float64Array
    right_knee: Float64Array
    notes: str | None = None
    exercise_type: str | None = None
    tags: list[str] | None = None
    is_archived: bool | None = None
    archived_at: int | None = None
    archive_reason: str | None = None
    created_at: int


class Invite(
    Table,
    name="invites",
    indexes=[
        Index("by_token", "token", unique=True),
        Index("by_from_user", "from_user_id", "created_at"),
        Index("by_to_email", "to_email", "created_at"),
    ],
):
    """An invitation by e-mail to somebody who has no account yet. So far only the table."""

    from_user_id: Id[User]
    to_email: str
    alias: str | None = None
    token: str
    status: InviteStatus
    expires_at: int
    created_at: int
