"""Education programs: versions that follow each other, whom they are written by, and signatures that freeze them."""

from typing import Annotated, Any

from pydantic import Field

from education.access import require_user
from education.organizations import Person
from education.schema import Approval, Goal, GoalData, Iep, IepContent, IepDates, Role, Student, User, Word
from education.students import people
from synovia import (
    FunctionError,
    Id,
    Model,
    MutationContext,
    NotFound,
    QueryContext,
    SharedChanges,
    cron,
    lt,
    mutation,
    query,
)  # fmt: skip

SIGNED_BY: tuple[Role, ...] = ("teacher", "admin", "parent")
"""Whose signatures make a version approved; whoever else sees it may sign, too."""


class IepView(Model):
    """A version of a program with what belongs to it."""

    iep: Iep
    goals: list[Goal]
    team: list[Person]
    signed_by: list[Person]
    is_frozen: bool
    is_approved: bool
    may_write: bool


class Change(Model):
    """What differs between two versions."""

    field: str
    before: Any = None
    after: Any = None


def is_frozen(iep: Iep) -> bool:
    """Tell whether nothing of a version may change any more: somebody has signed it, or another one holds."""
    return bool(iep.approvals) or iep.status in ("expired", "superseded")


async def open_iep(ctx: MutationContext, iep_id: Id[Iep]) -> Iep:
    """Give a version that may still change.

    Raises:
        NotFound: There is none, for the caller.
        FunctionError: It is frozen (``iep_frozen``).
    """
    iep = await ctx.db.get(iep_id)
    if iep is None:
        raise NotFound("there is no such program")
    if is_frozen(iep):
        raise FunctionError("iep_frozen", "what has been signed or superseded does not change: create a new version")
    return iep


@query(capability="records.read")
async def history(ctx: QueryContext, student_id: Id[Student]) -> list[Iep]:
    """List the versions of a student's program, the newest first."""
    return await ctx.db.query(Iep).using("by_student", student_id=student_id).order("desc").take(200)


@query(capability="records.read")
async def get(ctx: QueryContext, iep_id: Id[Iep]) -> IepView | None:
    """Give a version of a program; None to whom there is no such program."""
    iep = await ctx.db.get(iep_id)
    if iep is None:
        return None
    goals = await ctx.db.query(Goal).using("by_iep", iep_id=iep_id).collect()
    signatures = {each.role for each in iep.approvals}
    return IepView(
        iep=iep,
        goals=goals,
        team=await people(ctx, set(iep.team_members)),
        signed_by=await people(ctx, {each.user_id for each in iep.approvals}),
        is_frozen=is_frozen(iep),
        is_approved=signatures.issuperset(SIGNED_BY),
        may_write=await ctx.db.may_write(iep) and not is_frozen(iep),
    )


@mutation(capability="records.write")
async def create(
    ctx: MutationContext, student_id: Id[Student], dates: IepDates, content: IepContent,
    team_members: Annotated[list[Id[User]], Field(max_length=30)],
) -> Id[Iep]:  # fmt: skip
    """Create a version, which takes the place of the active one; goals that are not reached go on in it."""
    me, student = await require_user(ctx), await ctx.db.get(student_id)
    if student is None:
        raise NotFound("there is no such student")
    await check_team(ctx, team_members)
    versions = ctx.db.query(Iep).using("by_student", student_id=student_id).order("desc")
    last = await versions.first()
    for iep in await versions.collect():
        if iep.status in ("active", "draft"):
            await ctx.db.patch(iep, status="superseded")
    created = await ctx.db.insert(Iep(
        status="active", version=1 if last is None else last.version + 1, team_members=team_members,
        created_by=me.id, **student.about, **dict(dates), **dict(content),
    ))  # fmt: skip
    if last is not None and (text := await ctx.shared.state(Iep.text, last.id)):
        await ctx.shared.append(Iep.text, created, text)
    for goal in await ctx.db.query(Goal).using("by_iep", iep_id=last.id).collect() if last is not None else ():
        if goal.is_active:
            data = {name: getattr(goal, name) for name in GoalData.model_fields}
            await ctx.db.insert(Goal(goal_number=goal.goal_number, iep_id=created, **student.about, **data))
    await ctx.as_application().db.patch(student, iep_status="active")
    return created


async def check_team(ctx: MutationContext, members: list[Id[User]]) -> None:
    """Refuse a team with somebody who does not work here."""
    for member in members:
        user = await ctx.db.get(member)
        if user is None or user.role not in ("admin", "teacher", "specialist"):
            raise FunctionError("not_staff", "a team is of teachers and specialists of the organization")


