"""The tables: users with their contacts, recordings of knee angles, live sessions, invitations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from motion.small_batches import SAMPLE_BYTES, SMALL_BATCH
from synovia import Float64Array, Id, Index, Model, ScheduledCall, Table

Role = Literal["physiotherapist", "patient", "admin"]
InviteStatus = Literal["pending", "accepted", "withdrawn", "declined"]
SmallBatch = Annotated[bytes, Field(max_length=SMALL_BATCH * SAMPLE_BYTES)]
"""Samples of both knees: the left one's, then as many of the right one's, float64, little-endian."""


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
        Index("by_name", "name_key"),
        Index("by_last_name", "last_name_key"),
        Index("by_role", "role", "created_at"),
        Index("by_creation", "created_at"),
        Index("by_archive", "is_archived", "created_at"),
        Index("by_contact", "contacts.user_id"),
    ],
):
    """A registered person.

    ``auth_id`` is the ``Identity.key`` of the first sign-in, ``email`` the address it vouched for, as ``normal_email``
    writes it. ``name_key`` and ``last_name_key`` are what an admin's search compares with.
    """

    auth_id: str
    email: str
    name: str
    name_key: str | None = None
    last_name_key: str | None = None
    image: str | None = None
    role: Role
    contacts: Annotated[list[Contact], Field(max_length=1_000)] = []
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
        Index("by_archived_at", "archived_at"),
    ],
):
    """One measurement of both knees, or of one.

    ``subject_id`` is the person measured, ``subject_alias`` a name for someone without an account. Times are UTC
    milliseconds, ``sample_rate`` is in Hz, the knees are float64 degrees of shape ``(sample_count,)``; one of them is left
    out if it was not measured. Optional fields that say nothing are left out: one that is not archived has no
    ``is_archived``, one shared with nobody has no ``shared_with``.
    """

    owner_id: Id[User]
    subject_id: Id[User] | None = None
    subject_alias: str | None = None
    shared_with: Annotated[list[Id[User]], Field(max_length=1_000)] | None = None
    start_time: int
    end_time: int
    sample_rate: float
    sample_count: int
    duration_ms: float
    left_knee: Float64Array | None = None
    right_knee: Float64Array | None = None
    notes: str | None = None
    exercise_type: str | None = None
    tags: Annotated[list[str], Field(max_length=50)] | None = None
    is_archived: bool | None = None
    archived_at: int | None = None
    archive_reason: str | None = None
    created_at: int


class LiveSession(
    Table,
    name="liveSessions",
    indexes=[
        Index("by_owner", "owner_id", "is_running"),
        Index("by_subject", "subject_id", "is_running"),
        Index("by_shared_with", "shared_with", "is_running"),
        Index("by_last_batch", "is_running", "last_at"),
        Index("by_finish", "finished_at"),
    ],
):
    """A recording that is being made: what is known of it before it is saved.

    Its samples are in ``LiveSegment``; ``unmerged`` are the batches among these when they were last counted, and those that
    have come since. ``last_at`` is when the last batch came; a session that has been finished keeps its recording's id for a
    while, so that viewers find their way there.
    """

    owner_id: Id[User]
    subject_id: Id[User] | None = None
    subject_alias: str | None = None
    shared_with: Annotated[list[Id[User]], Field(max_length=1_000)] | None = None
    sample_rate: float
    sample_count: int = 0
    unmerged: int = 0
    started_at: int
    last_at: int
    is_running: bool | None = None
    finished_at: int | None = None
    recording_id: Id[Recording] | None = None


class LiveSegment(Table, name="liveSegments", indexes=[Index("by_level", "session_id", "level", "start")]):
    """Samples ``[start, start + count)`` of a live session; how often its batches have been merged is its ``level``.

    They are arrays, or those of a small batch ``samples``.
    """

    session_id: Id[LiveSession]
    level: int
    start: int
    count: int
    left_knee: Float64Array | None = None
    right_knee: Float64Array | None = None
    samples: SmallBatch | None = None


class Invite(
    Table,
    name="invites",
    indexes=[
        Index("by_token_hash", "token_hashes"),
        Index("by_from_user", "from_user_id", "created_at"),
        Index("by_sender", "from_user_id", "status", "expires_at"),
        Index("by_pair", "from_user_id", "to_email", "status"),
        Index("by_to_email", "to_email", "status", "expires_at"),
        Index("by_expiry", "expires_at"),
    ],
):
    """An invitation to be the sender's contact, to whoever has an address, with or without an account.

    It expires by the clock: one that is ``pending`` has expired once it is ``expires_at``. Links are not kept, only the
    SHA-256 of the token in each that was mailed. ``alias`` is what the sender calls the other one. ``asked_at`` is when a
    mail was last asked for, ``delivery`` the call that sends it, ``sent_at`` when one last went out.
    """

    from_user_id: Id[User]
    to_email: str
    alias: str | None = None
    token_hashes: Annotated[list[str], Field(max_length=100)] | None = None
    status: InviteStatus = "pending"
    expires_at: int
    created_at: int
    asked_at: int | None = None
    delivery: Id[ScheduledCall] | None = None
    sent_at: int | None = None
    times_sent: int = 0
    accepted_by: Id[User] | None = None
    accepted_at: int | None = None


class Mailing(Table, name="mailings", indexes=[Index("by_address", "address", "at"), Index("by_time", "at")]):
    """That an invite was mailed to an address, of which only the SHA-256 is kept, and only for a day or two.

    It outlives the invite and its sender: who deletes both cannot send more mail for it.
    """

    address: str
    invite_id: Id[Invite]
    at: int
