"""Family education rights: who has looked at a record, everything about one student, and its end."""

from datetime import timedelta

from education.access import require_user
from education.schema import Access, Document, DocumentVersion, Goal, Iep, ProgressData, Student, User
from education.students import log
from synovia import (
    ActionContext,
    FunctionError,
    Id,
    Model,
    MutationContext,
    NotFound,
    Page,
    QueryContext,
    action,
    cron,
    lt,
    mutation,
    query,
)


class AccessView(Model):
    """An entry of the access log, with who it was."""

    entry: Access
    name: str


class Paper(Model):
    """A document, and an address of its bytes that is good for an hour."""

    document: Document
    address: str
    older: list[str]


class Record(Model):
    """Everything about one student but the points of progress."""

    student: Student
    ieps: list[Iep]
    goals: list[Goal]
    documents: list[Paper]
    accesses: list[Access]


class WholeRecord(Record):
    """Everything about one student."""

    progress: list[ProgressData]


@query(capability="records.write", name="accessLog")
async def access_log(
    ctx: QueryContext, student_id: Id[Student], cursor: str | None = None, limit: int = 50
) -> Page[AccessView]:
    """List who has looked at a student's record, the latest first, for admins and the case manager."""
    log = ctx.db.query(Access).using("by_student", student_id=student_id).order("desc")
    page = await log.paginate(cursor, limit)
    users = [await ctx.as_application().db.get(row.user_id) for row in page.items]
    names = [user.name if isinstance(user, User) else "somebody who has left" for user in users]
    views = [AccessView(entry=row, name=name) for row, name in zip(page.items, names, strict=True)]
    return Page[AccessView](items=views, next_cursor=page.next_cursor)


@action(capability="records.write")
async def export(ctx: ActionContext, student_id: Id[Student]) -> WholeRecord:
    """Give everything about one student, as families may ask for, and note that it was given."""
    record = await ctx.run_mutation(begin_export, student_id)
    progress: list[ProgressData] = []
    cursor = None
    while True:
        page = await ctx.run_query(points_of, student_id, cursor)
        progress += page.items
        cursor = page.next_cursor
        if cursor is None:
            return WholeRecord(**dict(record), progress=progress)


@mutation(internal=True)
async def begin_export(ctx: MutationContext, student_id: Id[Student]) -> Record:
    """Gather what is not counted in thousands."""
    student = await _kept_by_caller(ctx, student_id)
    await log(ctx, student, "record.exported")
    db, papers = ctx.db, []
    for row in await db.query(Document).using("by_student", student_id=student_id).collect():
        older = await db.query(DocumentVersion).using("by_document", document_id=row.id).collect()
        addresses = [ctx.files.url(each.file, download=True) for each in older]
        papers.append(Paper(document=row, address=ctx.files.url(row.file, download=True), older=addresses))
    return Record(
        student=student,
        ieps=await db.query(Iep).using("by_student", student_id=student_id).collect(),
        goals=await db.query(Goal).using("by_student", student_id=student_id).collect(),
        documents=papers,
        accesses=await db.query(Access).using("by_student", student_id=student_id).order("desc").take(2_000),
    )


@query(internal=True)
async def points_of(ctx: QueryContext, student_id: Id[Student], cursor: str | None) -> Page[ProgressData]:
    """Give the points of a student's progress, some at a time."""
    return await ctx.db.query(ProgressData).using("by_student", student_id=student_id).paginate(cursor, 500)


@mutation(capability="people.manage")
async def erase(ctx: MutationContext, student_id: Id[Student], reason: str) -> None:
    """Erase everything about a student who has left, once it need not be kept any more."""
    student = await _kept_by_caller(ctx, student_id)
    if student.erase_after is None or student.erase_after > ctx.now:
        data = {"until": student.erase_after}
        raise FunctionError("must_be_kept", "this record has to be kept for now", data)
    await ctx.audit("students.erase", subject=student_id, reason=reason)
    await ctx.db.delete(student)


@cron(daily_at="03:00")
@mutation(internal=True, name="eraseDue")
async def erase_due(ctx: MutationContext) -> None:
    """Erase everything about those whose records need not be kept any more."""
    due = await ctx.db.query(Student).using("by_erasure", erase_after=lt(ctx.now)).take(20)
    for student in due:
        await ctx.audit("students.erase", subject=student.id, reason="kept as long as it had to be")
        await ctx.db.delete(student)
    if len(due) == 20:
        await ctx.scheduler.run_after(timedelta(), erase_due)


async def _kept_by_caller(ctx: MutationContext, student_id: Id[Student]) -> Student:
    student = await ctx.db.get(student_id)
    if student is None:
        raise NotFound("there is no such student")
    if not await ctx.db.may_write(student):
        raise FunctionError("forbidden", "that is for admins and the case manager")
    await require_user(ctx)
    return student
