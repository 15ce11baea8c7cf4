"""Scheduled calls know who has caused them, take turns by that, and are so many at most."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from apps import many, tally, trips
from helpers.charges import Counted
from helpers.patience import PATIENCE
from scheduler.hubs import do_what_is_due
from scheduler.scheduled import later, running
from synovia.charges import at_cost
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.scheduler.due_calls import LINES, WINDOW, DueCall
from synovia.scheduler.lines import FEW
from synovia.scheduler.reading import DueReading
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Store, Ts
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.same_tables

ONE_PLACE = SchedulerSettings(max_mutations=1)
MALLORY, ALICE = "mallory@example.org", "alice@example.org"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally", [tally, many, trips])


async def causes(app: TestApp, status: str = "pending") -> Counter[str | None]:
    found = await app.caller().query("tally:calls", {"status": status})
    return Counter(row.get("causedBy") for row in found)


async def causes_since(app: TestApp, ts: Ts) -> Counter[str | None]:
    """Tell who has caused the calls that there have been since, by what was written of each first."""
    newest, _ = await app.store.newest()
    found: dict[object, str | None] = {}
    async for commit in app.store.changes(ts):
        for write in getattr(commit, "writes", ()):
            if write.table == "_scheduled" and write.after is not None:
                found.setdefault(write.id, write.after.get("causedBy"))
        if commit.ts >= newest:
            break
    return Counter(found.values())


def key(caller: Caller) -> str:
    assert caller.identity is not None
    return caller.identity.pseudonym


async def again(caller: Caller, times: int) -> None:
    """Schedule a mutation that schedules itself."""
    await caller.mutation("tally:later", {"path": "tally:again", "args": {"name": "again", "times": times}})


async def done_by(app: TestApp) -> dict[str, int]:
    """Tell how often each name has been counted."""
    tallies: dict[str, int] = await app.caller().query("tally:tallies")
    return tallies


# --- who has caused them


async def test_what_comes_of_a_call_is_caused_by_its_caller(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        start, _ = await app.store.newest()
        alice = app.caller(ALICE)
        await again(alice, times=3)
        await alice.action("tally:later_by_action", {"path": "tally:add", "args": {"name": "by action"}})
        await alice.mutation("many:plan", {"count": 2})
        await alice.mutation("trips:begin", {"path": "within", "args": {}})
        await app.advance(5)
        assert await causes_since(app, start) == {key(alice): 6 + 3}  # with the workflow and its two steps
        assert await causes(app, "done") == {None: 6 + 3}  # it is forgotten with their end


async def test_what_nobody_signed_in_causes_is_of_its_address_and_the_rest_of_the_application(
    registry: Registry,
) -> None:
    async with TestApp(registry) as app:
        start, _ = await app.store.newest()
        address = app.server.hub.addresses.of("203.0.113.7")
        await at_cost(address, again(app.caller(), times=2))
        await later(app.caller(), "tally:add", name="from the application")
        await app.advance()
        assert await causes_since(app, start) == {"203.0.113.7": 2, None: 1}


# --- turns


async def test_a_call_does_not_wait_behind_the_many_of_another_caller(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store, scheduler=ONE_PLACE) as app:
        await later(app.caller(MALLORY), "tally:add", times=2 * WINDOW, name="mallory")
        app.clock.advance(1)
        await later(app.caller(ALICE), "tally:add", name="alice")
        for _ in range(2):
            await do_what_is_due(app)
        assert await done_by(app) == {"mallory": 1, "alice": 1}


async def test_callers_who_have_many_take_turns(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store, scheduler=ONE_PLACE) as app:
        app.scheduler.payer_of = lambda cause: None  # nobody waits for what it takes, which is more on a busy machine
        await later(app.caller(MALLORY), "tally:add", times=2 * WINDOW, name="mallory")
        app.clock.advance(1)
        await later(app.caller(ALICE), "tally:add", times=2 * FEW, name="alice")
        for _ in range(4 * FEW):
            await do_what_is_due(app)
        assert await done_by(app) == {"mallory": 2 * FEW, "alice": 2 * FEW}


@pytest.mark.slow
async def test_everybody_has_a_turn_though_there_are_more_lines_than_are_looked_at(registry: Registry) -> None:
    async with TestApp(registry, scheduler=ONE_PLACE) as app:
        names = [f"caller {number}" for number in range(LINES + 4)]
        for name in names:
            await later(app.caller(f"{name[7:]}@example.org"), "tally:add", times=3 * FEW, name=name)
            app.clock.advance(1)
        for _ in range(3 * len(names)):
            await do_what_is_due(app)
        assert set(await done_by(app)) == set(names)


async def test_many_at_once_are_unpacked_in_turn(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        await app.caller(MALLORY).mutation("many:plan", {"count": 900, "seconds": 60})
        app.clock.advance(1)
        await app.caller(ALICE).mutation("many:plan", {"count": 1, "seconds": 60})
        for _ in range(2):
            await do_what_is_due(app)
        assert (await causes(app))[key(app.caller(ALICE))] == 1


async def test_one_caller_s_calls_run_in_the_order_in_which_they_are_due(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store, scheduler=ONE_PLACE) as app:
        alice = app.caller(ALICE)
        for number in reversed(range(WINDOW + FEW)):
            await later(alice, "tally:add", 1 + number, name="order")
        app.clock.advance(1_000)
        for _ in range(3):
            await do_what_is_due(app)
        ran = await alice.query("tally:calls", {"status": "done"})
        waits = await alice.query("tally:calls", {"status": "pending"})
        assert max(row["runAt"] for row in ran) < min(row["runAt"] for row in waits)


class Waiting(Counted):
    """Somebody for whom too much has been computed."""

    seconds_to_wait = 1.0

    def wait(self) -> float:
        return self.seconds_to_wait


async def test_who_has_had_too_much_computed_takes_no_place_while_they_wait(registry: Registry) -> None:
    async with TestApp(registry, scheduler=ONE_PLACE) as app:
        mallory, alice = app.caller(MALLORY), app.caller(ALICE)
        payers = {key(mallory): Waiting(), key(alice): Counted()}
        app.scheduler.payer_of = lambda cause: payers[cause or ""]
        await later(mallory, "tally:add", name="mallory")
        app.clock.advance(1)
        await later(alice, "tally:add", name="alice")
        assert await app.scheduler.take_up() == 1.0
        await do_what_is_due(app)
        assert await done_by(app) == {"alice": 1}
        payers[key(mallory)] = Counted()
        await do_what_is_due(app)
        assert await done_by(app) == {"alice": 1, "mallory": 1}


class BesideOthers(Counted):
    """Somebody beside whom others have something computed."""

    alone = False


@pytest.mark.parametrize(("payer", "begun"), [(Counted(), 8), (BesideOthers(), 2)])
async def test_beside_others_one_caller_has_a_quarter_of_the_places_for_mutations(
    registry: Registry, payer: Counted, begun: int
) -> None:
    async with TestApp(registry) as app:
        app.scheduler.payer_of = lambda cause: payer
        await later(app.caller(MALLORY), "tally:add", times=20, name="mallory")
        await app.scheduler.take_up()
        assert app.scheduler.running == begun
        await do_what_is_due(app)


def due(*causes: str | None) -> list[DueCall]:
    return [
        DueCall(task="mutation", id=f"{number}", path="tally:add", due_at=0, caused_by=cause)
        for number, cause in enumerate(causes)
    ]


async def test_who_has_caused_what_is_due_is_charged_for_its_reading_by_how_much_of_it_is_theirs() -> None:
    payers: dict[str | None, Counted | None] = {"mallory": Counted(), "alice": Counted(), None: None}
    reading = DueReading(payers.__getitem__)
    assert await reading.admit() == 0.0
    reading.spend(1.0)  # nobody has caused anything yet
    reading.note(due("mallory", "mallory", "alice", None))
    reading.spend(1.0)
    assert [payer and payer.seconds for payer in payers.values()] == [0.5, 0.25, None]


async def test_a_running_hub_charges_the_reading_to_the_callers(registry: Registry) -> None:
    async with running(registry) as app:
        payer = Waiting()  # so that nothing is begun, and nothing else is charged
        app.scheduler.payer_of = lambda cause: payer
        async with asyncio.timeout(PATIENCE):
            while not payer.seconds:
                await later(app.caller(MALLORY), "tally:add", name="mallory")
        assert payer.admitted == 0


# --- how many


@pytest.mark.slow
async def test_one_caller_has_so_many_calls_to_come_and_no_more(registry: Registry, any_store: Store) -> None:
    most = 40
    async with TestApp(registry, any_store, scheduler=SchedulerSettings(max_pending=most)) as app:
        mallory = app.caller(MALLORY)
        await later(mallory, "tally:add", 60, times=most // 2, name="mallory")
        await mallory.mutation("many:plan", {"count": most // 2, "seconds": 60})
        for _ in range(2):  # those in batches count, and those in rows
            app.clock.advance(2)
            with pytest.raises(
                FunctionError, match="calls to come, of at most 40: wait until some have run"
            ) as refused:
                await mallory.mutation("many:plan", {"count": FEW + 1})
            assert refused.value.code == "limit_exceeded"
            await app.advance()
        await app.caller(ALICE).mutation("many:plan", {"count": most, "seconds": 60})
        await app.caller().mutation("many:plan", {"count": 2 * most, "seconds": 60})  # the application itself
        await app.advance(60)
        await mallory.mutation("many:plan", {"count": FEW + 1})


async def test_more_calls_than_one_caller_may_have_are_refused_in_one_mutation(registry: Registry) -> None:
    async with TestApp(registry, scheduler=SchedulerSettings(max_pending=40)) as app:
        with pytest.raises(FunctionError, match="of at most 40"):
            await later(app.caller(ALICE), "tally:add", 60, times=40 + FEW + 1, name="alice")
        assert await causes(app) == {}