@query(capability="records.read")
async def text(ctx: QueryContext, iep_id: Id[Iep], since: int | None = None) -> SharedChanges:
    """Give the text of a version, and what is typed into it."""
    return await ctx.shared.changes(Iep.text, iep_id, since)


@mutation(capability="records.write", name="writeText")
async def write_text(ctx: MutationContext, iep_id: Id[Iep], update: bytes) -> None:
    """Take what somebody has typed into a version that nobody has signed."""
    await open_iep(ctx, iep_id)
    await ctx.shared.append(Iep.text, iep_id, update)


@mutation(capability="records.write")
async def update(
    ctx: MutationContext, iep_id: Id[Iep], dates: IepDates | None = None, content: IepContent | None = None
) -> Iep:
    """Change what is given of a version that nobody has signed."""
    iep = await open_iep(ctx, iep_id)
    return await ctx.db.patch(iep, **dict(dates or ()), **dict(content or ()))


@mutation(capability="records.write", name="addMember")
async def add_member(ctx: MutationContext, iep_id: Id[Iep], user_id: Id[User]) -> None:
    """Take somebody into the team: they see the student with this commit, also of a version that is signed."""
    iep = await ctx.db.get(iep_id)
    if iep is None:
        raise NotFound("there is no such program")
    await check_team(ctx, [user_id])
    if user_id not in iep.team_members:
        await ctx.db.patch(iep, team_members=[*iep.team_members, user_id])


@mutation(capability="records.read")
async def approve(ctx: MutationContext, iep_id: Id[Iep], signature: Word) -> None:
    """Sign a version for one's role; from the first signature on it does not change any more."""
    me, iep = await require_user(ctx), await ctx.db.get(iep_id)
    if iep is None:
        raise NotFound("there is no such program")
    if iep.status != "active":
        raise FunctionError("iep_frozen", "only the version that holds is signed")
    if any(each.user_id == me.id for each in iep.approvals):
        raise FunctionError("already_signed", "you have signed this version")
    approval = Approval(user_id=me.id, role=me.role, approved_at=ctx.now, signature=signature)
    await ctx.as_application().db.patch(iep, approvals=[*iep.approvals, approval])


@query(capability="records.read")
async def compare(ctx: QueryContext, before_id: Id[Iep], after_id: Id[Iep]) -> list[Change]:
    """Tell what differs between two versions that the caller sees."""
    first, second = await ctx.db.get(before_id), await ctx.db.get(after_id)
    if first is None or second is None or first.student_id != second.student_id:
        raise NotFound("there are no such versions")
    one, other = first.model_dump(mode="json"), second.model_dump(mode="json")
    texts = [await ctx.shared.texts(Iep.text, each) for each in (before_id, after_id)]
    names = [*IepDates.model_fields, *IepContent.model_fields, "team_members"]
    changes = [Change(field=name, before=one[name], after=other[name]) for name in names if one[name] != other[name]]
    goals = [await ctx.db.query(Goal).using("by_iep", iep_id=each).collect() for each in (before_id, after_id)]
    numbered = [{f"goal {goal.goal_number}": goal.description for goal in version} for version in goals]
    was, now = numbered[0] | texts[0], numbered[1] | texts[1]
    differing = [name for name in sorted(was.keys() | now.keys()) if was.get(name, "") != now.get(name, "")]
    return changes + [Change(field=name, before=was.get(name), after=now.get(name)) for name in differing]


class Where(Model):
    """Who is in a program."""

    name: str
    role: Role


@query(capability="records.read", presence=True)
async def room(ctx: QueryContext, iep_id: Id[Iep]) -> Where:
    """Say who is in a program: whoever sees it."""
    me = await require_user(ctx)
    if await ctx.db.get(iep_id) is None:
        raise NotFound("there is no such program")
    return Where(name=me.name, role=me.role)


@cron(daily_at="01:00")
@mutation(internal=True)
async def expire(ctx: MutationContext) -> None:
    """Mark the programs that have come to their end."""
    over = ctx.db.query(Iep).using("by_status", status="active", expiration_date=lt(ctx.now))
    for iep in await over.take(500):
        await ctx.db.patch(iep, status="expired")
        student = await ctx.db.get(iep.student_id)
        if student is not None:
            await ctx.db.patch(student, iep_status="expired")
