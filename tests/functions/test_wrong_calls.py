"""What a function says wrongly is refused with a word that says what to write, and a client's number by its own code."""

from __future__ import annotations

import pytest

from helpers.written_applications import write_application
from synovia import FunctionError
from synovia.functions.registry import Registry, load_application
from synovia.testing import CallsFailed, TestApp

SOURCE = """
import math
from functools import reduce
from datetime import timedelta
from typing import Any, Literal

class Owner(Table, SoftDelete, name="owners", indexes=[
    SearchIndex("by_text", "name"), AggregateIndex("by_rank", "rank"), VectorIndex("by_meaning", "meaning", dimensions=2),
]):
    name: str = ""
    rank: int = 0
    meaning: list[float] = [1.0, 0.0]

class Thing(Table, name="things"):
    owner_id: Id[Owner] | None = None
    owner_ids: list[Id[Owner]] = []
    names: list[str] = []
    name: str = "a"
    size: int = 0

POSTS = RateLimit("posts", 30, per=timedelta(minutes=1))

@roles({"member": {"see"}}, within="tenant")
async def roles_of(ctx: QueryContext) -> list[str]:
    return []

@query(internal=True)
async def look(ctx: QueryContext) -> int:
    return 1

@mutation(internal=True)
async def note(ctx: MutationContext, text: str) -> None: ...

@job
async def go_over(ctx: MutationContext, things: list[Thing], factor: int) -> None: ...

@mutation(internal=True)
async def told(ctx: MutationContext, call_id: Id[ScheduledCall], context: Any, outcome: CallOutcome) -> None: ...

@workflow
async def flow(ctx: WorkflowContext, days: int) -> None:
    await ctx.sleep(timedelta(days=days))

async def send(ctx: Any, payload: Any) -> bool:
    return await ctx.scheduler.send_event(await ctx.scheduler.run_after(timedelta(0), flow, 1), "paid", payload)

async def helper(ctx: Any) -> None: ...

@mutation(public=True)
async def change(ctx: MutationContext, line: str) -> Any:
    return await run(ctx, line)

@query(public=True)
async def read(ctx: QueryContext, line: str) -> Any:
    return await run(ctx, line)

@action(public=True)
async def act(ctx: ActionContext, line: str) -> Any:
    return await run(ctx, line)

async def run(ctx: Any, line: str) -> Any:
    value = eval(line, globals(), {"ctx": ctx, "soon": timedelta(0), "thing": Thing(id=Id("a"), names=["x"])})
    return await value if hasattr(value, "__await__") else value
"""
INVALID, KIND, FAULT = "invalid_arguments", "wrong_kind", "server_error"
THINGS = "ctx.db.query(Thing)"
READING = [
    (f"{THINGS}.take(-1)", INVALID, "take() takes a number that is not negative, not -1"),
    (f"{THINGS}.take('5')", FAULT, "take() takes a whole number, not '5'"),
    (f"{THINGS}.take(2.5)", FAULT, "take() takes a whole number, not 2.5"),
    (f"{THINGS}.take(True)", FAULT, "take() takes a whole number, not True"),
    (f"{THINGS}.take(None)", FAULT, "take() takes a whole number, not None"),
    (f"{THINGS}.paginate(None, -1)", INVALID, "paginate() takes a number that is not negative, not -1"),
    (f"{THINGS}.paginate(None, 0)", INVALID, "a page has 1 to 1000 documents"),
    (f"{THINGS}.paginate(None, 2.0)", FAULT, "paginate() takes a whole number, not 2.0"),
    (f"{THINGS}.paginate(5, 10)", "bad_cursor", "a cursor is the text that the page before gave"),
    (f"{THINGS}.order('up')", FAULT, "order() takes 'asc' or 'desc', not 'up'"),
    (f"{THINGS}.where(True)", FAULT, "where() takes a condition on fields, as field('text') == 'x', not True"),
    (f"{THINGS}.where((field('name') == 'a') & True)", FAULT, "& takes a condition on fields"),
    (f"{THINGS}.where(field('name') == 'a' | field('name'))", FAULT, "put each comparison in brackets"),
    (f"{THINGS}.where('a' & field('name'))", FAULT, "put each comparison in brackets"),
    ("ctx.db.query(Owner).search('by_text', 'a').take(-1)", INVALID, "take() takes a number that is not negative"),
    ("ctx.db.query(Owner).search('by_text', 'a').where(True)", FAULT, "where() takes a condition"),
    ("ctx.db.query(Owner).nearest('by_meaning', [1, 0]).take(-1)", INVALID, "that is not negative, not -1"),
    ("ctx.db.query(Owner).nearest('by_meaning', [1, 0]).take('1')", FAULT, "a whole number, not '1'"),
    ("ctx.db.query(Owner).nearest('by_meaning', [1, 0]).where(1)", FAULT, "where() takes a condition"),
    ("ctx.db.query(Owner).aggregate('by_rank').at(1.5)", FAULT, "at() takes a whole number, not 1.5"),
    ("ctx.db.load([thing], 'nothing')", FAULT, "ctx.db.load: Thing has no field 'nothing'"),
    ("ctx.db.load([thing], 'ownerId')", FAULT, "ctx.db.load: Thing has no field 'ownerId'"),
    ("ctx.db.load([thing], 'name')", FAULT, "ctx.db.load: Thing.name holds no ids of a table, but 'a'"),
    ("ctx.db.load([thing], 'names')", FAULT, "ctx.db.load: Thing.names holds no ids of a table, but ['x']"),
    ("ctx.db.load([thing], 'size')", FAULT, "ctx.db.load: Thing.size holds no ids of a table, but 0"),
    ("ctx.db.load([thing.id], 'owner_id')", FAULT, "ctx.db.load takes rows, as ctx.db.query(...) gives them, not 'a'"),
    ("ctx.db.load([None], 'owner_id')", FAULT, "ctx.db.load takes rows"),
    ("ctx.db.may_write(thing.id)", FAULT, "ctx.db.may_write takes a row, not 'a'"),
    ("ctx.tenants_with('nothing')", FAULT, "the table of roles grants the capability 'nothing' to nobody"),
    ("ctx.hold_until('x')", FAULT, "hold_until() takes times in milliseconds since 1970"),
    ("ctx.hold_until(math.nan)", FAULT, "hold_until() takes times in milliseconds since 1970"),
    ("POSTS.left(ctx, 'a\\ud800')", INVALID, "a key is a text of up to"),
]
ELSEWHERE = [
    ("query", "ctx.db.insert(thing)", "a query only reads: ctx.db.insert is for mutations"),
    ("query", "ctx.db.delete_where(1)", "a query only reads: ctx.db.delete_where is for mutations"),
    ("query", "ctx.scheduler", "a query only reads: ctx.scheduler is for mutations"),
    ("query", "ctx.run_query(look)", "ctx.run_query is for actions; here, call a function of your own with ctx"),
    ("mutation", "ctx.run_mutation(note, 'x')", "ctx.run_mutation is for actions"),
    ("mutation", "ctx.mail", "a mutation may run again: schedule an action, which has ctx.mail"),
    ("action", "ctx.db", "an action has no database of its own: it calls queries and mutations by ctx.run_query"),
    ("action", "ctx.run_action(act)", "an action runs no other one"),
    (
        "action",
        "ctx.scheduler.run_job(go_over, 1)",
        "ctx.scheduler.run_job is part of a mutation's transaction: call a",
    ),
    ("action", "ctx.scheduler.send_event('a', 'b')", "ctx.scheduler.send_event is part of a mutation's transaction"),
    (
        "query",
        "ctx.db.query(Owner).search('by_text', 'a').order('desc')",
        "by take(n), first(), count() or paginate(...)",
    ),
    ("query", "ctx.db.query(Owner).search('by_text', 'a').sum('rank')", "and has no sum()"),
    (
        "query",
        "ctx.db.query(Owner).nearest('by_meaning', [1, 0]).collect()",
        "by take(n), first() or scored(n), and has",
    ),
    ("query", "ctx.db.query(Owner).aggregate('by_rank').where(field('rank') == 1)", "and has no where()"),
]
WRITING = [
    (
        "ctx.db.patch_where(Thing, name='x')",
        FAULT,
        "ctx.db.patch_where takes a query, as ctx.db.query(User).where(...)",
    ),
    ("ctx.db.patch_where(ctx.db.query(Owner).search('by_text', 'a'), name='x')", FAULT, "write the rows one by one"),
    ("ctx.db.delete_where(ctx.db.query(Owner).aggregate('by_rank'))", FAULT, "ctx.db.delete_where takes a query"),
    ("ctx.db.purge(Owner, older_than=30)", FAULT, "purge() takes older_than as a timedelta, not 30"),
    ("ctx.db.purge(Owner, older_than=timedelta(days=-1))", INVALID, "purge() takes a timedelta that is not negative"),
    ("ctx.db.purge('owners', older_than=soon)", FAULT, "a table is named by its class"),
    ("ctx.scheduler.cancel(None)", INVALID, "a call is named by its id, not by None"),
    ("ctx.scheduler.resume(5)", INVALID, "a call is named by its id, not by 5"),
    (
        "ctx.scheduler.with_options(on_complete=told, context={1}).run_after(soon, note, 'x')",
        INVALID,
        "a set cannot be",
    ),
    ("send(ctx, {1})", INVALID, "a set cannot be stored"),
    ("ctx.scheduler.send_event(5, 'paid')", INVALID, "a call is named by its id, not by 5"),
    ("ctx.scheduler.run_after(timedelta.max, note, 'x')", INVALID, "a whole number of milliseconds since 1970"),
    ("ctx.scheduler.run_after(soon, note)", FAULT, ":note: missing a required argument: 'text'"),
    (
        "ctx.scheduler.run_after(soon, note, 'x', nothing=1)",
        FAULT,
        ":note: got an unexpected keyword argument 'nothing'",
    ),
    ("ctx.scheduler.run_after(soon, go_over, [], factor=1)", KIND, ":go_over' is a job: begin it with run_job"),
    (f"ctx.scheduler.run_job(note, {THINGS})", KIND, ":note' is no job: declare it with @job"),
    (f"ctx.scheduler.run_job(go_over, {THINGS})", FAULT, ":go_over: missing a required argument: 'factor'"),
    (
        "ctx.scheduler.with_options(on_completed=told)",
        FAULT,
        "on_completed: no option of a scheduled call; retry, on_co",
    ),
    ("ctx.scheduler.run_after(soon, 'a:b', {}, text='x')", FAULT, "text: no option of a scheduled call"),
    ("ctx.scheduler.run_many(note, [], on_completed=told)", FAULT, "on_completed: no option of a scheduled call"),
    ("POSTS.spend(ctx, 'a\\ud800')", INVALID, "a key is a text of up to"),
]
KINDS = {"query": "read", "mutation": "change", "action": "act"}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return load_application(write_application(tmp_path_factory.mktemp("wrong"), SOURCE))


