"""What the schedule alone calls, jobs and workflows, takes no argument that it cannot keep: that is refused at start."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.written_applications import refusal_of, write_application
from synovia.functions.registry import load_application

HEAD = """
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

class Colour(Enum):
    RED = "red"

@dataclass
class Pair:
    left: int

class Part(Model):
    sizes: list[set[int]]

class Thing(Table, name="things"):
    name: str
"""
KINDS = {
    "job": "@job\nasync def f(ctx: MutationContext, things: list[Thing], given: {}) -> None: ...\n",
    "workflow": "@workflow\nasync def f(ctx: WorkflowContext, given: {}) -> None: ...\n",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "taken", ["set[int]", "date", "timedelta", "tuple[int, str]", "Pair", "Part", "dict[int, str]"]
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, kind: str, taken: str) -> None:
    told = refusal_of(tmp_path, HEAD + KINDS[kind].format(taken))
    assert "cannot travel" in told or "the keys of a map are strings" in told
    assert ":f: " in told


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "taken", ["int", "Colour", "list[Colour] | None", "Id[Thing]", "Thing", "datetime", "dict[str, Colour]"]
)
def test_what_is_kept_is_taken(tmp_path: Path, kind: str, taken: str) -> None:
    load_application(write_application(tmp_path, HEAD + KINDS[kind].format(taken)))


def test_a_function_that_actions_call_may_be_passed_any_object(tmp_path: Path) -> None:
    source = "@mutation(internal=True)\nasync def f(ctx: MutationContext, given: set[int]) -> None: ...\n"
    load_application(write_application(tmp_path, HEAD + source))
