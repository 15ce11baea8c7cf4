"""The staged head: what is seen before it is durable, who is told of it and when, and what becomes of who leaned on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from apps import shelves
from helpers.faulty_store import Fault, FaultySQLiteStore, Request
from helpers.patience import PATIENCE
from synovia.engine import committer, resting
from synovia.engine.engine import Engine
from synovia.engine.entries import Submission
from synovia.engine.outcomes import Outcome
from synovia.functions.registry import collect
from synovia.store.base import Gap, PreparedWrites, Write

REGISTRY = collect("shelves", [shelves])


class Hub:
    """A hub on a store that waits and fails as it is told."""

    def __init__(self, store: FaultySQLiteStore) -> None:
        self.store = store
        self.engine = Engine(store, REGISTRY)
        self._number = 0

    async def call(self, path: str, request: Request | None = None, **args: Any) -> Outcome:
        """Do a mutation."""
        request = request or self.name()
        return await self.engine.mutate(f"shelves:{path}", args, None, session=request.session, number=request.number)

    def name(self) -> Request:
        """Give a name to a mutation that is done later."""
        self._number += 1
        return Request(self._number.to_bytes(8, "big") + id(self).to_bytes(8, "big"), 1)

    def begin(self, path: str, request: Request | None = None, **args: Any) -> asyncio.Task[Outcome]:
        """Begin a mutation."""
        return asyncio.create_task(self.call(path, request, **args))

    async def staged(self, count: int) -> None:
        """Wait until so many mutations are on the stage."""
        while len(self.engine.stage) < count:  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0)

    async def items(self) -> dict[str, list[Any]]:
        """Read everything that is committed."""
        await self.engine.wait_for((await self.store.newest())[0])
        return dict((await self.engine.query("shelves:everything", {}, None)).value())

    async def hold(self) -> None:
        """Have commits wait from now on, the first of them with an item that nobody else touches."""
        self.store.waiting.clear()
        self.store.gate.clear()
        self.begin("put", name="held", shelf="held", rank=0)
        await self.store.waiting.wait()


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with asyncio.timeout(PATIENCE):
        hub = Hub(FaultySQLiteStore())
        await hub.store.open([shelves.Item.spec])
        await hub.engine.start()
        yield hub
        hub.store.gate.set()
        hub.store.acknowledging.set()
        await hub.engine.stop()
        await hub.store.close()


@pytest.fixture
async def other(hub: Hub) -> AsyncIterator[Hub]:
    other = Hub(hub.store)
    await other.engine.start()
    yield other
    await other.engine.stop()


def once(*faults: Fault) -> Callable[[], Fault | None]:
    """Plan faults for the next commits."""
    left = list(faults)
    return lambda: left.pop(0) if left else None


# --- seeing -------------------------------------------------------------------------------------------------------------


async def test_mutations_build_on_each_other_and_become_durable_together(hub: Hub) -> None:
    await hub.call("put", name="i", shelf="a", rank=0)
    await hub.hold()
    tasks = [hub.begin("raise_rank", name="i", by=1) for _ in range(20)]
    counting = hub.begin("put", name="j", shelf="a", rank=5)
    await hub.staged(22)
    counted = hub.begin("count", shelf="a", into="j")
    first = hub.begin("take", shelf="b", order="asc")
    await hub.staged(24)
    assert not any(task.done() for task in tasks)
    assert (await hub.items())["i"] == ["a", 0, "i"], "nobody outside sees what is not durable"
    hub.store.gate.set()
    assert [(await task).value() for task in tasks] == list(range(1, 21))
    assert [(await task).value() for task in (counting, counted, first)] == ["j", 2, None]
    assert (await hub.items())["i"] == ["a", 20, "i"]
    assert hub.store.sizes == [1, 1, 23]


async def test_the_log_may_bring_a_commit_before_the_store_acknowledges_it(hub: Hub) -> None:
    await hub.call("put", name="i", shelf="a", rank=0)
    hub.store.acknowledging.clear()
    put = await hub.call("put", name="j", shelf="a", rank=5)
    assert put.value() == "j", "it is durable: the log has brought it"
    await hub.hold()
    counting = hub.begin("count", shelf="a", into="i")
    await hub.staged(2)
    summing = hub.begin("sum_up", shelf="a", limit=9, order="asc", into="j")
    await hub.staged(3)
    taking = hub.begin("rename", name="i", code="j")
    hub.store.gate.set()
    assert (await counting).value() == 2
    assert sorted((await summing).value()) == ["i", "j"]
    taken = (await taking).error
    assert taken is not None
    assert taken.code == "unique_violation"


async def test_nobody_waits_for_an_acknowledgement_of_what_the_log_has_brought(hub: Hub) -> None:
    hub.store.acknowledging.clear()
    await hub.call("put", name="i", shelf="a", rank=0)
    assert [(await hub.call("raise_rank", name="i", by=1)).value() for _ in range(5)] == [1, 2, 3, 4, 5]
    assert len(hub.store.unacknowledged) >= 5


async def test_acknowledgements_that_do_not_come_are_not_waited_for_without_a_bound(hub: Hub) -> None:
    """Each of them takes up a connection to the database."""
    for name in ("i0", "i1"):
        await hub.call("put", name=name, shelf="a", rank=0)
    hub.store.acknowledging.clear()
    calls = []
    while len(hub.store.unacknowledged) <= committer._MOST_UNANSWERED:
        calls.append(hub.begin("raise_rank", name="i0", by=1))
        await asyncio.sleep(0)
    late = hub.begin("raise_rank", name="i1", by=7)
    await hub.staged(1)
    for _ in range(5):
        await hub.store.ping()  # behind all commits that have been begun
    assert not late.done()
    hub.store.acknowledging.set()
    assert (await late).value() == 7
    assert all(outcome.error is None for outcome in await asyncio.gather(*calls))


# --- whose commit it is -------------------------------------------------------------------------------------------------


async def test_another_hubs_commit_is_not_taken_for_an_own_one_in_flight(hub: Hub, other: Hub) -> None:
    """It has just the number that the commit in flight was to have."""
    await hub.call("put", name="i", shelf="a", rank=0)
    await other.engine.wait_for(hub.engine.head)

    async def meanwhile() -> None:
        outcome = await other.call("raise_rank", name="i", by=10)
        await hub.engine.wait_for(outcome.ts or 0)

    hub.store.plan, hub.store.foreign = once(Fault.OVERTAKEN), meanwhile
    assert (await hub.call("raise_rank", name="i", by=1)).value() == 11
    assert (await hub.items())["i"] == ["a", 11, "i"]


async def test_a_commit_from_elsewhere_overtakes_only_what_has_read_what_it_changes(hub: Hub, other: Hub) -> None:
    for name in "ijk":
        await hub.call("put", name=name, shelf="a", rank=0)
    await other.engine.wait_for(hub.engine.head)
    release = asyncio.Event()

    async def meanwhile() -> None:
        await release.wait()
        outcome = await other.call("raise_rank", name="i", by=10)
        await hub.engine.wait_for(outcome.ts or 0)

    hub.store.plan, hub.store.foreign = once(Fault.OVERTAKEN), meanwhile
    held = hub.begin("raise_rank", name="k", by=1)
    await hub.staged(1)
    tasks = [hub.begin("raise_rank", name=name, by=1) for name in "iijj"]
    await hub.staged(5)
    before = hub.engine.stage.outdated
    release.set()
    assert [(await task).value() for task in [*tasks, held]] == [11, 12, 1, 2, 1]
    assert hub.engine.stage.outdated - before == 2, "those that read i"


async def test_a_batch_refused_for_what_the_log_has_brought_already_is_submitted_again_as_a_whole(
    hub: Hub, other: Hub
) -> None:
    """There is nothing more to wait for, and nothing to find by committing one by one."""
    for name in "ijk":
        await hub.call("put", name=name, shelf="a", rank=0)
    await other.engine.wait_for(hub.engine.head)

    async def meanwhile() -> None:
        outcome = await other.call("raise_rank", name="i", by=10)
        await hub.engine.wait_for(outcome.ts or 0)

    await hub.hold()
    tasks = [hub.begin("raise_rank", name=name, by=1) for name in "jkjkjk"]
    await hub.staged(7)
    hub.store.plan, hub.store.foreign = once(*[Fault.LATE, Fault.OVERTAKEN]), meanwhile
    hub.store.gate.set()
    assert [(await task).value() for task in tasks] == [1, 1, 2, 2, 3, 3]
    assert hub.store.sizes == [1, 1, 1, 1, 1, 6], "those before, the held one, the other hub's, all of them"
    assert (hub.engine.committer.counters["conflicts"], hub.engine.committer.counters["unexplained"]) == (1, 0)


# --- failures -----------------------------------------------------------------------------------------------------------


async def test_a_failure_that_rests_on_what_is_staged_is_told_when_that_is_durable(hub: Hub) -> None:
    await hub.hold()
    put = hub.begin("put", name="i", shelf="a", rank=0)
    await hub.staged(2)
    again, spent = hub.begin("put", name="i", shelf="b", rank=1), hub.begin("spend", name="i", amount=5)
    missing = hub.begin("spend", name="nobody", amount=5)
    assert (await missing).error is not None, "this one rests on nothing that is staged"
    for _ in range(20):
        await asyncio.sleep(0)
    assert not again.done()
    assert not spent.done()
    hub.store.gate.set()
    await put
    codes = [error and error.code for error in ((await again).error, (await spent).error)]
    assert codes == ["unique_violation", "insufficient"]


async def test_a_failure_that_rests_on_what_fails_is_run_again(hub: Hub) -> None:
    await hub.call("put", name="i", shelf="a", rank=9)
    await hub.hold()
    refused = hub.name()
    hub.store.poisoned.add(refused)
    spending = hub.begin("spend", refused, name="i", amount=9)
    await hub.staged(2)
    also = hub.begin("spend", name="i", amount=5)
    await asyncio.sleep(0)
    hub.store.gate.set()
    error = (await spending).error
    assert error is not None
    assert error.code == "server_error"
    assert (await also).value() == 4, "the client never hears of a rank of 0"


async def test_a_failure_that_was_never_true_in_the_order_of_commits_is_run_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small mutations are committed before a large one that was staged before them and is not ready yet."""
    prepare, ready = hub.store.prepare, asyncio.Event()

    async def prepare_later(writes: Sequence[Write]) -> PreparedWrites:
        await ready.wait()
        return await prepare(writes)

    monkeypatch.setattr(hub.store, "prepare", prepare_later)
    monkeypatch.setattr(Submission, "is_large", property(lambda submission: submission.writes[0].id == "large"))
    await hub.call("put", name="holder", shelf="a", rank=0)
    large = hub.begin("put", name="large", shelf="a", rank=0)
    await hub.staged(1)
    renaming = hub.begin("rename", name="large", code="holder")
    await asyncio.sleep(0)
    assert (await hub.call("rename", name="holder", code="other")).value() == "holder"
    assert not renaming.done()
    ready.set()
    assert [(await task).value() for task in (large, renaming)] == ["large", "large"], (
        "the code is free before it is there"
    )


