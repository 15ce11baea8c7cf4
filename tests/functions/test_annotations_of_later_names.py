"""Annotations may name what is declared further down: as text, or evaluated when looked at, as since Python 3.14."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers.written_applications import HEAD, IMPORTS, refusal_of, write_application
from synovia.functions.registry import load_application
from synovia.seeding import run_seeds
from synovia.testing import TestApp

EVALUATED_LATER = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="there annotations are evaluated where they stand"
)

APPLICATION = """
from datetime import timedelta
from synovia import http

class Person(Table, indexes=[Index("by_ticket", "tickets.number")]):
    name: str
    tickets: list[Ticket] = []
    best: Ticket | None = None

class Ticket(Model):
    number: int
    of: Id[Other] | None = None

@query(public=True)
async def holding(ctx: QueryContext, ticket: Wanted) -> list[Found]:
    people = await ctx.db.query(Person).using("by_ticket", tickets__number=ticket.number).collect()
    return [Found(name=person.name) for person in people]

@mutation(public=True)
async def add(ctx: MutationContext, name: str, ticket: Wanted) -> Id[Other]:
    await ctx.db.insert(Person(name=name, tickets=[Ticket(number=ticket.number)]))
    await ctx.scheduler.run_job(go_over, ctx.db.query(Other))
    await ctx.scheduler.run_after(timedelta(seconds=1), follow, ticket)
    return await ctx.db.insert(Other())

@action(public=True)
async def act(ctx: ActionContext, ticket: Wanted) -> list[Found]:
    return await ctx.run_query(holding, ticket)

@job
async def go_over(ctx: MutationContext, others: list[Other]) -> None: ...

@workflow
async def follow(ctx: WorkflowContext, ticket: Wanted) -> Found:
    return Found(name=str(ticket.number))

@cron(every=timedelta(days=1))
@mutation(internal=True)
async def daily(ctx: MutationContext, ticket: Wanted | None = None) -> None: ...

@http.route("/found", methods=["GET"], public=True)
async def served(ctx: ActionContext, request: Request) -> Response:
    return JSONResponse([])

@seed
async def first(ctx: Writing) -> None:
    await ctx.db.insert(Person(name="Seeded", tickets=[Ticket(number=7)]))

@migration(Person)
async def mended(ctx: Writing, person: Stored) -> Stored:
    return person

@may_read(Person)
async def may(ctx: RuleContext, person: Anybody) -> bool:
    return True

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

class Other(Table): ...

@may_read(Other)
async def all_of_them(ctx: RuleContext) -> bool:
    return True

class Found(Model):
    name: str
class Wanted(Model):
    number: int
