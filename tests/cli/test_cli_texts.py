"""What is printed is what was said: texts of users and lines of files stand in it as they are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import typer

from synovia.cli.reporting import fail, say

ROOT = Path(__file__).resolve().parents[2]
TEXT = ":smile: at 12:100: [bold]all[/bold]"


def test_a_line_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say(TEXT)
    assert capsys.readouterr().out == f"{TEXT}\n"


def test_an_error_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        fail(TEXT, 1)
    assert capsys.readouterr().err == f"error: {TEXT}\n"


def test_what_a_terminal_would_obey_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    say("\x1b[2J\x9b31m\r\x07 \u202egpj.exe \ud800 \u3000日本語 \U0001f469\u200d\U0001f4bb")
    with pytest.raises(typer.Exit):
        fail("\x1b]0;title\x07", 1)
    told = capsys.readouterr()
    shown = "\\u001b[2J\\u009b31m\\u000d\\u0007 \\u202egpj.exe \\ud800 \u3000日本語 \U0001f469\u200d\U0001f4bb"
    assert (told.out, told.err) == (f"{shown}\n", "error: \\u001b]0;title\\u0007\n")


def test_no_console_makes_pictures_of_words() -> None:
    consoles = {
        f"{path.relative_to(ROOT)}:{call.lineno}": {each.arg: ast.unparse(each.value) for each in call.keywords}
        for folder in ("server/synovia", "apps")
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Console"
    }
    assert consoles
    assert [place for place, options in consoles.items() if options.get("emoji") != "False"] == []
