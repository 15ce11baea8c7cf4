"""The tables of events. Times are milliseconds since 1970 (UTC), amounts are in the smallest unit of the currency."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from synovia import (
    Audited,
    Env,
    File,
    FileLimits,
    Id,
    Index,
    Model,
    Reference,
    ScheduledCall,
    SearchIndex,
    Table,
    Timestamps,
)

Role = Literal["owner", "organizer", "door", "finance"]
PlatformRoleName = Literal["admin", "support"]
OrderStatus = Literal["reserved", "paid", "expired", "refunded"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=5_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
PNG = FileLimits(max_bytes=1_000_000, types=("image/png",))


class Setup(Env):
    """What differs between installations; ``service`` runs beside this backend, and both know its secrets."""

    prefix = "EVENTS_"

    service_url: str = "http://127.0.0.1:8001"
    service_secret: SecretStr = SecretStr("development only")
    payment_secret: SecretStr = SecretStr("development only")
    deploy_secret: SecretStr = SecretStr("development only")


class User(Table, name="users", indexes=[Index("by_auth", "auth_id", unique=True)]):
    """Somebody who has signed in, with the workspace in which they last worked."""

    auth_id: str
    email: str
    name: Name
    role: PlatformRoleName | None = None
    profile: Text = ""
    organization_id: Annotated[Id[Organization], Reference("unset")] | None = None
    workspace_id: Annotated[Id[Workspace], Reference("unset")] | None = None


class PlatformRole(Table, name="platformRoles", indexes=[Index("by_auth", "auth_id", "role", unique=True)]):
    """What somebody may do in every workspace."""

    auth_id: str
    role: PlatformRoleName


class Organization(Table, Timestamps, name="organizations", indexes=[Index("by_slug", "slug", unique=True)]):
    """Who pays; its workspaces are the tenants."""

    name: Name
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]


class Workspace(Table, Timestamps, name="workspaces", indexes=[Index("by_organization", "organization_id")]):
    """Where people organize events together."""

    organization_id: Annotated[Id[Organization], Reference("cascade")]
    name: Name


class InWorkspace(Model):
    """What belongs to a tenant."""

    workspace_id: Annotated[Id[Workspace], Reference("cascade")]


class WorkspaceMember(
    Table, InWorkspace, Audited, name="workspaceMembers", audit_scope="workspace_id",
    indexes=[Index("by_workspace", "workspace_id"), Index("by_auth", "auth_id", "workspace_id", unique=True)],
):  # fmt: skip
    """What somebody may do in a workspace."""

    auth_id: str
    role: Role


class TeamMember(
    Table, InWorkspace, Audited, name="teamMembers", audit_scope="workspace_id",
    indexes=[
        Index("by_workspace", "workspace_id", "team"),
        Index("by_auth", "auth_id", "workspace_id", "team", unique=True),
    ],
):  # fmt: skip
    """Somebody in a team, as "the door on Friday"; who is in it may do this, too."""

    team: Name
    auth_id: str
    role: Role


class Event(
    Table, InWorkspace, Timestamps, Audited, name="events", audit_scope="workspace_id",
    indexes=[Index("by_workspace", "workspace_id", "starts_at"), Index("by_publication", "published", "starts_at")],
):  # fmt: skip
    """Something that people come to; everybody sees it once it is published."""

    title: Name
    description: Text = ""
    venue: Name
    starts_at: int
    published: bool = False


class Session(
    Table,
    InWorkspace,
    name="sessions",
    indexes=[Index("by_workspace", "workspace_id"), Index("by_event", "event_id", "starts_at")],
):
    """A part of an event."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    title: Name
    starts_at: int


class TicketTier(
    Table, InWorkspace, Audited, name="ticketTiers", audit_scope="workspace_id",
    indexes=[Index("by_workspace", "workspace_id"), Index("by_event", "event_id")],
):  # fmt: skip
    """A kind of ticket; ``left`` is what is neither reserved nor sold."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    name: Name
    price: Count
    stock: Count
    left: Count


class Order(
    Table, InWorkspace, Timestamps, name="orders",
    indexes=[
        Index("by_workspace", "workspace_id"),
        Index("by_tier", "tier_id"),
        Index("by_event", "event_id", "status", "hour"),
        Index("by_buyer", "auth_id"),
    ],
):  # fmt: skip
    """Tickets of one tier. ``hour`` is when the hour of the payment began."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    tier_id: Annotated[Id[TicketTier], Reference("restrict")]
    auth_id: str
    email: str
    name: Name
    quantity: Annotated[int, Field(ge=1, le=10)]
    amount: int
    status: OrderStatus = "reserved"
    expires_at: int
    hour: int | None = None


