"""Courses, what they are about, and who takes them."""

from typing import Literal

from learning.access import require_member
from learning.schema import Category, Course, CourseCategory, CourseEnrollment, EnrollmentStatus, MemberProfile, Text
from synovia import FunctionError, Id, Model, MutationContext, Page, QueryContext, field, mutation, query


class Enrolment(Model):
    """A row of the list of enrolments, with the names that it refers to."""

    row: CourseEnrollment
    member: str
    course: str


@query(capability="learn", name="list")
async def list_courses(ctx: QueryContext) -> list[Course]:
    """List the courses."""
    return await ctx.db.query(Course).take(1_000)


@query(capability="learn")
async def categories(ctx: QueryContext) -> list[Category]:
    """List what courses and interests are about."""
    return await ctx.db.query(Category).take(1_000)


@mutation(capability="courses.create")
async def create(ctx: MutationContext, title: Text, places: int, category_ids: list[Id[Category]]) -> Id[Course]:
    """Make a course that belongs to some categories."""
    tenant = (await require_member(ctx)).tenant_id
    course = await ctx.db.insert(Course(tenant_id=tenant, title=title, places=places))
    pairs = [CourseCategory(tenant_id=tenant, course_id=course, category_id=each) for each in category_ids]
    await ctx.db.insert_many(pairs)
    return course


@mutation(capability="courses.create", name="createCategory")
async def create_category(ctx: MutationContext, name: Text) -> Id[Category]:
    """Make a category."""
    return await ctx.db.insert(Category(tenant_id=(await require_member(ctx)).tenant_id, name=name))


@mutation(capability="learn")
async def enrol(ctx: MutationContext, course_id: Id[Course], member_id: Id[MemberProfile] | None = None) -> None:
    """Enrol the caller, or somebody else, in a course with a place left."""
    me = await require_member(ctx)
    await _require_place(ctx, course_id)
    await ctx.db.insert(CourseEnrollment(tenant_id=me.tenant_id, course_id=course_id, member_id=member_id or me.id))


@mutation(capability="learn", name="setStatus")
async def set_status(ctx: MutationContext, enrollment_id: Id[CourseEnrollment], status: EnrollmentStatus) -> None:
    """Complete a course, drop it, or take it again, if there is a place left."""
    if status == "enrolled" != (row := await ctx.db.get_one(enrollment_id)).status:
        await _require_place(ctx, row.course_id)
    await ctx.db.patch(enrollment_id, status=status)


async def _require_place(ctx: MutationContext, course_id: Id[Course]) -> None:
    course = await ctx.db.get(course_id)
    taken = ctx.db.query(CourseEnrollment).using("by_course", course_id=course_id, status="enrolled")
    if course is not None and await taken.count() >= course.places:
        raise FunctionError("course_full", "all places of this course are taken", {"places": course.places})


@query(capability="reports.see")
async def enrolments(
    ctx: QueryContext, course_id: Id[Course] | None = None, member_id: Id[MemberProfile] | None = None,
    status: EnrollmentStatus | None = None, sort: Literal["made", "changed"] = "changed",
    order: Literal["asc", "desc"] = "desc", cursor: str | None = None, limit: int = 50,
) -> Page[Enrolment]:  # fmt: skip
    """List enrolments, of one course, member or status if it is said."""
    told = (("member_id", member_id), ("course_id", course_id), ("status", status))
    wanted, tenant = {name: value for name, value in told if value is not None}, (await require_member(ctx)).tenant_id
    best = dict([*wanted.items()][:1])  # of which there are the fewest
    rows = ctx.db.query(CourseEnrollment).using("_".join([*best, sort]), tenant_id=tenant, **best).order(order)
    for name, value in wanted.items():
        rows = rows.where(field(name) == value)
    page = await rows.paginate(cursor, limit)
    people, courses = await ctx.db.load(page.items, "member_id"), await ctx.db.load(page.items, "course_id")
    named = [
        Enrolment(row=row, member=people[row.member_id].name, course=courses[row.course_id].title) for row in page.items
    ]
    return Page[Enrolment](items=named, next_cursor=page.next_cursor)
