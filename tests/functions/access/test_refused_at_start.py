"""Declarations that an application does not start with, and what it is told."""

from __future__ import annotations

import textwrap
from itertools import count
from pathlib import Path

import pytest

from synovia.errors import SchemaError
from synovia.functions.registry import load_application

_numbers = count(1)
ROLES = """
@roles({"admin": {"users.manage"}})
async def roles_of(ctx: QueryContext) -> str | None:
    return None
"""


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / f"declared_{next(_numbers)}.py"
    path.write_text("from __future__ import annotations\nfrom synovia import *\n" + textwrap.dedent(text))
    load_application(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(SchemaError) as caught:
        load(tmp_path, text)
    return str(caught.value)


def function(access: str, name: str = "f") -> str:
    return f"\n@query({access})\nasync def {name}(ctx: QueryContext) -> int:\n    return 1\n"


def test_functions_that_do_not_say_who_may_call_are_all_named(tmp_path: Path) -> None:
    bare = "\n@mutation\nasync def bare(ctx: MutationContext) -> None: ...\n"
    text = refusal(tmp_path, function("") + bare + function("public=True", "fine"))
    assert ":f" in text
    assert ":bare" in text
    assert ":fine" not in text
    assert "public=True, signed_in=True, role=..., capability=... or internal=True" in text


def test_two_answers_are_refused(tmp_path: Path) -> None:
    assert "not several" in refusal(tmp_path, function('public=True, role="admin"'))


@pytest.mark.parametrize("access", ['role="admin"', 'capability="users.manage"'])
def test_roles_need_a_table(tmp_path: Path, access: str) -> None:
    assert "no table of roles" in refusal(tmp_path, function(access))
    load(tmp_path, ROLES + function(access))


def test_names_that_are_not_in_the_table(tmp_path: Path) -> None:
    assert "no role 'chief'" in refusal(tmp_path, ROLES + function('role=("admin", "chief")'))
    assert "'users.look' to nobody" in refusal(tmp_path, ROLES + function('capability="users.look"'))


def test_two_tables(tmp_path: Path) -> None:
    assert "two tables of roles" in refusal(tmp_path, ROLES + ROLES.replace("roles_of", "others"))


def test_what_is_no_table(tmp_path: Path) -> None:
    assert "a set of capabilities" in refusal(tmp_path, ROLES.replace('{"users.manage"}', '"users.manage"'))
    assert "async function" in refusal(tmp_path, ROLES.replace("async def", "def"))


def test_names_of_system_tables_are_taken(tmp_path: Path) -> None:
    own = '\nclass Mine(Table, name="_audit", system=True):\n    text: str\n'
    assert "Synovia's own" in refusal(tmp_path, own)
