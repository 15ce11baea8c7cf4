"""The tables of education; what belongs to a student goes with them. Times are in milliseconds since 1970 (UTC)."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synovia import Encrypted, File, FileLimits, Id, Index, Model, Reference, SharedDoc, Table, Timestamps

Role = Literal["admin", "teacher", "specialist", "parent", "student"]
Permission = Literal["view", "edit", "download"]
DocumentType = Literal["assessment", "iep", "progress_report", "communication", "medical", "behavioral", "other"]
Domain = Literal["academic", "behavioral", "communication", "social", "motor", "adaptive", "vocational"]
Enrollment = Literal["active", "inactive", "graduated", "transferred"]
MasteryLevel = Literal["emerging", "developing", "proficient", "mastered"]
Independence = Literal["full_support", "partial_support", "independent"]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=5_000)]
Email = Annotated[str, Field(pattern=".@.", max_length=254)]
Words = Annotated[list[Word], Field(max_length=30)]
Moment = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""A time until the year 9999: pages can show no other, and are shown what others have written."""
Number = Annotated[float, Field(allow_inf_nan=False)]
Hours = Annotated[float, Field(ge=0, le=60)]
BirthDate = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Looked = Literal["record.opened", "document.viewed", "document.downloaded", "document.shared", "record.exported"]
SCAN = FileLimits(max_bytes=50_000_000, types=("application/pdf", "image/*", "audio/*", "video/*", "text/plain"))


class Address(Model):
    """Where an organization is."""

    street: Word
    city: Word
    state: Word
    zip_code: Word
    country: Word


class ContactInfo(Model):
    """How an organization is reached."""

    phone: Word
    email: Email
    website: Word | None = None


class AcademicYear(Model):
    """From when to when it goes."""

    start: Moment
    end: Moment


class ComplianceSettings(Model):
    """In days: how often programs are reviewed and students evaluated; in years: when transition planning begins."""

    iep_review_cycle: int = 365
    evaluation_cycle: int = 1_095
    transition_age: int = 16


class OrganizationSettings(Model):
    """What differs from one organization to the next."""

    timezone: Word
    academic_year: AcademicYear
    grade_system: Words
    reporting_periods: Words
    compliance_settings: ComplianceSettings = ComplianceSettings()


class Organization(
    Table, Timestamps, name="organizations",
    indexes=[Index("by_type", "type"), Index("by_tier", "subscription_tier")],
):  # fmt: skip
    """A school, a district or an agency."""

    name: Word
    type: Literal["school", "district", "agency"]
    address: Address
    contact_info: ContactInfo
    settings: OrganizationSettings
    is_active: bool = True
    subscription_tier: Literal["basic", "professional", "enterprise"] = "basic"
    max_users: int = 50
    max_students: int = 200


class Preferences(Model):
    """What somebody likes."""

    notifications: bool = True
    theme: Literal["light", "dark", "system"] = "system"
    language: Word = "en"


class User(
    Table, Timestamps, name="users",
    indexes=[
        Index("by_email", "email", unique=True), Index("by_organization", "organization_id", "role"),
        Index("by_role", "role"),
    ],
):  # fmt: skip
    """Somebody who may sign in, by an address that their issuer has verified."""

    email: Email
    first_name: Word
    last_name: Word
    role: Role
    organization_id: Annotated[Id[Organization], Reference("cascade")]
    phone_number: Word | None = None
    is_active: bool = True
    last_login: int | None = None
    profile_image: Word | None = None
    preferences: Preferences | None = None

    @property
    def name(self) -> str:
        """Give both names."""
        return f"{self.first_name} {self.last_name}"


class EmergencyContact(Model):
    """Whom to call."""

    name: Word
    relationship: Word
    phone: Word
    email: Email | None = None


class StudentData(Model):
    """What is known of a student."""

    first_name: Word
    last_name: Word
    date_of_birth: Encrypted[BirthDate]
    student_number: Word
    grade_level: Word
    primary_disability: Word
    secondary_disabilities: Words = []
    emergency_contacts: Annotated[list[EmergencyContact], Field(max_length=10)] = []
    medical_considerations: Text | None = None
    transportation_needs: Text | None = None


