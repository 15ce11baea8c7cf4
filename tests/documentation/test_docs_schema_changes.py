"""docs/schema-changes.md: each case gives its message, and its code mends it, on both stores."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from helpers.documentation_pages import page
from helpers.documentation_programs import write_files
from synovia.functions.registry import load_application
from synovia.keys import BY_ID, prefix
from synovia.migrations.plan import lines_of, plan
from synovia.schema import Document
from synovia.schema.specs import TableSpec
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp

GUIDE = page("docs/schema-changes.md")
FIRST, SECOND = ObjectId("6b0a9039a8807f8456140602"), ObjectId("6b0a9039a8807f8456140603")
MESSAGES = [block.code.strip() for block in GUIDE.code("")]


@pytest.fixture
def files(folder: Path) -> Path:
    """Write the files of the page; one of them also as it is when its field has no default."""
    write_files(GUIDE, folder)
    text = (folder / "clinic_owner.py").read_text()
    (folder / "clinic_owner_required.py").write_text(text.replace(': str = "nobody"', ": str"))
    unique = (folder / "clinic_before.py").read_text()
    unique = unique.replace("import Table", "import Index, Table")
    unique = unique.replace("(Table)", '(Table, indexes=[Index("by_title", "title", unique=True)])')
    (folder / "clinic_unique.py").write_text(unique)
    return folder


async def put(store: Store, *documents: Document) -> None:
    await store.commit(Batch([Write("recordings", each["_id"], None, each) for each in documents]))


async def stored(store: Store, table: str = "recordings") -> list[Document]:
    ts, _ = await store.newest()
    return await store.snapshot(ts).scan(table, BY_ID, prefix(()))


CASES: list[tuple[str, Document, Callable[[list[Document]], bool]]] = [
    ("clinic_owner_required", {"_id": FIRST, "title": "gait"}, lambda found: found[0]["owner"] == "nobody"),
    ("clinic_length", {"_id": FIRST, "title": "gait", "length": "12 s"}, lambda found: found[0]["length"] == 12),
    ("clinic_name", {"_id": FIRST, "title": "gait"}, lambda found: found == [{"_id": FIRST, "name": "gait"}]),
    ("clinic_titles", {"_id": FIRST, "title": "gait"}, lambda found: found[0]["title"] == "gait-"),
    ("clinic_ids", {"_id": None, "title": "gait"}, lambda found: isinstance(found[0]["_id"], ObjectId)),
]


@pytest.mark.parametrize(("name", "document", "mended"), CASES, ids=[name for name, *_ in CASES])
async def test_each_case_gives_its_message_and_is_mended(
    files: Path, any_store: Store, name: str, document: Document, mended: Callable[[list[Document]], bool]
) -> None:
    async with TestApp(files / f"{name}.py", any_store) as app:
        await put(app.store, document)
        [message] = await app.check_documents()
        assert message in MESSAGES
        await app.migrate()
        assert await app.check_documents() == []
        found = await stored(app.store)
        assert len(found) == 1
        assert mended(found)


async def test_a_default_needs_no_migration(files: Path, any_store: Store) -> None:
    async with TestApp(files / "clinic_owner.py", any_store) as app:
        await put(app.store, {"_id": FIRST, "title": "gait"})
        assert await app.check_documents() == []


async def test_a_version_with_both_names_reads_either(files: Path, any_store: Store) -> None:
    async with TestApp(files / "clinic_both.py", any_store) as app:
        await put(app.store, {"_id": FIRST, "title": "gait"}, {"_id": SECOND, "name": "jump"})
        await app.caller().mutation("clinic_both:keep", {"name": "run"})
        assert await app.caller().query("clinic_both:names") == ["gait", "jump", "run"]


async def test_a_renamed_table_is_said_and_its_documents_move(files: Path, any_store: Store) -> None:
    async with TestApp(files / "clinic_measurements.py", any_store) as app:
        await put(app.store, {"_id": FIRST, "title": "gait"})
        await app.server.schema.look()
        assert [str(each) for each in app.server.schema.renamed] == [each for each in MESSAGES if "renamed" in each]
        await app.migrate()
        assert await stored(app.store) == []
        assert [each["title"] for each in await stored(app.store, "measurements")] == ["gait"]


async def test_a_unique_index_that_documents_violate_is_said_by_the_plan(files: Path, any_store: Store) -> None:
    await any_store.open([TableSpec("recordings")])
    try:
        await put(any_store, *({"_id": id_, "title": "gait"} for id_ in (FIRST, SECOND)))
        lines = [*lines_of(await plan(any_store, load_application(files / "clinic_unique.py")))]
        assert any(line.strip() in MESSAGES for line in lines), lines
    finally:
        await any_store.close()


async def test_the_test_on_the_page_passes(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(files))
    test: Callable[[], Awaitable[Any]] = importlib.import_module("test_clinic").test_old_recordings_get_an_owner
    await test()


def test_every_message_on_the_page_is_one_of_these() -> None:
    assert len(MESSAGES) == len(CASES) + 2