@pytest.mark.parametrize("small_come", [True, False])
async def test_after_a_large_one_small_ones_have_the_commits_to_themselves_for_a_while_if_any_come(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, small_come: bool
) -> None:
    monkeypatch.setattr(resting, "SHARE", 1e9)
    monkeypatch.setattr(resting, "MOST_SECONDS", 3600.0)
    monkeypatch.setattr(resting, "AMONG_SECONDS", 3600.0 if small_come else 0.0)
    monkeypatch.setattr(
        Submission, "is_large", property(lambda submission: submission.writes[0].id.startswith("large"))
    )
    await hub.call("put", name="small", shelf="a", rank=0)
    await hub.call("put", name="large 1", shelf="a", rank=0)
    second = hub.begin("put", name="large 2", shelf="a", rank=0)
    for number in range(3):
        await hub.call("put", name=f"small {number}", shelf="b", rank=number)
    assert second.done() is not small_come
    hub.engine.stage.let_large_rest(0.0)
    assert (await second).error is None


async def test_who_leaned_on_a_refused_entry_runs_again_in_order_and_others_stand(hub: Hub) -> None:
    for name in "ij":
        await hub.call("put", name=name, shelf="a", rank=0)
    await hub.hold()
    refused = hub.name()
    hub.store.poisoned.add(refused)
    first = hub.begin("raise_rank", name="i", by=1)
    await hub.staged(2)
    spoilt = hub.begin("raise_rank", refused, name="i", by=100)
    await hub.staged(3)
    after = [hub.begin("raise_rank", name="i", by=1) for _ in range(5)]
    beside = [hub.begin("raise_rank", name="j", by=1) for _ in range(5)]
    await hub.staged(13)
    before = hub.engine.stage.outdated
    hub.store.gate.set()
    assert (await spoilt).error is not None
    assert (await first).value() == 1
    assert [(await task).value() for task in after] == [2, 3, 4, 5, 6]
    assert [(await task).value() for task in beside] == [1, 2, 3, 4, 5]
    assert hub.engine.stage.outdated - before == 5
    assert hub.store.committed.count(refused) == 0


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.OUT_OF_REACH])
async def test_a_commit_that_nobody_can_tell_of_takes_place_once_under_a_tall_stage(hub: Hub, fault: Fault) -> None:
    await hub.call("put", name="i", shelf="a", rank=0)
    await hub.hold()
    tasks = [hub.begin("raise_rank", name="i", by=1) for _ in range(10)]
    await hub.staged(11)
    hub.store.plan = once(fault, fault, fault)
    hub.store.gate.set()
    assert [(await task).value() for task in tasks] == list(range(1, 11))
    assert (await hub.items())["i"] == ["a", 10, "i"]


