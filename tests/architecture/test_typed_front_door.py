"""A program that uses Synovia as it is installed has the types of everything it imports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.compiling import said_by_mypy

PROGRAM = """
from __future__ import annotations

import synovia
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from synovia import (
    ActionContext, BadCursor, Condition, FunctionError, Id, Identity, Index, KeyTaken, MutationContext, NotFound, Page,
    Query, QueryContext, Registry, SchemaError, Settings, StoreError, StoreUnavailable, Synovia, Table, UnknownFunction,
    UnknownIndex, WorkflowContext, WrongKind, action, field, http, job, load_application, mutation, query, require_role,
    workflow,
)
from synovia.store import Store, open_store
from synovia.testing import TestApp


class Note(Table, name="notes", indexes=[Index("by_text", "text")]):
    text: str


@query(public=True, name="list")
async def list_notes(ctx: QueryContext, cursor: str | None = None) -> Page[Note]:
    long: Condition = field("text") != "short"
    notes: Query[Note] = ctx.db.query(Note).using("by_text").where(long)
    first: Note | None = await notes.first()
    reveal_type(await ctx.db.get(Note, Id("x")))  # reveals: synovia.Note | None
    reveal_type(await notes.take(3))  # reveals: list[Note]
    if first is not None:
        reveal_type(first.id)  # reveals: Id[Note]
    try:
        return await notes.paginate(cursor, 10)
    except BadCursor as error:
        raise FunctionError(error.code, error.message, error.data) from error


@mutation(public=True, isolation="snapshot")
async def add(ctx: MutationContext, text: str) -> Id[Note]:
    await require_role(ctx, "writer")
    reveal_type(await ctx.db.insert(Note(text=text)))  # reveals: Id[Note]
    ctx.db.inserted(Note(text=text))  # wrong: attr-defined
    await ctx.db.patch(Note(text=text), "text")  # wrong: call-arg
    return await ctx.db.insert(Note(text=text))


@action(public=True, names="x")  # wrong: call-overload and untyped-decorator
async def act(ctx: ActionContext) -> None:
    await ctx.run_mutation("notes:add", {"text": "x"})


class Label(Table, name="labels"):
    text: str


@job
async def mark(ctx: MutationContext, rows: list[Note], text: str) -> None: ...


@workflow
async def long(ctx: WorkflowContext, text: str) -> None:
    reveal_type(await ctx.step(add, text))  # reveals: Id[Note]
    await ctx.step(add, 1)  # wrong: call-overload
    ctx.compensate(add, texts=text)  # wrong: call-arg


@mutation(internal=True)
async def begin(ctx: MutationContext) -> None:
    await ctx.scheduler.run_job(mark, ctx.db.query(Note), text="x")
    await ctx.scheduler.run_job(mark, ctx.db.query(Label), text="x")  # wrong: call-overload
    await ctx.scheduler.run_job(mark, ctx.db.query(Note), 3)  # wrong: call-overload


@job  # wrong: type-var
async def rowless(ctx: MutationContext) -> None: ...


@query(public=True)  # wrong: type-var
async def writes(ctx: MutationContext) -> None: ...


@http.route("/notes", methods=["GET"], public=True)
async def notes(ctx: ActionContext, request: Request) -> Response:
    return PlainTextResponse(request.url.path)


registry: Registry = load_application("notes")
store: Store = open_store("sqlite://:memory:")
server = Synovia(registry, store=store, settings=Settings(port=0), development=True)
reveal_type(server)  # reveals: Synovia
version: str = synovia.__version__
Synovia()  # wrong: call-arg
Synovia("notes", stores="x")  # wrong: call-arg
Settings(port="x")  # wrong: arg-type
synovia.Sinovia  # wrong: attr-defined
errors: list[type[Exception]] = [
    KeyTaken, NotFound, SchemaError, StoreError, StoreUnavailable, UnknownFunction, UnknownIndex, WrongKind,
]


async def run(identity: Identity) -> None:
    await server.start(alone=False)
    await server.mutation("notes:add", {"text": "x"}, identity=identity)
    await server.mutation("notes:add", trust=True)  # wrong: call-arg
    async with TestApp("notes") as app:
        reveal_type(app.caller("ada@example.org"))  # reveals: Caller
"""


def said_about(program: str, folder: Path) -> set[tuple[int, str]]:
    """Give what ``mypy --strict`` says about a program that knows Synovia only from where it is installed."""
    source = folder / "program.py"
    source.write_text(program, encoding="utf-8")
    said = said_by_mypy(source)
    wrong = re.findall(r"program\.py:(\d+): error: .*\[([\w-]+)\]$", said, re.MULTILINE)
    shown = re.findall(r'program\.py:(\d+): note: Revealed type is "(.*)"$', said, re.MULTILINE)
    assert "missing library stubs or py.typed" not in said
    return {(int(line), code) for line, code in wrong} | {(int(line), _short(kind)) for line, kind in shown}


def _short(kind: str) -> str:
    return re.sub(r"[\w.]+\.(\w+)", r"\1", kind)


def expected_of(program: str) -> set[tuple[int, str]]:
    lines = enumerate(program.splitlines(), 1)
    said = [(number, found[1]) for number, line in lines if (found := re.search(r"# (?:wrong|reveals): (.+)$", line))]
    return {(number, _short(each)) for number, text in said for each in text.split(" and ")}


@pytest.mark.slow
def test_everything_that_is_exported_has_its_type(tmp_path: Path) -> None:
    assert said_about(PROGRAM, tmp_path) == expected_of(PROGRAM)
