"""Many calls scheduled at once: few documents, unpacked by the hubs, each run once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from bson import ObjectId

from apps import many
from helpers.patience import PATIENCE
from scheduler.hubs import hub_beside
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.scheduler.batches import MOST_BYTES
from synovia.store import arrays
from synovia.store.base import Batch, Store, StoreUnavailable, Ts, Write
from synovia.store.sweep import sweep
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

BATCHES = "_call_batches"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("many", [many])


@pytest.fixture
async def app(registry: Registry, any_store: Store) -> AsyncIterator[TestApp]:
    async with asyncio.timeout(PATIENCE), TestApp(registry, any_store) as app:
        yield app


async def plan(app: TestApp, count: int, **options: Any) -> list[str]:
    ids: list[str] = await app.caller().mutation("many:plan", {"count": count, **options})
    return ids


async def marks(app: TestApp) -> list[int]:
    found: list[int] = await app.caller().query("many:marks")
    return found


async def state(app: TestApp, call_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = await app.caller().query("many:call", {"callId": call_id})
    return found


async def unpacked(app: TestApp) -> None:
    """Have the batches made rows, and nothing else be done: the time of the calls has not come."""
    await app.advance()


# --- that each is run -------------------------------------------------------------------------------------------------


@pytest.mark.alike
@pytest.mark.slow
async def test_each_runs_once_and_can_be_seen(app: TestApp) -> None:
    ids = await plan(app, 456)
    assert len(set(ids)) == 456
    await app.advance()
    found = await marks(app)
    assert sorted(found) == list(range(456))
    assert await app.caller().query("many:how_many", {"status": "done"}) == 456
    row = await state(app, ids[7])
    assert row is not None
    assert (row["args"], row["status"], row["attempts"]) == ({"number": 7}, "done", 1)


@pytest.mark.slow
async def test_thousands_are_written_as_a_few_documents(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    async with TestApp(registry) as app:
        commit, written = app.store.commit, list[int]()

        async def counted(batch: Batch) -> Ts:
            written.append(len(batch.writes))
            return await commit(batch)

        monkeypatch.setattr(app.store, "commit", counted)
        assert len(await plan(app, 4_000, seconds=86_400)) == 4_000
        assert written == [20]
        await unpacked(app)
        assert max(written) <= 201
        assert await app.caller().query("many:how_many", {"status": "pending"}) == 4_000


async def test_actions_and_times_and_none_at_all(app: TestApp) -> None:
    assert len(await app.caller().action("many:plan_by_action", {"count": 30})) == 30
    at = int(app.clock() * 1000) + 5_000
    [first, *_] = await app.caller().mutation("many:plan_at", {"at": at, "count": 3})
    assert await plan(app, 0) == []
    await app.advance(4)
    row = await state(app, first)
    assert row is not None
    assert (sorted(await marks(app)), row["runAt"]) == (list(range(30)), at)
    await app.advance(1)
    assert sorted(await marks(app)) == sorted([*range(30), 0, 1, 2])


@pytest.mark.slow
@pytest.mark.alike
async def test_each_is_told_with_its_own_context(app: TestApp) -> None:
    await plan(app, 210, told=True)
    await app.advance()
    ends = await app.caller().query("many:ends")
    assert sorted(end["context"] for end in ends) == list(range(210))
    assert {end["status"] for end in ends} == {"done"}


async def test_a_mutation_that_fails_schedules_none_of_them(app: TestApp) -> None:
    with pytest.raises(FunctionError) as refused:
        await plan(app, 210, fails=True)
    assert refused.value.code == "changed_my_mind"
    await app.advance()
    assert await marks(app) == []


@pytest.mark.alike
async def test_large_arguments_make_smaller_batches(app: TestApp) -> None:
    await plan(app, 40, padding=100_000)
    await app.advance()
    assert sorted(await marks(app)) == list(range(40))


async def test_arrays_that_only_a_batch_refers_to_are_kept(app: TestApp) -> None:
    samples = [np.arange(float(n)) for n in range(1, 6)]
    await app.caller().mutation("many:plan_arrays", {"samples": samples})
    await sweep(app.store, time.time() + 86_400)
    await unpacked(app)
    await sweep(app.store, time.time() + 86_400)
    await app.advance(3 * 86_400)
    assert sorted(await marks(app)) == [1, 2, 3, 4, 5]
    assert await arrays.read_range(app.store.arrays, await arrays.write_array(app.store.arrays, samples[0])) is not None


# --- hubs -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_hubs_that_unpack_at_the_same_time_make_each_row_once(app: TestApp) -> None:
    async with hub_beside(app) as other, hub_beside(app) as third:
        await plan(app, 420)
        app.clock.advance(1)
        await asyncio.gather(app.advance(), other.advance(), third.advance())
        await app.advance()
        assert sorted(await marks(app)) == list(range(420))
        assert await app.caller().query("many:how_many", {"status": "done"}) == 420


@pytest.mark.slow
async def test_a_batch_whose_commits_are_not_acknowledged_is_unpacked_once(
    app: TestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, lost = app.store.commit, 0

    async def commit_and_lose(batch: Batch) -> Ts:
        nonlocal lost
        ts = await commit(batch)
        if lost < 4 and any(write.table == BATCHES for write in batch.writes):
            lost += 1
            raise StoreUnavailable("the acknowledgement was lost")
        return ts

    monkeypatch.setattr(app.store, "commit", commit_and_lose)
    await plan(app, 620)
    await app.advance()
    assert lost == 4
    assert sorted(await marks(app)) == list(range(620))


async def test_a_hub_that_is_lost_leaves_them_to_another(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        async with hub_beside(app) as lost:
            await lost.caller().mutation("many:plan", {"count": 210})
        await app.advance(1)
        assert sorted(await marks(app)) == list(range(210))


# --- cancelling -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.alike
async def test_one_is_cancelled_before_it_has_a_row_and_after(app: TestApp) -> None:
    ids = await plan(app, 220, seconds=60, told=True)
    early = [ids[0], ids[219], ids[3]]
    for each in early:
        assert await app.caller().mutation("many:cancel", {"callId": each}) is True
        assert await app.caller().mutation("many:cancel", {"callId": each}) is False
        row = await state(app, each)
        assert row is not None
        assert row["status"] == "cancelled"
    await unpacked(app)
    assert await app.caller().mutation("many:cancel", {"callId": ids[5]}) is True
    await app.advance(60)
    assert sorted(await marks(app)) == sorted(set(range(220)) - {0, 219, 3, 5})
    ends = await app.caller().query("many:ends")
    assert sorted(end["context"] for end in ends if end["status"] == "cancelled") == [0, 3, 5, 219]


async def test_the_mutation_that_schedules_them_may_cancel_some(app: TestApp) -> None:
    assert await app.caller().mutation("many:plan_and_cancel", {"count": 10}) == [True] * 5
    await app.advance()
    assert await marks(app) == [1, 3, 5, 7, 9]


async def test_what_is_in_no_batch_cannot_be_cancelled(app: TestApp) -> None:
    await plan(app, 3, seconds=60)
    for each in (str(ObjectId()), "no id at all", ""):
        assert await app.caller().mutation("many:cancel", {"callId": each}) is False


# --- what cannot be scheduled -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "calls", "contexts", "code"),
    [
        ("many:nothing", [], None, "unknown_function"),
        ("many:marks", [{}], None, "wrong_kind"),
        ("many:mark", [{"number": 1}, {}], [1, 2], "invalid_arguments"),
        ("many:mark", [{"number": 1}, 5], [1, 2], "invalid_arguments"),
        ("many:mark", [{"number": 1}], [1, 2], "invalid_arguments"),
        ("many:mark", [{"number": 1}], ["no number"], "invalid_arguments"),
        ("many:mark", [{"number": 1, "padding": "x" * 2_000_000}], [1], "limit_exceeded"),
    ],
)
async def test_it_is_told_to_the_one_who_schedules_and_none_is(
    registry: Registry, path: str, calls: list[Any], contexts: list[Any] | None, code: str
) -> None:
    async with TestApp(registry) as app:
        args = {"path": path, "calls": calls, **({} if contexts is None else {"contexts": contexts})}
        with pytest.raises(FunctionError) as refused:
            await app.caller().mutation("many:plan_any", args)
        assert refused.value.code == code
        await app.advance()
        assert await marks(app) == []


async def test_the_limit_is_one_of_bytes(registry: Registry) -> None:
    async with TestApp(registry) as app:
        each = 200_000
        await plan(app, MOST_BYTES // (each + 150), seconds=60, padding=each)
        with pytest.raises(FunctionError) as refused:
            await plan(app, MOST_BYTES // each + 1, seconds=60, padding=each)
        assert (refused.value.code, "bytes" in refused.value.message) == ("limit_exceeded", True)


async def test_a_batch_that_another_program_has_spoilt_is_told_and_holds_nobody_up(
    app: TestApp, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        {"_id": ObjectId(), "dueAt": 5, "path": "many:mark", "hub": "x"},
        {"_id": ObjectId(), "dueAt": 1.5, "calls": [{"_id": 1}], "common": {}},
        {"_id": "odd", "dueAt": 2, "calls": "none", "common": {}},
        {"_id": ObjectId(), "dueAt": "soon"},
    ]
    ts = await app.store.commit(Batch([Write(BATCHES, row["_id"], None, row) for row in rows]))
    await app.engine.wait_for(ts)
    await plan(app, 3)
    await app.advance(1, raise_failures=False)
    assert sorted(await marks(app)) == [0, 1, 2]
    assert app.scheduler.failures.total.count == 3
    assert f"{rows[0]['_id']}" in caplog.text
