"""Who learns of a student, and who may write what; functions ask nothing of this, ``ctx.db`` does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from education.schema import (
    Access,
    Document,
    DocumentVersion,
    Goal,
    Iep,
    Organization,
    Permission,
    ProgressData,
    Role,
    Student,
    User,
)
from synovia import (
    Condition,
    Forbidden,
    Id,
    QueryContext,
    RuleContext,
    allow_write,
    field,
    may_read,
    may_write,
    normal_email,
    roles,
)

STAFF: tuple[Role, ...] = ("admin", "teacher", "specialist")
INCLUDED: dict[Permission, set[Permission]] = {
    "view": {"view"}, "download": {"view", "download"}, "edit": {"view", "download", "edit"},
}  # fmt: skip
"""What a permission permits."""


@dataclass(frozen=True)
class Shown:
    """What a document shows to a parent or a student: of whom it is, and of which programs."""

    students: set[Id[Student]]
    ieps: set[Id[Iep]]


async def current_user(ctx: QueryContext) -> User | None:
    """Find the caller by the address that their issuer has verified."""
    if ctx.identity is None or ctx.identity.email is None:
        return None
    user = await ctx.db.query(User).using("by_email", email=normal_email(ctx.identity.email)).unique()
    return user if user is not None and user.is_active else None


async def require_user(ctx: QueryContext) -> User:
    """Give the caller, or say that nobody knows them."""
    user = await current_user(ctx)
    if user is None:
        raise Forbidden("nobody of this address belongs to an organization")
    return user


async def students_of(ctx: QueryContext, me: User) -> set[Id[Student]]:
    """Find the students whose case the caller manages, or in whose programs' teams they are."""
    if me.role not in STAFF:
        return set()
    written = await ctx.db.query(Iep).using("by_member", team_members=me.id).collect()
    return await managed_by(ctx, me) | {iep.student_id for iep in written}


async def managed_by(ctx: QueryContext, me: User) -> set[Id[Student]]:
    """Find the students whose case the caller manages."""
    managed = await ctx.db.query(Student).using("by_case_manager", case_manager_id=me.id).collect()
    return {student.id for student in managed}


async def shown_to(ctx: QueryContext, me: User) -> Shown:
    """Find what documents show to a parent or a student."""
    if me.role in STAFF:
        return Shown(set(), set())
    documents = await ctx.db.query(Document).using("by_reader", access_permissions__user_id=me.id).collect()
    ieps = {document.related_iep_id for document in documents if document.related_iep_id is not None}
    return Shown({document.student_id for document in documents}, ieps)


@roles({
    "admin": {"records.write", "people.manage", "reports.see", "records.read"},
    "teacher": {"records.write", "records.read"},
    "specialist": {"records.write", "records.read"},
    "parent": {"records.read"},
    "student": {"records.read"},
})  # fmt: skip
async def roles_of(ctx: QueryContext) -> Role | None:
    """Give a caller's role."""
    user = await current_user(ctx)
    return None if user is None else user.role


async def within(ctx: RuleContext, others: Callable[[User], Awaitable[Condition | bool]]) -> Condition | bool:
    """Show nothing to whom nobody knows, and everything of their organization to admins; ``others``: what others see."""
    me = await current_user(ctx)
    if me is None:
        return False
    return field("organization_id") == me.organization_id if me.role == "admin" else await others(me)


@may_read(Organization)
async def own_organization(ctx: RuleContext) -> Condition | bool:
    """Show the caller's organization."""
    me = await current_user(ctx)
    return me is not None and field("id") == me.organization_id


@may_read(User)
async def colleagues(ctx: RuleContext) -> Condition | bool:
    """Show admins everybody, staff their colleagues; families themselves and who writes what they are shown."""

    async def others(me: User) -> Condition:
        if me.role in STAFF:
            own = field("id") == me.id
            return own | ((field("organization_id") == me.organization_id) & field("role").in_(STAFF))
        ieps = [await ctx.db.get(iep) for iep in (await shown_to(ctx, me)).ieps]
        return field("id").in_([me.id, *{each for iep in ieps if iep is not None for each in iep.team_members}])

    return await within(ctx, others)