async def test_a_conflict_with_nothing_holds_up_nobody_else(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("synovia.engine.mutations.MOST_RUNS", 3)
    monkeypatch.setattr("synovia.engine.mutations.MOST_SECONDS", 0)
    await hub.call("put", name="i", shelf="a", rank=0)
    await hub.hold()
    stubborn = hub.name()
    hub.store.stubborn.add(stubborn)
    stuck = hub.begin("raise_rank", stubborn, name="i", by=1)
    tasks = [hub.begin("put", name=f"n{number}", shelf="b", rank=0) for number in range(5)]
    await hub.staged(7)
    hub.store.gate.set()
    assert [(await task).value() for task in tasks] == [f"n{number}" for number in range(5)]
    error = (await stuck).error
    assert error is not None
    assert error.code == "overloaded"
    assert hub.engine.committer.counters["unexplained"] == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"], "the second time, and only then"


async def test_a_conflict_with_nothing_is_found_though_others_go_on_staging(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is staged here meanwhile is no reason for a conflict."""
    monkeypatch.setattr("synovia.engine.mutations.MOST_RUNS", 2)
    monkeypatch.setattr("synovia.engine.mutations.MOST_SECONDS", 0)
    stubborn = hub.name()
    hub.store.stubborn.add(stubborn)
    stuck = hub.begin("put", stubborn, name="i", shelf="a", rank=1)

    async def stage() -> None:
        while not stuck.done():
            await asyncio.wait(
                {hub.begin("put", name=hub.name().session.hex(), shelf="b", rank=0), stuck}, timeout=0.01
            )

    await stage()
    error = (await stuck).error
    assert error is not None
    assert error.code == "overloaded"


async def test_one_conflict_with_nothing_is_counted_and_no_warning(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """Another program may have begun a transaction on what it reads, and given it up."""
    hub.store.plan = once(Fault.CONFLICT)
    assert (await hub.call("put", name="i", shelf="a", rank=0)).value() == "i"
    assert hub.engine.committer.counters["unexplained"] == 1
    assert not caplog.records


async def test_whoever_waits_for_its_commit_may_go(hub: Hub) -> None:
    await hub.call("put", name="i", shelf="a", rank=0)
    await hub.hold()
    gone = hub.begin("raise_rank", name="i", by=1)
    await hub.staged(2)
    stays = hub.begin("raise_rank", name="i", by=1)
    await hub.staged(3)
    gone.cancel()
    hub.store.gate.set()
    assert (await stays).value() == 2


async def test_a_gap_in_the_log_has_what_is_staged_run_again(hub: Hub) -> None:
    await hub.call("put", name="i", shelf="a", rank=0)
    await hub.hold()
    staged = [hub.begin("raise_rank", name="i", by=1) for _ in range(3)]
    await hub.staged(4)
    ts, fence = await hub.store.newest()
    hub.engine._log._deliver(Gap(ts, "for the test", fence))
    late = hub.begin("raise_rank", name="i", by=1)
    hub.store.gate.set()
    assert sorted([(await task).value() for task in [*staged, late]]) == [1, 2, 3, 4]
    assert (await hub.items()).keys() == {"i", "held"}


async def test_a_hub_that_stops_tells_everybody_that_nothing_is_known(hub: Hub) -> None:
    await hub.hold()
    task = hub.begin("put", name="i", shelf="a", rank=0)
    await hub.staged(2)
    hub.engine._tasks[1].cancel()
    assert (await task).unknown


# --- guaranteed progress ------------------------------------------------------------------------------------------------


async def test_a_mutation_that_reads_much_gets_through_beside_writers(hub: Hub) -> None:
    for number in range(60):
        await hub.call("put", name=f"i{number:02}", shelf="a", rank=1)
    writing = True
    written = 0

    async def write() -> None:
        nonlocal written
        while writing:
            await hub.call("raise_rank", name="i07", by=1)
            written += 1

    writers = [asyncio.create_task(write()) for _ in range(4)]
    while written < 8:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(5):
        outcome = await hub.call("sum_up", shelf="a", limit=60, order="asc", into="i00")
        assert len(outcome.value()) == 60
    writing = False
    await asyncio.gather(*writers)
