"""What is encrypted stands nowhere in the clear: not in a database's files, an export, the log, errors, the dashboard."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
import tarfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo import MongoClient

from helpers.http_server import APPS
from helpers.reopened_stores import Reopened
from helpers.school_scene import BIRTH, OTHER, enrolled, stored, with_keys
from synovia import FunctionError, load_application
from synovia.export.archive import Archive
from synovia.export.checking import check
from synovia.export.importing import import_archive
from synovia.export.plain import write_table
from synovia.export.table_importing import import_table
from synovia.export.writing import IMPORTS, export_store
from synovia.identity import OPERATOR, OPERATOR_OPENS, SERVICE, Identity
from synovia.sealing.keyring import new_entry
from synovia.store import open_store
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.same_tables

SCHOOL = load_application(APPS / "school.py")
NOTE, NICKNAME, EARLIER = "a note nobody reads", "Nobodys Nickname", "2001-01-01"
SECRETS = [each.encode() for each in (BIRTH, OTHER, NOTE, NICKNAME, EARLIER)]
NAME = "Zoe Nobody"
"""Is not encrypted: where this is not found, the search has looked in the wrong place."""
KEYS = (new_entry("key"), new_entry("search"))


@pytest.fixture
async def app(reopened: Reopened) -> AsyncIterator[TestApp]:
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(*KEYS)) as found:
        yield found


async def everything_done(app: TestApp) -> str:
    """Do all that leaves something behind in a database."""
    zoe = app.caller()
    id_ = await enrolled(zoe, NAME, EARLIER, nickname=NICKNAME, notes=[{"text": NOTE}])
    await zoe.mutation("school:correct", {"id": id_, "dateOfBirth": OTHER})
    given = {"name": f"{NAME} again", "dateOfBirth": BIRTH, "number": 1}
    for _ in range(2):
        answer = await zoe.http.post(
            "/api/mutation",
            json={"path": "school:enrol", "args": given},
            headers={"Idempotency-Key": "0123456789abcdef"},
        )
        assert answer.json()["result"]["dateOfBirth"] == BIRTH
    await zoe.mutation("school:plan_cards", {"name": NAME, "dateOfBirth": BIRTH})
    await app.advance(timedelta(minutes=5), raise_failures=False)
    await app.advance(timedelta(hours=1.5), raise_failures=False)
    return id_


def clear_in(data: bytes) -> list[bytes]:
    assert NAME.encode() in data
    return [each for each in SECRETS if each in data]


async def raw_bytes(app: TestApp, path: Path, request: pytest.FixtureRequest) -> bytes:
    """Read the database past Synovia: the files of SQLite, or all collections of MongoDB."""
    if not app.store.shared:
        return b"".join([await asyncio.to_thread((path / name).read_bytes) for name in ("data.db", "data.db-wal")])
    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")

    def read() -> bytes:
        with MongoClient[dict[str, Any]](uri) as client:
            database = client[name]
            return b"".join(
                bson.encode(each)
                for collection in database.list_collection_names()
                for each in database[collection].find()
            )

    return await asyncio.to_thread(read)


async def test_the_database_holds_nothing_in_the_clear(
    app: TestApp, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await everything_done(app)
    calls = {call["path"]: call for call in (await stored(app, "_scheduled")).values()}
    assert calls.keys() == {"school:send_card", "school:refuse_card", "school:congratulate"}
    assert await stored(app, "_workflow_steps")
    assert clear_in(await raw_bytes(app, tmp_path, request)) == []


async def test_calls_and_workflows_run_with_clear_arguments(app: TestApp) -> None:
    await everything_done(app)
    await app.advance(timedelta(hours=1))
    done = [call for call in (await stored(app, "_scheduled")).values() if call["path"] == "school:send_card"]
    assert [call["status"] for call in done] == ["done"] * 5
    steps = [step for step in (await stored(app, "_workflow_steps")).values() if step["kind"] == "step"]
    assert [step["status"] for step in steps] == ["done"]


async def test_an_export_is_sealed_and_opens_in_another_store_with_the_same_keys(app: TestApp, tmp_path: Path) -> None:
    id_ = await everything_done(app)
    path = tmp_path / "x.synovia"
    with path.open("wb") as file:
        await export_store(app.store, file, kind="backup")
    assert clear_in(path.read_bytes() + b"".join(unpacked(path))) == []
    for format_ in ("csv", "jsonl"):
        table, (ts, _) = io.BytesIO(), await app.store.newest()
        await write_table(app.store.snapshot(ts), "students", table, format_)
        assert clear_in(table.getvalue()) == []
    other = open_store("sqlite://:memory:")
    await other.open([*app.registry.tables, IMPORTS])
    with Archive(path) as archive:
        check(archive, app.registry.models)
        await import_archive(archive, other)
    keyring, (ts, _) = app.server.keyring, await other.newest()
    [student] = await other.snapshot(ts).get("students", [bson.ObjectId(id_)])
    await other.close()
    assert student is not None
    assert SCHOOL.models["students"].from_document(student, keyring).date_of_birth == OTHER  # type: ignore[attr-defined]


def unpacked(path: Path) -> Iterator[bytes]:
    with tarfile.open(path) as tar:
        for member in tar:
            data = (tar.extractfile(member) or io.BytesIO()).read()
            yield gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


async def test_rows_of_another_program_are_sealed_as_they_come_in(app: TestApp, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"name,dateOfBirth,number\n{NAME},{BIRTH},7\n")
    given = {"file": str(file), "table": "students", "format": "csv"}
    await import_table(app.store, app.registry, given, keyring=app.server.keyring)
    [document] = (await stored(app)).values()
    assert BIRTH.encode() not in bson.encode(document)
    newest, _ = await app.store.newest()
    await app.engine.wait_for(newest)
    assert await app.caller().query("school:born_on", {"dateOfBirth": BIRTH}) == [NAME]


async def test_neither_the_log_nor_an_error_quotes_a_value(app: TestApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await everything_done(app)
    zoe, errors = app.caller(), list[str]()
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("school:enrol", {"name": NAME, "dateOfBirth": [BIRTH], "number": 9}),
        ("school:enrol", {"name": NAME, "dateOfBirth": {"x": BIRTH}, "number": "9"}),
        ("school:enrol", {"name": NAME, "dateOfBirth": BIRTH, "number": 9, "other": OTHER}),
        ("school:enrol", {"name": NAME, "dateOfBirth": f"{BIRTH}\ud800", "number": 9}),
        ("school:enrol", {"name": NAME, "dateOfBirth": BIRTH, "number": 2**70}),
        ("school:fails_at", {"name": NAME, "dateOfBirth": BIRTH}),
    ]
    for path, args in wrong:
        with pytest.raises((FunctionError, ValueError)) as failed:
            await zoe.mutation(path, args)
        if isinstance(failed.value, FunctionError):
            errors.append(f"{failed.value.code} {failed.value} {failed.value.data}")
    assert len(errors) >= 4
    text = caplog.text + "\n".join(errors)
    assert NAME in text
    assert [each for each in SECRETS if each.decode() in text] == []


def operator(app: TestApp, *roles: str) -> Caller:
    return app.caller(Identity(SERVICE, "ops", roles=roles))


async def test_operators_are_shown_it_only_with_the_right_and_one_value_at_a_time_which_is_recorded(
    app: TestApp,
) -> None:
    id_ = await everything_done(app)
    plain, opens = operator(app, OPERATOR), operator(app, OPERATOR, OPERATOR_OPENS)
    run = {"path": "school:birthday", "jsonText": f'{{"id": "{id_}"}}'}
    async with app.caller().subscribe("school:born_on", {"dateOfBirth": OTHER}):
        shown = [
            await plain.query("_system/data:rows", {"table": "students"}),
            await plain.query("_system/data:document", {"table": "students", "id": id_}),
            await plain.query("_system/data:rows", {"table": "_audit"}),
            await plain.query("_system/calls:list", {"status": "done"}),
            await plain.query("_system/calls:list", {"status": "pending"}),
            await plain.query("_system/live:list"),
            calls := await plain.query("_system/logs:recent"),
            *[await plain.query("_system/logs:call", {"number": call["number"]}) for call in calls],
            await plain.action("_system/functions:run", run),
            await plain.query("_system/functions:watch", run),
        ]
    assert NAME in repr(shown)
    assert [each for each in SECRETS if each.decode() in repr(shown)] == []
    asked = {"table": "students", "id": id_, "field": "dateOfBirth"}
    with pytest.raises(FunctionError) as refused:
        await plain.mutation("_system/data:open", asked)
    assert refused.value.code == "forbidden"
    assert await opens.mutation("_system/data:open", asked) == f'"{OTHER}"'
    assert (await opens.action("_system/functions:run", run))["result"] == f'"{OTHER}"'
    with pytest.raises(FunctionError, match="no document"):
        await opens.mutation("_system/data:open", {**asked, "field": "name"})
    whole = await plain.query("_system/data:document", {"table": "students", "id": id_})
    before = (await stored(app))[id_]
    renamed = whole["jsonText"].replace(NAME, "Another")
    await plain.mutation("_system/data:update", {"table": "students", "id": id_, "jsonText": renamed})
    assert (await stored(app))[id_] == {**before, "name": "Another"}  # what is shown as sealed is not written
    entries = [entry for entry in (await stored(app, "_audit")).values() if entry["action"].startswith("operator.")]
    assert [(entry["action"], entry["actor"]) for entry in entries if entry["action"] == "operator.open"] == [
        ("operator.open", "service|ops")
    ]
    assert sum(entry["action"] == "operator.run" for entry in entries) == 2