Writing, Stored, Anybody = MutationContext, dict[str, object], Person
"""


@pytest.mark.parametrize("head", [HEAD, pytest.param(IMPORTS, marks=EVALUATED_LATER)], ids=["text", "evaluated"])
async def test_all_that_is_declared_names_what_follows(tmp_path: Path, head: str) -> None:
    registry = load_application(write_application(tmp_path, APPLICATION, head=head))
    async with TestApp(registry) as app:
        await run_seeds(app.engine, registry)
        caller, name = app.caller(), registry.name
        for number, found in ((7, [{"name": "Seeded"}]), (8, [])):
            assert await caller.query(f"{name}:holding", {"ticket": {"number": number}}) == found
        await caller.mutation(f"{name}:add", {"name": "Ann", "ticket": {"number": 8}})
        assert await caller.action(f"{name}:act", {"ticket": {"number": 8}}) == [{"name": "Ann"}]


@pytest.mark.parametrize("head", [HEAD, pytest.param(IMPORTS, marks=EVALUATED_LATER)], ids=["text", "evaluated"])
def test_a_name_that_is_nowhere_is_refused_with_its_function(tmp_path: Path, head: str) -> None:
    for annotation in ("list[Absent]", "Absent | None"):
        text = f"@query(public=True)\nasync def f(ctx: QueryContext, a: int) -> {annotation}: ...\n"
        assert "f: its result: name 'Absent' is not defined" in refusal_of(tmp_path, text, head=head)


@pytest.mark.parametrize("head", [HEAD, pytest.param(IMPORTS, marks=EVALUATED_LATER)], ids=["text", "evaluated"])
@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("json.Nope", "AttributeError: module 'json' has no attribute 'Nope'"),
        ("list[json.Nope]", "AttributeError: module 'json' has no attribute 'Nope'"),
        ("json.loads('x')", "JSONDecodeError: Expecting value"),
        ("dict[int]", "Expected two type arguments"),
    ],
)
def test_whatever_an_annotation_fails_by_is_told_in_a_line_with_its_place(
    tmp_path: Path, head: str, annotation: str, words: str
) -> None:
    for place, text in (
        ("argument 'x'", f"async def f(ctx: QueryContext, x: {annotation}) -> int: ..."),
        ("its result", f"async def f(ctx: QueryContext, x: int) -> {annotation}: ..."),
    ):
        refused = refusal_of(tmp_path, f"import json\n\n@query(public=True)\n{text}\n", head=head)
        assert f".py:{(head + text).count(chr(10)) + 3}: " in refused
        assert f":f: {place}: {words}" in refused


@pytest.mark.parametrize("head", [HEAD, pytest.param(IMPORTS, marks=EVALUATED_LATER)], ids=["text", "evaluated"])
def test_an_annotation_of_constants_is_told_in_a_line_too(tmp_path: Path, head: str) -> None:
    text = "@query(public=True)\nasync def f(ctx: QueryContext, *, x: 1 / 0 = 3) -> int: ...\n"
    refused = refusal_of(tmp_path, text, head=head)
    assert len(refused.splitlines()) == 1
    assert refused.endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("'a b'", "Forward reference must be an expression -- got 'a b'"),
        ("Annotated[int, Field(gt='a')]", "'gt' must be coercible to an integer"),
        ("Annotated[str, Field(pattern='(')]", "unclosed group"),
    ],
)
def test_what_no_annotation_can_say_is_told_in_a_line_with_its_argument(
    tmp_path: Path, annotation: str, words: str
) -> None:
    text = f"""
    from typing import Annotated
    from pydantic import Field

    @query(public=True)
    async def f(ctx: QueryContext, fine: int, x: {annotation}) -> int: ...
    """
    refused = refusal_of(tmp_path, text)
    assert ":f: argument 'x': " in refused
    assert words in refused
    assert "\n" not in refused


# --- what is known only when all is declared ----------------------------------------------------------------------------

HEADS = pytest.mark.parametrize("head", [HEAD, pytest.param(IMPORTS, marks=EVALUATED_LATER)], ids=["text", "evaluated"])
WHEN = "which its module neither declares nor imports when it runs"


@HEADS
@pytest.mark.parametrize(
    "field", ["a: Absent", "a: list[Id[Absent]] = []", "a: Absent | None = None", "a: Encrypted[Absent]"]
)
@pytest.mark.parametrize("base", ["Table", "Model", "Env"])
def test_a_name_that_is_nowhere_is_refused_with_its_field(tmp_path: Path, head: str, base: str, field: str) -> None:
    text = f"class Declared({base}):\n    b: int = 1\n    {field}\n\nclass Holding(Table):\n    of: list[Declared]\n"
    line = head.count("\n") + 3
    told = refusal_of(tmp_path, text, head=head).splitlines()
    assert [each.rpartition("/")[2].partition(".py")[2] for each in told] == [
        f":{line}: Declared.a names 'Absent', {WHEN}"
    ]


def test_a_name_that_only_type_checkers_import_is_nowhere(tmp_path: Path) -> None:
    imported = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .two import Other\n"
    files = {"one.py": imported + "class One(Table):\n    of: Id[Other]\n", "two.py": "class Other(Table): ...\n"}
    assert f"one.py:7: One.of names 'Other', {WHEN}" in refusal_of(tmp_path, files)


def test_a_model_that_only_a_function_names_is_looked_at(tmp_path: Path) -> None:
    told = {}
    for place in ("a: _kept.Inner", "a: int) -> _kept.Inner: ..."):
        files = {
            "_kept.py": "class Inner(Model):\n    x: Absent\n",
            "a.py": f"from . import _kept\n@query(public=True)\nasync def f(ctx: QueryContext, {place}"
            + (") -> None: ...\n" if "->" not in place else "\n"),
        }
        told[place] = refusal_of(tmp_path, files)
    assert all(f"_kept.py:4: Inner.x names 'Absent', {WHEN}" in each for each in told.values()), told


@HEADS
def test_a_later_name_that_is_no_type_of_a_field_is_refused(tmp_path: Path, head: str) -> None:
    text = "class Declared(Table):\n    a: Later\n\nclass Later: ...\n"
    told = refusal_of(tmp_path, text, head=head)
    assert f":{head.count(chr(10)) + 1}: Declared: PydanticSchemaGenerationError: Unable to generate" in told


@HEADS
def test_defaults_of_models_that_name_what_follows(tmp_path: Path, head: str) -> None:
    text = """
    class Inner(Model):
        fits: Later | None = None
        wrong: Later = 1
        missing: Later | None
    class Holding(Table):
        of: Inner
        missing: Later | None
        wrong: Later | int | None = 5
    class Later(Model):
        x: int
    """
    told = [each.partition(".py:")[2] for each in refusal_of(tmp_path, text, head=head).splitlines()]
    first = head.count("\n") + 2
    kept = "may be None, so its default has to be None: it is stored as nothing"
    assert told == [
        f"{first + 3}: Inner.missing may be None, so it needs the default None",
        f"{first + 2}: Inner.wrong cannot hold its default 1: Input should be a valid dictionary or instance of Later",
        f"{first + 6}: Holding.missing {kept}",
        f"{first + 7}: Holding.wrong {kept}",
    ]


# --- names of types that the body of a class gives another meaning -------------------------------------------------------

HIDDEN = "means the default of the field 'date', not the type; name the field otherwise"


@pytest.mark.parametrize("head", [HEAD, IMPORTS], ids=["text", "evaluated"])
@pytest.mark.parametrize("base", ["Table", "Model"])
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (["date: Optional[date] = None", "until: int = 0"], "date"),
        (["date: date = Field(default=0)", "until: int = 0"], "date"),
        (["until: date", "date: int | None = None"], "until"),
        (["date: int = 0", "until: date = 0"], "until"),
        (["date: None = None", "until: date = None"], "until"),
    ],
)
def test_a_field_that_hides_a_type_is_refused(
    tmp_path: Path, head: str, base: str, fields: list[str], field: str
) -> None:
    lines = [
        "from typing import Optional",
        "from pydantic import Field",
        "from datetime import datetime as date",
        f"class Trip({base}):",
        *(f"    {each}" for each in fields),
    ]
    if head == IMPORTS and fields[0].startswith("until") and sys.version_info < (3, 14):
        load_application(write_application(tmp_path, "\n".join(lines), head=head))  # it is no default yet
        return
    refused = refusal_of(tmp_path, "\n".join(lines), head=head)
    assert refused.endswith(
        f"Trip.{field}: within Trip the name 'date' {HIDDEN}, or import the type under another name"
    )
    assert f".py:{head.count(chr(10)) + 4}: " in refused


@pytest.mark.parametrize("head", [HEAD, IMPORTS], ids=["text", "evaluated"])
def test_names_that_hide_no_type(tmp_path: Path, head: str) -> None:
    text = """
    from datetime import datetime as date
    from enum import StrEnum
    from typing import Literal

    class Trip(Table):
        class Kind(StrEnum):
            SHORT = "short"

        kind: Kind = Kind.SHORT
        date: date
        until: date
        nothing: None = None
        of: Literal["way"] = "way"
    """
    load_application(write_application(tmp_path, text, head=head))


def test_a_method_that_hides_a_type_is_refused(tmp_path: Path) -> None:
    refused = refusal_of(tmp_path, "class Trip(Table):\n    a: list[int]\n    def list(self) -> int: return 1\n")
    assert "Trip.a: within Trip the name 'list' means the method 'list', not the type" in refused


@pytest.mark.skipif(sys.version_info < (3, 12), reason="such a type cannot be declared there")
def test_a_type_that_holds_itself_is_refused_and_a_model_is_not(tmp_path: Path) -> None:
    declared = """
type Tree = int | list[Tree]

class Node(Model):
    nodes: list[Node] = []

class Wood(Table):
    tree: Tree = 0
    node: Node | None = None

@query(public=True)
async def f(ctx: QueryContext, tree: dict[str, Tree], node: Node) -> Tree: ...
"""
    fault = "names the type 'Tree', which holds itself: make it a Model, which may name itself"
    assert f"Wood.tree {fault}" in refusal_of(tmp_path, declared)
    told = refusal_of(tmp_path, declared.replace("tree: Tree = 0", "tree: int = 0"))
    assert f"f: argument 'tree' {fault}; its result {fault}" in told
