"""Students, as far as the caller learns of them."""

from typing import Any

from education.access import STAFF, require_user, shown_to, students_of
from education.organizations import Person, person
from education.schema import Access, Enrollment, Iep, Looked, Student, StudentData, User
from synovia import FunctionError, Id, Model, MutationContext, NotFound, QueryContext, mutation, query

DAY = 86_400_000
KEPT_AFTER = 5 * 365 * DAY
"""How long everything about a student who has left has to be kept."""


class StudentView(Model):
    """A student with the caller's ways to them."""

    student: Student
    team: list[Person]
    may_write: bool
    case_manager: Person | None = None


async def people(ctx: QueryContext, ids: set[Id[User]]) -> list[Person]:
    """Give some users as others see them, hidden ones as well: who asks sees what they have done."""
    found = [await ctx.as_application().db.get(each) for each in sorted(ids)]
    return [person(user) for user in found if user is not None]


@query(capability="records.read", name="list")
async def list_students(ctx: QueryContext) -> list[Student]:
    """List the students that the caller sees, by their names."""
    me = await require_user(ctx)
    if me.role == "admin":
        students = ctx.db.query(Student).using("by_organization", organization_id=me.organization_id)
        rows = await students.take(1_000)
    else:
        hidden = ctx.as_application()
        seen = await students_of(hidden, me) | (await shown_to(hidden, me)).students
        rows = [row for row in [await ctx.db.get(each) for each in sorted(seen)] if row is not None]
    return sorted(rows, key=lambda row: (row.last_name, row.first_name))


@query(capability="records.read")
async def get(ctx: QueryContext, student_id: Id[Student]) -> StudentView | None:
    """Give a student; None to whom there is no such student."""
    student = await ctx.db.get(student_id)
    if student is None:
        return None
    ieps = await ctx.db.query(Iep).using("by_student", student_id=student_id).collect()
    team = await people(ctx, {each for iep in ieps for each in iep.team_members})
    [manager, *_] = [*await people(ctx, {student.case_manager_id}), None]
    may_write = await ctx.db.may_write(student)
    return StudentView(student=student, case_manager=manager, team=team, may_write=may_write)


@mutation(capability="people.manage")
async def enrol(ctx: MutationContext, student: StudentData, case_manager_id: Id[User] | None = None) -> Id[Student]:
    """Enrol a student, whose case the caller manages if nobody else is named.

    Administrators do it, who see all students: that a number is taken tells nobody else of a student.
    """
    me = await require_user(ctx)
    db = ctx.as_application().db
    organization = await db.get(me.organization_id)
    enrolled = db.query(Student).using("by_organization", organization_id=me.organization_id)
    if organization is None or await enrolled.count() >= organization.max_students:
        raise FunctionError("limit_reached", "this organization has no place for another student")
    manager = await _manager(ctx, case_manager_id or me.id)
    fields = {name: getattr(student, name) for name in StudentData.model_fields}
    row = Student(organization_id=me.organization_id, case_manager_id=manager.id, **fields)
    return await ctx.db.insert(row)


@mutation(capability="records.write")
async def update(
    ctx: MutationContext, student_id: Id[Student], student: StudentData, case_manager_id: Id[User] | None = None
) -> Student:
    """Change what is known of a student, and who manages their case if somebody is named; administrators the number, too."""
    row = await ctx.db.get(student_id)
    if row is None:
        raise NotFound("there is no such student")
    if student.student_number != row.student_number and "people.manage" not in await ctx.capabilities():
        raise FunctionError("forbidden", "administrators give students their numbers")
    fields: dict[str, Any] = {name: getattr(student, name) for name in StudentData.model_fields}
    if case_manager_id is not None:
        fields["case_manager_id"] = (await _manager(ctx, case_manager_id)).id
    return await ctx.db.patch(student_id, **fields)


async def _manager(ctx: MutationContext, user_id: Id[User]) -> User:
    manager = await ctx.db.get(user_id)
    if manager is None or manager.role not in STAFF:
        raise NotFound("there is no such case manager")
    return manager


@mutation(capability="records.write", name="setEnrollment")
async def set_enrollment(ctx: MutationContext, student_id: Id[Student], status: Enrollment) -> Student:
    """Say that a student is here, or has left: from then on everything is kept for some years, and then erased."""
    erase_after = None if status == "active" else ctx.now + KEPT_AFTER
    return await ctx.db.patch(student_id, enrollment_status=status, erase_after=erase_after)


@mutation(capability="records.write", name="removeMember")
async def remove_member(ctx: MutationContext, student_id: Id[Student], user_id: Id[User]) -> None:
    """Take somebody out of the teams of all programs of a student: they lose the student with this commit."""
    student = await ctx.db.get(student_id)
    me = await require_user(ctx)
    if student is None:
        raise NotFound("there is no such student")
    if user_id != me.id and not await ctx.db.may_write(student):
        raise FunctionError("forbidden", "the case manager and admins say who is in the team")
    for iep in await ctx.db.query(Iep).using("by_student", student_id=student_id).collect():
        if user_id in iep.team_members:
            await ctx.db.patch(iep, team_members=[each for each in iep.team_members if each != user_id])


async def log(
    ctx: MutationContext, student: Student, action: Looked, subject: str | None = None, *, confidential: bool = False
) -> None:
    """Note that the caller has looked at something of a student."""
    me = await require_user(ctx)
    row = Access(
        at=ctx.now, user_id=me.id, action=action, subject=subject, is_confidential=confidential, **student.about
    )
    await ctx.as_application().db.insert(row)


@mutation(capability="records.read")
async def open(ctx: MutationContext, student_id: Id[Student]) -> None:
    """Note that the caller opens a student's record."""
    student = await ctx.db.get(student_id)
    if student is None:
        raise NotFound("there is no such student")
    await log(ctx, student, "record.opened")
