"""What ``synovia codegen`` writes, leaves alone and refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.compiling import EVERYTHING, GOLDEN
from helpers.forked_commands import run
from synovia.codegen import CodegenError, generate
from synovia.codegen.files import MARK
from synovia.functions.registry import load_application


def codegen(*arguments: str | Path, seed: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, if a seed of hashes is given in a Python that has just started."""
    words, env = ["codegen", *map(str, arguments)], {"COLUMNS": "120"}
    if seed is None:
        return run(words, env)
    command = [sys.executable, "-m", "synovia.cli", *words]
    env |= {"PYTHONHASHSEED": seed}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_the_output_is_the_same_to_the_byte_in_every_process(tmp_path: Path) -> None:
    """When it is to be another: synovia codegen tests/codegen/everything --ts tests/codegen/golden/ts --py ..."""
    ts, py = tmp_path / "deep" / "ts", tmp_path / "everything_api"
    ended = codegen(EVERYTHING, "--ts", ts, "--py", py, seed="1")
    assert ended.returncode == 0, ended.stderr
    assert contents(ts) == contents(GOLDEN / "ts")
    assert contents(py) == contents(GOLDEN / "everything_api")
    assert f"written {ts / 'api.ts'}" in ended.stdout
    assert "token" not in (ts / "api.ts").read_text()  # what only internal functions show is nobody's business
    assert codegen(EVERYTHING, "--ts", ts, "--py", py, seed="2").stdout == ""


def test_only_what_has_changed_is_written_and_stale_files_go(tmp_path: Path) -> None:
    assert codegen(EVERYTHING, "--py", tmp_path / "api").returncode == 0
    package = tmp_path / "api"
    (package / "gone.py").write_text(f"# {MARK}\n")
    (package / "left" / "behind").mkdir(parents=True)
    (package / "mine").mkdir()
    for file in ("left/__init__.py", "left/behind/__init__.py", "left/behind/gone.py", "mine/gone.py"):
        (package / file).write_text(f"# {MARK}\n")
    (package / "mine.py").write_text("mine = 1\n")
    (package / "things.py").write_text(f"# {MARK}\nold\n")
    before = {path.name: path.stat().st_mtime_ns for path in package.iterdir()}
    checked = codegen(EVERYTHING, "--py", package, "--check")
    assert checked.returncode == 1
    gone = ["gone.py", "left/__init__.py", "left/behind/__init__.py", "left/behind/gone.py"]
    assert sorted(checked.stdout.split()) == sorted(
        ["stale"] * 5 + [str(package / file) for file in ["things.py", *gone]]
    )
    assert {path.name: path.stat().st_mtime_ns for path in package.iterdir()} == before
    assert codegen(EVERYTHING, "--py", package).returncode == 0
    after = {path.name: path.stat().st_mtime_ns for path in package.iterdir()}
    assert {name for name in before if before[name] != after.get(name)} == {"gone.py", "left", "things.py"}
    assert not {"gone.py", "left"} & set(after)
    assert (package / "mine" / "gone.py").exists()  # in a folder that was not generated
    assert (package / "mine.py").read_text() == "mine = 1\n"
    assert codegen(EVERYTHING, "--py", package, "--check").returncode == 0


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "api.ts").write_text("export const api = 1;\n")
    ended = codegen(EVERYTHING, "--ts", tmp_path)
    assert ended.returncode == 1
    assert "was not written by `synovia codegen`" in ended.stderr
    assert (tmp_path / "api.ts").read_text() == "export const api = 1;\n"
    file = tmp_path / "file"
    file.write_text("")
    assert "is not a folder" in codegen(EVERYTHING, "--ts", file).stderr
    assert codegen(EVERYTHING, "--ts", file / "below").returncode == 1