class Student(
    Table, StudentData, Timestamps, name="students",
    indexes=[
        Index("by_organization", "organization_id", "enrollment_status", "iep_status"),
        Index("by_number", "organization_id", "student_number", unique=True),
        Index("by_case_manager", "case_manager_id"), Index("by_student_number", "student_number"),
        Index("by_grade", "grade_level"), Index("by_status", "enrollment_status", "iep_status"),
        Index("by_erasure", "erase_after"),
    ],
):  # fmt: skip
    """A student; ``erase_after`` is when everything about somebody who has left may be erased, and is."""

    organization_id: Annotated[Id[Organization], Reference("cascade")]
    case_manager_id: Id[User]
    enrollment_status: Enrollment = "active"
    iep_status: Literal["active", "pending", "expired", "not_applicable"] = "pending"
    erase_after: int | None = None

    @property
    def name(self) -> str:
        """Give both names."""
        return f"{self.first_name} {self.last_name}"

    @property
    def about(self) -> dict[str, Any]:
        """Give the fields that a row about this student has in common with others."""
        return {"organization_id": self.organization_id, "student_id": self.id}


class OfStudent(Timestamps):
    """What every row about a student has, so that one rule holds for all."""

    organization_id: Annotated[Id[Organization], Reference("cascade")]
    student_id: Annotated[Id[Student], Reference("cascade")]

    @property
    def about(self) -> dict[str, Any]:
        """Give the fields that rows about one student have in common."""
        return {"organization_id": self.organization_id, "student_id": self.student_id}


class OtherService(Model):
    """A service that has no name of its own here."""

    service: Word
    hours: Hours


class ServiceHours(Model):
    """Hours a week."""

    special_education: Hours
    speech_therapy: Hours | None = None
    occupational_therapy: Hours | None = None
    physical_therapy: Hours | None = None
    counseling: Hours | None = None
    other: Annotated[list[OtherService], Field(max_length=20)] = []


class Accommodation(Model):
    """How a student is taught or tested in another way."""

    category: Word
    description: Text
    setting: Word


class Modification(Model):
    """What a student is taught or tested on that is not what others are."""

    subject: Word
    description: Text
    criteria: Text


class TransitionPlan(Model):
    """What comes after school."""

    post_secondary_goals: Words = []
    transition_services: Words = []
    agency_involvement: Words = []


class Approval(Model):
    """A signature."""

    user_id: Id[User]
    role: Role
    approved_at: int
    signature: Word


class IepDates(Model):
    """When a program holds, and when it is talked about."""

    effective_date: Moment
    expiration_date: Moment
    meeting_date: Moment
    next_review_date: Moment

    @model_validator(mode="after")
    def in_their_order(self) -> Self:
        """Refuse what would be over before it begins, or is talked about afterwards."""
        if self.expiration_date <= self.effective_date:
            raise ValueError("an IEP expires after it takes effect")
        if self.meeting_date > self.effective_date:
            raise ValueError("the meeting is not after an IEP takes effect")
        return self


class IepContent(Model):
    """What a program says, beside its text."""

    placement: Word
    service_hours: ServiceHours
    accommodations: Annotated[list[Accommodation], Field(max_length=50)] = []
    modifications: Annotated[list[Modification], Field(max_length=50)] = []
    transition_plan: TransitionPlan | None = None


class Iep(
    Table, IepDates, IepContent, OfStudent, name="ieps",
    indexes=[
        Index("by_student", "student_id", "version", unique=True), Index("by_organization", "organization_id", "status"),
        Index("by_status", "status", "expiration_date"), Index("by_effective", "effective_date"),
        Index("by_member", "team_members"),
    ],
):  # fmt: skip
    """A version of a student's program, whom it is written by, and who has signed it; its text is written by all at once."""

    text: ClassVar[SharedDoc] = SharedDoc(max_bytes=1024 * 1024)

    status: Literal["draft", "active", "expired", "superseded"]
    version: int
    created_by: Id[User]
    team_members: Annotated[list[Id[User]], Field(max_length=30)] = []
    approvals: Annotated[list[Approval], Field(max_length=10)] = []


class OfIep(OfStudent):
    """What belongs to a version of a program."""

    iep_id: Annotated[Id[Iep], Reference("cascade")]


class Baseline(Model):
    """Where a student was at first."""

    measurement: Word
    date: Moment
    value: Number
    context: Text = ""


