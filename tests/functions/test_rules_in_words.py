"""Rules that are said in words, and roles that hold in one tenant alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from apps import galleries
from helpers.written_applications import refusal_of
from synovia import FunctionError, SchemaError, Table
from synovia.functions.registry import collect
from synovia.store.base import Store
from synovia.testing import TestApp

pytestmark = pytest.mark.alike

REGISTRY = collect("galleries", [galleries])
SHOWN = ["n shown", "s shown"]


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(REGISTRY, any_store) as app:
        yield app


@pytest.fixture
async def both(app: TestApp) -> list[str]:
    """Give two galleries."""
    found: list[str] = await app.trusted.mutation("galleries:furnish")
    return found


async def appointed(app: TestApp, who: str, role: str, gallery: str | None = None) -> None:
    args: dict[str, Any] = {"authId": f"dev|{who}", "role": role}
    await app.trusted.mutation("galleries:appoint", args | ({} if gallery is None else {"galleryId": gallery}))


async def refused(call: Any) -> str:
    with pytest.raises(FunctionError) as error:
        await call
    return error.value.code


async def test_each_word_shows_what_it_says(app: TestApp, both: list[str]) -> None:
    north, _ = both
    assert await app.caller().query("galleries:titles") == SHOWN
    assert await app.caller("paul@art.org").query("galleries:titles") == ["n hidden", "n shown", "s hidden", "s shown"]
    await appointed(app, "gil@art.org", "guard", north)
    assert await app.caller("gil@art.org").query("galleries:titles") == ["n hidden", *SHOWN]
    assert await app.caller("gil@art.org").query("galleries:counted") == [1, 3]
    await appointed(app, "ada@art.org", "curator")
    assert await app.caller("ada@art.org").query("galleries:counted") == [2, 4]
    assert await app.caller("ada@art.org").query("galleries:hanging_in") is None


async def test_a_role_in_one_tenant_counts_there_alone_and_ends_at_once(app: TestApp, both: list[str]) -> None:
    (north, south), cy = both, app.caller("cy@art.org")
    async with cy.subscribe("galleries:titles") as titles:
        await appointed(app, "cy@art.org", "curator", north)
        assert titles.value == ["n hidden", *SHOWN]
        assert await cy.query("galleries:hanging_in") == [north]
        assert await refused(cy.query("galleries:for_all")) == "forbidden"
        for forgetful in (False, True):
            await cy.mutation("galleries:hang", {"galleryId": north, "title": "new", "forgetful": forgetful})
            call = cy.mutation("galleries:hang", {"galleryId": south, "title": "new", "forgetful": forgetful})
            assert await refused(call) == "forbidden"
        await appointed(app, "cy@art.org", "", north)
        assert titles.value == SHOWN
    assert await refused(cy.mutation("galleries:hang", {"galleryId": north, "title": "late"})) == "forbidden"


class Lone(Table, name="lones"):
    text: str


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "say owner, capability or where; it names Lone, and nobody"),
        ({"owner": "author"}, "Lone has no field 'author'"),
        ({"capability": "look", "within": "place"}, "Lone has no field 'place'"),
    ],
)
def test_words_that_cannot_be_meant_are_refused_where_they_stand(
    tmp_path: Path, words: dict[str, str], message: str
) -> None:
    for allow in ("allow_read", "allow_write"):
        declared = f"class Lone(Table, name='lones'):\n    text: str\n\n{allow}(Lone, **{words!r})\n"
        assert re.fullmatch(rf"\S+\.py:\d+: {message}", refusal_of(tmp_path, declared))


def test_a_capability_that_nobody_has_is_refused_at_start() -> None:
    module = ModuleType("lonely")
    module.__dict__["Lone"] = Lone
    exec(compile("import synovia\n\nsynovia.allow_read(Lone, capability='fly')", "lonely.py", "exec"), module.__dict__)
    with pytest.raises(SchemaError, match=r"^lonely\.py:3: the application has no table of roles"):
        collect("lonely", [module])
    with pytest.raises(SchemaError, match=r"^lonely\.py:3: the table of roles grants the capability 'fly' to nobody"):
        collect("lonely", [module, galleries])
