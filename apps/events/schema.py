"""The tables, and whose rows are whose. Times are milliseconds since 1970 (UTC), amounts in the smallest unit of money."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from synovia import (
    Audited,
    AuditEntry,
    Env,
    File,
    FileLimits,
    Id,
    Index,
    Model,
    Reference,
    RuleContext,
    ScheduledCall,
    SearchIndex,
    Table,
    Timestamps,
    allow_read,
    allow_write,
    field,
    may_read,
    may_write,
)

Role = Literal["owner", "organizer", "door", "finance"]
PlatformRoleName = Literal["admin", "support"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=5_000)]
Quantity = Annotated[int, Field(ge=1, le=10)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Moment = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""A time until the year 9999: pages can show no other, and are shown what others have written."""
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class Setup(Env):
    """What differs between installations; ``service`` runs beside this backend, and both know its secrets."""

    prefix = "EVENTS_"

    service_url: str = "http://127.0.0.1:8001"
    service_secret: SecretStr = SecretStr("development only")
    payment_secret: SecretStr = SecretStr("development only")
    deploy_secret: SecretStr = SecretStr("development only")


class User(Table, indexes=[Index("by_auth", "auth_id", unique=True)]):
    """Somebody who has signed in, with the workspace in which they last worked."""

    auth_id: str
    email: str
    name: Name
    role: PlatformRoleName | None = None
    profile: Text = ""
    organization_id: Annotated[Id[Organization], Reference("unset")] | None = None
    workspace_id: Annotated[Id[Workspace], Reference("unset")] | None = None


class PlatformRole(Table, indexes=[Index("by_auth", "auth_id", "role", unique=True)]):
    """What somebody may do in every workspace."""

    auth_id: str
    role: PlatformRoleName


class Organization(Table, Timestamps, indexes=[Index("by_slug", "slug", unique=True)]):
    """Who pays; its workspaces are the tenants."""

    name: Name
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]


class Workspace(Table, Timestamps):
    """Where people organize events together."""

    organization_id: Annotated[Id[Organization], Reference("cascade")]
    name: Name


class InWorkspace(Model):
    """What belongs to a tenant."""

    workspace_id: Annotated[Id[Workspace], Reference("cascade")]


class Membership(InWorkspace, Audited):
    """That somebody may do something in a workspace."""

    auth_id: str
    role: Role


class WorkspaceMember(
    Table, Membership, audit_scope="workspace_id", indexes=[Index("by_auth", "auth_id", "workspace_id", unique=True)]
):
    """What somebody may do in a workspace."""


class TeamMember(
    Table, Membership, audit_scope="workspace_id",
    indexes=[Index("by_auth", "auth_id", "workspace_id", "team", unique=True)],
):  # fmt: skip
    """Somebody in a team, as "the door on Friday"; who is in it may do this, too."""

    team: Name


class Event(
    Table, InWorkspace, Timestamps, Audited, audit_scope="workspace_id",
    indexes=[Index("by_workspace", "workspace_id", "starts_at"), Index("by_publication", "published", "starts_at")],
):  # fmt: skip
    """Something that people come to; everybody sees it once it is published."""

    title: Name
    description: Text = ""
    venue: Name
    starts_at: Moment
    published: bool = False
    reminded: bool = False

    @property
    def place(self) -> dict[str, Any]:
        """Where rows belong that are this event's."""
        return {"workspace_id": self.workspace_id, "event_id": self.id}


class InEvent(InWorkspace):
    """What belongs to an event."""

    event_id: Annotated[Id[Event], Reference("cascade")]

    @property
    def place(self) -> dict[str, Any]:
        """Where rows belong that are the same event's."""
        return {"workspace_id": self.workspace_id, "event_id": self.event_id}


class Attendee(InEvent):
    """Somebody who comes to an event."""

    auth_id: str
    email: str
    holder: Name

    @property
    def entry(self) -> dict[str, Any]:
        """What is known of them in every table."""
        return {**self.place, "auth_id": self.auth_id, "email": self.email, "holder": self.holder}


class Session(Table, InEvent, indexes=[Index("by_event", "event_id", "starts_at")]):
    """A part of an event."""

    title: Name
    starts_at: Moment


class TicketTier(Table, InEvent, Audited, audit_scope="workspace_id"):
    """A kind of ticket; ``left`` is what is neither reserved nor sold."""

    name: Name
    price: Count
    stock: Count
    left: Count


class Order(
    Table, Attendee, Timestamps,
    indexes=[Index("by_event", "event_id", "status", "hour"), Index("by_buyer", "auth_id")],
):  # fmt: skip
    """Tickets of one tier. ``hour`` is when the hour of the payment began."""

    tier_id: Annotated[Id[TicketTier], Reference("restrict")]
    quantity: Quantity = 1
    amount: int
    status: Literal["reserved", "paid", "expired", "refunded"] = "reserved"
    expires_at: int
    hour: int | None = None


class PaymentState(Model):
    """How a payment stands; of two, that with the greater ``sequence`` is the newer."""

    sequence: int
    status: Literal["created", "succeeded", "refunded"]


