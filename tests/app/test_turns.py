"""Long computations take turns: one of them goes on in each round of the loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.patience import PATIENCE
from synovia import turns
from synovia.schema.specs import TableSpec
from synovia.store.sqlite import SQLiteStore
from synovia.turns import Turns


@pytest.fixture(autouse=True)
def shortest_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)


async def compute(name: str, steps: int, done: list[str], *, urgent: bool = False) -> None:
    own = Turns(1, urgent=urgent)
    for _ in range(steps):
        done.append(name)
        await own.step()


async def rounds_of_the_loop(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_computations_go_on_one_after_the_other_one_in_each_round() -> None:
    done: list[str] = []
    running = [asyncio.create_task(compute(name, 5, done)) for name in "abc"]
    await asyncio.sleep(0)
    while not all(task.done() for task in running):
        before = len(done)
        await asyncio.sleep(0)
        assert len(done) - before <= 1
    assert "".join(done) == "abc" * 5


async def test_one_that_is_cancelled_holds_up_nobody() -> None:
    done: list[str] = []
    running = [asyncio.create_task(compute(name, 5, done)) for name in "abc"]
    await asyncio.sleep(0)
    running[1].cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(running[0], running[2])
    assert done.count("a") == done.count("c") == 5
    assert done.count("b") == 1


async def test_short_computations_never_wait() -> None:
    own = Turns(16)
    for _ in range(15):
        own.step().close()  # makes no step, and so counts none
    stepping = own.step()
    with pytest.raises(StopIteration):
        stepping.send(None)


async def test_all_that_go_on_in_one_round_have_one_slice_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 1.0)
    now = 100.0
    monkeypatch.setattr("synovia.turns.time.perf_counter", lambda: now)
    done: list[str] = []

    async def compute_slowly(name: str) -> None:
        nonlocal now
        own = Turns(1)
        for _ in range(6):
            done.append(name)
            now += 0.25
            await own.step()

    running = [asyncio.create_task(compute_slowly(name)) for name in "abc"]
    await asyncio.sleep(0)
    assert len(done) <= 7, "five of the first until its time is up, and the others only begin"
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*running)
    assert [done.count(name) for name in "abc"] == [6, 6, 6]


async def test_what_everybody_waits_for_goes_first() -> None:
    done: list[str] = []

    async def compute_urgently() -> None:
        own = Turns(1, urgent=True)
        for _ in range(5):
            done.append("u")
            await own.step()

    running = [asyncio.create_task(compute(name, 5, done)) for name in "abc"]
    await asyncio.sleep(0)
    running.append(asyncio.create_task(compute_urgently()))
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*running)
    assert "uuuu" in "".join(done)


@pytest.mark.parametrize(("urgent", "least", "most"), [(False, 10, 25), (True, 2, 8)])
async def test_everything_else_goes_first_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, urgent: bool, least: int, most: int
) -> None:
    """What everybody waits for gives way for a sixth of the time only."""
    now = 100.0
    monkeypatch.setattr("synovia.turns.time.perf_counter", lambda: now)
    done: list[str] = []
    computing = asyncio.create_task(compute("a", 2, done, urgent=urgent))
    await asyncio.sleep(0)  # it has begun, and waits
    rounds = 0
    while not computing.done():
        rounds += 1
        now += turns.PATIENCE_SECONDS / 10  # something else has been done in this round of the loop
        await asyncio.sleep(0)
    assert least <= rounds <= most


async def test_while_something_short_is_under_way_computations_leave_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.turns.PAUSE_SECONDS", 3600.0)
    done: list[str] = []
    computing = asyncio.create_task(compute("a", 5, done))
    later = asyncio.Event()

    async def compute_urgently() -> None:
        await later.wait()
        await compute("u", 3, done, urgent=True)

    urgent = asyncio.create_task(compute_urgently())
    with turns.short():
        await rounds_of_the_loop(50)
        assert done == ["a", "a"], "it has had a turn, and the next one is after the pause"
        later.set()
        async with asyncio.timeout(PATIENCE):
            await urgent  # what everybody waits for does not wait for that
    computing.cancel()


async def test_what_has_to_take_a_turn_itself_is_not_short_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.turns.PAUSE_SECONDS", 3600.0)
    done: list[str] = []
    with turns.short():
        async with asyncio.timeout(PATIENCE):
            await compute("a", 5, done)
    assert len(done) == 5


async def test_something_short_that_lasts_holds_back_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.turns.PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr("synovia.turns.SHORT_SECONDS", 0.0)
    done: list[str] = []
    computing = asyncio.create_task(compute("a", 5, done))
    with turns.short():
        async with asyncio.timeout(PATIENCE):
            await computing
    assert len(done) == 5


async def test_computations_leave_pauses_as_long_as_a_thread_does_what_all_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "PAUSE_SECONDS", 3600.0)
    done: list[str] = []
    with turns.awaited():
        running = asyncio.create_task(compute("a", 3, done))
        await rounds_of_the_loop(50)
        assert done == ["a", "a"]  # the first turn is at once
        running.cancel()


@pytest.mark.parametrize(("seconds", "turns_taken"), [(0.0, 5), (0.002, 1)])
async def test_what_takes_long_at_a_stretch_is_followed_by_a_longer_pause(
    monkeypatch: pytest.MonkeyPatch, seconds: float, turns_taken: int
) -> None:
    now, taken = 100.0, 0
    monkeypatch.setattr("synovia.turns.time.perf_counter", lambda: now)
    monkeypatch.setattr(turns, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(turns, "MOST_PAUSE_SECONDS", 7200.0)
    monkeypatch.setattr(turns, "LONG_SHARE", 3600 / 0.002)

    async def compute_at_a_stretch() -> None:
        nonlocal now, taken
        own = Turns()
        for _ in range(5):
            await own.begin()
            taken += 1
            now += seconds

    with turns.short():
        computing = asyncio.create_task(compute_at_a_stretch())
        await rounds_of_the_loop(50)
        assert taken == turns_taken
    computing.cancel()


async def test_a_few_items_never_wait_and_more_do_between_the_few() -> None:
    async def consume(count: int, *, large: bool) -> list[int]:
        return [len(some) async for some in turns.slices_in_turns(range(count), 4, large=large)]

    with pytest.raises(StopIteration):
        consume(4, large=False).send(None)
    for count, large in ((4, True), (9, False)):
        consuming = consume(count, large=large)
        assert asyncio.isfuture(consuming.send(None))
        consuming.close()
    async with asyncio.timeout(PATIENCE):
        assert await consume(9, large=False) == [4, 4, 1]


async def test_threads_get_pythons_lock_sooner_while_somebody_waits_for_what_they_do(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open([TableSpec("notes")])
    within = await store._run(lambda _: sys.getswitchinterval())
    assert within == pytest.approx(turns.SWITCH_SECONDS)
    assert sys.getswitchinterval() == pytest.approx(turns.USUAL_SWITCH_SECONDS)
    with turns.hurried(), turns.hurried():
        pass
    with turns.hurried():
        with turns.hurried():
            pass
        assert sys.getswitchinterval() == pytest.approx(turns.SWITCH_SECONDS), "one of two still works"
    await store.close()


async def hurry(between: Callable[[], object] = lambda: None) -> float:
    """Tell how soon threads get Python's lock while somebody waits for one."""
    with turns.hurried():
        between()
        return sys.getswitchinterval()