async def refusal_of(application: Registry, kind: str, line: str) -> FunctionError:
    async with TestApp(application) as app:
        with pytest.raises(FunctionError) as refused:
            await getattr(app.caller(), kind)(f"{application.name}:{KINDS[kind]}", {"line": line})
    return refused.value


@pytest.mark.parametrize(("line", "code", "text"), READING)
async def test_what_reads(application: Registry, line: str, code: str, text: str) -> None:
    for kind in ("query", "mutation"):
        refused = await refusal_of(application, kind, line)
        assert (refused.code, text in refused.message) == (code, True), refused.message


@pytest.mark.parametrize(("line", "code", "text"), WRITING)
async def test_what_writes_and_schedules(application: Registry, line: str, code: str, text: str) -> None:
    refused = await refusal_of(application, "mutation", line)
    assert (refused.code, text in refused.message) == (code, True), refused.message


@pytest.mark.parametrize(("kind", "line", "text"), ELSEWHERE)
async def test_what_a_context_does_not_have_it_says_who_has(
    application: Registry, kind: str, line: str, text: str
) -> None:
    refused = await refusal_of(application, kind, line)
    assert text in refused.message


async def test_a_workflow_sleeps_no_longer_than_dates_go(application: Registry) -> None:
    async with TestApp(application) as app:
        line = "ctx.scheduler.run_after(soon, flow, 999_999_999)"
        await app.caller().mutation(f"{application.name}:change", {"line": line})
        with pytest.raises(CallsFailed, match=r"ctx\.sleep takes 365,250 days at most"):
            await app.advance()


@pytest.mark.parametrize("count", [2**31, 2**63 - 1])
async def test_any_number_of_documents_can_be_asked_for(application: Registry, count: int) -> None:
    async with TestApp(application) as app:
        for line in (f"{THINGS}.take({count})", f"ctx.db.query(Owner).search('by_text', 'a').take({count})"):
            assert await app.caller().query(f"{application.name}:read", {"line": line}) == []
        line = f"ctx.db.query(Owner).aggregate('by_rank').at({count})"
        assert await app.caller().query(f"{application.name}:read", {"line": line}) is None


@pytest.mark.parametrize("word", ["|", "&"])
async def test_a_condition_may_have_thousands_of_parts(application: Registry, word: str) -> None:
    parts = "[field('size') != n for n in range(5_000)]"
    line = f"{THINGS}.where(reduce(lambda a, b: a {word} b, {parts})).count()"
    async with TestApp(application) as app:
        assert await app.caller().query(f"{application.name}:read", {"line": line}) == 0