class Target(Model):
    """Where a student shall be."""

    measurement: Word
    target: Number
    timeframe: Word
    accuracy: Number | None = None
    conditions: Text = ""


class GoalData(Model):
    """What a goal says."""

    domain: Domain
    description: Annotated[str, Field(min_length=1, max_length=5_000)]
    baseline_data: Baseline
    target_criteria: Target
    evaluation_method: Word
    frequency: Word
    responsible_provider: Id[User]
    notes: Text | None = None


class Goal(
    Table, GoalData, OfIep, name="goals",
    indexes=[
        Index("by_iep", "iep_id", "goal_number", unique=True), Index("by_student", "student_id"),
        Index("by_organization", "organization_id", "domain"), Index("by_domain", "domain"),
        Index("by_provider", "responsible_provider"), Index("by_active", "is_active"),
    ],
):  # fmt: skip
    """A goal of a program."""

    goal_number: int
    is_active: bool = True
    mastery_date: int | None = None


class Observation(Model):
    """What is entered at one time."""

    recorded_date: Moment
    measurement_value: Number
    measurement_unit: Word
    mastery_level: MasteryLevel
    setting_type: Word
    independence_level: Independence
    observation_notes: Text | None = None
    context: Text | None = None
    session_duration: Annotated[int, Field(ge=1, le=600)] | None = None
    prompt_level: Word | None = None


class ProgressData(
    Table, Observation, OfIep, name="progressData",
    indexes=[
        Index("by_goal", "goal_id", "recorded_date"), Index("by_iep", "iep_id"), Index("by_student", "student_id"),
        Index("by_organization", "organization_id", "recorded_date"), Index("by_date", "recorded_date"),
        Index("by_recorder", "recorded_by"), Index("by_level", "mastery_level"),
    ],
):  # fmt: skip
    """A point of a goal's progress; ``session_duration`` is in minutes."""

    goal_id: Annotated[Id[Goal], Reference("cascade")]
    recorded_by: Id[User]


class AccessPermission(Model):
    """What somebody may do with a document: to edit includes to download, and that to view."""

    user_id: Id[User]
    permission: Permission


class DocumentData(Model):
    """What is said of a document."""

    document_type: DocumentType
    title: Word
    description: Text | None = None
    is_confidential: bool = False
    tags: Words = []


class Document(
    Table, DocumentData, OfStudent, name="documents",
    indexes=[
        Index("by_student", "student_id", "document_type"), Index("by_organization", "organization_id"),
        Index("by_uploader", "uploaded_by"), Index("by_type", "document_type"),
        Index("by_confidential", "is_confidential"), Index("by_reader", "access_permissions.user_id"),
        Index("by_retention", "keep_until"), Index("by_iep", "related_iep_id"), Index("by_goal", "related_goal_id"),
    ],
):  # fmt: skip
    """A document about a student; one that is related to a program shows that program to those who may see it.

    Who has uploaded its first version may edit it; ``edited_by``, who has uploaded the newest, gains nothing by that.
    """

    file: Annotated[File, SCAN]
    version: int = 1
    uploaded_by: Id[User]
    edited_by: Id[User] | None = None
    keep_until: int
    access_permissions: Annotated[list[AccessPermission], Field(max_length=50)] = []
    related_iep_id: Annotated[Id[Iep] | None, Reference("unset")] = None
    related_goal_id: Annotated[Id[Goal] | None, Reference("unset")] = None


class DocumentVersion(
    Table, OfStudent, name="documentVersions",
    indexes=[
        Index("by_document", "document_id", "version", unique=True), Index("by_student", "student_id"),
        Index("by_organization", "organization_id"),
    ],
):  # fmt: skip
    """What a document was before it was edited."""

    document_id: Annotated[Id[Document], Reference("cascade")]
    version: int
    file: Annotated[File, SCAN]
    uploaded_by: Id[User]


class Access(
    Table, OfStudent, name="accessLog",
    indexes=[Index("by_student", "student_id", "at"), Index("by_organization", "organization_id", "at")],
):  # fmt: skip
    """That somebody has looked at a student's record, or at a document of it."""

    at: int
    user_id: Id[User]
    action: Looked
    subject: Word | None = None
    is_confidential: bool = False