@pytest.fixture
def calm() -> Iterator[None]:
    """Let the loops of other tests that have ended amid something long count no more, before and behind."""
    asyncio.run(hurry())
    assert sys.getswitchinterval() == pytest.approx(turns.USUAL_SWITCH_SECONDS)
    yield
    asyncio.run(hurry())
    assert sys.getswitchinterval() == pytest.approx(turns.USUAL_SWITCH_SECONDS)


@pytest.mark.usefixtures("calm")
def test_a_loop_that_is_calm_again_does_not_slow_down_the_threads_of_another() -> None:
    def in_another_loop() -> None:
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(asyncio.run, hurry()).result() == pytest.approx(turns.SWITCH_SECONDS)
        assert sys.getswitchinterval() == pytest.approx(turns.SWITCH_SECONDS)

    asyncio.run(hurry(in_another_loop))


@pytest.mark.usefixtures("calm")
def test_a_loop_that_was_closed_amid_something_long_does_not_hurry_threads_for_ever() -> None:
    asyncio.run(compute("a", 5, []))
    assert sys.getswitchinterval() == pytest.approx(turns.SWITCH_SECONDS), "it was too soon to calm down"


@pytest.mark.usefixtures("calm")
def test_loops_in_many_threads_each_have_a_line_of_their_own() -> None:
    async def lines(begin: threading.Barrier) -> set[object]:
        begin.wait(60)
        return {turns._line() for _ in range(30_000)}

    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(2) as pool:
        begin = threading.Barrier(2)
        found = [each.result(60) for each in [pool.submit(asyncio.run, lines(begin)) for _ in range(2)]]
    assert [len(each) for each in found] == [1, 1]
