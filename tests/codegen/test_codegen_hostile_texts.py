"""Whatever stands in names, docstrings and literals of an application, its clients compile and mean the same."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from helpers.compiling import check_convex, expected
from helpers.generated_clients import checked_python, checked_typescript
from helpers.written_applications import write_application
from synovia.codegen import CodegenError, generate
from synovia.functions.registry import load_application

HEAD = "from typing import Annotated, Literal\nfrom pydantic import Field\nfrom synovia import *\n"
NAME = 'a""" b"; print("run"); """\'\n'
KEYS = ['x": 1, **print("run"), "y', "it's", "a\nb", "a\\", "*/", "`${x}`", "ﬁle", "__proto__", "\u2028", "\u202e"]
TEXTS = ["it's", 'a"b', "*/", "\n", "\\", "{0.__class__}", "{", "`${x}`", "\u2028", ""]
_HALF = "half \ud800 a pair" if sys.version_info < (3, 13) else "half  a pair"
"""Later compilers take no such docstring."""
DOCS = [
    '"""quotes""" and """more""""', "*/ export const evil = 1; /*", "ends with \\", 'ends with "\x0b', "\\N{none} \\u12",
    "a\0b", _HALF, "turned \u202eround\u2066", "\x0c", "\x1c\x85", "/", "``*/``", "'''",
]  # fmt: skip


@pytest.fixture
def application(tmp_path: Path) -> Path:
    fields = "\n".join(f"    field{at}: int = Field(alias={key!r})" for at, key in enumerate(KEYS))
    arguments = ", ".join(f"a{at}: Annotated[int, Field(alias={key!r})]" for at, key in enumerate(KEYS))
    functions = [
        f"@query(public=True)\nasync def said{at}(ctx: QueryContext) -> int:\n    {doc!r}\n"
        for at, doc in enumerate(DOCS)
    ]
    texts = f"Literal[{', '.join(map(repr, TEXTS))}]"
    text = f"""
class Thing(Table, name={NAME!r}):
    number: int

class Texts(Model):
    {DOCS[0]!r}
{fields}
    of: Id[Thing]
    told: {texts} = Field(description={DOCS[1]!r})

@mutation(public=True)
async def save(ctx: MutationContext, {arguments}) -> Texts: ...

@query(public=True)
async def choose(ctx: QueryContext, text: {texts}) -> list[{texts}]: ...
"""
    return write_application(tmp_path, {"things.py": "\n".join([text, *functions])}, head=HEAD)


def test_a_python_client_sends_what_it_is_given(
    application: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "hostile_api"
    for file in generate(load_application(application), py=package):
        file.apply()
    sys.path.insert(0, str(tmp_path))
    try:
        module = importlib.import_module("hostile_api.things")
        types = importlib.import_module("hostile_api._types")
    finally:
        sys.path.remove(str(tmp_path))
        for name in [name for name in sys.modules if name.startswith("hostile_api")]:
            del sys.modules[name]
    assert capsys.readouterr().out == ""
    call = module.save(**{f"a{at}": at for at in range(len(KEYS))})
    assert (call.path, dict(call.args)) == ("things:save", {key: at for at, key in enumerate(KEYS)})
    assert [*types.Texts.__annotations__] == [*KEYS, "of", "told"]
    assert dict(module.choose(text="{").args) == {"text": "{"}
    docs = [getattr(module, f"said{at}").__doc__ for at in range(len(DOCS))]
    assert docs == [
        '"""quotes""" and """more"""" ', DOCS[1], DOCS[2], 'ends with " ', DOCS[4],
        "ab", "half  a pair", "turned round", None, None, "/", "``*/``", "'''",
    ]  # fmt: skip


@pytest.mark.slow
def test_both_clients_compile(application: Path, tmp_path: Path) -> None:
    python = f"""
from {application.name}_api import Texts, things

def shown(texts: Texts) -> int:
    return texts["ﬁle"] + texts["__proto__"] + len(texts["of"])

things.choose(text="{{0.__class__}}")
things.choose(text="{{0}}")  # wrong: arg-type
"""
    checked_python(application, python, tmp_path)
    typescript = """
import { api, type Texts } from "./api.js";

export const shown = (texts: Texts): number => texts["ﬁle"] + texts["it's"] + texts["__proto__"] + texts.of.length;
export const told = api.things.choose;
export const evil = api.things.evil; // wrong: TS2339
"""
    checked_typescript(application, typescript, tmp_path)


@pytest.mark.slow
def test_what_a_docstring_says_of_an_id_is_no_field_for_convex(tmp_path: Path) -> None:
    text = """
class Thing(Table, name="things"):
    '''A thing.

    Of which is told:
      _id: what it is known by
    '''

@query(public=True)
async def one(ctx: QueryContext) -> Thing: ...
"""
    folder = tmp_path / "front"
    for file in generate(load_application(write_application(tmp_path, text)), convex=folder / "_generated"):
        file.apply()
    program = """
import type { Doc } from "./_generated/dataModel";

export const made = (thing: Doc<"things">): number => thing._creationTime;
export const other = (thing: Doc<"things">): string => thing._creationTime; // wrong: TS2322
"""
    assert check_convex(program, folder) == expected(program)


@pytest.mark.parametrize("name", ["string", "never", "package", "list", "dict"])
def test_a_model_is_not_called_like_what_a_language_has(tmp_path: Path, name: str) -> None:
    text = f"class {name}(Model):\n    a: int\n\n@query(public=True)\nasync def of(ctx: QueryContext) -> {name}: ...\n"
    application = load_application(write_application(tmp_path, text))
    with pytest.raises(CodegenError, match=f"the name {name} has a meaning in generated clients"):
        generate(application, ts=tmp_path / "ts")


def test_an_argument_is_not_called_like_what_its_function_makes(tmp_path: Path) -> None:
    text = "@query(public=True)\nasync def of(ctx: QueryContext, QueryCall: int) -> int: ...\n"
    application = load_application(write_application(tmp_path, text))
    with pytest.raises(CodegenError, match="the argument QueryCall has another meaning"):
        generate(application, py=tmp_path / "api")