class Payment(Table, name="payments", text_ids=True):
    """The newest that the provider has said of a payment, whose id it is."""

    order_id: Id[Order]
    sequence: int
    status: Literal["created", "succeeded", "refunded"]


class Delivery(Table, Timestamps, name="deliveries", text_ids=True):
    """That a message of another program was taken; its id is the sender's name and that of the message."""


class Pass(
    Table, InWorkspace, name="passes",
    indexes=[
        Index("by_workspace", "workspace_id"),
        Index("by_code", "code", unique=True),
        Index("by_order", "order_id"),
        Index("by_event", "event_id"),
        Index("by_owner", "auth_id"),
        SearchIndex("by_holder", "holder", "email", filters=["event_id"]),
    ],
):  # fmt: skip
    """What one person shows at the door."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    order_id: Annotated[Id[Order], Reference("cascade")]
    auth_id: str
    email: str
    holder: Name
    code: str
    cancelled: bool = False


class CheckIn(
    Table, InWorkspace, name="checkIns",
    indexes=[
        Index("by_workspace", "workspace_id"),
        Index("by_pass", "pass_id", unique=True),
        Index("by_event", "event_id", "scanned_at"),
    ],
):  # fmt: skip
    """The one time that a pass was admitted; ``scan_id`` is the scanner's own name for it, so that it may say it again."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    pass_id: Annotated[Id[Pass], Reference("cascade")]
    holder: str
    scanner: str
    scan_id: str
    scanned_at: int


class DpTemplate(
    Table,
    InWorkspace,
    name="dpTemplates",
    indexes=[Index("by_workspace", "workspace_id"), Index("by_event", "event_id")],
):
    """How the display pictures of an event look."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    headline: Annotated[str, Field(min_length=1, max_length=60)]
    background: Colour = "#1e293b"
    accent: Colour = "#f59e0b"


class DpBatch(
    Table,
    InWorkspace,
    Timestamps,
    name="dpBatches",
    indexes=[Index("by_workspace", "workspace_id"), Index("by_template", "template_id"), Index("by_event", "event_id")],
):
    """The pictures of an event's attendees that one workflow makes, or has made, for whoever has asked (``by``)."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    template_id: Annotated[Id[DpTemplate], Reference("cascade")]
    total: int
    by: str
    status: Literal["running", "done", "cancelled", "failed"] = "running"
    call_id: Id[ScheduledCall] | None = None
    summary: Text | None = None


class GeneratedDp(
    Table, InWorkspace, name="generatedDps",
    indexes=[
        Index("by_workspace", "workspace_id"),
        Index("by_batch", "batch_id", "number", unique=True),
        Index("by_status", "batch_id", "status", "number"),
        Index("by_event", "event_id"),
    ],
):  # fmt: skip
    """A display picture for one attendee; ``status`` is what has come of it."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    batch_id: Annotated[Id[DpBatch], Reference("cascade")]
    number: int
    auth_id: str
    email: str
    holder: Name
    status: Literal["waiting", "done", "refused"] = "waiting"
    picture: Annotated[File, PNG] | None = None
    mailed: bool = False


class Campaign(
    Table, InWorkspace, Timestamps, Audited, name="campaigns", audit_scope="workspace_id",
    indexes=[Index("by_workspace", "workspace_id"), Index("by_batch", "batch_id")],
):  # fmt: skip
    """A mail to everybody for whom a batch has a picture, with that picture."""

    batch_id: Annotated[Id[DpBatch], Reference("cascade")]
    subject: Name
    text: Text
    status: Literal["sending", "done", "cancelled", "failed"] = "sending"


class Notification(Table, Timestamps, name="notifications", indexes=[Index("by_auth", "auth_id", "read")]):
    """Something that somebody is told in the application."""

    auth_id: str
    text: Text
    read: bool = False


class Release(Table, name="releases", indexes=[Index("by_time", "deployed_at")]):
    """A deployment that has ended."""

    commit: str
    environment: str
    status: str
    deployed_at: int
    seconds: float
