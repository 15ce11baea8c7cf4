"""What is asked of a field that is not there, or cannot be asked so, is refused when the application starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.written_applications import refusal_of, write_application
from synovia.functions.registry import load_application

SOURCE = """
from typing import Any
from synovia import http
from starlette.requests import Request
from starlette.responses import Response

class City(Model):
    name: str
    zip: str = ""

class Thing(Table, name="things", indexes=[Index("by_size", "size")]):
    owner: str
    owner_id: Id["Thing"] | None = None
    size: int = 0
    city: City
    seals: EncryptedSearchable[str] | None = None
    free: dict[str, int] = {}

"""
QUERY = """
@query(public=True)
async def f(ctx: QueryContext, name: str = "") -> object:
    return await ctx.db.query(Thing)"""


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (".where(field('nothing') == 1).collect()", "nothing"),
        (".using('by_size', size=1).where((field('size') > 1) | ~(field('nothing') == 1)).count()", "nothing"),
        (".order('desc').where(field('cityName') == 'a').first()", "cityName"),
        (".where(field('city.nothing') == 'a').first()", "city.nothing"),
        (".sum('nothing')", "nothing"),
        (".where(field('size') > 1).mean('nothing')", "nothing"),
        (".trend(x='size', y='nothing')", "nothing"),
        (".group_by('size', 'nothing').count()", "nothing"),
    ],
)
def test_a_field_that_the_table_lacks(tmp_path: Path, step: str, name: str) -> None:
    told = refusal_of(tmp_path, f"{SOURCE}{QUERY}{step}\n")
    assert told.endswith(f"things has no field {name!r}")
    assert ".py:" in told


@pytest.mark.parametrize(
    "step",
    [
        ".where(field('city.name') == 'a').collect()",
        ".where(field('free.anything') == 1).collect()",
        ".where(field('id') == name).collect()",
        ".where(field(name) == 1).collect()",
        ".sum(name)",
        ".sum('size')",
        ".group_by(*['size']).count()",
        ".trend('size', y='size')",
    ],
)
def test_what_may_work_is_left_to_run(tmp_path: Path, step: str) -> None:
    load_application(write_application(tmp_path, f"{SOURCE}{QUERY}{step}\n"))


def test_what_is_tried_is_left_to_run(tmp_path: Path) -> None:
    body = "    try:\n        return await ctx.db.query(Thing).sum('nothing')\n    except FunctionError:\n        return 0\n"
    load_application(
        write_application(tmp_path, f"{SOURCE}@query(public=True)\nasync def f(ctx: QueryContext) -> float:\n{body}")
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("where=field('nothing') == 1", "things has no field 'nothing'"),
        ("where=(field('size') == 1) & ~(field('nothing') == 1)", "things has no field 'nothing'"),
        ("where=field('size') == 'large'", "things.size cannot be 'large'"),
        ("owner='size'", "Thing.size cannot hold the key of an identity, and is said to be the owner"),
    ],
)
@pytest.mark.parametrize("rule", ["allow_read(Thing, {})", "allow_read(Thing, owner='owner')\nallow_write(Thing, {})"])
def test_a_rule_in_words_that_no_row_can_be_asked(tmp_path: Path, rule: str, words: str, message: str) -> None:
    told = refusal_of(tmp_path, SOURCE + rule.format(words))
    assert message in told
    assert ".py:" in told


@pytest.mark.parametrize(
    "words", ["owner='owner'", "owner='seals'", "where=field('seals') == 'a'", "where=field('size').in_([1, 2])"]
)
def test_a_rule_that_can_be_asked(tmp_path: Path, words: str) -> None:
    load_application(write_application(tmp_path, f"{SOURCE}allow_read(Thing, {words})\n"))


@pytest.mark.parametrize(
    ("kind", "said", "own"),
    [
        ("query", "MutationContext", "QueryContext"),
        ("query", "ActionContext", "QueryContext"),
        ("mutation", "ActionContext", "MutationContext"),
        ("action", "QueryContext", "ActionContext"),
    ],
)
def test_another_kinds_context(tmp_path: Path, kind: str, said: str, own: str) -> None:
    told = refusal_of(tmp_path, f"@{kind}(public=True)\nasync def f(ctx: {said}) -> None: ...\n")
    assert f"'ctx' is said to be a {said}; that of this {kind} is its {own}" in told


def test_a_wider_context_will_do(tmp_path: Path) -> None:
    source = "from typing import Any\n@mutation(public=True)\nasync def f(ctx: QueryContext) -> None: ...\n"
    source += (
        "@query(public=True)\nasync def g(ctx: Any) -> None: ...\n@query(public=True)\nasync def h(ctx) -> None: ...\n"
    )
    load_application(write_application(tmp_path, source))


@pytest.mark.parametrize(
    ("decorator", "word"),
    [
        ("@mutation(presence=True, public=True)", "@mutation takes no presence;"),
        ("@query(publik=True)", "@query takes no publik;"),
        ("@action(isolation='snapshot', public=True)", "@action takes no isolation;"),
        ("@http.route('/a', methods=['GET'], publik=True)", "@http.route takes no publik;"),
    ],
)
def test_an_option_that_a_decorator_does_not_have(tmp_path: Path, decorator: str, word: str) -> None:
    told = refusal_of(tmp_path, f"{SOURCE}{decorator}\nasync def f(ctx: Any, request: Request) -> Response: ...\n")
    assert word in told
    assert ".py:" in told


def test_two_routes_for_the_same_requests_are_told_with_their_places(tmp_path: Path) -> None:
    body = "async def {0}(ctx: ActionContext, request: Request) -> Response: ...\n"
    route = "@http.route('/a/{{{0}}}', methods=['GET'], public=True)\n" + body
    told = refusal_of(tmp_path, SOURCE + route.format("x") + route.format("y"))
    first = SOURCE.count("\n") + 3
    assert told.endswith(f".py:{first + 2}")
    assert f".py:{first} and " in told