class Payment(Table, PaymentState, text_ids=True, indexes=[Index("by_order", "order_id", "status")]):
    """The newest that the provider has said of a payment, whose id it is."""

    order_id: Id[Order]


class Pass(
    Table, Attendee, name="passes",
    indexes=[
        Index("by_code", "code", unique=True), Index("by_owner", "auth_id"),
        SearchIndex("by_holder", "holder", "email", filters=["event_id"]),
    ],
):  # fmt: skip
    """What one person shows at the door."""

    order_id: Annotated[Id[Order], Reference("cascade")]
    code: str
    cancelled: bool = False


class CheckIn(
    Table, InEvent, indexes=[Index("by_pass", "pass_id", unique=True), Index("by_event", "event_id", "scanned_at")]
):
    """The one time that a pass was admitted; ``scan_id`` is the scanner's own name for it, so that it may say it again."""

    pass_id: Annotated[Id[Pass], Reference("cascade")]
    holder: str
    scanner: str
    scan_id: str
    scanned_at: Moment


class DpTemplate(Table, InEvent):
    """How the display pictures of an event look."""

    headline: Annotated[str, Field(min_length=1, max_length=60)]
    background: Colour = "#1e293b"
    accent: Colour = "#f59e0b"


class DpBatch(Table, InEvent, Timestamps, name="dpBatches"):
    """The pictures of an event's attendees that one workflow makes, or has made, for whoever has asked (``by``)."""

    template_id: Annotated[Id[DpTemplate], Reference("cascade")]
    total: int = 0
    by: str
    status: Literal["running", "done", "cancelled", "failed"] = "running"
    call_id: Id[ScheduledCall] | None = None
    summary: Text | None = None


class GeneratedDp(
    Table, Attendee,
    indexes=[Index("by_batch", "batch_id", "number", unique=True), Index("by_status", "batch_id", "status", "number")],
):  # fmt: skip
    """A display picture for one attendee; ``status`` is what has come of it."""

    batch_id: Annotated[Id[DpBatch], Reference("cascade")]
    number: int
    status: Literal["waiting", "done", "refused"] = "waiting"
    picture: Annotated[File, FileLimits(max_bytes=1_000_000, types=("image/png",))] | None = None
    mailed: bool = False


class Campaign(Table, InWorkspace, Timestamps, Audited, audit_scope="workspace_id"):
    """A mail to everybody for whom a batch has a picture, with that picture."""

    batch_id: Annotated[Id[DpBatch], Reference("cascade")]
    subject: Name
    text: Text
    status: Literal["sending", "done", "cancelled", "failed"] = "sending"


class Notification(Table, Timestamps, indexes=[Index("by_auth", "auth_id", "read")]):
    """Something that somebody is told in the application."""

    auth_id: str
    text: Text
    read: bool = False


class Deployed(Model):
    """What was deployed, where, and what came of it."""

    commit: str
    environment: str
    status: str


class Release(Table, Deployed, text_ids=True, indexes=[Index("by_time", "deployed_at")]):
    """A deployment that has ended; its id is that of the message that has told of it."""

    deployed_at: int
    seconds: float


# --- who may read and write what; the capabilities are in access.py


allow_read(Workspace, capability="workspace.see", within="id")
allow_read(Event, where=field("published") == True, capability="workspace.see")  # noqa: E712
allow_read(Order, owner="auth_id", capability="sales.read")
allow_read(Pass, owner="auth_id", capability="passes.see")
allow_read(CheckIn, capability="passes.check_in")
allow_read(GeneratedDp, owner="auth_id", capability="pictures.make")
allow_read(DpTemplate, DpBatch, capability="pictures.make")
allow_read(Campaign, capability="campaigns.send")
allow_read(WorkspaceMember, TeamMember, owner="auth_id", capability="members.manage")
allow_read(User, Notification, owner="auth_id")
allow_read(Release, capability="releases.read")
allow_read(AuditEntry, capability="members.manage", within="scope")

allow_write(Event, TicketTier, Session, capability="events.manage")
allow_write(CheckIn, capability="passes.check_in")
allow_write(DpTemplate, DpBatch, GeneratedDp, capability="pictures.make")
allow_write(Campaign, capability="campaigns.send")
allow_write(WorkspaceMember, TeamMember, capability="members.manage")
allow_write(Notification, owner="auth_id")


@may_read(Organization)
async def of_own_workspaces(ctx: RuleContext, row: Organization) -> bool:
    workspaces = ctx.db.visible.query(Workspace).using("by_organization", organization_id=row.id)
    return await workspaces.first() is not None


@may_read(TicketTier, Session)
async def of_an_event_that_is_seen(ctx: RuleContext, row: TicketTier | Session) -> bool:
    return await ctx.db.visible.get(Event, row.event_id) is not None


@may_read(PlatformRole, Payment)
@may_write(PlatformRole, Payment, Order, Pass, User, Organization, Workspace, Release)
async def nobody(ctx: RuleContext) -> bool:
    """Leave it to functions that write as the application, having asked themselves."""
    return False
