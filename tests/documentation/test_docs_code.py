"""Every block of Python on every page is checked by ``mypy --strict``, or says why not; other files are read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from helpers.documentation_pages import ROOT, Page, page, pages
from helpers.documentation_programs import context_of, program_of, write_chat, write_files, write_program
from synovia.codegen import generate
from synovia.functions.registry import load_application

LANGUAGES = {"", "console", "ini", "json", "jsx", "python", "toml", "ts", "tsx", "yaml"}
READERS = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
GUIDES = [each for each in pages() if each.code("python")]


def faults(programs: Sequence[Path], *packages: Path) -> str:
    """Give what mypy finds in programs that may import these packages."""
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=pyproject.toml", "--no-error-summary", *map(str, programs)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": os.pathsep.join(str(package.parent) for package in packages)},
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    return ended.stdout


def on_pages(found: str) -> str:
    """Say of each fault on which page and line it is."""

    def place(match: re.Match[str]) -> str:
        guide = next(each for each in GUIDES if module_name(each) == match[1])
        return f"{guide.name}:{int(match[2]) - context_of(guide).count(chr(10))}:"

    return re.sub(r"^\S*?(guide_\w+)\.py:(\d+):", place, found, flags=re.MULTILINE)


def module_name(guide: Page) -> str:
    return f"guide_{guide.path.stem.replace('-', '_').lower()}"


@pytest.mark.slow
@pytest.mark.timeout(1_200)  # one long computation
def test_every_program_has_the_right_types(folder: Path) -> None:
    chat = write_chat(folder)
    for written in generate(load_application(chat), py=folder / "chat_api"):
        written.apply()
    programs = [write_program(guide, folder / f"{module_name(guide)}.py") for guide in GUIDES]
    files = [file for guide in GUIDES for file in write_files(guide, folder) if file.suffix == ".py"]
    wrong = folder / "wrong.py"
    wrong.write_text("print(1 + '')\n", encoding="utf-8")
    found = on_pages(faults([*programs, *files, wrong], chat, folder / "chat_api")).splitlines()
    seen = [line for line in found if "wrong.py:1: error: Unsupported operand" in line]
    assert seen, "mypy has not seen what is wrong"
    assert [line for line in found if line not in seen] == []


def test_a_fault_is_told_with_its_place_on_the_page() -> None:
    functions = page("docs/functions.md")
    line = context_of(functions).count("\n") + 4
    assert on_pages(f"/tmp/x/{module_name(functions)}.py:{line}: error: no") == "docs/functions.md:4: error: no"
    assert on_pages("/tmp/x/other.py:4: error: no") == "/tmp/x/other.py:4: error: no"


@pytest.mark.parametrize("guide", pages(), ids=lambda guide: guide.name)
def test_every_block_says_what_it_is(guide: Page) -> None:
    for block in guide.blocks:
        where = f"{guide.name}:{block.line}"
        assert block.language in LANGUAGES or block.language.startswith("{"), f"{where}: {block.language!r}"
        assert block.unchecked is None or len(block.unchecked) > 10, f"{where}: say why nobody checks it"
        if block.language in READERS:
            READERS[block.language](block.code)


def test_what_nobody_checks_is_little() -> None:
    unchecked = [f"{guide.name}:{block.line}" for guide in pages() for block in guide.blocks if block.unchecked]
    assert unchecked == []
    assert sum(len(program_of(guide)) for guide in GUIDES) > 20
