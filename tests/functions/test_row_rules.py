"""Row rules hold in every access, whatever a function forgets; what is hidden does not exist."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from apps import tenants
from helpers.read_recorder import ReadRecorder
from helpers.tenant_scene import REGISTRY, Scene, code_of, scene_in
from synovia import FunctionError, SchemaError, Table, field, require_identity
from synovia.functions.registry import Registry
from synovia.functions.row_rules import RowRules, may_read
from synovia.keys import BY_ID, prefix
from synovia.store.base import Store
from synovia.testing import TestApp
from synovia.transaction.transaction import Transaction

pytestmark = pytest.mark.alike

NOTHING = "f" * 24
EMPTY: dict[str, Any] = {
    "organizations": [], "members": [], "titles": [], "by_start": [], "first": [], "count": 0, "sum": 0, "latest": None,
    "owners": {}, "notes": [], "note_count": 0, "audit": 0, "deleted": [],
}  # fmt: skip


@pytest.fixture
async def scene(any_store: Store) -> AsyncIterator[Scene]:
    async with TestApp(REGISTRY, any_store) as app:
        yield await scene_in(app)


async def test_each_sees_what_the_rules_show(scene: Scene) -> None:
    ben = await scene.person("ben@north").query("tenants:everything")
    assert ben == {
        "organizations": ["north"],
        "members": ["dev|ann@north.org", "dev|ben@north.org", "dev|vic@north.org"],
        "titles": ["plan", "talk"],
        "by_start": ["plan", "talk"],
        "first": ["talk"],
        "count": 2,
        "sum": 50,
        "latest": 30,
        "owners": {"dev|ann@north.org": 1, "dev|ben@north.org": 1},
        "notes": ["of plan", "of talk"],
        "note_count": 2,
        "audit": 0,
        "deleted": [],
    }
    ann = await scene.person("ann@north").query("tenants:everything")
    assert (ann["titles"], ann["sum"], ann["first"], ann["notes"], ann["audit"]) == (
        ["plan", "secret", "talk"], 60, ["secret"], ["of plan", "of secret", "of talk"], 3,
    )  # fmt: skip
    sue = await scene.person("sue@south").query("tenants:everything")
    assert (sue["organizations"], sue["titles"], sue["notes"]) == (["south"], ["south plan"], ["of south plan"])
    for nobody in (scene.app.caller(), scene.person("stranger@north")):
        assert await nobody.query("tenants:everything") == EMPTY
    assert (await scene.app.trusted.query("tenants:everything"))["count"] == 4
    over_http = await scene.person("ben@north").http.post("/api/query", json={"path": "tenants:everything"})
    assert over_http.json()["result"] == ben


async def test_pages_are_filled_with_what_is_visible(scene: Scene) -> None:
    ben, found, cursor = scene.person("ben@north"), [], None
    for _ in range(3):
        page = await ben.query("tenants:page", {"size": 1, **({} if cursor is None else {"cursor": cursor})})
        found += [each["title"] for each in page["items"]]
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    assert (found, cursor) == (["talk", "plan"], None)
    notes = await ben.query("tenants:pages_of_notes", {"size": 2})
    assert [each["text"] for each in notes["items"]] == ["of plan", "of talk"]
    assert "nextCursor" not in notes
    # a cursor of somebody else's list leads to nothing of theirs
    theirs = await scene.person("ann@north").query("tenants:page", {"size": 1})
    rest = await scene.person("sue@south").query("tenants:page", {"cursor": theirs["nextCursor"]})
    assert [each["title"] for each in rest["items"]] == ["south plan"]


@pytest.mark.parametrize(
    ("path", "args"),
    [
        ("tenants:one", {}),
        ("tenants:exactly", {}),
        ("tenants:change", {"title": "mine"}),
        ("tenants:put", {"organizationId": "south"}),
        ("tenants:remove", {}),
        ("tenants:bring_back", {}),
        ("tenants:hand_over", {"organizationId": "south"}),
        ("tenants:note", {"text": "mine"}),
    ],
)
async def test_an_id_of_another_tenant_is_no_id(scene: Scene, path: str, args: dict[str, str]) -> None:
    recorder, cache = ReadRecorder(scene.app.store), scene.app.engine._executor.reads.cache
    answers = []
    for id_ in (scene.ids["plan"], NOTHING):
        given = {name: scene.ids.get(value, value) for name, value in args.items()}
        call = (
            scene.person("sue@south").query
            if path in ("tenants:one", "tenants:exactly")
            else scene.person("sue@south").mutation
        )
        cache.forget_all()
        recorder.take()
        try:
            answer = repr(await call(path, {"scheduleId": id_, **given}))
        except FunctionError as error:
            answer = f"{error.code} {error.message} {error.data}".replace(id_, "ID")
        answers.append((answer, recorder.take()))
    assert answers[0] == answers[1]
    for path in ("tenants:one", "tenants:exactly"):
        assert (await scene.person("ann@north").query(path, {"scheduleId": scene.ids["plan"]}))["title"] == "plan"


async def test_writes_are_held_to_the_rules_before_and_after(scene: Scene) -> None:
    ann, ben, vic = (scene.person(f"{name}@north") for name in ("ann", "ben", "vic"))
    north, south, plan = scene.ids["north"], scene.ids["south"], scene.ids["plan"]
    assert await code_of(vic.mutation("tenants:change", {"scheduleId": plan, "title": "mine"})) == "forbidden"
    assert await code_of(ben.mutation("tenants:hand_over", {"scheduleId": plan, "organizationId": south})) != "ok"
    assert await code_of(ben.mutation("tenants:add", {"organizationId": south, "title": "x"})) == "forbidden"
    # what its writer would not see is not written either
    hidden = {"organizationId": north, "title": "x", "private": True, "owner": "somebody"}
    assert await code_of(ben.mutation("tenants:add", hidden)) == "forbidden"
    assert await code_of(ben.mutation("tenants:add", {**hidden, "team": "ben"})) == "ok"
    assert await code_of(ben.mutation("tenants:dissolve", {"organizationId": north})) == "forbidden"
    assert await code_of(vic.mutation("tenants:rename_all", {"start": 1})) == "forbidden"
    assert await code_of(vic.mutation("tenants:remove_all")) == "forbidden"
    assert await ben.mutation("tenants:rename_all", {"start": 1}) == 3
    assert {row["title"]: row["start"] for row in await ann.query("tenants:of_organization", {"organizationId": north})} == {
        "plan": 1, "secret": 10, "talk": 1,
    }  # fmt: skip
    assert await ben.mutation("tenants:remove_all") == 3
    assert (await ann.query("tenants:everything"))["titles"] == ["secret"]
    assert (await scene.person("sue@south").query("tenants:everything"))["titles"] == ["south plan"]


async def test_what_goes_along_goes_whoever_sees_it(scene: Scene) -> None:
    await scene.person("ann@north").mutation("tenants:dissolve", {"organizationId": scene.ids["north"]})
    left = await scene.app.trusted.query("tenants:everything")
    assert (left["organizations"], left["titles"], left["notes"]) == (["south"], ["south plan"], ["of south plan"])


async def test_loading_shows_no_more_than_getting(scene: Scene) -> None:
    assert await scene.person("ben@north").query("tenants:with_schedules") == ["plan", "talk"]


async def test_live_queries_follow_the_rules_at_once(scene: Scene) -> None:
    app, south = scene.app, scene.ids["south"]
    async with (
        scene.person("ben@north").subscribe("tenants:everything", {}) as shown,
        scene.person("ben@north").subscribe("tenants:one", {"scheduleId": scene.ids["talk"]}) as talk,
        scene.person("sue@south").subscribe("tenants:everything", {}) as other,
    ):
        assert shown.value["titles"] == ["plan", "talk"]
        await scene.person("ann@north").mutation(
            "tenants:change", {"scheduleId": scene.ids["plan"], "title": "big plan"}
        )
        assert (shown.value["titles"], other.value["titles"]) == (["big plan", "talk"], ["south plan"])
        await app.trusted.mutation("tenants:move", {"authId": "dev|ben@north.org", "organizationId": south})
        assert (shown.value["titles"], shown.value["notes"]) == (["south plan"], ["of south plan"])
        assert talk.value is None
        ben = next(each for each in await members(scene) if each["authId"] == "dev|ben@north.org")
        await app.trusted.mutation("tenants:dismiss", {"memberId": ben["_id"]})
        assert shown.value == EMPTY
        assert other.value["titles"] == ["south plan"]


async def members(scene: Scene) -> list[dict[str, Any]]:
    ts, _ = await scene.app.store.newest()
    snapshot = scene.app.store.snapshot(ts)
    found = await snapshot.scan("members", BY_ID, prefix(()))
    return [{"_id": str(each["_id"]), "authId": each["authId"]} for each in found]


async def test_nobody_is_shown_what_was_found_for_somebody_else(scene: Scene) -> None:
    """No function of this application looks at the caller: the rules do, so results are not shared."""
    async with (
        scene.app.caller().subscribe("tenants:everything", {}) as nobody,
        scene.person("ann@north").subscribe("tenants:everything", {}) as ann,
        scene.person("sue@south").subscribe("tenants:everything", {}) as sue,
        scene.app.caller().subscribe("tenants:everything", {}) as nobody_else,
    ):
        shown = [each.value["titles"] for each in (nobody, ann, sue, nobody_else)]
        assert shown == [[], ["plan", "secret", "talk"], ["south plan"], []]


async def test_equal_values_of_indexed_fields_cost_nothing(scene: Scene) -> None:
    recorder = ReadRecorder(scene.app.store)
    scene.app.engine._executor.reads.cache.forget_all()
    await scene.person("sue@south").query("tenants:page", {"size": 5})
    assert "scan schedules by by_organization_start" in recorder.take()
    await scene.person("sue@south").query("tenants:everything")
    asked = recorder.take()
    assert {each for each in asked if "schedules" in each and each.startswith(("scan", "count"))} == {
        "scan schedules by by_organization", "scan schedules by by_organization_start",
        "count schedules by by_organization",
    }  # fmt: skip
    await scene.person("sue@south").query("tenants:of_organization", {"organizationId": scene.ids["north"]})
    assert (
        await scene.person("sue@south").query("tenants:of_organization", {"organizationId": scene.ids["north"]}) == []
    )


# --- what fails ------------------------------------------------------------------------------------------------------


def with_rule(*rules: Any) -> Registry:
    """Give the application with other rules of schedules."""
    others = {place: found for place, found in REGISTRY.rules.by_table.items() if place[0] != "schedules"}
    declared = [rule for body in rules for rule in getattr(body, "__synovia_row_rules__")]  # noqa: B009
    return replace(REGISTRY, rules=RowRules({**others, ("schedules", "read"): tuple(declared)}))


async def test_a_rule_that_fails_takes_the_call_with_it() -> None:
    @may_read(tenants.Schedule)
    async def broken(ctx: Any) -> bool:
        raise RuntimeError("no")

    @may_read(tenants.Schedule)
    async def vague(ctx: Any) -> Any:
        return 1

    @may_read(tenants.Schedule)
    async def misspelled(ctx: Any) -> Any:
        return field("organisation") == "x"

    @may_read(tenants.Schedule)
    async def forgotten(ctx: Any, row: Any) -> Any:
        return None

    @may_read(tenants.Schedule)
    async def mirrored(ctx: Any, row: Any) -> Any:
        return await ctx.db.visible.get(row.id) is not None

    for rule in (broken, vague, misspelled, forgotten, mirrored):
        async with TestApp(with_rule(rule)) as app:
            row = {"organizationId": NOTHING, "owner": "x", "title": "x"}
            await app.trusted.mutation("tenants:found", {"slug": "north", "members": {}})
            organizations = await app.trusted.query("tenants:everything")
            assert organizations["count"] == 0
            north = (await app.store.snapshot((await app.store.newest())[0]).scan("organizations", *whole()))[0]["_id"]
            id_ = await app.trusted.mutation("tenants:add", {"organizationId": str(north), "title": row["title"]})
            for path, args in (("tenants:everything", {}), ("tenants:swallowing", {"scheduleId": id_})):
                with pytest.raises(FunctionError) as caught:
                    await app.caller("ann@north.org").query(path, args)
                assert caught.value.code == "server_error", (rule.__name__, path)
                assert rule.__name__ in caught.value.message or rule in (broken, misspelled)


def whole() -> Any:
    return BY_ID, prefix(())


async def test_an_error_that_a_rule_means_reaches_the_caller() -> None:
    @may_read(tenants.Schedule)
    async def signed_in(ctx: Any) -> bool:
        require_identity(ctx)
        return True

    async with TestApp(with_rule(signed_in)) as app:
        with pytest.raises(FunctionError) as caught:
            await app.caller().query("tenants:everything")
        assert caught.value.code == "unauthenticated"
        assert (await app.caller("ann@north.org").query("tenants:everything"))["count"] == 0


def test_a_table_without_a_rule_is_refused_beside_others_that_have_one() -> None:
    class Left(Table, name="left"):
        text: str

    with pytest.raises(SchemaError, match=r"test_row_rules\.py:.*who may read left.*@may_read"):
        RowRules.among([*REGISTRY.rules.by_table["schedules", "read"]], {"left": Left, "schedules": tenants.Schedule})


@pytest.mark.parametrize("tables", [(), ("schedules",), (Table,)])
def test_rules_name_tables(tables: tuple[Any, ...]) -> None:
    with pytest.raises(SchemaError, match="names tables by their classes"):
        may_read(*tables)


def test_a_rule_is_an_async_function_of_a_context() -> None:
    for body in (lambda ctx: True, len):
        with pytest.raises(SchemaError, match="a rule is an async function"):
            may_read(tenants.Schedule)(body)  # type: ignore[type-var]


async def test_a_run_that_is_over_does_not_wait_for_the_garbage_collector(scene: Scene) -> None:
    ann = scene.person("ann@north")
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            await ann.mutation("tenants:change", {"scheduleId": scene.ids["plan"], "title": "later"})
            await ann.query("tenants:everything")
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert not [each for each in gc.garbage if isinstance(each, Transaction)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
