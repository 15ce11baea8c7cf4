"""An export of one database into another one: equal document by document, at one instant, once however often it is run."""

from __future__ import annotations

import asyncio
import io
import itertools
import re
import tarfile
import threading
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from helpers.exported_store import NOTES, TABLES, VALUES, array_bytes, bodies, fill, insert
from synovia.export.archive import Archive
from synovia.export.checking import check
from synovia.export.errors import ExportError, ImportRefused
from synovia.export.exporting import table_to_file
from synovia.export.importing import ImportResult, differences, import_archive
from synovia.export.manifest import Manifest
from synovia.export.writing import IMPORTS, Progress, Told, export_store
from synovia.schema.specs import Document, TableSpec
from synovia.store import open_store
from synovia.store.base import Batch, Store, Write
from synovia.store.mongo import MongoStore


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    await store.open([*TABLES, IMPORTS])
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def database_name(unused_database: str) -> str:
    """Give the name of a database in which nothing is yet, as all that is in one is compared."""
    return unused_database


@pytest.fixture
async def source(any_store: Store) -> AsyncIterator[Store]:
    async with opened(any_store) as store:
        await fill(store)
        yield store


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def target(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Give another empty database."""
    if request.param == "sqlite":
        made: Store = open_store("sqlite://:memory:")
    else:
        name = request.getfixturevalue("database_name") + "_target"
        made = MongoStore(request.getfixturevalue("mongodb_uri"), name)
    async with opened(made) as store:
        yield store
        if isinstance(store, MongoStore):
            await store._driver.command({"dropDatabase": 1})


async def written(store: Store, path: Path, kind: Literal["export", "backup"] = "backup") -> Manifest:
    with path.open("wb") as file:
        return await export_store(store, file, kind=kind)


class _Held(io.BufferedWriter):
    """A file that takes nothing before something has happened."""

    def __init__(self, path: Path, something: threading.Event) -> None:
        super().__init__(io.FileIO(path, "wb"))
        self._something = something

    def write(self, data: Any) -> int:
        self._something.wait(60)
        return super().write(data)


async def written_after(store: Store, path: Path, something: threading.Event) -> Manifest:
    with _Held(path, something) as file:
        return await export_store(store, file, kind="backup")


async def brought(path: Path, store: Store, **options: Any) -> ImportResult:
    with Archive(path) as archive:
        check(archive)
        return await import_archive(archive, store, **options)


async def test_both_databases_are_equal(source: Store, target: Store, tmp_path: Path) -> None:
    path = tmp_path / "all.synovia"
    manifest = await written(source, path)
    done = await brought(path, target)
    assert await bodies(target) == await bodies(source)
    arrays = await array_bytes(target)
    assert (len(arrays), done.arrays, manifest.arrays.count) == (4, 4, 4)
    assert arrays.items() <= (await array_bytes(source)).items()
    assert await differences(target, manifest) == []
    assert await target.clock() == await source.clock() == 1 << 50, "ids that are made now come after those imported"
    assert {each.table: each.made for each in done.tables} == {
        "_migrations": 1, "_sessions": 1, "notes": len(VALUES) + 1, "recordings": 4,
    }  # fmt: skip


async def test_an_export_is_without_what_belongs_to_one_installation(source: Store, tmp_path: Path) -> None:
    manifest = await written(source, tmp_path / "x.synovia", "export")
    assert [*manifest.tables] == ["_migrations", "notes", "recordings"]


async def test_it_is_one_instant_while_others_write(source: Store, tmp_path: Path) -> None:
    before = await bodies(source)
    [first] = await source.snapshot((await source.newest())[0]).get("notes", ["n00"])
    some = threading.Event()
    exporting = asyncio.create_task(written_after(source, tmp_path / "x.synovia", some))
    moved: list[Document | None] = [first]
    while not exporting.done():  # every commit moves a document of the first table and makes one in the last
        after = {"_id": "n00", "name": 0, "value": len(moved)}
        await source.commit(
            Batch(
                [
                    Write("notes", "n00", moved[-1], after),
                    Write("recordings", f"z{len(moved)}", None, {"_id": f"z{len(moved)}"}),
                ]
            )
        )
        moved.append(after)
        if len(moved) > 2:
            some.set()
    await exporting
    target = open_store("sqlite://:memory:")
    async with opened(target):
        await brought(tmp_path / "x.synovia", target)
        found = await bodies(target)
    changed = found["notes"] != before["notes"]
    assert changed == (len(found["recordings"]) > 4), "both or none of a commit"
    assert [each for each in found["notes"] if b"n00" not in each] == [
        each for each in before["notes"] if b"n00" not in each
    ]


class _Killed(Exception):
    pass


async def test_it_goes_on_where_it_was_killed_and_does_nothing_twice(
    source: Store, target: Store, tmp_path: Path
) -> None:
    path = tmp_path / "x.synovia"
    await insert(source, "notes", *({"_id": f"o{number:04}", "name": f"o{number}"} for number in range(1200)))
    manifest = await written(source, path)

    def killing(last: int) -> Told:
        reports = itertools.count(1)

        def kill(_: Progress) -> None:
            if next(reports) == last:
                raise _Killed

        return kill

    for last in (2, 5, 8):  # amid the arrays, between batches of documents
        with pytest.raises(_Killed):
            await brought(path, target, told=killing(last))
    done = await brought(path, target)
    assert done.resumed
    assert done.arrays_there == 4
    assert sum(each.there for each in done.tables) > 500
    assert sum(each.changed for each in done.tables) == 0
    assert await differences(target, manifest) == []
    assert IMPORTS.name not in await bodies(target)


async def test_it_is_refused_where_documents_are_unless_that_is_said(source: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.synovia"
    await written(source, path)
    target = open_store("sqlite://:memory:")
    async with opened(target):
        await insert(target, "notes", {"_id": "n00", "name": "own"})
        with pytest.raises(ImportRefused, match="--into-existing"):
            await brought(path, target)
        assert await bodies(target, ["notes", IMPORTS.name]) == await bodies(target, ["notes"])
        done = await brought(path, target, into_existing=True, skip=["recordings"])
        notes = next(each for each in done.tables if each.table == "notes")
        assert (notes.made, notes.there, notes.changed) == (len(VALUES), 1, 1)
        assert "recordings" not in await bodies(target)


async def test_another_file_is_refused_until_the_first_is_in(source: Store, tmp_path: Path) -> None:
    first, second = tmp_path / "first.synovia", tmp_path / "second.synovia"
    await written(source, first)
    await insert(source, "notes", {"_id": "more", "name": "more"})
    await written(source, second)
    target = open_store("sqlite://:memory:")

    def kill(_: Progress) -> None:
        raise _Killed

    async with opened(target):
        with pytest.raises(_Killed):
            await brought(first, target, told=kill)
        with pytest.raises(ImportRefused, match=r"first\.synovia"):
            await brought(second, target, into_existing=True)
        await brought(first, target)


async def test_a_unique_index_names_the_line(source: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.synovia"
    await written(source, path)
    target = open_store("sqlite://:memory:")
    async with opened(target):
        await insert(target, "notes", {"_id": "own", "name": 3})
        with pytest.raises(ExportError, match=r"documents/notes/000001\.jsonl\.gz:4: .*by_name"):
            await brought(path, target, into_existing=True)


async def test_what_is_not_as_in_the_file_is_told(source: Store, tmp_path: Path) -> None:
    manifest = await written(source, tmp_path / "x.synovia")
    [old] = await source.snapshot((await source.newest())[0]).get("notes", ["n00"])
    await source.commit(Batch([Write("notes", "n00", old, {"_id": "n00", "name": 0, "value": 6})]))
    await insert(source, "recordings", {"_id": "more"})
    assert await differences(source, manifest) == [
        f"notes: {len(VALUES) + 1} documents, but not the same ones",
        "recordings: 5 documents, not 4",
    ]


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.export.writing.PART_BYTES", 1 << 18)

    class Nowhere(io.RawIOBase):
        def write(self, data: Any) -> int:
            return len(data)

    async def peak(count: int) -> int:
        store = open_store(f"sqlite:///{tmp_path / str(count)}.db")
        async with opened(store):
            for start in range(0, count, 1000):
                rows = [
                    {"_id": f"{number:08}", "name": number, "text": "x" * 200} for number in range(start, start + 1000)
                ]
                await insert(store, NOTES.name, *rows)
        async with opened(store):
            tracemalloc.start()
            try:
                await export_store(store, Nowhere())  # type: ignore[arg-type]
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert await peak(12_000) < 1.5 * await peak(3_000)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
async def test_how_far_one_table_is_is_told(source: Store, tmp_path: Path, ending: str) -> None:
    told: list[int] = []
    given = {"file": str(tmp_path / f"notes.{ending}"), "table": NOTES.name, "format": ending, "force": False}
    done = await table_to_file(source, given, lambda progress: told.append(progress.documents))
    assert told == sorted(told)
    assert told[-1] == done["documents"] > 0


ODD = ["a b", "a/b", "it's", "ü" * 50, "x" * 100, "1a", "a\x1bb", "a/../b", "~" + "0" * 32, "Notes", "-", "a:b"]
"""Names that an application may give to its tables."""


async def test_tables_of_any_name_travel_and_collections_of_others_stay(
    any_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tables, foreign = [TableSpec(name) for name in ODD], "x" * 101
    source, target = any_store, open_store("sqlite://:memory:")
    await source.open([*tables, TableSpec(foreign)])
    await target.open([*tables, IMPORTS])
    try:
        for name in (*ODD, foreign):
            await insert(source, name, {"_id": f"of {name}"})
        manifest = await written(source, tmp_path / "odd.synovia", "export")
        assert manifest.tables.keys() == {*ODD}
        assert "no table has such a name: it is left out" in caplog.text
        await brought(tmp_path / "odd.synovia", target)
        assert await bodies(target, ODD) == await bodies(source, ODD)
        assert await differences(target, manifest) == []
    finally:
        await source.close()
        await target.close()
    with tarfile.open(tmp_path / "odd.synovia") as tar:
        plain = r"documents/(Notes|~[0-9a-f]{32})/000001\.jsonl\.gz|manifest\.json"
        assert all(re.fullmatch(plain, name) for name in tar.getnames())
