"""What is stored is compared with what is declared: said by table, id and field, counted, and no reason to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pytest
from bson import ObjectId
from pydantic import Field

from helpers.application_versions import version
from helpers.patience import PATIENCE
from helpers.reopened_stores import Reopened
from helpers.waiting import until
from synovia import Model, MutationContext, Table, migration
from synovia.app import Synovia
from synovia.config import Settings
from synovia.functions.registry import Registry
from synovia.migrations import service
from synovia.migrations.check import TableCheck, check_table, fingerprint, look_again
from synovia.migrations.plan import lines_of, plan
from synovia.schema import Document
from synovia.schema.specs import TableSpec
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp

OLD: Document = {"_id": ObjectId("6b0a9039a8807f8456140602"), "title": "gait", "length": "12"}
KEPT: Document = {"_id": ObjectId("6b0a9039a8807f8456140603"), "title": "jump", "length": 12, "owner": "ann"}


class Recording(Table, name="recordings"):
    title: str
    length: int | str
    owner: str | None = None


class WithOwner(Table, name="recordings"):
    title: str
    length: int | str
    owner: str


class WithNumber(Table, name="recordings"):
    title: str
    length: int


class Renamed(Table, name="recordings"):
    name: str


class Narrowed(Table, name="recordings"):
    title: Literal["jump"]


class Bounded(Table, name="recordings"):
    title: Annotated[str, Field(min_length=5)]


class Measurement(Table):
    """The same table, by another class and so by another name."""

    title: str
    length: int | str
    owner: str | None = None


async def keep(store: Store, *documents: Document, table: str = "recordings") -> None:
    await store.open([TableSpec(table)])
    await store.commit(Batch([Write(table, each["_id"], None, each) for each in documents]))
    await store.close()


@asynccontextmanager
async def started(registry: Registry, store: Store) -> AsyncIterator[Synovia]:
    """Run a server as it is served, and wait until it has compared everything."""
    app = Synovia(registry, store=store, settings=Settings(store=None), development=True)
    async with asyncio.timeout(PATIENCE), app.lifespan():
        await until(lambda: app.schema._check == "done")
        yield app


class Verse(Model):
    first_line: str = ""


class Song(Table, name="songs"):
    play_count: int = 0
    verses: list[Verse] = []


async def test_a_field_under_its_name_in_python_is_named_once_at_start_and_in_the_plan(
    reopened: Reopened, caplog: pytest.LogCaptureFixture
) -> None:
    found: list[Document] = [
        {"_id": "a", "playCount": 1, "verses": [{"firstLine": "O"}], "more": 1},
        {"_id": "b", "play_count": 1, "verses": [{"first_line": "O"}, {"first_line": "P"}]},
        {"_id": "c", "play_count": 2},
    ]
    await keep(reopened.store(), *found, table="songs")
    told = "which is {} in the database: no condition and no index finds it under this name"
    faults = [f"play_count, {told.format('playCount')}", f"verses.first_line, {told.format('firstLine')}"]
    registry = version("music", Song)
    async with started(registry, reopened.store()) as app:
        warned = [each.getMessage() for each in caplog.records if "no index finds it" in each.getMessage()]
        assert warned == [f"the document b of songs has {fault}" for fault in faults]
        assert (await app.health.report())["schema"] == "ok"
        lines = [*lines_of(await plan(app.store, registry))]
        assert lines[-4:-1] == ["songs: 3 documents", *(f"  b  {fault}" for fault in faults)]


CHANGES: list[tuple[type[Table], str]] = [
    (WithOwner, "owner: Field required"),
    (WithNumber, "length: Input should be a valid integer"),
    (Renamed, "name: Field required"),
    (Narrowed, "title: Input should be 'jump'"),
    (Bounded, "title: String should have at least 5"),
]


@pytest.mark.parametrize(("model", "fault"), CHANGES, ids=[model.__name__ for model, _ in CHANGES])
async def test_a_changed_declaration_is_said_at_start(
    reopened: Reopened, caplog: pytest.LogCaptureFixture, model: type[Table], fault: str
) -> None:
    old = {**OLD, "length": "long"} if model is WithNumber else OLD
    await keep(reopened.store(), old, KEPT)
    async with started(version("motion", model), reopened.store()) as app:
        line = f"the document 6b0a9039a8807f8456140602 of recordings cannot be read: {fault}"
        assert any(line in record.getMessage() for record in caplog.records), caplog.text
        report = await app.health.report()
        wrong = 2 if model in (Renamed, Bounded) else 1
        assert (report["status"], report["unreadableDocuments"], report["schemaCheck"]) == ("degraded", wrong, "done")
        text = "a document does not fit its table" if wrong == 1 else "2 documents do not fit their tables"
        assert report["schema"] == f"{text}: see the log"
        assert report["faults"][0]["permanent"]


@pytest.mark.parametrize(
    ("id_", "named"), [(None, "null"), (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"), (5, "5")]
)
async def test_a_strange_id_is_said_at_start(
    reopened: Reopened, caplog: pytest.LogCaptureFixture, id_: Any, named: str
) -> None:
    await keep(reopened.store(), KEPT, {**OLD, "_id": id_})
    async with started(version("motion", Recording), reopened.store()) as app:
        assert len(app.engine.unreadable) == 1
        assert f"the document {named} of recordings cannot be read: _id: an id is a string" in caplog.text


async def test_a_renamed_table_is_said_at_start(reopened: Reopened, caplog: pytest.LogCaptureFixture) -> None:
    await keep(reopened.store(), OLD, KEPT)
    async with started(version("motion", Measurement), reopened.store()) as app:
        assert "the table 'measurements' is empty, but the database holds 'recordings'" in caplog.text
        assert "class Measurement(Table, name='recordings')" in caplog.text
        report = await app.health.report()
        assert (report["status"], report["schema"]) == (
            "degraded",
            "a table seems to have been renamed: see the log",
        )


async def test_tables_of_other_programs_are_nobodys_business(
    reopened: Reopened, caplog: pytest.LogCaptureFixture
) -> None:
    await keep(reopened.store(), {"_id": 1, "unit": "ml", "price": 5}, table="orders")
    async with started(version("motion", Measurement), reopened.store()) as app:
        assert (await app.health.report())["status"] == "ok"
        assert "orders" not in caplog.text


async def test_what_a_migration_mends_is_no_fault_any_more(reopened: Reopened) -> None:
    @migration(Renamed)
    async def title_becomes_name(ctx: MutationContext, document: Document) -> None:
        document["name"] = document.pop("title")

    await keep(reopened.store(), OLD, KEPT)
    async with started(version("motion", Renamed, title_becomes_name), reopened.store()) as app:
        report = await app.health.report()
        assert (report["schema"], report["unreadableDocuments"], report["pendingMigrations"]) == ("ok", 0, 0)


async def test_all_documents_are_looked_at_once_and_a_restart_goes_on(
    reopened: Reopened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what a sample would find: one in the middle of many."""
    monkeypatch.setattr(service, "REST", 0.0)
    many = [{"_id": ObjectId(f"{n:024x}"), "title": "x", "length": n} for n in range(400)]
    many[200]["title"] = 7
    await keep(reopened.store(), *many)
    registry = version("motion", Recording)
    async with started(registry, reopened.store()) as app:
        [misfit] = app.engine.unreadable.of("recordings")
        assert (misfit.key, misfit.field, app.schema.documents) == (many[200]["_id"], "title", 400)
    async with started(registry, reopened.store()) as app:
        assert len(app.engine.unreadable) == 1  # it might have been mended meanwhile, so all are looked at again
        [found] = app.engine.unreadable.of("recordings")
        await app.store.commit(Batch([Write("recordings", found.key, many[200], many[200] | {"title": "y"})]))
        await app.schema.look_again()
        assert len(app.engine.unreadable) == 0
    for expected in (400, 0):
        async with started(registry, reopened.store()) as app:
            assert app.schema.documents == expected


