"""A new first key seals everything anew while the application runs, and the old one can go."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from helpers.http_server import APPS
from helpers.reopened_stores import Reopened
from helpers.school_scene import BIRTH, OTHER, enrolled, overwrite, seen, stored, with_keys
from synovia import MutationContext, load_application, migration
from synovia.functions.migration import migration_of
from synovia.migrations.rotation import resealed, sealed_counts
from synovia.schema.encrypted import key_id_or_none, sealed_in
from synovia.sealing.keyring import new_entry, read_keys
from synovia.store.base import Store, StoreUnusable
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

SCHOOL = load_application(APPS / "school.py")
STUDENT = SCHOOL.models["students"]


def sealed_by(documents: dict[str, Any]) -> set[str | None]:
    return {
        key_id_or_none(sealed_in(each[name]) or b"")
        for each in documents.values()
        for name in ("dateOfBirth", "number", "notes")
    }


async def test_keys_are_rotated_under_live_queries_and_the_old_one_can_go(reopened: Reopened) -> None:
    old, new, search = new_entry("old"), new_entry("new"), new_entry("search")
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(old, search)) as app:
        ann = app.caller()
        ids = [await enrolled(ann, f"student {number:02}") for number in range(30)]
        await ann.mutation("school:plan_cards", {"name": "Ann", "dateOfBirth": OTHER})
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(new, old, search)) as app:
        ann = app.caller()
        async with (
            ann.subscribe("school:students") as rows,
            ann.subscribe("school:born_on", {"dateOfBirth": BIRTH}) as found,
        ):
            before = await seen(rows)
            await app.migrate()
            assert sealed_by(await stored(app)) == {"new"}
            assert await seen(rows) == before
            assert len(await seen(found)) == 30
            await ann.mutation("school:correct", {"id": ids[0], "dateOfBirth": OTHER})
            assert len(await seen(found)) == 29
        assert app.server.keyring is not None
        counts = await sealed_counts(app.store, app.registry.models, app.server.keyring)
        assert {key for each in counts for key in each.keys} == {"new"}  # calls to come as well
        states = (await stored(app, "_migrations")).values()
        assert {each["status"] for each in states} == {"done"}
        assert sum(each["changed"] for each in states if each["table"] == "students") == 30
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(new, search)) as app:
        assert {row["dateOfBirth"] for row in await app.caller().query("school:students")} == {BIRTH, OTHER}


async def test_what_a_hub_with_older_keys_writes_meanwhile_is_counted_and_sealed_by_another_rotation(
    any_store: Store,
) -> None:
    old, new, search = new_entry("old"), new_entry("new"), new_entry("search")
    async with TestApp(SCHOOL, any_store, settings=with_keys(new, old, search)) as app:
        await app.migrate()
        one, two, keyring = await enrolled(app.caller(), "Ann"), await enrolled(app.caller(), "Ben"), app.server.keyring
        assert keyring is not None
        late = resealed(STUDENT, (await stored(app))[one], read_keys(f"{old} {new.replace('new', 'x')} {search}"))
        assert late == (await stored(app))[one]  # by keys that do not open it, nothing is done
        late = resealed(STUDENT, late, read_keys(f"{old} {new} {search}"))
        await overwrite(app, "students", one, **late)
        await overwrite(app, "students", two, notes=[{"text": "in the clear"}])
        counts = {
            each.field: dict(each.keys) for each in await sealed_counts(app.store, {"students": STUDENT}, keyring)
        }
        assert counts["date_of_birth"] == {"old": 1, "new": 1}
        assert counts["notes"] == {"old": 1, "": 1}
        await app.server.schema.migrations.seal_anew()
        counts = {
            each.field: dict(each.keys) for each in await sealed_counts(app.store, {"students": STUDENT}, keyring)
        }
        assert counts["date_of_birth"] == {"new": 2}
        assert counts["notes"] == {"new": 1, "": 1}  # what somebody has written past the hub does not become genuine


async def test_a_new_key_of_searchable_fields_makes_their_tokens_anew(reopened: Reopened) -> None:
    key = new_entry("key")
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(key, new_entry("search"))) as app:
        await enrolled(app.caller())
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(key, new_entry("search"))) as app:
        await app.migrate()
        assert await app.caller().query("school:born_on", {"dateOfBirth": BIRTH}) == ["Ann"]


@migration(STUDENT)
async def louder(ctx: MutationContext, document: dict[str, Any]) -> None:
    if isinstance(document["notes"], list):  # what does not open is handed over sealed
        document["notes"] = [{**note, "text": note["text"].upper()} for note in document["notes"]]


async def test_migrations_are_handed_clear_text_and_what_they_give_is_sealed(any_store: Store) -> None:
    written = migration_of(louder)
    assert written is not None
    async with TestApp(replace(SCHOOL, migrations=(written,)), any_store) as app:
        ann = app.caller()
        ids = [await enrolled(ann, name, notes=[{"text": "quiet"}]) for name in ("sealed", "clear", "changed")]
        documents = await stored(app)
        await overwrite(app, "students", ids[1], notes=[{"text": "quiet", "weight": 1.0}])
        moved = documents[ids[0]]["notes"]
        await overwrite(app, "students", ids[2], notes=moved)
        await app.migrate()
        documents = await stored(app)
        assert all(sealed_in(each["notes"]) is not None for each in documents.values())
        assert documents[ids[2]]["notes"] == moved
        rows = {row["name"]: row["notes"] for row in await ann.query("school:students")}
        loud = [{"text": "QUIET", "weight": 1.0}]
        assert rows == {"sealed": loud, "clear": loud, "changed": None}


async def test_another_key_under_the_same_name_is_refused_before_it_seals_anything(reopened: Reopened) -> None:
    key, search = new_entry("one"), new_entry("search")
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(key, search)) as app:
        await enrolled(app.caller(), "Ann")
    other = new_entry("one")
    with pytest.raises(StoreUnusable, match=r"the key 'one' .* opens none of the \d+ values .* another name"):
        async with TestApp(SCHOOL, reopened.store(), settings=with_keys(other, search)):
            pass
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(other.replace("one", "two"), search)) as app:
        assert [row["dateOfBirth"] for row in await app.caller().query("school:students")] == [None]
        await enrolled(app.caller(), "Ben")
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(key, search)) as app:
        births = [row["dateOfBirth"] for row in await app.caller().query("school:students")]
        assert births == [BIRTH, None], "nothing of what the right key has sealed was lost"


async def test_a_value_that_somebody_has_changed_keeps_no_hub_from_starting(reopened: Reopened) -> None:
    key, search = new_entry("one"), new_entry("search")
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(key, search)) as app:
        ids = [await enrolled(app.caller(), f"student {number}") for number in range(4)]
        kept = await stored(app)
        for id_, other in pairwise(ids):
            moved = {name: kept[other][name] for name in ("dateOfBirth", "notes")}
            await overwrite(app, "students", id_, **moved)
    async with TestApp(SCHOOL, reopened.store(), settings=with_keys(key, search)) as app:
        births = [row["dateOfBirth"] for row in await app.caller().query("school:students")]
        assert births == [None, None, None, BIRTH]
