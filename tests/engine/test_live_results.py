"""A live result equals a fresh run at the same timestamp: a differential fuzzer over random queries and commits.

Every instant that a subscriber could have shown is checked, not only the last one: all its queries as of one timestamp.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from bson import ObjectId

from apps import board
from helpers.recording_subscriber import RecordingSubscriber
from helpers.seeds import seeds
from synovia.engine.live_query import LiveQuery, Version
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.identity import Identity
from synovia.store.base import Batch, Conflict, Store, UniqueViolation, Write
from synovia.testing import TestApp
from synovia_protocol import codec, patch
from synovia_protocol.digest import digest

pytestmark = pytest.mark.same_tables

BOARDS = "ab"
TAGS = ["red", "blue", "green"]
WORDS = ["knee", "knees", "kneeling", "bend", "bending", "slow", "slowly", "Étude", "l'eau", "膝の角度"]
PEOPLE = [None, Identity("test", "ann", "ann@example.org"), Identity("test", "ben", "ben@example.org")]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("board", [board])


def random_query(random: Random) -> tuple[str, dict[str, Any]]:
    slug = f"s{random.randrange(12)}"
    name = random.choice(BOARDS)
    low = random.randrange(60)
    choices: list[tuple[str, dict[str, Any]]] = [
        (
            "board:on_board",
            {"board": name, "limit": random.choice([1, 3, 100]), "descending": random.random() < 0.5},
        ),
        ("board:in_range", {"board": name, "low": low, "high": low + random.randrange(40)}),
        ("board:open_from", {"board": name, "low": low, "limit": random.choice([2, 50])}),
        ("board:tagged", {"tag": random.choice(TAGS), "below": random.randrange(100)}),
        ("board:marked", {"by": random.choice(TAGS)}),
        ("board:by_slug", {"slug": slug}),
        ("board:count", {"board": name}),
        ("board:summary", {"board": name}),
        ("board:groups", {"tag": random.choice(TAGS)}),
        ("board:newest", {"limit": random.choice([1, 5])}),
        ("board:neighbours", {"slug": slug}),
        ("board:greeting", {"slug": slug}),
        ("board:broken", {"board": name}),
    ]
    return random.choice(choices)


def random_text(random: Random, most: int = 3) -> str:
    return " ".join(random.choices(WORDS, k=random.randrange(most + 1)))


def random_search(random: Random) -> tuple[str, dict[str, Any]]:
    text = random_text(random)
    text = text[: random.randrange(1, len(text) + 1)] if text and random.random() < 0.5 else text
    if random.random() < 0.3:
        return "board:found_everywhere", {"text": text, "withDeleted": random.random() < 0.5}
    some = {"limit": random.choice([1, 2, 50]), "below": random.choice([30, 100])}
    return "board:found", {"board": random.choice(BOARDS), "text": text, **some}


def random_leaf(random: Random) -> tuple[str, dict[str, Any]]:
    slug = f"l{random.randrange(20)}"
    if random.random() < 0.2:
        return "board:tear_off", {"slug": slug, "forGood": random.random() < 0.5}
    words = {"title": random_text(random), "text": random_text(random, 6)}
    return "board:write", {"slug": slug, "board": random.choice(BOARDS), "rank": random.randrange(60), **words}


def random_mutation(random: Random) -> tuple[str, dict[str, Any]]:
    slug, other = (f"s{random.randrange(12)}" for _ in range(2))
    tags = random.sample(TAGS, random.randrange(3))
    marks = [{"by": tag, "weight": random.randrange(3)} for tag in random.choices(TAGS, k=random.randrange(3))]
    changes: dict[str, Any] = {
        "rank": random.randrange(100),
        "board": random.choice(BOARDS),
        "tags": tags,
        "marks": marks,
        "done": random.random() < 0.5,
        "note": random.choice(["x", "long " * 20]),
    }
    some = {name: changes[name] for name in random.sample(sorted(changes), random.randrange(1, 4))}
    return random.choice(
        [
            ("board:add", {"slug": slug, "board": random.choice(BOARDS), "rank": random.randrange(100), "tags": tags}),
            ("board:change", {"slug": slug, **some}),
            ("board:change", {"slug": slug, **some}),
            ("board:remove", {"slug": slug}),
            ("board:move", {"source": slug, "target": other, "by": 3}),
        ]
    )


class Fuzzer:
    """Random subscriptions and commits on one store, by one seed.

    Args:
        misfits: Other programs write documents that do not fit.
        searching: Half of the queries are searches, and half of the mutations write what they find.
    """

    def __init__(self, app: TestApp, seed: int, *, misfits: bool = False, searching: bool = False) -> None:
        self.app = app
        self.misfits = misfits
        self.searching = searching
        self.random = Random(seed)
        self.holders = [RecordingSubscriber(app.engine) for _ in range(3)]
        self.queries: dict[str, tuple[str, dict[str, Any], Identity | None]] = {}
        self.outside: list[dict[str, Any]] = []
        self._checked: set[tuple[str, int, int]] = set()

    def subscribe_some(self) -> None:
        for holder in self.holders:
            path, args = self._search_or(random_query, random_search)(self.random)
            identity = self.random.choice(PEOPLE)
            name = f"{len(self.queries)} {path} {args}"
            self.queries[name] = (path, args, identity)
            holder.subscribe(name, path, args, identity)
            if len(holder.held) > 6:
                holder.unsubscribe(self.random.choice(sorted(holder.held)))
        self._check_dirty()

    def _check_dirty(self) -> None:
        """Query sets look at no others: one that is missing would show a client what has changed as unchanged."""
        live = self.app.engine.live
        assert live.dirty == {each for each in live if each.subscribers and each.dirty_at is not None}

    def _search_or(self, plain: Any, searching: Any) -> Any:
        return searching if self.searching and self.random.random() < 0.5 else plain

    async def commit_some(self) -> int:
        number = self.random.randrange(1, 6)
        calls = [self._search_or(random_mutation, random_leaf)(self.random) for _ in range(number)]
        outside = await self._write_from_outside() if self.random.random() < 0.2 + 0.2 * self.misfits else 0
        outcomes = await asyncio.gather(*(self.app.engine.mutate(path, args, None) for path, args in calls))
        self._check_dirty()
        errors = {outcome.error.code for outcome in outcomes if outcome.error is not None}
        assert errors <= {"not_found", "unique_violation", "unreadable_document"}, errors
        return max(outside, *(outcome.ts or 0 for outcome in outcomes))

    async def _write_from_outside(self) -> int:
        """Write what another program might: documents that fit, others that do not, and some that are mended or deleted."""
        random = self.random
        if self.misfits and self.outside and random.random() < 0.5:
            before = self.outside.pop(random.randrange(len(self.outside)))
            after = {**before, "rank": random.randrange(100), "tags": []} if random.random() < 0.5 else None
        else:
            before, after = None, self._strange_document() if self.misfits else self._document()
        table = "cards"
        if self.searching and before is None and random.random() < 0.5:
            table, after = (
                "leaves",
                {"_id": ObjectId(), "slug": f"l{random.randrange(20)}", "board": "a", "title": "knee"},
            )
        write = Write(table, (before or after or {})["_id"], before, after)
        try:
            ts = await self.app.store.commit(Batch([write]))
        except (Conflict, UniqueViolation):
            return 0  # a mutation has deleted or changed it, or its slug is taken
        self.outside += [] if after is None or table != "cards" else [after]
        return ts

    def _document(self) -> dict[str, Any]:
        document = {
            "_id": ObjectId(),
            "board": self.random.choice(BOARDS),
            "rank": self.random.randrange(100),
            "tags": [],
        }
        return {**document, "slug": f"outside {document['_id']}"}

    def _strange_document(self) -> dict[str, Any]:
        random = self.random
        id_ = ObjectId()
        strange = [None, 7, 2.5, datetime(2026, 1, random.randrange(1, 29), tzinfo=UTC), "text", {"a": 1}]
        document: dict[str, Any] = {
            "_id": random.choice(strange) if random.random() < 0.3 else id_,
            "board": random.choice(BOARDS),
            "rank": random.choice(["many", 5.5, None]) if random.random() < 0.3 else random.randrange(100),
            "tags": 3 if random.random() < 0.2 else [random.choice(TAGS)],
            "slug": f"s{random.randrange(12)}" if random.random() < 0.3 else f"outside {id_}",
        }
        if random.random() < 0.2:
            del document[random.choice(["rank", "board", "tags"])]
        return document

    async def step(self) -> list[tuple[str, Version]]:
        """Subscribe and commit some; compare what everybody holds then with fresh runs, and give it."""
        self.subscribe_some()
        ts = await self.commit_some()
        held = list[tuple[str, Version]]()
        for holder in self.holders:
            await holder.settled(ts)
            for name in holder.held:
                version = holder.version(name)
                await self.check(name, version, self.app.engine.head)
                held.append((name, version))
        return held

    async def check_instants(self) -> int:
        checked = 0
        for holder in self.holders:
            instants, holder.instants = holder.instants, {}
            for ts, versions in instants.items():
                for name, version in versions.items():
                    await self.check(name, version, ts)
                    checked += 1
        return checked

    async def check(self, name: str, version: Version, ts: int) -> None:
        """Hold a version against a fresh run at an instant, once."""
        if (name, version.number, ts) in self._checked:
            return
        self._checked.add((name, version.number, ts))
        path, args, identity = self.queries[name]
        function = self.app.registry.functions[path]
        executor = self.app.engine._executor
        run = await executor.query(function, function.validate(args), identity, ts)
        if run.error is not None:
            assert version.error is not None, f"{name} at {ts}: {run.error}"
            assert version.error.code == run.error.code
        else:
            assert version.packed == run.packed, f"{name} at {ts}"


@pytest.mark.slow
@seeds(6, on_mongodb=2, deep=20)
async def test_every_instant_equals_a_fresh_run(registry: Registry, any_store: Store, seed: int) -> None:
    async with TestApp(registry, any_store) as app:
        fuzzer = Fuzzer(app, seed, misfits=True)
        checked = 0
        for _ in range(25):
            await fuzzer.step()
            checked += await fuzzer.check_instants()
        assert checked > 100
        assert len(app.engine.unreadable) > 0


@pytest.mark.slow
@seeds(3, on_mongodb=1, deep=20)
async def test_every_instant_of_a_search_equals_a_fresh_run(registry: Registry, any_store: Store, seed: int) -> None:
    async with TestApp(registry, any_store) as app:
        fuzzer, checked, found = Fuzzer(app, seed, searching=True), 0, 0
        for _ in range(25):
            for name, version in await fuzzer.step():
                found += "board:found " in name and version.error is None and bool(codec.unpack(version.packed or b""))
            checked += await fuzzer.check_instants()
        assert checked > 100
        assert found > 20, "what is compared is seldom empty"


@pytest.mark.parametrize("seed", range(3))
async def test_patches_lead_from_any_kept_version_to_the_newest(registry: Registry, seed: int) -> None:
    async with TestApp(registry) as app:
        fuzzer, held = Fuzzer(app, seed), RecordingSubscriber(app.engine)
        live = held.subscribe("list", "board:on_board", {"board": "a", "limit": 100})
        seen: dict[int, tuple[Version, Any]] = {}
        for _ in range(30):
            await held.settled(await fuzzer.commit_some())
            version = held.version("list")
            seen[version.number] = version, held.value("list")
        assert len(seen) > 10
        newest, value = seen[max(seen)]
        used = sum(leads_to(live, old, before, newest, value) for old, before in seen.values())
        assert used >= 2  # the newest itself aside, some older ones too


def leads_to(live: LiveQuery, old: Version, before: Any, new: Version, after: Any) -> bool:
    patches = live.patches(old, new)
    if not patches:
        return False
    for packed in patches:
        before = patch.apply(before, codec.unpack_patch(packed))
    assert digest(before) == digest(after)
    return True


async def test_a_change_that_no_query_sees_reruns_nothing(registry: Registry) -> None:
    async with TestApp(registry) as app:
        holder, caller = RecordingSubscriber(app.engine), app.caller()
        await caller.mutation("board:add", {"slug": "x", "rank": 50})
        live = holder.subscribe("r", "board:in_range", {"board": "a", "low": 0, "high": 10})
        await holder.settled()
        ran_at = live.ran_at
        await caller.mutation("board:change", {"slug": "x", "note": "far away"})
        await caller.mutation("board:add", {"slug": "y", "board": "b", "rank": 5})
        await holder.settled()
        assert live.ran_at == ran_at
        await caller.mutation("board:change", {"slug": "x", "rank": 5})
        await holder.settled()
        assert live.ran_at > ran_at


async def test_equal_queries_are_one(registry: Registry) -> None:
    async with TestApp(registry) as app:
        one, two = RecordingSubscriber(app.engine), RecordingSubscriber(app.engine)
        args = {"board": "a", "limit": 5}
        assert one.subscribe("q", "board:on_board", args, PEOPLE[1]) is two.subscribe(
            "q", "board:on_board", args, PEOPLE[2]
        )
        await one.settled()
        assert len(app.engine.live) == 1


async def test_a_query_that_looks_at_the_identity_is_split(registry: Registry) -> None:
    async with TestApp(registry) as app:
        ann, ben, again = (
            RecordingSubscriber(app.engine),
            RecordingSubscriber(app.engine),
            RecordingSubscriber(app.engine),
        )
        for holder, identity in ((ann, PEOPLE[1]), (ben, PEOPLE[2]), (again, PEOPLE[1])):
            holder.subscribe("who", "board:whoami", {}, identity)
        for holder in (ann, ben, again):
            await holder.settled()
        assert [ann.value("who"), ben.value("who"), again.value("who")] == [
            "ann@example.org",
            "ben@example.org",
            "ann@example.org",
        ]
        assert ann.held["who"] is again.held["who"]
        assert len(app.engine.live) == 2


async def test_a_shared_query_that_begins_to_look_is_split_then(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, ann, ben = app.caller(), RecordingSubscriber(app.engine), RecordingSubscriber(app.engine)
        await caller.mutation("board:add", {"slug": "x"})
        ann.subscribe("hi", "board:greeting", {"slug": "x"}, PEOPLE[1])
        ben.subscribe("hi", "board:greeting", {"slug": "x"}, PEOPLE[2])
        await ann.settled()
        assert ann.held["hi"] is ben.held["hi"]
        assert ann.value("hi") == ben.value("hi") == "not done"
        await caller.mutation("board:change", {"slug": "x", "done": True})
        await ann.settled()
        await ben.settled()
        assert ann.value("hi") == "done, ann@example.org"
        assert ben.value("hi") == "done, ben@example.org"


async def test_a_result_that_did_not_change_makes_no_version(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        await caller.mutation("board:add", {"slug": "x", "rank": 7})
        live = holder.subscribe("count", "board:count", {"board": "a"})
        await holder.settled()
        version, ran_at = holder.version("count"), live.ran_at
        await caller.mutation("board:change", {"slug": "x", "rank": 8})
        await holder.settled()
        assert live.ran_at > ran_at
        assert holder.version("count") is version


async def test_a_failing_query_recovers(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        holder.subscribe("near", "board:neighbours", {"slug": "x"})
        await holder.settled()
        error = holder.version("near").error
        assert error is not None
        assert error.code == "not_found"
        await caller.mutation("board:add", {"slug": "x"})
        await holder.settled()
        assert holder.value("near") == {"slug": "x", "around": ["x"]}


async def test_a_query_comes_back_with_patches_after_its_subscriber_left(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
        for number in range(20):
            await caller.mutation("board:add", {"slug": f"x{number}", "rank": number})
        args = {"board": "a"}
        first = holder.subscribe("q", "board:on_board", args)
        await holder.settled()
        ts, old = app.engine.head, holder.version("q")
        holder.unsubscribe("q")
        await caller.mutation("board:change", {"slug": "x3", "note": "while away"})
        again = holder.subscribe("q", "board:on_board", args)
        await holder.settled()
        assert again is first
        assert again.version_at(ts) is old
        assert again.patches(old, holder.version("q")) is not None


async def test_unknown_queries_and_arguments_are_refused_at_once(registry: Registry) -> None:
    async with TestApp(registry) as app:
        holder = RecordingSubscriber(app.engine)
        refusals: list[tuple[str, dict[str, Any], str]] = [
            ("board:nothing", {}, "unknown_function"),
            ("board:secret", {}, "unknown_function"),
            ("board:add", {"slug": "x"}, "wrong_kind"),
            ("board:count", {}, "invalid_arguments"),
            ("board:count", {"board": 5}, "invalid_arguments"),
            ("board:count", {"board": "a", "more": 1}, "invalid_arguments"),
            ("board:on_board", {"board": "a", "limit": "5"}, "invalid_arguments"),
        ]
        for path, args, code in refusals:
            with pytest.raises(FunctionError) as caught:
                holder.subscribe("bad", path, args)
            assert caught.value.code == code, path
        assert len(app.engine.live) == 0