async def test_a_check_goes_on_where_it_stopped(any_store: Store) -> None:
    async with TestApp(version("motion", Recording), any_store) as app:
        documents = [{"_id": ObjectId(f"{n:024x}"), "title": "x", "length": n} for n in range(100)]
        await app.store.commit(Batch([Write("recordings", each["_id"], None, each) for each in documents]))
        first = TableCheck()
        async for _ in check_table(app.store, Recording, first):
            break
        assert 0 < first.documents < 100
        rest = TableCheck(after=first.after)
        assert [misfits async for misfits in check_table(app.store, Recording, rest) if misfits] == []
        assert first.documents + rest.documents == 100


async def test_a_check_passes_every_kind_of_id_in_their_order(any_store: Store) -> None:
    ids = [None, -1, 2.5, 3, "a", "b b", {"x": 1}, ObjectId(), True, datetime(2026, 1, 1, tzinfo=UTC)]
    async with TestApp(version("motion", Recording), any_store) as app:
        documents = [{"_id": id_, "title": "x", "length": 1} for id_ in ids] * 1
        documents += [{"_id": ObjectId(), "title": "x", "length": 1} for _ in range(60)]
        await app.store.commit(Batch([Write("recordings", each["_id"], None, each) for each in documents]))
        found = await app.check_documents()
        assert len(found) == 7  # all but the texts and the ObjectIds
        check = TableCheck()
        async for misfits in check_table(app.store, Recording, check):
            for misfit in misfits:
                app.engine.unreadable.note(misfit)
        assert (check.documents, check.misfits) == (70, 7)
        await look_again(app.store, app.registry.models, app.engine.unreadable)
        assert len(app.engine.unreadable) == 7


def test_another_declaration_has_another_fingerprint() -> None:
    assert len({fingerprint(model) for model in (Recording, WithOwner, WithNumber, Narrowed)}) == 4
    assert fingerprint(Recording) == fingerprint(Recording)