@may_read(Student)
async def own_students(ctx: RuleContext) -> Condition | bool:
    """Show admins all, case managers and teams theirs, families whom documents show them."""

    async def others(me: User) -> Condition:
        seen = _among("id", await students_of(ctx, me) | (await shown_to(ctx, me)).students)
        return (field("case_manager_id") == me.id) | seen if me.role in STAFF else seen

    return await within(ctx, others)


def _among(name: str, ids: set[Id[Student]] | set[Id[Iep]]) -> Condition:
    return field(name).in_(list(ids))


@may_read(Iep)
async def programs(ctx: RuleContext) -> Condition | bool:
    """Show the programs of one's students; families those that a document shows them."""
    return await _of_students(ctx, "id")


@may_read(Goal, ProgressData)
async def of_programs(ctx: RuleContext) -> Condition | bool:
    """Show what belongs to a program that is shown."""
    return await _of_students(ctx, "iep_id")


async def _of_students(ctx: RuleContext, iep: str) -> Condition | bool:
    async def others(me: User) -> Condition:
        if me.role in STAFF:
            return _among("student_id", await students_of(ctx, me))
        shown = await shown_to(ctx, me)
        return _among(iep, shown.ieps) & _among("student_id", shown.students)

    return await within(ctx, others)


@may_read(Document)
async def papers(ctx: RuleContext) -> Condition | bool:
    """Show admins and case managers all, teams what is not confidential, and everybody named in it."""

    async def others(me: User) -> Condition:
        named = field("access_permissions.user_id") == me.id
        if me.role not in STAFF:
            return named
        open_to = named | (field("is_confidential") == False) | (field("uploaded_by") == me.id)  # noqa: E712
        own = _among("student_id", await managed_by(ctx, me))
        return own | (_among("student_id", await students_of(ctx, me)) & open_to)

    return await within(ctx, others)


@may_read(DocumentVersion)
async def of_papers(ctx: RuleContext, row: DocumentVersion) -> bool:
    """Show what a document was to whom it is shown."""
    return await ctx.db.visible.get(row.document_id) is not None


@may_read(Access)
async def accesses(ctx: RuleContext) -> Condition | bool:
    """Show admins and case managers who has looked at a record."""

    async def others(me: User) -> Condition | bool:
        return me.role in STAFF and _among("student_id", await managed_by(ctx, me))

    return await within(ctx, others)


allow_write(Organization, User, capability="people.manage")


@may_write(Student)
async def who_keeps(ctx: RuleContext) -> Condition | bool:
    """Let admins and the case manager write."""
    me = await current_user(ctx)
    return me is not None and (me.role == "admin" or field("case_manager_id") == me.id)


allow_write(Iep, Goal, ProgressData, capability="records.write")


@may_write(Document)
async def editors(ctx: RuleContext, row: Document) -> bool:
    """Let those write who may edit a document."""
    me = await current_user(ctx)
    return me is not None and "edit" in await permitted(ctx, me, row)


@may_write(DocumentVersion, Access)
async def nobody(ctx: RuleContext) -> bool:
    """Let nobody write but the application."""
    return False


async def permitted(ctx: QueryContext, me: User, document: Document) -> set[Permission]:
    """Give what somebody who sees a document may do with it."""
    if me.role == "admin" or document.uploaded_by == me.id:
        return INCLUDED["edit"]
    student = await ctx.db.get(document.student_id)
    if student is not None and student.case_manager_id == me.id:
        return INCLUDED["edit"]
    given = [each.permission for each in document.access_permissions if each.user_id == me.id]
    if me.role in STAFF and not document.is_confidential:
        given.append("download")
    return {each for permission in given for each in INCLUDED[permission]}
