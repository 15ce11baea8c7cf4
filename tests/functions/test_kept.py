"""What is kept for a table: times, what was deleted, and who has changed what."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from helpers.tenant_scene import REGISTRY, Scene, code_of, scene_in
from synovia import Audited, FunctionError, Index, Model, SchemaError, SoftDelete, Table, Timestamps
from synovia.schema.list_bounds import unbounded_lists
from synovia.store.base import Store
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

SOURCE = Path(__file__).read_text().splitlines()


@pytest.fixture
async def scene(any_store: Store) -> AsyncIterator[Scene]:
    async with TestApp(REGISTRY, any_store) as app:
        yield await scene_in(app)


async def test_times_are_kept_and_nobody_sets_them(scene: Scene) -> None:
    ben, made = scene.person("ben@north"), int(scene.app.clock.now * 1000)
    talk = await ben.query("tenants:one", {"scheduleId": scene.ids["talk"]})
    assert (talk["createdAt"], talk["updatedAt"]) == (made, made)
    scene.app.clock.advance(5)
    changed = await ben.mutation("tenants:change", {"scheduleId": scene.ids["talk"], "title": "longer talk"})
    assert (changed["createdAt"], changed["updatedAt"]) == (made, made + 5_000)
    assert await ben.query("tenants:one", {"scheduleId": scene.ids["talk"]}) == changed
    scene.app.clock.advance(5)
    assert await ben.mutation("tenants:change", {"scheduleId": scene.ids["talk"], "title": "longer talk"}) == changed
    await ben.mutation("tenants:put", {"scheduleId": scene.ids["talk"], "organizationId": scene.ids["north"]})
    put = await ben.query("tenants:one", {"scheduleId": scene.ids["talk"]})
    assert (put["title"], put["createdAt"], put["updatedAt"]) == ("put", made, made + 10_000)
    for name in ("created_at", "updated_at", "deleted_at"):
        with pytest.raises(FunctionError, match="kept by the server"):
            await scene.app.trusted.mutation("tenants:set", {"scheduleId": scene.ids["talk"], "name": name})


async def test_what_is_deleted_is_gone_until_it_is_restored(scene: Scene) -> None:
    ann, talk = scene.person("ann@north"), scene.ids["talk"]
    before = await ann.query("tenants:everything")
    async with ann.subscribe("tenants:everything", {}) as shown:
        await ann.mutation("tenants:remove", {"scheduleId": talk})
        assert shown.value == {
            **before, "titles": ["plan", "secret"], "by_start": ["plan", "secret"], "count": 2, "sum": 40,
            "owners": {"dev|ann@north.org": 2}, "notes": ["of plan", "of secret"], "note_count": 2, "audit": 4,
            "deleted": ["talk"],
        }  # fmt: skip
        assert await ann.query("tenants:one", {"scheduleId": talk}) is None
        for path, args in (
            ("tenants:change", {"title": "x"}), ("tenants:remove", {}),
            ("tenants:put", {"organizationId": scene.ids["north"]}),
        ):  # fmt: skip
            assert await code_of(ann.mutation(path, {"scheduleId": talk, **args})) == "not_found"
        assert await code_of(ann.mutation("tenants:note", {"scheduleId": talk, "text": "x"})) == "forbidden"
        assert "deletedAt" not in await ann.mutation("tenants:bring_back", {"scheduleId": talk})
        assert shown.value == {**before, "audit": 5}
        # twice changes nothing, and one that is not there is not found
        await ann.mutation("tenants:bring_back", {"scheduleId": talk})
        assert shown.value == {**before, "audit": 5}
        assert await code_of(ann.mutation("tenants:bring_back", {"scheduleId": "f" * 24})) == "not_found"


async def test_restoring_brings_back_what_went_along_and_nothing_else(scene: Scene) -> None:
    ann, plan = scene.person("ann@north"), scene.ids["plan"]
    await ann.mutation("tenants:note", {"scheduleId": plan, "text": "later"})
    await ann.mutation("tenants:remove_note", {"noteId": scene.ids["note of plan"]})
    scene.app.clock.advance(1)
    await ann.mutation("tenants:remove", {"scheduleId": plan})
    assert await code_of(ann.mutation("tenants:bring_back_note", {"noteId": scene.ids["note of plan"]})) == "not_found"
    assert await code_of(
        scene.app.trusted.mutation("tenants:bring_back_note", {"noteId": scene.ids["note of plan"]})
    ) == ("invalid_arguments")
    await ann.mutation("tenants:bring_back", {"scheduleId": plan})
    assert (await ann.query("tenants:everything"))["notes"] == ["of secret", "of talk", "later"]


async def test_a_key_is_free_as_long_as_its_row_is_deleted(scene: Scene) -> None:
    ann, north = scene.person("ann@north"), scene.ids["north"]
    again = {"organizationId": north, "title": "plan"}
    with pytest.raises(
        FunctionError, match=r"has the same organizationId, title$"
    ):  # and no field that it keeps for itself
        await ann.mutation("tenants:add", again)
    for _ in range(2):  # at one millisecond
        await ann.mutation("tenants:remove", {"scheduleId": (await ann.query("tenants:titled", again))["_id"]})
        await ann.mutation("tenants:add", again)
    assert await code_of(ann.mutation("tenants:bring_back", {"scheduleId": scene.ids["plan"]})) == "unique_violation"
    await ann.mutation("tenants:remove", {"scheduleId": (await ann.query("tenants:titled", again))["_id"]})
    await ann.mutation("tenants:bring_back", {"scheduleId": scene.ids["plan"]})
    assert (await ann.query("tenants:titled", again))["_id"] == scene.ids["plan"]


async def test_what_was_deleted_long_ago_is_purged_by_a_cron(scene: Scene) -> None:
    ann, app = scene.person("ann@north"), scene.app
    await ann.mutation("tenants:remove", {"scheduleId": scene.ids["talk"]})
    app.clock.advance(timedelta(days=20).total_seconds())
    await ann.mutation("tenants:remove", {"scheduleId": scene.ids["secret"]})
    app.clock.advance(timedelta(days=12).total_seconds())
    await app.advance()
    assert (await ann.query("tenants:everything"))["deleted"] == ["secret"]
    assert await code_of(ann.mutation("tenants:bring_back", {"scheduleId": scene.ids["talk"]})) == "not_found"
    await ann.mutation("tenants:remove", {"scheduleId": scene.ids["plan"], "forGood": True})
    left = await ann.query("tenants:everything")
    assert (left["titles"], left["deleted"]) == ([], ["secret"])


async def test_each_change_of_an_audited_row_is_written_down(scene: Scene) -> None:
    ben, talk = scene.person("ben@north"), scene.ids["talk"]
    made = int(scene.app.clock.now * 1000)
    scene.app.clock.advance(1)
    await ben.mutation("tenants:change", {"scheduleId": talk, "title": "long talk"})
    await ben.mutation("tenants:remove", {"scheduleId": talk})
    await scene.app.trusted.mutation("tenants:bring_back", {"scheduleId": talk})
    await ben.mutation("tenants:remove", {"scheduleId": talk, "forGood": True})
    assert await ben.query("tenants:history", {"scheduleId": talk}) == []  # that is for admins
    found = await scene.person("ann@north").query("tenants:history", {"scheduleId": talk})
    assert [(each["action"], each["actor"], each["at"]) for each in found] == [
        ("schedules.insert", "dev|ben@north.org", made), ("schedules.update", "dev|ben@north.org", made + 1_000),
        ("schedules.delete", "dev|ben@north.org", made + 1_000), ("schedules.restore", "application", made + 1_000),
        ("schedules.delete", "dev|ben@north.org", made + 1_000),
    ]  # fmt: skip
    assert found[0]["before"] == {}
    assert found[0]["after"]["organizationId"] == scene.ids["north"]
    assert (found[1]["before"], found[1]["after"]) == ({"title": "talk"}, {"title": "long talk"})
    assert (found[2]["before"], found[2]["after"]) == ({}, {"deletedAt": made + 1_000})
    assert found[4]["before"]["title"] == "long talk"
    assert found[4]["after"] == {}
    assert await scene.person("sue@south").query("tenants:history", {"scheduleId": talk}) == []


def test_the_scope_of_an_audit_is_a_field() -> None:
    with pytest.raises(SchemaError, match="no field 'tenant'"):

        class Wrong(Table, Audited, name="wrong", audit_scope="tenant"):
            text: str


def test_what_is_kept_is_not_declared_otherwise() -> None:
    with pytest.raises(SchemaError, match="created_at is kept by Timestamps"):

        class Own(Table, Timestamps):
            created_at: int

    with pytest.raises(SchemaError, match="is not Audited"):

        class Unaudited(Table, audit_scope="text"):
            text: str


async def test_only_what_is_deleted_softly_is_purged(scene: Scene) -> None:
    assert await code_of(scene.app.trusted.mutation("tenants:purge_organizations")) == "invalid_arguments"


def test_unique_indexes_of_what_is_deleted_softly_leave_the_deleted_out() -> None:
    class Kept(
        Table, SoftDelete, name="kept", indexes=[Index("by_text", "text", unique=True), Index("by_size", "size")]
    ):
        text: str
        size: int

    assert [index.fields for index in Kept.spec.indexes] == [("text", "deletedAt"), ("size",), ("deletedAt",)]


class Part(Model):
    values: list[int]


class Lists(Table, name="lists"):
    free: list[str]
    maybe: list[str] | None = None
    several: list[int] | str = ""
    any_length: tuple[int, ...] = ()
    bounded: Annotated[list[str], Field(max_length=10)] = []
    bounded_too: Annotated[list[str], Field(max_length=10)] | None = None
    declared: list[str] = Field(default=[], max_length=3)
    pair: tuple[int, int] = (0, 0)
    text: str = ""
    part: Part | None = None


async def test_lists_without_a_bound_are_told_at_start(caplog: pytest.LogCaptureFixture) -> None:
    assert list(unbounded_lists(Lists)) == ["free", "maybe", "several", "any_length"]
    with caplog.at_level(logging.WARNING, "synovia"):
        async with TestApp(replace(REGISTRY, models={"lists": Lists})):
            pass
    told: list[Any] = [record.getMessage() for record in caplog.records if "may grow" in record.getMessage()]
    assert len(told) == 4
    line = 1 + next(n for n, text in enumerate(SOURCE) if text.startswith("    maybe:"))
    assert f"test_kept.py:{line}: Lists.maybe" in told[1]
