"""Jobs: every document in exactly one step, in order, whatever fails, is cancelled, or is lost on the way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from apps import stocktaking
from helpers.seeds import seeds
from scheduler.hubs import do_what_is_due, hub_beside, lose
from synovia import MutationContext, Table, job
from synovia.errors import FunctionError, SchemaError
from synovia.functions.registry import Registry, collect
from synovia.limits.settings import HubLimits
from synovia.scheduler.jobs import _next_size
from synovia.store.base import Store
from synovia.testing import CallsFailed, TestApp
from synovia.testing.app import settings_for_tests

pytestmark = pytest.mark.same_tables

CRATES = 300


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("stocktaking", [stocktaking])


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    stocktaking.FAULTY.clear()


async def put(app: TestApp, count: int = CRATES, first: int = 0) -> None:
    await app.caller().mutation("stocktaking:put", {"first": first, "count": count})


async def begin(app: TestApp, **args: Any) -> str:
    call_id: str = await app.caller().mutation("stocktaking:begin", args)
    return call_id


async def progress(app: TestApp, call_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await app.caller().query("stocktaking:progress", {"callId": call_id})
    return found


async def counted(app: TestApp) -> dict[str, int]:
    found: dict[str, int] = await app.caller().query("stocktaking:counted")
    return found


async def order_of(app: TestApp, name: str = "a") -> list[int]:
    steps: list[list[int]] = await app.caller().query("stocktaking:steps", {"name": name})
    return [number for step in steps for number in step]


async def test_each_document_is_handed_over_once_and_in_order(app: TestApp) -> None:
    await put(app)
    call_id = await begin(app)
    assert await progress(app, call_id) == {"status": "pending", "attempts": 0}
    await app.advance()
    assert await order_of(app) == list(range(CRATES))
    assert set((await counted(app)).values()) == {1}
    steps = await app.caller().query("stocktaking:steps", {"name": "a"})
    assert 1 < len(steps) < CRATES / 8, "steps grow while they are quick"
    assert await progress(app, call_id) == {"status": "done", "attempts": 1, "done": CRATES, "estimate": CRATES}
    assert await app.caller().query("stocktaking:endings") == [["a", "done"]]


@pytest.mark.parametrize(
    ("size", "written", "seconds", "following"),
    [
        (16, 0, 0.01, 32), (256, 0, 0.01, 256), (64, 0, 0.2, 32), (16, 0, 0.5, 16), (16, 0, 2.0, 8), (1, 0, 0.5, 2),
        (1, 0, 2.0, 1), (16, 2**21, 0.01, 8),
    ],
)  # fmt: skip
def test_steps_are_as_large_as_time_and_bytes_allow(size: int, written: int, seconds: float, following: int) -> None:
    assert _next_size(size, size, written, seconds) == following


async def test_a_job_goes_over_an_interval_of_an_index_in_either_order(app: TestApp) -> None:
    await put(app, 50)
    await begin(app, name="up", first=20)
    await begin(app, name="down", first=20, down=True)
    await app.advance()
    assert await order_of(app, "up") == list(range(20, 50))
    assert await order_of(app, "down") == list(range(49, 19, -1))


@pytest.mark.parametrize("down", [False, True])
async def test_a_job_goes_over_what_satisfies_a_condition(app: TestApp, down: bool) -> None:
    await put(app, 80)
    for number in (3, 40, 41, 77):
        await app.caller().mutation("stocktaking:label", {"number": number, "labels": ["red", "x"]})
    call_id = await begin(app, first=20, down=down, atMost=70, labels=["red", "blue"])
    await app.advance()
    assert await order_of(app) == ([41, 40] if down else [40, 41])
    assert await progress(app, call_id) == {"status": "done", "attempts": 1, "done": 60, "estimate": 60}


async def test_a_step_passes_only_so_many_documents_that_are_left_out(
    app: TestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synovia.functions.query.MOST_PASSED", 50)
    await put(app, 120)
    call_id = await begin(app, atMost=-1)
    await do_what_is_due(app)
    assert (await progress(app, call_id))["done"] == 50
    await app.advance()
    assert (await progress(app, call_id))["done"] == 120
    assert await order_of(app) == []


async def test_there_may_be_nothing_to_go_over(app: TestApp) -> None:
    call_id = await begin(app)
    await app.advance()
    assert await progress(app, call_id) == {"status": "done", "attempts": 1, "done": 0, "estimate": 0}


async def test_what_the_job_itself_adds_behind_the_end_is_left_alone(app: TestApp) -> None:
    await put(app, 40)
    await app.caller().mutation("stocktaking:begin_refill")
    await app.advance()
    assert len(await counted(app)) == 80


async def test_what_is_deleted_softly_is_not_there(app: TestApp) -> None:
    await put(app, 5)
    await app.caller().mutation("stocktaking:remove", {"number": 2})
    await begin(app)
    await app.advance()
    assert await order_of(app) == [0, 1, 3, 4]


async def test_progress_is_followed_like_any_query(app: TestApp) -> None:
    await put(app, 40)
    call_id = await begin(app)
    async with app.caller().subscribe("stocktaking:progress", {"callId": call_id}) as live:
        await do_what_is_due(app)
        await live.current()
        now = live.value
        assert (now["status"], now["done"], now["estimate"]) == ("running", 16, 40)
        await app.advance()
        assert live.value["status"] == "done"


async def test_cancelling_ends_it_between_two_steps_once(app: TestApp) -> None:
    await put(app, 40)
    call_id, caller = await begin(app), app.caller()
    await do_what_is_due(app)
    assert await caller.mutation("stocktaking:cancel", {"callId": call_id}) is True
    assert await caller.mutation("stocktaking:cancel", {"callId": call_id}) is False
    await app.advance(60)
    assert sum((await counted(app)).values()) == 16
    assert (await progress(app, call_id))["status"] == "cancelled"
    assert await caller.query("stocktaking:endings") == [["a", "cancelled"]]
    assert await caller.mutation("stocktaking:resume", {"callId": call_id}) is True
    await app.advance()
    assert await order_of(app) == list(range(40))
    assert await caller.mutation("stocktaking:resume", {"callId": call_id}) is False, "it is done"


async def test_a_job_fails_at_the_faulty_document_and_goes_on_from_there(app: TestApp) -> None:
    await put(app, 100)
    stocktaking.FAULTY.add(37)
    call_id = await begin(app)
    with pytest.raises(CallsFailed, match="crate 37 is broken"):
        await app.advance(600)
    failed = await progress(app, call_id)
    assert (failed["status"], failed["error"], failed["done"]) == ("failed", "broken_crate", 37)
    assert sum((await counted(app)).values()) == 37
    stocktaking.FAULTY.clear()
    assert await app.caller().mutation("stocktaking:resume", {"callId": call_id}) is True
    await app.advance()
    assert await order_of(app) == list(range(100))
    assert (await progress(app, call_id))["status"] == "done"


async def test_a_step_that_fails_for_a_while_is_tried_again(app: TestApp) -> None:
    await put(app, 20)
    stocktaking.FAULTY.add(19)
    call_id = await begin(app)
    await app.advance(5)
    assert (await progress(app, call_id))["attempts"] == 1
    stocktaking.FAULTY.clear()
    await app.advance(10)
    assert (await progress(app, call_id))["status"] == "done"
    assert set((await counted(app)).values()) == {1}


async def test_a_step_that_writes_too_much_is_cut(registry: Registry, any_store: Store) -> None:
    limits = HubLimits(max_mutation_documents=40)
    async with TestApp(registry, any_store, settings=settings_for_tests().model_copy(update={"limits": limits})) as app:
        await put(app, 30)
        call_id = await begin(app, again=10)
        await app.advance()
        assert (await progress(app, call_id))["status"] == "done"
        assert set((await counted(app)).values()) == {1}


async def test_a_document_that_is_too_much_by_itself_fails_the_job(registry: Registry) -> None:
    limits = HubLimits(max_mutation_documents=40)
    async with TestApp(registry, settings=settings_for_tests().model_copy(update={"limits": limits})) as app:
        await put(app, 3)
        call_id = await begin(app, again=50)
        await app.advance(600, raise_failures=False)
        assert (await progress(app, call_id))["error"] == "mutation_too_large"


@pytest.mark.slow
@seeds(3, on_mongodb=1)
async def test_hubs_that_are_lost_change_nothing(registry: Registry, any_store: Store, seed: int) -> None:
    """Two hubs take steps at the same time, and are lost in the middle of them, again and again."""
    chance = random.Random(seed)
    async with TestApp(registry, any_store) as app:
        await put(app, 150)
        call_id = await begin(app, atMost=119)
        for _ in range(30):
            async with hub_beside(app) as other:
                for hub in (app, other):
                    await hub.scheduler.take_up()
                for _ in range(chance.randrange(20)):
                    await asyncio.sleep(0)
                await lose(chance.choice([app, other]))
                app.clock.advance(chance.choice([0.0, 3.0]))
        await app.advance(10)
        assert await order_of(app) == list(range(120))
        assert (await progress(app, call_id))["status"] == "done"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("a mutation", "wrong_kind"), ("nothing", "unknown_function"), ("another table", "invalid_arguments"),
        ("no query", "invalid_arguments"), ("other arguments", "invalid_arguments"),
        ("no arguments", "invalid_arguments"), ("as a call", "wrong_kind"), ("many", "wrong_kind"),
        ("no index", "unknown_index"),
    ],
)  # fmt: skip
async def test_what_cannot_be_begun_is_told_at_once(registry: Registry, how: str, code: str) -> None:
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError) as refused:
            await app.caller().mutation("stocktaking:begin_badly", {"how": how})
        assert refused.value.code == code


async def test_a_document_under_two_keys_is_not_met_twice(registry: Registry) -> None:
    async with TestApp(registry) as app:
        await put(app, 2)
        await app.caller().mutation("stocktaking:label", {"number": 1, "labels": ["x", "y"]})
        await app.caller().mutation("stocktaking:begin_badly", {"how": "a list"})
        await app.advance(3_600, raise_failures=False)
        assert len(await counted(app)) == 2


async def test_nobody_calls_a_job(registry: Registry) -> None:
    async with TestApp(registry) as app:
        for caller in (app.caller(), app.trusted):
            with pytest.raises(FunctionError) as refused:
                await caller.mutation("stocktaking:count", {"name": "a"})
            assert refused.value.code == "unknown_function"


class Shelf(Table, name="shelves"):
    width: int


def test_a_job_takes_rows_of_a_table() -> None:
    async def nothing(ctx: MutationContext) -> None: ...

    async def numbers(ctx: MutationContext, rows: list[int]) -> None: ...

    with pytest.raises(SchemaError, match="a list of rows"):
        job(nothing)  # type: ignore[type-var]
    job(numbers)
    with pytest.raises(SchemaError, match="list of a table's rows"):
        numbers.__synovia_function__.prepare()  # type: ignore[attr-defined]
