"""What goes along with a document may be too much for one mutation: it is gone for everybody at once, and goes by and by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from apps import households
from synovia import FunctionError
from synovia.functions import cascades, deletion
from synovia.functions.registry import collect
from synovia.store.base import Store
from synovia.store.contents import all_documents
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

REGISTRY = collect("households", [households])
PERSONS, TOYS = 30, 45


@pytest.fixture
async def app(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestApp]:
    monkeypatch.setattr(deletion, "AT_ONCE", 10)
    monkeypatch.setattr("synovia.functions.database.STEP", 7)
    async with TestApp(REGISTRY, any_store) as app:
        for name in ("large", "other"):
            await app.trusted.mutation("households:settle", {"name": name, "persons": PERSONS, "toys": TOYS})
        yield app


async def stored(app: TestApp, table: str) -> int:
    return len(await all_documents(app.store, table))


async def test_all_of_it_is_gone_with_the_commit_and_deleted_by_and_by(app: TestApp) -> None:
    ann = app.caller("ann@example.org")
    await ann.mutation("households:lend", {"household": "large", "to": "other"})
    person = await app.trusted.query("households:first_of", {"household": "large"})
    alone = {
        "households": ["other"], "persons": PERSONS, "listed": PERSONS, "groups": {"other": PERSONS},
        "toys": TOYS + 1, "lent": 1,
    }  # fmt: skip
    async with ann.subscribe("households:census") as shown, ann.subscribe("households:page") as page:
        assert shown.value["persons"] == 2 * PERSONS
        assert await ann.mutation("households:leave", {"household": "large"}) == 0, "the mutation itself sees it, too"
        assert shown.value == alone
        assert {each["householdId"] for each in page.value["items"]} == {"other"}
        assert await stored(app, "persons") == 2 * PERSONS, "nothing of it has been deleted yet"
        for path, args, code in (
            ("rename", {"person": person}, "not_found"),
            ("found", {"name": "large"}, "unique_violation"),
            ("leave", {"household": "large"}, "not_found"),
            ("lend", {"household": "other", "to": "other"}, None),
        ):
            assert await code_of(ann.mutation(f"households:{path}", args)) == code
        assert await app.trusted.query("households:census") == alone | {"toys": TOYS + 2, "lent": 2}
        await app.advance()
        assert shown.value == alone | {"toys": TOYS + 2, "lent": 1}, (
            "what a person of theirs has lent is not theirs now"
        )
    assert (await stored(app, "persons"), await stored(app, "toys")) == (PERSONS, TOYS + 2)
    assert await stored(app, cascades.CASCADES.name) == 0
    await ann.mutation("households:found", {"name": "large"})
    entries = [each for each in await all_documents(app.store, "_audit") if each["action"] == "persons.delete"]
    assert {each["actor"] for each in entries} == {"dev|ann@example.org"}
    assert len(entries) == PERSONS


async def test_a_small_one_goes_at_once(app: TestApp) -> None:
    await app.trusted.mutation("households:settle", {"name": "small", "persons": 3, "toys": 3})
    await app.caller().mutation("households:leave", {"household": "small"})
    assert await stored(app, "persons") == 2 * PERSONS
    assert await stored(app, cascades.CASCADES.name) == 0


async def test_it_asks_the_database_nothing_as_long_as_nothing_is_going(
    app: TestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = app.caller()
    await ann.query("households:census")
    snapshots, asked = type(app.store.snapshot(app.engine.head)), list[str]()

    def noting(read: Any) -> Any:
        async def noted(self: Any, table: str, *args: Any, **more: Any) -> Any:
            asked.append(table)
            return await read(self, table, *args, **more)

        return noted

    for name in ("get", "scan"):
        monkeypatch.setattr(snapshots, name, noting(getattr(snapshots, name)))
    await ann.query("households:census")
    await ann.mutation("households:lend", {"household": "large", "to": "other"})
    assert {"persons", "toys"} & set(asked)
    assert cascades.CASCADES.name not in asked
    await ann.mutation("households:leave", {"household": "large"})
    await ann.query("households:census")
    assert cascades.CASCADES.name in asked


async def code_of(call: object) -> str | None:
    try:
        await call  # type: ignore[misc]
    except FunctionError as error:
        return error.code
    return None
