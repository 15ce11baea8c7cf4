"""Names in the text of the pages exist: of modules and what is in them, of what a context offers, of commands."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Iterator

import pytest
import typer
from typer.main import get_command

from helpers.documentation_pages import Page, pages
from motion.cli.commands import app as motion_commands
from synovia import ActionContext, MutationContext, QueryContext, WorkflowContext
from synovia.cli.commands import app as synovia_commands
from synovia.engine import mutations, tracing
from synovia.functions.context import ArrayWriter
from synovia.functions.database import DatabaseWriter
from synovia.functions.row_rules import RuleReader
from synovia.functions.services import Mail, MutationScheduler
from synovia.tracing import spans as tracer

OFFERED = {
    "": (QueryContext, MutationContext, ActionContext, WorkflowContext),
    "db": (DatabaseWriter, RuleReader),
    "arrays": (ArrayWriter,),
    "scheduler": (MutationScheduler,),
    "mail": (Mail,),
}
TRACERS = [inspect.getsource(each) for each in (tracing, mutations, tracer)]
PROGRAMS = {"synovia": synovia_commands, "synovia-motion": motion_commands}
PAGES = [page for page in pages() if page.name != "CHANGELOG.md"]  # that one also tells what there was


def spans(page: Page) -> Iterator[tuple[int, str]]:
    """Give what stands between backticks, with the numbers of the lines."""
    return ((line, span) for line, text in page.prose for span in re.findall(r"`([^`]+)`", text))


def is_there(name: str) -> bool:
    """Tell whether a dotted name leads to something."""
    module, *rest = name.split(".")
    found: object = importlib.import_module(module)
    for part in rest:
        module = f"{module}.{part}"
        if not hasattr(found, part):
            try:
                found = importlib.import_module(module)
            except ModuleNotFoundError:
                return False
        else:
            found = getattr(found, part)
    return True


def is_traced(name: str) -> bool:
    """Tell whether a span or an attribute of one has this name."""
    last = name.rpartition(".")[2]
    return any(f'"{name}"' in text or re.search(rf"[._]part\(.*\b{last}=", text) is not None for text in TRACERS)


@functools.cache
def offers(attribute: str, name: str) -> bool:
    """Tell whether a context, or what it holds under an attribute, has a name."""
    return any(
        hasattr(kind, name) or re.search(rf"self\.{name}\b", inspect.getsource(kind)) is not None
        for kind in OFFERED[attribute]
    )


@functools.cache
def commands_of(program: typer.Typer) -> set[str]:
    return set(get_command(program).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_dotted_names_exist(page: Page) -> None:
    for line, span in spans(page):
        if match := re.match(r"(?:synovia(?:_client|_protocol)?|motion)(?:\.[A-Za-z_]\w*)+(?![\w.])", span):
            assert match[0] == "synovia.v1" or is_there(match[0]) or is_traced(match[0]), (
                f"{page.name}:{line}: {match[0]}"
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_contexts_offer_exists(page: Page) -> None:
    for line, span in spans(page):
        for attribute, name in re.findall(r"\bctx\.(?:(db|arrays|scheduler|mail)\.)?([a-z_]+)", span):
            assert offers(attribute, name), f"{page.name}:{line}: {span}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Page) -> None:
    text = [*spans(page), *((block.line, line) for block in page.code("") for line in block.code.splitlines())]
    for line, span in text:
        for program, command in re.findall(r"(?:^|(?<!from) |/)(synovia(?:-motion)?) ([a-z]+)\b", span):
            assert command in commands_of(PROGRAMS[program]), f"{page.name}:{line}: {program} {command}"


def test_names_that_do_not_exist_are_found() -> None:
    assert is_there("synovia.store.base")
    assert is_there("synovia.Synovia.start")
    assert not is_there("synovia.engine.querying")
    assert not is_there("synovia.Table.nothing")
    assert offers("", "run_query")
    assert not offers("db", "upsert")
