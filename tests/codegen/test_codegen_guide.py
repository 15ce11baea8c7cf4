"""What docs/codegen.md shows compiles, and says what is said there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.compiling import ROOT, check_typescript
from helpers.documentation_pages import page
from synovia.codegen import CodegenError, generate
from synovia.functions.registry import load_application

GUIDE = (ROOT / "docs" / "codegen.md").read_text(encoding="utf-8")
CHAT = """
from __future__ import annotations

from synovia import Id, MutationContext, QueryContext, Table, mutation, query


class Message(Table, name="messages"):
    text: str


@query(public=True)
async def newest(ctx: QueryContext, limit: int = 50) -> list[Message]:
    return await ctx.db.query(Message).order("desc").take(limit)


@mutation(public=True)
async def send(ctx: MutationContext, text: str) -> Id[Message]:
    return await ctx.db.insert(Message(text=text))
"""


def block(language: str) -> str:
    (found,) = page("docs/codegen.md").code(language)
    return found.code


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Path]:
    application = tmp_path / "application" / "talk"
    application.mkdir(parents=True)
    (application / "__init__.py").write_text("")
    (application / "messages.py").write_text(CHAT)
    yield application
    sys.path.remove(str(application.parent))
    for name in ("talk", "talk.messages"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_the_example_in_typescript_compiles(chat: Path, tmp_path: Path) -> None:
    ts = tmp_path / "api"
    for found in generate(load_application(chat), ts=ts):
        found.apply()
    assert check_typescript(block("ts").replace("./api/api", "./api"), tmp_path, ts) == set()


def test_faults_are_told_as_shown(chat: Path, tmp_path: Path) -> None:
    source = CHAT.replace("text: str\n", "text: str\n    size: Annotated[int, PlainSerializer(str)]\n", 1)
    source += "\n@query(public=True)\nasync def authors(ctx: QueryContext) -> str | set[str]:\n    return ''\n"
    imports = "from typing import Annotated\nfrom pydantic import PlainSerializer\n"
    (chat / "messages.py").write_text(source.replace("from synovia import", f"{imports}from synovia import", 1))
    with pytest.raises(CodegenError) as raised:
        generate(load_application(chat), ts=tmp_path / "api")
    shown = re.findall(r"```\nerror: (.*?)\n```", GUIDE, re.DOTALL)
    assert [str(raised.value).replace("talk.messages.", "chat.schema.")] == shown
