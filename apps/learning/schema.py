"""The tables of learning; each row belongs to a tenant and goes with it."""

from typing import Annotated, Literal

from pydantic import Field

from synovia import Id, Index, Model, Reference, SearchIndex, Table, Timestamps

Role = Literal["member", "teacher", "supporter", "admin"]
Text = Annotated[str, Field(min_length=1, max_length=200)]
LongText = Annotated[str, Field(min_length=1, max_length=5_000)]
EnrollmentStatus = Literal["enrolled", "completed", "dropped"]
RegistrationStatus = Literal["registered", "attended", "cancelled"]
TicketStatus = Literal["open", "answered", "closed"]
FILTERS = ((), ("member_id",), ("course_id",), ("status",))
PROFILES = [Index("by_user", "user_id", unique=True), SearchIndex("by_name", "name", filters=["tenant_id"])]


class Tenant(Table, Timestamps, name="tenants", text_ids=True):
    """A tenant, whose id is the ``tenantId`` in its issuer's tokens."""

    name: Text


class OfTenant(Timestamps):
    """What every table but that of tenants has."""

    tenant_id: Annotated[Id[Tenant], Reference("cascade")]


class User(Table, OfTenant, name="users", indexes=[Index("by_email", "tenant_id", "email", unique=True)]):
    """Somebody who may sign in: not the same as a member, of whom others see the profile."""

    email: Text
    role: Role


class MemberProfile(Table, OfTenant, name="memberProfiles", indexes=PROFILES):
    """What others see of a member."""

    user_id: Annotated[Id[User], Reference("cascade")]
    name: Text


class Category(Table, OfTenant, name="categories", indexes=[Index("by_name", "tenant_id", "name", unique=True)]):
    """What courses and interests are about."""

    name: Text


class Course(Table, OfTenant, name="courses"):
    """A course."""

    title: Text
    places: Annotated[int, Field(ge=1, le=100_000)]


class CourseCategory(
    Table, OfTenant, name="courseCategories", indexes=[Index("by_course", "course_id", "category_id", unique=True)]
):
    """That a course belongs to a category."""

    course_id: Annotated[Id[Course], Reference("cascade")]
    category_id: Annotated[Id[Category], Reference("cascade")]


class CourseEnrollment(
    Table, OfTenant, name="courseEnrollments",
    indexes=[
        *(Index("_".join([*by, "made"]), "tenant_id", *by) for by in FILTERS),
        *(Index("_".join([*by, "changed"]), "tenant_id", *by, "updated_at") for by in FILTERS),
        Index("by_course", "course_id", "status"), Index("by_pair", "member_id", "course_id", unique=True),
    ],
):  # fmt: skip
    """That a member takes a course."""

    course_id: Annotated[Id[Course], Reference("cascade")]
    member_id: Annotated[Id[MemberProfile], Reference("cascade")]
    status: EnrollmentStatus = "enrolled"


class Speaker(Model):
    """Somebody who speaks at an event."""

    name: Text
    topic: Text


class Event(Table, OfTenant, name="events", indexes=[Index("by_start", "tenant_id", "starts_at")]):
    """An event, until the year 9999, beyond which no page shows times; its speakers are a handful, and only read with it."""

    title: Text
    starts_at: Annotated[int, Field(ge=0, le=253_402_300_799_999)]
    speakers: Annotated[list[Speaker], Field(max_length=10)] = []


class EventRegistration(
    Table, OfTenant, name="eventRegistrations", indexes=[Index("by_pair", "event_id", "member_id", unique=True)]
):
    """That a member comes to an event."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    member_id: Annotated[Id[MemberProfile], Reference("cascade")]
    status: RegistrationStatus = "registered"


class Sponsor(Table, OfTenant, name="sponsors"):
    """Who pays for events."""

    name: Text


class EventSponsor(
    Table, OfTenant, name="eventSponsors", indexes=[Index("by_pair", "event_id", "sponsor_id", unique=True)]
):
    """That somebody pays for an event."""

    event_id: Annotated[Id[Event], Reference("cascade")]
    sponsor_id: Annotated[Id[Sponsor], Reference("cascade")]


class MemberInterest(
    Table, OfTenant, name="memberInterests", indexes=[Index("by_pair", "member_id", "category_id", unique=True)]
):
    """That a member is interested in a category."""

    member_id: Annotated[Id[MemberProfile], Reference("cascade")]
    category_id: Annotated[Id[Category], Reference("cascade")]


class SupportTicket(
    Table, OfTenant, name="supportTickets", indexes=[Index("by_status", "tenant_id", "status", "created_at")]
):
    """What a member asks for help with."""

    member_id: Annotated[Id[MemberProfile], Reference("cascade")]
    subject: Text
    status: TicketStatus = "open"


class SupportTicketMessage(Table, OfTenant, name="supportTicketMessages"):
    """What was said about a ticket, one by one: there may be many."""

    ticket_id: Annotated[Id[SupportTicket], Reference("cascade")]
    member_id: Annotated[Id[MemberProfile] | None, Reference("unset")] = None
    text: LongText


COURSES = (Category, Course, CourseCategory)
EVENTS = (Event, Sponsor, EventSponsor)
OWN = (CourseEnrollment, EventRegistration, MemberInterest)
"""Whose rows are a member's own."""
