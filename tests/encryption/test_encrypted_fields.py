"""Encrypted fields are clear to functions and sealed in documents, each value bound to where it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from helpers.http_server import APPS
from helpers.reopened_stores import Reopened
from helpers.school_scene import BIRTH, OTHER, enrolled, overwrite, seen, stored, with_keys
from synovia import FunctionError, load_application
from synovia.schema import UnreadableField, id_to_bson
from synovia.schema.encrypted import SEALED, TOKEN, sealed_in
from synovia.sealing.keyring import new_entry
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

SCHOOL = load_application(APPS / "school.py")


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(SCHOOL, any_store) as found:
        yield found


async def test_values_are_clear_to_functions_and_clients_and_sealed_in_documents(app: TestApp) -> None:
    ann = app.caller()
    notes = [{"text": "likes maths", "weight": 2.0}]
    id_ = await enrolled(ann, number=4711, notes=notes)
    async with ann.subscribe("school:students") as rows:
        [row] = await seen(rows)
        assert (row["dateOfBirth"], row["number"], row["notes"]) == (BIRTH, 4711, notes)
        await ann.mutation("school:correct", {"id": id_, "dateOfBirth": OTHER})
        assert [each["dateOfBirth"] for each in await seen(rows)] == [OTHER]
    document = (await stored(app))[id_]
    assert set(document["dateOfBirth"]) == {SEALED, TOKEN}
    assert sealed_in(document["notes"]) is not None
    assert await ann.query("school:birthday", {"id": id_}) == OTHER


async def test_what_does_not_change_stays_sealed_as_it_was_and_is_no_change(app: TestApp) -> None:
    ann = app.caller()
    id_ = await enrolled(ann, notes=[{"text": "one"}])
    before = (await stored(app))[id_]
    await ann.mutation("school:correct", {"id": id_, "dateOfBirth": BIRTH})
    assert (await stored(app))[id_] == before
    await ann.mutation("school:replaced", {"id": id_, "name": "Anna"})
    assert (await stored(app))[id_] == {**before, "name": "Anna"}
    actions = {entry["action"]: entry["data"]["after"] for entry in (await stored(app, "_audit")).values()}
    assert set(actions["students.update"]) == {"name"}
    assert set(actions["students.insert"]["dateOfBirth"]) == {SEALED, TOKEN}  # sealed in the audit table too


async def test_equal_values_are_found_and_nothing_else_can_be_asked(app: TestApp) -> None:
    ann = app.caller()
    await enrolled(ann, "Ann", number=1, nickname="Annie")
    await enrolled(ann, "Ben")
    await enrolled(ann, "Cem", OTHER)
    async with ann.subscribe("school:born_on", {"dateOfBirth": BIRTH}) as found:
        assert await seen(found) == ["Ann", "Ben"]
        await enrolled(ann, "Dana")
        assert await seen(found) == ["Ann", "Ben", "Dana"]
    assert await ann.query("school:born_on", {"dateOfBirth": "2011"}) == []
    assert await ann.query("school:without_nickname") == ["Ben", "Cem", "Dana"]
    with pytest.raises(FunctionError, match=r"same number$") as taken:
        await enrolled(ann, "Eva", number=1)
    assert taken.value.code == "unique_violation"
    for how in ("ordered", "compared", "inside"):
        with pytest.raises(FunctionError, match="is encrypted") as refused:
            await ann.query("school:asked", {"how": how})
        assert refused.value.code == "unknown_index"
    for how in ("least", "grouped"):
        with pytest.raises(FunctionError, match="is encrypted"):
            await ann.query("school:asked", {"how": how})


async def test_a_sealed_value_opens_nowhere_else_and_not_after_a_change(app: TestApp) -> None:
    ann = app.caller()
    one, two = await enrolled(ann, "Ann"), await enrolled(ann, "Ben", OTHER)
    documents = await stored(app)
    theirs, mine = documents[one]["dateOfBirth"], documents[two]["dateOfBirth"]
    sealed = bytearray(mine[SEALED])
    sealed[-1] ^= 1
    forged: dict[str, Any] = {
        "moved from another document": theirs,
        "with another's token": {**mine, TOKEN: theirs[TOKEN]},
        "without its token": mine[SEALED],
        "changed": {**mine, SEALED: type(mine[SEALED])(bytes(sealed), 0x81)},
        "cut": {**mine, SEALED: type(mine[SEALED])(b"\x01\x01", 0x81)},
        "of another field": documents[two]["notes"],
        "in the clear": OTHER,
    }
    for what, value in forged.items():
        await overwrite(app, "students", two, dateOfBirth=value)
        rows = await ann.query("school:students")
        assert [row["dateOfBirth"] for row in rows] == [BIRTH, None], what
        with pytest.raises(FunctionError) as failed:
            await ann.query("school:birthday", {"id": two})
        assert failed.value.code == "unreadable_field", what
        assert OTHER not in str(failed.value)
        assert failed.value.data == {"table": "students", "field": "date_of_birth"}
    await overwrite(app, "students", two, dateOfBirth=mine)
    assert await ann.query("school:birthday", {"id": two}) == OTHER


async def test_a_sealed_value_does_not_open_in_another_table(app: TestApp) -> None:
    id_ = await enrolled(app.caller())
    sealed = sealed_in((await stored(app))[id_]["notes"])
    document = {"_id": id_to_bson(id_), "name": "x", "dateOfBirth": sealed}
    await app.store.commit(Batch([Write("pupils", document["_id"], None, document)]))
    pupil = SCHOOL.models["pupils"].from_document(document, app.server.keyring)
    with pytest.raises(UnreadableField):
        _ = pupil.date_of_birth  # type: ignore[attr-defined]


async def test_a_lost_key_fails_the_field_and_not_the_list_and_nothing_is_lost(reopened: Reopened) -> None:
    old, search = new_entry("old"), new_entry("search")
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(old, search)) as app:
        id_ = await enrolled(app.caller())
        before = (await stored(app))[id_]
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(new_entry("new"), search)) as app:
        ann = app.caller()
        new = await enrolled(ann, "Ben")
        rows = await ann.query("school:students")
        assert [(row["name"], row["dateOfBirth"], row["notes"]) for row in rows] == [
            ("Ann", None, None),
            ("Ben", BIRTH, []),
        ]
        assert await ann.query("school:birthday", {"id": new}) == BIRTH
        with pytest.raises(FunctionError) as failed:
            await ann.query("school:birthday", {"id": id_})
        assert failed.value.code == "unreadable_field"
        await ann.mutation("school:rename", {"id": id_, "name": "Anna"})
        await ann.mutation("school:replaced", {"id": id_, "name": "Annabel"})
        assert (await stored(app))[id_] == {**before, "name": "Annabel"}
        assert await ann.query("school:count_born_on", {"dateOfBirth": BIRTH}) == 2  # the token is another key's
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(new_entry("newest"), old, search)) as app:
        assert await app.caller().query("school:birthday", {"id": id_}) == BIRTH


async def test_a_record_that_does_not_open_says_that_the_request_was_committed(reopened: Reopened) -> None:
    search, headers = new_entry("search"), {"Idempotency-Key": "0123456789abcdef"}
    body = {"path": "school:enrol", "args": {"name": "Ann", "dateOfBirth": BIRTH, "number": 1}}
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(new_entry("old"), search)) as app:
        assert (await app.caller().http.post("/api/mutation", json=body, headers=headers)).status_code == 200
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(new_entry("new"), search)) as app:
        answer = await app.caller().http.post("/api/mutation", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "unreadable_record")
        assert len(await stored(app)) == 1
