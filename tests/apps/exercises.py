"""An application for tests: exercises of several clinics, which are searched."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from synovia import (
    Audited,
    Condition,
    FunctionError,
    Id,
    Index,
    Model,
    MutationContext,
    Page,
    QueryContext,
    RuleContext,
    Search,
    SearchIndex,
    SoftDelete,
    Table,
    field,
    may_read,
    mutation,
    query,
)


class Member(Table, name="members", indexes=[Index("by_caller", "caller")]):
    caller: str
    clinic: str


class Step(Model):
    text: str


class Exercise(
    Table,
    SoftDelete,
    Audited,
    name="exercises",
    indexes=[
        SearchIndex("by_text", "title", "notes", "steps.text", filters=("clinic",), language="english"),
        SearchIndex("by_title", "title"),
        Index("by_clinic", "clinic"),
    ],
):
    clinic: str
    title: str
    notes: str | None = None
    steps: Annotated[list[Step], Field(max_length=10)] = []
    level: int = 0


class Word(Table, name="words", indexes=[SearchIndex("by_text", "text", filters=("kind",))]):
    """Has no rules, and a filter with a default."""

    text: str
    kind: str = "noun"


@may_read(Member, Word)
async def anybody(ctx: RuleContext) -> bool:
    return True


@may_read(Exercise)
async def of_own_clinic(ctx: RuleContext) -> Condition | bool:
    if ctx.identity is None:
        return False
    member = await ctx.db.query(Member).using("by_caller", caller=ctx.identity.key).unique()
    return False if member is None else field("clinic") == member.clinic


def searched(ctx: QueryContext | MutationContext, text: str, level: int | None, index: str) -> Search[Exercise]:
    found = ctx.db.query(Exercise).search(index, text)
    return found if level is None else found.where(field("level") == level)


@query(public=True)
async def find(
    ctx: QueryContext, text: str, level: int | None = None, n: int = 1000, index: str = "by_text"
) -> list[str]:
    return [row.title for row in await searched(ctx, text, level, index).take(n)]


@query(public=True)
async def count(ctx: QueryContext, text: str, level: int | None = None) -> int:
    return await searched(ctx, text, level, "by_text").count()


@query(public=True)
async def page(ctx: QueryContext, text: str, size: int, cursor: str | None = None) -> Page[Exercise]:
    return await ctx.db.query(Exercise).search("by_text", text).paginate(cursor, size)


@query(public=True)
async def of_clinic(ctx: QueryContext, text: str, clinic: str) -> list[Exercise]:
    return await ctx.db.query(Exercise).search("by_text", text, clinic=clinic).take(10)


@query(public=True)
async def words(ctx: QueryContext, text: str, kind: str = "noun") -> list[str]:
    return [row.text for row in await ctx.db.query(Word).search("by_text", text, kind=kind).take(10)]


@query(public=True)
async def wrong(ctx: QueryContext, index: str, text: Any, filters: dict[str, Any]) -> int:
    return await ctx.db.query(Word).search(index, text, **filters).count()


@query(public=True)
async def used(ctx: QueryContext, index: str) -> list[Exercise]:
    return await ctx.db.query(Exercise).using(index).take(1)


@mutation(public=True)
async def join(ctx: MutationContext, caller: str, clinic: str) -> None:
    before = await ctx.db.query(Member).using("by_caller", caller=caller).unique()
    if before is not None:
        await ctx.db.delete(before)
    await ctx.db.insert(Member(caller=caller, clinic=clinic))


@mutation(public=True)
async def add(
    ctx: MutationContext,
    clinic: str,
    title: str,
    notes: str | None = None,
    steps: list[str] | None = None,
    level: int = 0,
) -> Id[Exercise]:
    made = [Step(text=each) for each in steps or []]
    return await ctx.db.insert(Exercise(clinic=clinic, title=title, notes=notes, steps=made, level=level))


@mutation(public=True)
async def change(ctx: MutationContext, exercise_id: Id[Exercise], changes: dict[str, Any]) -> None:
    await ctx.db.patch(exercise_id, **changes)


@mutation(public=True)
async def put(ctx: MutationContext, exercise_id: Id[Exercise], title: str) -> None:
    row = await ctx.db.get(exercise_id)
    assert row is not None
    await ctx.db.replace(row.model_copy(update={"title": title}))


@mutation(public=True)
async def remove(ctx: MutationContext, exercise_id: Id[Exercise]) -> None:
    await ctx.db.delete(exercise_id)


@mutation(public=True)
async def restore(ctx: MutationContext, exercise_id: Id[Exercise]) -> None:
    await ctx.db.restore(exercise_id)


@mutation(public=True)
async def add_word(ctx: MutationContext, text: str, kind: str = "noun") -> None:
    await ctx.db.insert(Word(text=text, kind=kind))


@mutation(public=True)
async def find_own(ctx: MutationContext, text: str, clinic: str, titles: list[str], fail: bool = False) -> list[str]:
    """Search before and after rows are written, and take the writes back if that is wanted."""
    app = ctx.as_application()
    for title in titles:
        await app.db.insert(Exercise(clinic=clinic, title=title))
    found = [row.title for row in await ctx.db.query(Exercise).search("by_text", text).take(100)]
    if fail:
        raise FunctionError("taken_back", ", ".join(found))
    return found
