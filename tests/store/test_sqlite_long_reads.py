"""A long read of the embedded store holds up nobody, and nothing that is committed meanwhile changes what it gives."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from synovia import keys
from synovia.keys import BY_ID, IndexSpec, Interval, Order
from synovia.schema.specs import Document
from synovia.store.base import Batch, Conflict, Ts, UniqueViolation, Write
from synovia.store.filters import Comparison, Filter
from synovia.store.sqlite import SQLiteStore, walk, writing
from synovia.store.sqlite.history import Retention
from synovia.store.sqlite.reading import Reader
from synovia.store.sqlite.walk import Count, Scan, Walk
from synovia.store.sqlite.worker import Urgency, Worker
from synovia.testing.stores.opening import BY_RANK, BY_TAG, TABLES
from synovia.testing.stores.steps import EVERYTHING, everything, inserted


@pytest.fixture
async def store() -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(retention=Retention(commits=10_000))
    await store.open(TABLES)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def one_row_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(walk, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(walk, "LOOKS", 1)
    monkeypatch.setattr("synovia.store.sqlite.reading._AT_ONCE", 3)


def note(id_: int, rng: random.Random) -> Document:
    return {"_id": id_, "rank": rng.randrange(5), "tags": rng.sample("abcde", rng.randrange(4))}


async def change_something(store: SQLiteStore, present: dict[int, Document], rng: random.Random) -> None:
    """Commit a few insertions, changes and deletions; ``present`` is what there is."""
    writes = []
    for id_ in rng.sample(range(40), 4):
        before, after = present.get(id_), None if rng.random() < 0.3 else note(id_, rng)
        if before is None and after is None:
            continue
        writes.append(Write("notes", id_, before, after))
        present.pop(id_, None)
        if after is not None:
            present[id_] = after
    await store.commit(Batch(writes))


PLACES: list[tuple[IndexSpec, Interval]] = [
    (BY_ID, EVERYTHING),
    (BY_RANK, EVERYTHING),
    (BY_RANK, keys.between([], (1, True), (3, True))),
    (BY_TAG, EVERYTHING),
    (BY_TAG, keys.prefix(["b"])),
]
WHERES: list[Filter | None] = [None, Comparison("rank", "ge", 2)]


def walks(ts: Ts) -> list[tuple[Walk, Callable[[], Any]]]:
    """Give every kind of long read as of an instant, each with what it has found."""
    found: list[tuple[Walk, Callable[[], Any]]] = []
    for index, interval in PLACES:
        for where in WHERES:
            count = Count(ts, "notes", index, interval, where)
            found.append((count, lambda count=count: count.number))  # type: ignore[misc]
            for order in Order:
                for limit in (None, 7):
                    scan = Scan(ts, "notes", index, interval, order, where, limit)
                    found.append((scan, lambda scan=scan: scan.found))  # type: ignore[misc]
    return found


async def results(store: SQLiteStore, ts: Ts) -> list[Any]:
    """Give what each of them finds if nothing is committed meanwhile."""
    truth = []
    for each, found in walks(ts):
        await store._walk(each)
        truth.append(found())
    return truth


def step(walk: Walk, reader: Reader) -> bool:
    return walk.step(reader)


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_committed_between_two_steps_is_not_seen(
    store: SQLiteStore, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, present = random.Random(seed), dict[int, Document]()
    for _ in range(10):
        await change_something(store, present, rng)
    ts, _ = await store.newest()
    truth = await results(store, ts)
    monkeypatch.setattr(walk, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(walk, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(walk, "LOOKS", 1)
    monkeypatch.setattr("synovia.store.sqlite.reading._AT_ONCE", 3)
    going = walks(ts)
    left = list(going)
    while left:
        left = [
            (each, found)
            for each, found in left
            if not await store._run(lambda database, each=each: step(each, database.reader))  # type: ignore[misc]
        ]
        await change_something(store, present, rng)
    assert [found() for _, found in going] == truth


class HeldScan(Scan):
    """A scan that does not come to its end until it is let go, however many steps it makes."""

    held = True

    def step(self, reader: Reader) -> bool:
        return super().step(reader) if not self.held or not self.found else False


@pytest.mark.usefixtures("one_row_a_step")
async def test_a_commit_and_other_reads_are_done_while_a_long_read_is_under_way(store: SQLiteStore) -> None:
    await store.commit(Batch(inserted("notes", *({"_id": n, "rank": n} for n in range(2000)))))
    ts, _ = await store.newest()
    long = HeldScan(ts, "notes", BY_RANK, EVERYTHING, Order.ASC, None, None)
    reading = asyncio.create_task(store._walk(long))
    while not long.found:  # noqa: ASYNC110 (another thread)
        await asyncio.sleep(0)
    newer = await store.commit(Batch(inserted("notes", {"_id": 5000, "rank": -1})))
    assert await store.snapshot(newer).get("notes", [5000]) == [{"_id": 5000, "rank": -1}]
    assert len(await store.snapshot(newer).scan("notes", BY_RANK, EVERYTHING, limit=5)) == 5
    assert not reading.done()
    long.held = False
    await reading
    assert [document["rank"] for document in long.found] == list(range(2000))


@pytest.mark.usefixtures("one_row_a_step")
async def test_a_long_read_stops_after_a_few_rows_when_others_wait_for_the_thread(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "FIRST_SECONDS", 3600.0)
    monkeypatch.setattr(walk, "STEP_SECONDS", 3600.0)
    await store.commit(Batch([Write("notes", id_, None, {"_id": id_}) for id_ in range(walk.LOOKS * 3)]))
    scan = Scan(store._head, "notes", BY_ID, EVERYTHING, Order.ASC, None, None)
    scan.is_wanted = lambda: True
    assert not await store._run(lambda database: scan.step(database.reader))
    assert len(scan.found) == walk.LOOKS
    scan.is_wanted = lambda: False
    assert await store._run(lambda database: scan.step(database.reader))
    assert [document["_id"] for document in scan.found] == list(range(walk.LOOKS * 3))


async def test_a_worker_is_wanted_by_what_goes_before_a_long_read_only() -> None:
    worker, found = Worker("jobs"), dict[Urgency, bool]()
    for urgency in Urgency:
        may_go_on, begun = threading.Event(), threading.Event()

        def look(begun: threading.Event = begun, may_go_on: threading.Event = may_go_on) -> bool:
            begun.set()
            may_go_on.wait()
            return worker.is_wanted

        looking = asyncio.ensure_future(worker.run(look))
        await asyncio.to_thread(begun.wait, 30)
        waiting = asyncio.ensure_future(worker.run(lambda: None, urgency))
        await asyncio.sleep(0)
        may_go_on.set()
        found[urgency] = await looking
        await waiting
    await worker.end(lambda: None)
    assert [urgency for urgency, is_wanted in found.items() if is_wanted] == [Urgency.READ, Urgency.WORK]


@pytest.mark.usefixtures("one_row_a_step")  # in steps of a millisecond a fast machine has read all in the first
async def test_a_read_that_nobody_waits_for_any_more_ends(store: SQLiteStore) -> None:
    await store.commit(Batch(inserted("notes", *({"_id": n} for n in range(500)))))
    ts, _ = await store.newest()
    long = Scan(ts, "notes", BY_ID, EVERYTHING, Order.ASC, None, None)
    reading = asyncio.create_task(store._walk(long))
    while not long.found:  # noqa: ASYNC110
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await store.ping()
    read = len(long.found)
    await store.ping()
    assert len(long.found) == read < 500


@pytest.mark.usefixtures("one_row_a_step")
@pytest.mark.parametrize("ends", ["committed", "refused"])
async def test_reads_amid_a_commit_see_nothing_of_it(
    store: SQLiteStore, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_BETWEEN_PAUSES", 1)
    rng, present = random.Random(1), dict[int, Document]()
    for _ in range(5):
        await change_something(store, present, rng)
    await store.commit(Batch(inserted("users", {"_id": 1, "email": "a", "team": 1})))
    ts, _ = await store.newest()
    truth = await results(store, ts)
    before = await everything(store, ts, "notes")
    writes = [Write("notes", id_, document, None) for id_, document in present.items()]
    writes += inserted("notes", *({"_id": 100 + n, "rank": 2, "tags": ["b"]} for n in range(50)))
    writes += inserted("users", {"_id": 2, "email": "a" if ends == "refused" else "b", "team": 2})
    committing = asyncio.create_task(store.commit(Batch(writes)))
    amid = walks(ts)
    reading = [asyncio.create_task(store._walk(each)) for each, _ in amid]
    reading_one = asyncio.create_task(store.snapshot(ts).get("notes", [before[0]["_id"], 100]))
    if ends == "refused":
        with pytest.raises(UniqueViolation):
            await committing
        assert await everything(store, ts, "notes") == before
    else:
        newer = await committing
        assert len(await everything(store, newer, "notes")) == 50
    await asyncio.gather(*reading)
    assert [found() for _, found in amid] == truth
    assert await reading_one == [before[0], None]


async def test_amid_a_commit_reads_are_done_and_nothing_else(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit goes on only when the reads are done, and what is no read waits for its end."""
    monkeypatch.setattr(writing, "_BETWEEN_PAUSES", 1)
    monkeypatch.setattr("synovia.store.sqlite.worker._PAUSE_SECONDS", 3600.0)  # a pause ends when nobody waits
    ts = await store.commit(Batch(inserted("notes", *({"_id": n} for n in range(3)))))
    read, may_go_on = threading.Event(), threading.Event()
    database, worker = store._database, store._worker
    assert database is not None
    assert worker is not None

    def pause() -> None:
        may_go_on.wait(30)
        worker.pause()
        assert read.wait(0), "the reads were not done"

    object.__setattr__(database.writer, "pause", pause)
    committing = asyncio.create_task(store.commit(Batch(inserted("notes", {"_id": 10}))))
    await asyncio.sleep(0)
    other = asyncio.create_task(store.commit(Batch(inserted("notes", {"_id": 11}), fence=99)))
    scanning = asyncio.create_task(everything(store, ts, "notes"))
    getting = asyncio.create_task(store._run(lambda _: read.set(), Urgency.READ))
    await asyncio.sleep(0)
    may_go_on.set()
    assert len(await scanning) == 3
    await getting
    assert await committing > ts
    with pytest.raises(Conflict):
        await other


async def test_the_urgent_goes_first_and_nothing_waits_for_ever() -> None:
    worker = Worker("jobs")
    begun, may_begin, done = threading.Event(), threading.Event(), list[str]()

    def begin() -> None:
        begun.set()
        may_begin.wait()

    first = asyncio.ensure_future(worker.run(begin))
    await asyncio.to_thread(begun.wait, 30)
    jobs = []
    for kind, count in ((Urgency.LONG_SCAN, 3), (Urgency.SCAN, 2), (Urgency.WORK, 4), (Urgency.READ, 4)):
        jobs += [worker.run(lambda kind=kind: done.append(kind.name), kind) for _ in range(count)]  # type: ignore
    waiting = [asyncio.ensure_future(job) for job in jobs]
    await asyncio.sleep(0)
    may_begin.set()
    await asyncio.gather(first, *waiting)
    await worker.end(lambda: done.append("end"))
    R, W, S, L, _ = (urgency.name for urgency in Urgency)
    assert done == [R, R, L, R, R, W, L, W, W, W, L, S, S, "end"]
