"""A look-up that is answered from memory is what a search of all documents finds, whatever is committed around it."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from bson import Int64, ObjectId

from helpers.plain_snapshot import Plain, commit
from synovia import keys
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema.specs import Document, Undecodable
from synovia.store.base import Gap, Snapshot, Store, Write
from synovia.store.filters import Comparison, Filter
from synovia.transaction import batching, index_lookups
from synovia.transaction.batching import BatchedReads
from synovia.transaction.document_cache import DocumentCache
from synovia.transaction.index_lookups import IndexLookups, is_whole_key
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.transaction import Scan, Transaction

UNIQUE = IndexSpec("by_code", ("code",), unique=True)
WITH_DEFAULT = IndexSpec("by_code_or_a", ("code",), unique=True, defaults=((keys.encode_value("a"),),))
PAIR = IndexSpec("by_pair", ("code", "shelf"))
TAGS = IndexSpec("by_tag", ("tags",), unique=True)
INSIDE = IndexSpec("by_inner", ("inner.code",))
INDEXES = [UNIQUE, WITH_DEFAULT, PAIR, TAGS, INSIDE]

CODES: list[Any] = ["a", "b", None, 1, True, 0.0, -0.0, math.nan, Int64(1)]
Step = tuple[str, Any]


def draw_game(seed: int) -> list[Step]:
    """Draw what is done to a database, and looked up in it: few things, so that they meet."""
    chance = random.Random(seed)
    codes, indexes = chance.sample(CODES, chance.choice([1, 2])), chance.sample(INDEXES, 2)

    def document() -> Document | None:
        made = {
            "code": chance.choice(codes),
            "shelf": chance.choice(["s", "t"]),
            "tags": chance.choices(codes, k=chance.randrange(3)),
            "inner": {"code": chance.choice(codes)},
        }
        return None if chance.random() < 0.3 else {name: made[name] for name in made if chance.random() < 0.8}

    def scan() -> Any:
        index = chance.choice(indexes)
        values = [chance.choice(codes), chance.choice(["s", "t"])][: chance.choice([len(index.fields)] * 3 + [1])]
        where = Comparison("shelf", "eq", "s") if chance.random() < 0.3 else None
        return (index, keys.prefix(values)), chance.choice(list(Order)), where, chance.choice([None, 1, 2, 3])

    def step() -> Step:
        what = chance.choices(list(STEPS), list(STEPS.values()))[0]
        changes = [(chance.randrange(3), document()) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        return what, changes if what == "commit" else scan()

    return [step() for _ in range(40)]


STEPS = {"commit": 8, "deliver": 8, "scan": 12, "begin": 6, "answer": 6, "earlier": 3, "gap": 1, "forget": 1}


class Slow(Plain):
    """A snapshot that gives its answers when it is let."""

    def __init__(self, ts: int, documents: dict[int, Document], gate: asyncio.Event) -> None:
        super().__init__(ts, documents)
        self._gate = gate

    async def scan(self, *args: Any, **options: Any) -> list[Document]:
        await self._gate.wait()
        return await super().scan(*args, **options)


@dataclass
class World:
    """A database, and a hub whose log is behind it."""

    versions: list[dict[int, Document]] = field(default_factory=lambda: [{}])
    undelivered: list[KeyedCommit] = field(default_factory=list)
    under_way: list[tuple[asyncio.Event, asyncio.Task[list[Document]], list[Document]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.reads = BatchedReads(cast(Store, self), DocumentCache(40_000))

    def snapshot(self, ts: int) -> Plain:
        return Slow(ts, self.versions[ts], self.gate)

    async def step(self, what: str, given: Any) -> None:
        """Do something, and compare what is found."""
        cache = self.reads.cache
        match what:
            case "commit":
                self.versions.append(dict(self.versions[-1]))
                self.undelivered.append(commit(len(self.versions) - 1, self.versions[-1], given))
            case "deliver" if self.undelivered:
                cache.on_change(self.undelivered.pop(0))
            case "gap" if self.undelivered:
                cache.on_change(Gap(self.undelivered[-1].ts, "lost", 1))
                self.undelivered.clear()
            case "forget":
                cache.forget([("t", keys.encode_value(1))])
            case "earlier":
                await self.compare(max(0, cache.head - 1), given)
            case "scan":
                await self.compare(cache.head, given)
            case "begin":
                open_gate, self.gate = self.gate, asyncio.Event()
                asked = self.scan(self.reads.snapshot(cache.head), given)
                expected = await self.scan(Plain(cache.head, self.versions[cache.head]), given)
                self.under_way.append((self.gate, asyncio.create_task(asked), expected))
                await asyncio.sleep(0)  # it asks
                self.gate = open_gate
            case "answer" if self.under_way:
                await self.answer()
        assert cache.bytes <= 40_000
        assert cache.lookups.bytes <= 40_000 // 8

    async def answer(self) -> None:
        gate, task, expected = self.under_way.pop(0)
        gate.set()
        assert repr(await task) == repr(expected)

    async def compare(self, ts: int, scan: Any) -> None:
        plain = Plain(ts, self.versions[ts])
        for again in range(2):
            found = await self.scan(self.reads.snapshot(ts), scan)
            assert repr(found) == repr(await self.scan(plain, scan)), f"{ts} {scan} {again}"
            (index, interval), _, where, limit = scan
            count = await self.reads.snapshot(ts).count("t", index, interval, where=where, limit=limit)
            assert count == len(found)

    @staticmethod
    def scan(snapshot: Snapshot, scan: Any) -> Coroutine[Any, Any, list[Document]]:
        (index, interval), order, where, limit = scan
        return snapshot.scan("t", index, interval, order, where=where, limit=limit)


async def play(seeds: range) -> None:
    for seed in seeds:
        world = World()
        try:
            for what, given in draw_game(seed):
                await world.step(what, given)
            while world.under_way:
                await world.answer()
        except AssertionError as error:
            raise AssertionError(f"game {seed}") from error


@pytest.mark.parametrize("seeds", [range(start, start + 500) for start in range(0, 2_000, 500)])
async def test_what_is_found_is_what_a_search_finds(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_few(monkeypatch)
    await play(seeds)


def keep_few(patch: pytest.MonkeyPatch) -> None:
    """Have it happen that too many documents have a key, and that a commit is too large."""
    for module in (index_lookups, batching):
        patch.setattr(module, "MOST_FOUND", 2)
    patch.setattr(index_lookups, "MOST_FOLLOWED", 2)


def move_otherwise(patch: pytest.MonkeyPatch, otherwise: Callable[..., None]) -> None:
    move = IndexLookups._move

    def moved(self: IndexLookups, key: Any, point: Any, ts: int, *, is_there: bool) -> None:
        otherwise(lambda ts: move(self, key, point, ts, is_there=is_there), ts, is_there)

    patch.setattr(IndexLookups, "_move", moved)


def miss_who_loses_a_key(patch: pytest.MonkeyPatch) -> None:
    """As if a document that is deleted, or gets another key, still had it."""
    move_otherwise(patch, lambda move, ts, is_there: move(ts) if is_there else None)


def miss_who_gets_a_key(patch: pytest.MonkeyPatch) -> None:
    move_otherwise(patch, lambda move, ts, is_there: None if is_there else move(ts))


def take_what_has_changed_for_as_old(patch: pytest.MonkeyPatch) -> None:
    """As if who has a key now had had it always."""
    move_otherwise(patch, lambda move, ts, is_there: move(0))


def keep_what_was_overtaken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(index_lookups, "_overtake", lambda followed, values: None)


def keep_beyond_a_gap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IndexLookups, "forget_all", lambda self: None)


def pass_over_large_commits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IndexLookups, "forget", lambda self, table: None)


def take_a_part_for_all(patch: pytest.MonkeyPatch) -> None:
    """As if a look-up that has stopped at its limit had found all there are."""
    end = DocumentCache.end_lookup
    found: list[Any] = []

    async def look_up(self: Any, snapshot: Any, key: Any, interval: Any, order: Any, most: Any) -> list[Document]:
        lookup = self.cache.begin_lookup(key, snapshot.ts)
        found[:] = await snapshot.scan(key[0], key[1], interval, order, limit=most)
        if lookup is not None:
            end(self.cache, lookup, snapshot.ts, found)
        return found

    patch.setattr(BatchedReads, "_look_up", look_up)


SABOTAGES = [
    miss_who_loses_a_key, miss_who_gets_a_key, take_what_has_changed_for_as_old, keep_what_was_overtaken,
    keep_beyond_a_gap, pass_over_large_commits, take_a_part_for_all,
]  # fmt: skip


@pytest.mark.parametrize("sabotage", SABOTAGES)
async def test_a_fault_is_found(
    sabotage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_few(monkeypatch)
    sabotage(monkeypatch)

    with pytest.raises(AssertionError, match="game"):
        await play(range(500))


# --- footprint, bounds --------------------------------------------------------------------------------------------------


async def test_a_look_up_from_memory_is_read_as_a_scan_is() -> None:
    world = World()
    await world.step("commit", [(1, {"code": "a"}), (2, {"code": "b", "shelf": "s"})])
    await world.step("deliver", None)
    wheres: list[Filter | None] = [None, Comparison("shelf", "eq", "s")]
    scans = [
        (Scan("t", index, keys.prefix([code]), order, where), limit)
        for index in (UNIQUE, WITH_DEFAULT)
        for code in ("a", "b", "none")
        for order in Order
        for where in wheres
        for limit in (None, 1, 2)
    ]
    for scan, limit in scans:
        plain = Transaction(Plain(1, world.versions[1]))
        expected = await plain.scan(scan, limit), plain.reads, plain.cost
        for _ in range(2):
            run = Transaction(world.reads.snapshot(1))
            assert (await run.scan(scan, limit), run.reads, run.cost) == expected


def interval_of(*values: Any) -> Interval:
    return keys.prefix(values)


def test_whole_keys_are_told_from_other_intervals() -> None:
    assert is_whole_key(UNIQUE, interval_of("a"))
    assert is_whole_key(UNIQUE, interval_of(None))
    assert is_whole_key(PAIR, interval_of(ObjectId(), math.nan))
    for index, interval in [
        (UNIQUE, interval_of()),
        (PAIR, interval_of("a")),
        (keys.BY_ID, interval_of()),
        (keys.BY_ID, interval_of(1)),
        (UNIQUE, keys.between([], ("a", True), ("b", True))),
        (UNIQUE, keys.between([], ("a", False), None)),
        (UNIQUE, keys.between([], None, ("a", True))),
        (UNIQUE, keys.EMPTY),
    ]:
        assert not is_whole_key(index, interval), (index, interval)


async def found(cache: DocumentCache, code: Any, ts: int, documents: list[Document]) -> None:
    lookup = cache.begin_lookup(("t", UNIQUE, keys.encode_value(code)), ts)
    assert lookup is not None
    cache.end_lookup(lookup, ts, documents)


async def test_what_is_looked_up_takes_no_more_bytes_than_it_may() -> None:
    cache = DocumentCache(80_000)
    cache.head = 1
    for number in range(1_000):
        document = {"_id": number, "code": f"c{number}", "text": "x" * 500}
        await found(cache, f"c{number}", 1, [document] if number % 2 else [])
        assert cache.bytes <= 80_000
        assert cache.lookups.bytes <= 10_000
        assert cache.find_with(("t", UNIQUE, keys.encode_value("c1")), 1) is not None or number < 1, (
            "what is used stays"
        )
    assert 10 < len(cache.lookups) < 30
    writes = [Write("t", number, {"_id": number, "code": f"c{number}"}, None) for number in range(1, 1_000, 2)]
    cache.on_change(KeyedCommit(2, writes))
    assert cache.find_with(("t", UNIQUE, keys.encode_value("c1")), 2) == []
    for table in ("t", "u"):
        cache.forget([(table, b"")])
    assert len(cache.lookups) == cache.lookups.bytes == 0
    assert list(cache.lookups.indexes("t")) == [], "commits are compared with nothing any more"


async def test_a_document_that_is_too_large_is_not_kept_with_its_key() -> None:
    cache = DocumentCache()
    cache.head = 1
    await found(cache, "a", 1, [{"_id": 1, "code": "a", "text": "x" * 1_000_000}])
    assert cache.find_with(("t", UNIQUE, keys.encode_value("a")), 1) is None


async def test_a_look_up_that_fails_leaves_nothing() -> None:
    world = World()
    snapshot = world.reads.snapshot(0)

    async def fail(*args: Any, **options: Any) -> list[Document]:
        raise ValueError("no")

    cast(Any, snapshot).stored.scan = fail
    with pytest.raises(ValueError, match="no"):
        await snapshot.scan("t", UNIQUE, keys.prefix(["a"]))
    assert len(world.reads.cache.lookups) == 0
    assert list(world.reads.cache.lookups.indexes("t")) == []


async def test_what_cannot_be_decoded_is_found_by_no_key() -> None:
    cache = DocumentCache()
    cache.head = 1
    broken = Undecodable(1, "it is broken")
    await found(cache, None, 1, [])
    await found(cache, "a", 1, [{"_id": 1, "code": "a"}])
    cache.on_change(KeyedCommit(2, [Write("t", 1, {"_id": 1, "code": "a"}, broken)]))
    assert [cache.find_with(("t", UNIQUE, keys.encode_value(code)), 2) for code in (None, "a")] == [[], []]
    cache.on_change(KeyedCommit(3, [Write("t", 1, broken, {"_id": 1, "code": "a"})]))
    assert cache.find_with(("t", UNIQUE, keys.encode_value("a")), 3) == [{"_id": 1, "code": "a"}]