def test_the_command_line_says_what_it_needs(tmp_path: Path) -> None:
    assert codegen(EVERYTHING).returncode == 2
    assert codegen(tmp_path / "nowhere", "--ts", tmp_path).returncode == 2
    ended = codegen(EVERYTHING, "--py", tmp_path / "every-thing")
    assert ended.returncode == 1
    assert "'every-thing' cannot be its name" in ended.stderr


HEAD = """
from __future__ import annotations
import datetime, decimal, enum, typing, uuid
import pydantic
from synovia import ArrayRef, Id, Model, Page, QueryContext, Table, query
from pydantic import PlainSerializer

class Other(Table, name="others"):
    x: int
"""


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        (
            "async def f(ctx: QueryContext) -> int | set[int]: ...",
            ["f, its result: set[int] cannot travel; a list can"],
        ),
        (
            "async def f(ctx: QueryContext) -> str | datetime.date: ...",
            ["f, its result: date cannot travel; an aware datetime"],
        ),
        ("async def f(ctx: QueryContext, x: tuple[int, str]) -> None: ...", ["as an argument it is a list"]),
        ("async def f(ctx: QueryContext) -> dict[int, str]: ...", ["the keys of a map are strings, not int"]),
        ("async def f(ctx: QueryContext, x: Id) -> None: ...", ["say of which table the id is"]),
        ("async def f(ctx: QueryContext, x: Id['Elsewhere']) -> None: ...", ["Elsewhere"]),
        (
            "class M(Model):\n    a: int\n    b: list[decimal.Decimal]\n    c: uuid.UUID\n"
            "@query(public=True)\nasync def f(ctx: QueryContext) -> M: ...",
            [".M.b: Decimal cannot travel; a string", ".M.c: UUID cannot travel; a string"],
        ),
        (
            "class C(enum.Enum):\n    A = 'a'\n@query(public=True)\nasync def f(ctx: QueryContext) -> str | C: ...",
            ["f, its result: C cannot travel; use a Literal"],
        ),
        (
            "class M(Model):\n    a: typing.Annotated[int, PlainSerializer(str)]\n"
            "@query(public=True)\nasync def f(ctx: QueryContext) -> M: ...",
            [".M.a: a serializer of its own"],
        ),
        (
            "class ArrayRef(Model):\n    a: int\n@query(public=True)\nasync def f(ctx: QueryContext) -> ArrayRef: ...",
            ["ArrayRef: the name ArrayRef has a meaning"],
        ),
        (
            "def make():\n    class Other(Model):\n        a: int\n    return Other\nB = make()\n"
            "@query(public=True)\nasync def f(ctx: QueryContext) -> Other: ...\n"
            "@query(public=True)\nasync def g(ctx: QueryContext) -> B: ...",
            ["make.<locals>.Other: its name in a client would be Other, as that of", "rename one of them"],
        ),
        (
            "async def do_it(ctx: QueryContext) -> None: ...\n"
            "@query(public=True)\nasync def doIt(ctx: QueryContext) -> None: ...",
            ["would both be", ".doIt; rename one of them"],
        ),
        ("async def datetime(ctx: QueryContext) -> None: ...", ["the name datetime has another meaning"]),
        (
            "def no(): ...\n@query(public=True, name='class')\nasync def f(ctx: QueryContext) -> None: ...",
            [":class: a Python client cannot have a function of this name"],
        ),
    ],
)
def test_what_no_client_can_have_is_told_with_its_place(
    tmp_path: Path, source: str, faults: list[str], request: pytest.FixtureRequest
) -> None:
    name = f"faulty_{abs(hash(request.node.name)):x}"
    declared = source if source.startswith(("class", "def")) else f"@query(public=True)\n{source}"
    (tmp_path / f"{name}.py").write_text(f"{HEAD}\n{declared}\n")
    try:
        with pytest.raises((CodegenError, TypeError)) as raised:
            generate(load_application(tmp_path / f"{name}.py"), ts=tmp_path / "ts", py=tmp_path / "py")
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop(name, None)
    for fault in faults:
        assert fault in str(raised.value)
    assert not (tmp_path / "ts").exists()
