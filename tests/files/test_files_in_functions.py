"""What functions do with files, how addresses are renewed, and what happens to contents that nobody needs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from helpers.http_server import APPS
from synovia import File, FileLimits, FunctionError, SchemaError, load_application
from synovia.export.archive import Archive
from synovia.export.checking import check
from synovia.export.importing import import_archive
from synovia.export.writing import IMPORTS, export_store
from synovia.functions.expired_uploads import FORGET_UPLOADS
from synovia.functions.file_addresses import FileAddresses
from synovia.functions.files import UPLOADS
from synovia.store import open_store
from synovia.store.base import Store
from synovia.store.contents import all_documents
from synovia.store.sweep import sweep
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.same_tables

CABINET = APPS / "cabinet.py"
HELLO = b"hello, file"
DAY = timedelta(days=1)


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(CABINET, any_store) as found:
        yield found


async def paper(ada: Caller, title: str = "one", data: bytes = HELLO) -> str:
    scan = await ada.upload("cabinet:add", data, name="note.txt", type="text/plain")
    return str(await ada.mutation("cabinet:add", {"title": title, "scan": scan}))


async def contents(app: TestApp) -> int:
    return len(await app.store.arrays.manifests(b"", 100))


async def test_actions_read_files_and_make_new_ones(app: TestApp) -> None:
    ada = app.caller("ada@example.org")
    await paper(ada)
    assert await ada.action("cabinet:summarize", {"title": "one"}) == HELLO.decode()
    made = next(row["file"] for row in await ada.query("cabinet:mine") if row["title"] == "one, in short")
    assert (made["name"], made["type"], made["size"]) == ("ofone.txt", "text/plain", len(HELLO))
    url = await ada.query("cabinet:address", {"id": (await ada.query("cabinet:mine"))[1]["_id"]})
    assert (await ada.http.get(url)).content == HELLO.upper()


async def test_mutations_make_small_files(app: TestApp) -> None:
    nobody = app.caller()
    await nobody.mutation("cabinet:make", {"size": 5, "type": "text/plain"})
    [url] = await nobody.query("cabinet:blobs")
    assert (await nobody.http.get(url)).content == b"xxxxx"
    for size, kind, code in ((2**20 + 1, "text/plain", "file_too_large"), (1, "nonsense", "invalid_arguments")):
        with pytest.raises(FunctionError) as refused:
            await nobody.mutation("cabinet:make", {"size": size, "type": kind})
        assert refused.value.code == code


async def test_an_action_hands_its_callers_upload_on(app: TestApp) -> None:
    ada, bob = app.caller("ada@example.org"), app.caller("bob@example.org")
    scan = await ada.upload("cabinet:import_scan", HELLO, type="text/plain")
    with pytest.raises(FunctionError, match="no such upload"):
        await bob.action("cabinet:import_scan", {"scan": scan})
    await ada.action("cabinet:import_scan", {"scan": scan})
    assert [row["title"] for row in await ada.query("cabinet:mine")] == ["imported"]


async def test_a_live_query_renews_its_addresses_long_before_they_expire_and_not_sooner(app: TestApp) -> None:
    ada = app.caller("ada@example.org")
    id_ = await paper(ada)
    app.clock.now = 1_800_000_000.0
    async with ada.subscribe("cabinet:address", {"id": id_}) as address:
        await address.current()
        first = address.value
        await app.advance(timedelta(minutes=29))
        assert address.value == first
        await app.advance(timedelta(minutes=2))
        second = address.value
        assert second != first
        assert (await ada.http.get(first)).status_code == 200
        await app.advance(timedelta(minutes=30))
        assert (await ada.http.get(first)).status_code == 404
        assert (await ada.http.get(second)).status_code == 200


@pytest.mark.parametrize("lifetime", [timedelta(seconds=59), timedelta(days=8), -DAY])
def test_addresses_are_good_for_a_minute_to_a_week(lifetime: timedelta) -> None:
    file = File(bytes(32), name="a", type="text/plain", size=1, uploaded_at=0)
    with pytest.raises(ValueError, match="an address is good for"):
        FileAddresses(b"k" * 32).make(file, now=0, lifetime=lifetime)


def test_addresses_of_another_key_are_none() -> None:
    file = File(bytes(32), name="a/b", type="text/plain", size=1, uploaded_at=0)
    url, renewed_at = FileAddresses(b"k" * 32).make(file, now=1_000, lifetime=timedelta(minutes=2))
    token = url.split("/")[3]
    assert (renewed_at, url.split("/")[4:]) == (60_000, ["a%2Fb"])
    assert FileAddresses(b"k" * 32).read(token, 119_999) is not None
    assert FileAddresses(b"k" * 32).read(token, 120_000) is None
    assert FileAddresses(b"l" * 32).read(token, 1_000) is None


async def test_contents_stay_while_a_document_or_an_upload_needs_them(app: TestApp) -> None:
    ada = app.caller("ada@example.org")
    id_ = await paper(ada)
    waiting = await ada.upload("cabinet:add", b"waiting", type="text/plain")
    await sweep(app.store, time.time() + 60)
    assert await contents(app) == 2
    kept = await ada.mutation("cabinet:add", {"title": "two", "scan": waiting})
    await ada.mutation("cabinet:remove", {"id": id_})
    await sweep(app.store, time.time() + 60)
    assert await contents(app) == 1
    assert (await ada.http.get(await ada.query("cabinet:address", {"id": kept}))).content == b"waiting"


async def test_uploads_that_nobody_accepts_are_forgotten_after_a_day() -> None:
    async with TestApp(CABINET) as app:
        ada = app.caller("ada@example.org")
        waiting = await ada.upload("cabinet:add", b"waiting", type="text/plain")
        await app.advance(DAY - timedelta(minutes=10))
        assert len(await all_documents(app.store, UPLOADS.name)) == 1
        await app.advance(timedelta(minutes=10))
        with pytest.raises(FunctionError, match="no such upload"):
            await ada.mutation("cabinet:add", {"title": "late", "scan": waiting})
        await app.advance(timedelta(hours=2))
        assert await all_documents(app.store, UPLOADS.name) == []
        assert FORGET_UPLOADS in app.registry.functions


@pytest.mark.parametrize("kind", ["export", "backup"])
async def test_an_export_carries_files(app: TestApp, tmp_path: Path, kind: str) -> None:
    await paper(app.caller("ada@example.org"))
    path = tmp_path / "x.tar"
    with path.open("wb") as file:
        await export_store(app.store, file, kind="backup" if kind == "backup" else "export")
    url = f"sqlite:///{tmp_path / 'other.db'}"
    other = open_store(url)
    await other.open([*app.registry.tables, UPLOADS, IMPORTS])
    with Archive(path) as archive:
        check(archive, app.registry.models)
        await import_archive(archive, other)
    await other.close()
    async with TestApp(CABINET, url) as restored:
        ada = restored.caller("ada@example.org")
        (row,) = await ada.query("cabinet:mine")
        assert row["file"]["name"] == "note.txt"
        address = await ada.query("cabinet:address", {"id": row["_id"]})
        assert (await ada.http.get(address)).content == HELLO


async def test_a_function_is_handed_an_upload_and_not_a_file(tmp_path: Path) -> None:
    source = """
from synovia import File, MutationContext, mutation

@mutation(public=True)
async def add(ctx: MutationContext, file: File) -> None: ...
"""
    (tmp_path / "handed_a_file.py").write_text(source)
    with pytest.raises(SchemaError, match="take an Upload"):
        load_application(tmp_path / "handed_a_file.py")


@pytest.mark.parametrize(
    "limits", [{"max_bytes": 0}, {"types": ("image",)}, {"types": ("*/*",)}, {"types": ("a/b;c",)}]
)
def test_limits_that_cannot_be(limits: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"byte|media type"):
        FileLimits(**limits)  # type: ignore[arg-type]
