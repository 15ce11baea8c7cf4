"""What operators see of the database and change in it, over real sockets."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.operating import Operator, operating
from helpers.http_server import APPS, Served
from helpers.uploading import paper
from synovia.dashboard.conditions import Condition, Conditions
from synovia.dashboard.tables import FieldInfo
from synovia.schema.specs import Document
from synovia.store.base import Batch, Write


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    async with operating() as operator:
        yield operator


async def notes(operator: Operator, count: int, board: str = "a") -> None:
    for number in range(count):
        posted = await operator.call_as_client("mutation", "notes:post", {"board": board, "text": f"note {number:03}"})
        assert posted.status == 200


async def rows(operator: Operator, **args: Any) -> list[str]:
    """Read all pages of a table; give the texts."""
    found: list[str] = []
    cursor = None
    while True:
        page = await operator.ask("data:rows", {"table": "notes", "cursor": cursor, **args})
        found += [row["document"]["text"] for row in page["rows"]]
        cursor = page.get("nextCursor")
        if cursor is None:
            return found


async def test_tables_are_listed_with_counts_fields_and_indexes(operator: Operator) -> None:
    await notes(operator, 3)
    tables = {each["name"]: each for each in await operator.ask("data:tables")}
    told = tables["notes"]
    assert (told["count"], told["declared"], told["system"]) == (3, True, False)
    assert {field["name"]: field["kind"] for field in told["fields"]} == {
        "board": "text",
        "text": "text",
        "samples": "array",
    }
    assert [index["name"] for index in told["indexes"]] == ["by_id", "by_board"]
    assert tables["_audit"]["system"]


async def test_the_use_of_indexes_is_counted(operator: Operator) -> None:
    await notes(operator, 2)
    for _ in range(3):
        await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    told = next(each for each in await operator.ask("data:tables") if each["name"] == "notes")
    used = {index["name"]: index for index in told["indexes"]}
    assert (used["by_board"]["scans"], used["by_board"]["documents"]) == (3, 6)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("index", ["by_id", "by_board"])
async def test_pages_give_every_row_once_and_in_order(operator: Operator, index: str, descending: bool) -> None:
    await notes(operator, 11)
    found = await rows(operator, index=index, descending=descending, limit=3)
    assert found == sorted((f"note {number:03}" for number in range(11)), reverse=descending)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_a_text_is_searched_over_pages(operator: Operator, limit: int) -> None:
    await notes(operator, 12)
    where = [{"field": "text", "test": "contains", "value": "NOTE 01"}]
    assert await rows(operator, where=where, limit=limit) == ["note 010", "note 011"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "text", "test": "eq", "value": "note 001"}, [1]),
        ({"field": "text", "test": "ne", "value": "note 001"}, [0, 2, 3]),
        ({"field": "text", "test": "gt", "value": "note 001"}, [2, 3]),
        ({"field": "text", "test": "le", "value": "note 001"}, [0, 1]),
        ({"field": "samples", "test": "missing"}, [0, 1, 2, 3]),
        ({"field": "samples", "test": "exists"}, []),
        ({"field": "text", "test": "eq", "value": 5}, []),
    ],
)
async def test_conditions(operator: Operator, condition: dict[str, Any], expected: list[int]) -> None:
    await notes(operator, 4)
    assert await rows(operator, where=[condition]) == [f"note {number:03}" for number in expected]


@pytest.mark.parametrize(
    ("condition", "index", "examined"),
    [
        ({"field": "board", "test": "eq", "value": "b"}, "by_board", 3),
        ({"field": "board", "test": "gt", "value": "a"}, "by_board", 3),
        ({"field": "board", "test": "eq", "value": "none"}, "by_board", 0),
        ({"field": "board", "test": "ne", "value": "a"}, "by_id", 8),
        ({"field": "text", "test": "eq", "value": "note 001"}, "by_id", 8),
        ({"field": "_id", "test": "eq", "value": "0" * 24}, "by_id", 0),
        ({"field": "_id", "test": "ge", "value": "0" * 24}, "by_id", 8),
    ],
)
async def test_only_what_an_index_finds_is_looked_at(
    operator: Operator, condition: dict[str, Any], index: str, examined: int
) -> None:
    await notes(operator, 5, "a")
    await notes(operator, 3, "b")
    page = await operator.ask("data:rows", {"table": "notes", "where": [condition]})
    assert (page["index"], page["examined"]) == (index, examined)
    in_order = await operator.ask("data:rows", {"table": "notes", "where": [condition], "index": "by_id"})
    assert sorted(row["id"] for row in page["rows"]) == [row["id"] for row in in_order["rows"]]


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_of_what_an_index_finds_follow_each_other(operator: Operator, descending: bool) -> None:
    await notes(operator, 7, "a")
    await notes(operator, 2, "b")
    for condition in ({"field": "board", "test": "eq", "value": "a"}, {"field": "text", "test": "ne", "value": "x"}):
        found = await rows(operator, where=[condition], limit=3, descending=descending)
        assert len(found) == (7 if condition["field"] == "board" else 9)
        assert found[:7] == sorted(found[:7], reverse=descending) or condition["field"] == "text"


@pytest.mark.parametrize(
    ("condition", "note"),
    [
        ({"field": "bord", "test": "eq", "value": "a"}, "notes declares no field 'bord'; is 'board' meant?"),
        ({"field": "xyz.part", "test": "missing"}, "notes declares no field 'xyz'"),
        ({"field": "text", "test": "gt", "value": 5}, "text holds texts, and 5 is none"),
        ({"field": "text", "test": "contains", "value": 5}, None),
        ({"field": "board", "test": "eq", "value": "a"}, None),
        ({"field": "_id", "test": "eq", "value": "a"}, None),
    ],
)
async def test_what_is_odd_about_a_condition_is_told(
    operator: Operator, condition: dict[str, Any], note: str | None
) -> None:
    page = await operator.ask("data:rows", {"table": "notes", "where": [condition]})
    assert page["notes"] == ([] if note is None else [note])


def test_a_time_is_written_as_text() -> None:
    fields = [FieldInfo(name="at", kind="date", type="datetime")]
    day = datetime(2026, 11, 29, tzinfo=UTC)
    for text in ("2026-11-29", "2026-11-29T00:00:00Z", "2026-11-29T02:00:00+02:00"):
        found = Conditions([Condition(field="at", test="ge", value=text)], "visits", fields)
        assert (found.hold({"at": day}), found.hold({"at": day - timedelta(seconds=1)})) == (True, False)
    found = Conditions([Condition(field="at", test="ge", value="soon")], "visits", fields)
    assert found.notes == ["at holds times, and 'soon' is none"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"table": "nothing"}, "not_found"),
        ({"table": "notes", "index": "by_nothing"}, "not_found"),
        ({"table": "notes", "cursor": "?"}, "bad_cursor"),
        ({"table": "notes", "cursor": "ODg4" * 2_000}, "bad_cursor"),
        ({"table": "notes", "where": [{"field": "text", "test": "like", "value": "x"}]}, "invalid_arguments"),
    ],
)
async def test_what_cannot_be_read_is_told(operator: Operator, args: dict[str, Any], code: str) -> None:
    assert (await operator.call("query", "data:rows", args)).code == code


async def test_rows_are_live(operator: Operator) -> None:
    page = await operator.client.subscribe(1, "_system/data:rows", {"table": "notes"})
    assert page["rows"] == []
    await notes(operator, 1)
    page = await operator.client.result(1)
    assert [row["document"]["text"] for row in page["rows"]] == ["note 000"]


async def test_a_document_that_does_not_fit_is_marked_and_can_be_mended(operator: Operator) -> None:
    document: Document = {"_id": "odd", "board": 5, "text": "odd one"}
    store = operator.running.app.store
    await operator.running.app.engine.wait_for(await store.commit(Batch([Write("notes", "odd", None, document)])))
    page = await operator.ask("data:rows", {"table": "notes"})
    assert page["rows"][0]["misfit"]["field"] == "board"
    mended = json.dumps({"_id": "odd", "board": "b", "text": "odd one"})
    await operator.do("mutation", "data:update", {"table": "notes", "id": "odd", "jsonText": mended})
    whole = await operator.ask("data:document", {"table": "notes", "id": "odd"})
    assert whole.get("misfit") is None
    assert json.loads(whole["jsonText"])["board"] == "b"


async def test_documents_are_added_changed_and_deleted_and_that_is_audited(operator: Operator) -> None:
    added = json.dumps({"board": "a", "text": "new"})
    id_ = await operator.do("mutation", "data:insert", {"table": "notes", "jsonText": added})
    changed = json.dumps({"_id": id_, "board": "a", "text": "changed"})
    await operator.do("mutation", "data:update", {"table": "notes", "id": id_, "jsonText": changed})
    assert await rows(operator) == ["changed"]
    assert await operator.ask("data:find", {"id": id_}) == ["notes"]
    assert await operator.do("mutation", "data:delete", {"table": "notes", "ids": [id_, "0" * 24]}) == 1
    assert await rows(operator) == []
    assert await operator.ask("data:document", {"table": "notes", "id": id_}) is None
    entries = await operator.audited()
    assert [(each["actor"], each["action"]) for each in entries] == [
        ("operator|ops", "operator.insert"),
        ("operator|ops", "operator.update"),
        ("operator|ops", "operator.delete"),
    ]


@pytest.mark.parametrize(
    ("path", "args", "code"),
    [
        ("data:insert", {"table": "notes", "jsonText": '{"board": 5, "text": "x"}'}, "invalid_arguments"),
        ("data:insert", {"table": "notes", "jsonText": '{"text": "x"}'}, "invalid_arguments"),
        ("data:insert", {"table": "notes", "jsonText": "{"}, "invalid_arguments"),
        (
            "data:insert",
            {"table": "notes", "jsonText": '{"_id": "a b", "board": "a", "text": "x"}'},
            "invalid_arguments",
        ),
        ("data:insert", {"table": "notes", "jsonText": '{"_id": 5, "board": "a", "text": "x"}'}, "invalid_arguments"),
        ("data:insert", {"table": "notes", "jsonText": "[]"}, "invalid_arguments"),
        ("data:insert", {"table": "_audit", "jsonText": "{}"}, "forbidden"),
        ("data:insert", {"table": "_serviceKeys", "jsonText": "{}"}, "not_found"),
        ("data:update", {"table": "notes", "id": "0" * 24, "jsonText": "{}"}, "not_found"),
        ("data:delete", {"table": "_audit", "ids": ["x"]}, "forbidden"),
    ],
)
async def test_what_cannot_be_written_is_refused(
    operator: Operator, path: str, args: dict[str, Any], code: str
) -> None:
    assert (await operator.call("mutation", path, args)).code == code
    assert await operator.audited() == []


async def test_the_hashes_of_keys_and_sessions_are_not_shown(operator: Operator) -> None:
    names = {each["name"] for each in await operator.ask("data:tables")}
    assert names.isdisjoint({"_serviceKeys", "_operatorSessions"})
    for table in ("_serviceKeys", "_operatorSessions", "_sessions"):
        assert (await operator.call("query", "data:rows", {"table": table})).code == "not_found"


@pytest.mark.slow
async def test_a_table_that_is_always_written_is_shown_all_the_same(operator: Operator) -> None:
    """Queries that rest between their runs do so together: else there is hardly ever an instant at which all are known."""

    async def write() -> None:
        for number in itertools.count():
            await operator.running.app.mutation("notes:post", {"board": "a", "text": str(number)})
            await asyncio.sleep(0.002)  # hundreds of writes a second, on any machine

    await operator.client.subscribe(1, "_system/data:tables")
    writing = asyncio.create_task(write())
    try:
        await operator.client.subscribe(2, "_system/data:rows", {"table": "notes", "descending": True, "limit": 5})
        for _ in range(6):
            await operator.client.result(2)
    finally:
        writing.cancel()
    for live in operator.running.app.engine.live:
        if live.function.rest:
            assert math.isclose(live.rests_until / live.function.rest, round(live.rests_until / live.function.rest))


async def test_a_document_with_a_file_is_duplicated_and_no_other_file_gets_in() -> None:
    async with operating(application=APPS / "cabinet.py", development=True) as operator:
        id_ = await paper(Served(operator.running.app, operator.running.port), b"hello")
        text = (await operator.ask("data:document", {"table": "papers", "id": id_}))["jsonText"]
        document = {name: value for name, value in json.loads(text).items() if name != "_id"}
        adding = {"table": "papers", "jsonText": json.dumps(document)}
        assert (await operator.call("mutation", "data:insert", adding)).code == "invalid_arguments"
        twin = await operator.do("mutation", "data:insert", adding | {"like": id_})
        found = json.loads((await operator.ask("data:document", {"table": "papers", "id": twin}))["jsonText"])
        assert {**found, "_id": id_} == json.loads(text)
        other = {**document, "file": {**document["file"], "size": 6}}
        forged = {"table": "papers", "jsonText": json.dumps(other), "like": id_}
        assert (await operator.call("mutation", "data:insert", forged)).code == "invalid_arguments"


# --- what deleting leads to, and who reads without an index -----------------------------------------------------------


async def made(operator: Operator, path: str, **args: Any) -> str:
    answer = await operator.call_as_client("mutation", f"clinic:{path}", args)
    assert answer.status == 200, answer.body
    return str(answer.json["result"])


async def test_what_deleting_leads_to_is_told_and_then_happens_so() -> None:
    async with operating(application=APPS / "clinic.py") as operator:
        clinic = await made(operator, "clinic", name="a")
        team = await made(operator, "team", clinicId=clinic, name="knees")
        chief = await made(operator, "person", teamId=team, name="ada")
        other = await made(operator, "team", clinicId=clinic, name="hips")
        assistant = await made(operator, "person", teamId=other, name="bob", chiefId=chief)
        invoice = await made(operator, "invoice", personId=assistant)

        async def told(table: str, *ids: str) -> tuple[int, bool, list[tuple[str, str, str, int]]]:
            found = await operator.ask("data:consequences", {"table": table, "ids": ids})
            keys = ("table", "field", "happens", "count")
            consequences = [tuple(each[key] for key in keys) for each in found["consequences"]]
            return found["deleted"], found["isAllowed"], consequences

        assert await told("teams", team) == (
            2,
            True,
            [("people", "teamId", "cascade", 1), ("people", "chiefId", "unset", 1)],
        )
        deleted, is_allowed, consequences = await told("clinics", clinic)
        assert (deleted, is_allowed) == (5, False)
        assert consequences[0] == ("invoices", "personId", "restrict", 1)
        assert ("people", "chiefId", "unset", 1) not in consequences  # it goes along itself
        refused = await operator.call("mutation", "data:delete", {"table": "clinics", "ids": [clinic]})
        assert refused.code == "still_referenced"
        await operator.do("mutation", "data:delete", {"table": "invoices", "ids": [invoice]})
        assert (await told("clinics", clinic))[:2] == (5, True)
        await operator.do("mutation", "data:delete", {"table": "clinics", "ids": [clinic]})
        tables = {each["name"]: each["count"] for each in await operator.ask("data:tables")}
        assert [tables[name] for name in ("clinics", "teams", "people")] == [0, 0, 0]
        assert await told("clinics", clinic) == (0, True, [])


async def test_who_reads_a_whole_table_by_no_index_is_told(operator: Operator) -> None:
    await notes(operator, 3)
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    for _ in range(2):
        found = await operator.call_as_client("query", "notes:with_text", {"text": "note 001"})
        assert len(found.json["result"]) == 1
    told = next(each for each in await operator.ask("data:tables") if each["name"] == "notes")
    [read] = told["wholeReads"]
    assert (read["path"], read["runs"], read["documents"], read["where"]) == (
        "notes:with_text",
        2,
        1,
        "text = 'note 001'",
    )
