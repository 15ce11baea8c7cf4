"""Students whose dates of birth, numbers and notes nobody reads in the database."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Annotated, Any

from annotated_types import MaxLen

from synovia import (
    ActionContext,
    Audited,
    CallOutcome,
    Encrypted,
    EncryptedSearchable,
    FunctionError,
    Id,
    Index,
    Model,
    MutationContext,
    QueryContext,
    Retry,
    ScheduledCall,
    Table,
    WorkflowContext,
    action,
    field,
    mutation,
    query,
    workflow,
)

logger = logging.getLogger("school")


class Note(Model):
    """What a teacher has written down."""

    text: str
    weight: float = 1.0


class Student(
    Table,
    Audited,
    indexes=[Index("by_birth", "date_of_birth"), Index("by_number", "number", unique=True), Index("by_name", "name")],
):
    """A student; whoever has the database file learns the name, and who was born on the same day."""

    name: str
    date_of_birth: EncryptedSearchable[str]
    number: EncryptedSearchable[int]
    nickname: EncryptedSearchable[str] | None = None
    notes: Encrypted[Annotated[list[Note], MaxLen(20)]] = []


class Pupil(Table):
    """Of another table, with a field of the same name."""

    name: str
    date_of_birth: Encrypted[str]
    student: Id[Student] | None = None


@mutation(public=True)
async def enrol(
    ctx: MutationContext,
    name: str,
    date_of_birth: Encrypted[str],
    number: int,
    nickname: str | None = None,
    notes: list[Note] = [],  # noqa: B006 (pydantic copies it)
) -> Student:
    id_ = await ctx.db.insert(
        Student(name=name, date_of_birth=date_of_birth, number=number, nickname=nickname, notes=notes)
    )
    student = await ctx.db.get(id_)
    assert student is not None
    logger.info("enrolled %r", student)
    return student


@mutation(public=True)
async def correct(ctx: MutationContext, id: Id[Student], date_of_birth: str) -> Student:
    return await ctx.db.patch(id, date_of_birth=date_of_birth)


@mutation(public=True)
async def rename(ctx: MutationContext, id: Id[Student], name: str) -> str:
    return (await ctx.db.patch(id, name=name)).name


@mutation(public=True)
async def replaced(ctx: MutationContext, id: Id[Student], name: str) -> None:
    student = await ctx.db.get(id)
    assert student is not None
    await ctx.db.replace(student.model_copy(update={"name": name}))


@query(public=True)
async def students(ctx: QueryContext) -> list[Student]:
    return await ctx.db.query(Student).using("by_name").collect()


@query(public=True)
async def birthday(ctx: QueryContext, id: Id[Student]) -> str:
    student = await ctx.db.get(id)
    assert student is not None
    return student.date_of_birth


@query(public=True)
async def born_on(ctx: QueryContext, date_of_birth: str) -> list[str]:
    students = await ctx.db.query(Student).using("by_birth", date_of_birth=date_of_birth).collect()
    same = await ctx.db.query(Student).where(field("date_of_birth") == date_of_birth).collect()
    assert [each.id for each in students] == [each.id for each in same]
    return sorted(each.name for each in students)


@query(public=True)
async def count_born_on(ctx: QueryContext, date_of_birth: str) -> int:
    return await ctx.db.query(Student).using("by_birth", date_of_birth=date_of_birth).count()


@query(public=True)
async def without_nickname(ctx: QueryContext) -> list[str]:
    found = await ctx.db.query(Student).where(field("nickname") == None).collect()  # noqa: E711
    return [each.name for each in found]


@query(public=True)
async def asked(ctx: QueryContext, how: str) -> Any:
    students = ctx.db.query(Student)
    match how:
        case "ordered":
            return len(await students.where(field("date_of_birth") < "2012").collect())
        case "compared":
            return len(await students.where(field("notes") == []).collect())
        case "inside":
            return len(await students.where(field("notes.text") == "x").collect())
        case "least":
            return await students.min("date_of_birth")
        case "grouped":
            return len(await students.group_by("date_of_birth").count())
    return None


@mutation(public=True)
async def fails_at(ctx: MutationContext, name: str, date_of_birth: Encrypted[str]) -> None:
    row: dict[str, Any] = {"name": name, "date_of_birth": [date_of_birth]}
    await ctx.db.insert(
        Student.model_validate(row)
    )  # which no Student can hold: the exception is the application's fault


@action(internal=True, retry=Retry(attempts=2))
async def send_card(ctx: ActionContext, name: str, date_of_birth: Encrypted[str]) -> str:
    logger.info("a card for %s", name)
    return date_of_birth


@action(internal=True)
async def refuse_card(ctx: ActionContext, date_of_birth: Encrypted[str]) -> None:
    assert date_of_birth
    raise FunctionError("no_card", "there are no cards left")


@mutation(internal=True)
async def told(ctx: MutationContext, call_id: Id[ScheduledCall], context: str, outcome: CallOutcome) -> None:
    logger.info("told")


@workflow
async def congratulate(ctx: WorkflowContext, name: str, date_of_birth: Encrypted[str]) -> None:
    sent = await ctx.step(send_card, name, date_of_birth)
    assert sent == date_of_birth
    await ctx.wait_for_event("opened")


@mutation(public=True)
async def plan_cards(ctx: MutationContext, name: str, date_of_birth: Encrypted[str]) -> None:
    hour = timedelta(hours=1)
    await ctx.scheduler.run_after(hour, send_card, name, date_of_birth)
    cards = [{"name": f"{name} {number}", "dateOfBirth": date_of_birth} for number in range(3)]
    await ctx.scheduler.run_many(send_card, cards, delay=2 * hour)
    await ctx.scheduler.with_options(on_complete=told, context=date_of_birth).run_after(
        timedelta(), refuse_card, date_of_birth
    )
    await ctx.scheduler.run_after(timedelta(), congratulate, name, date_of_birth)
