"""Mutations that are run at another hub: what travels, what becomes of them when that hub is gone, and who runs what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from apps import shelves
from helpers.faulty_store import FaultySQLiteStore
from helpers.patience import PATIENCE
from synovia.engine.engine import Engine
from synovia.engine.outcomes import Outcome
from synovia.engine.peers import MutationCall
from synovia.functions.access import CallOrigin
from synovia.functions.log_lines import LogLine
from synovia.functions.registry import Registry, collect
from synovia.hubs.forwarding import Forwarding
from synovia.hubs.leadership import Leadership, Mark, new_name
from synovia.hubs.wire import fingerprint, pack_call, pack_outcome, unpack_call, unpack_outcome
from synovia.identity import Identity
from synovia_protocol.errors import ErrorInfo

SECRET = b"the secret of these hubs"
SESSION = b"s" * 16
REGISTRY = collect("shelves", [shelves])


class Told(Leadership):
    """Has the leader that the test says."""

    def __init__(self) -> None:
        super().__init__(new_name())
        self.told: Mark | None = None

    def leader(self, path: str) -> Mark | None:
        return None if self.told is None or self.told.name in self._avoided else self.told


class Hub:
    """A hub with others on its store."""

    def __init__(self, store: FaultySQLiteStore, secret: bytes = SECRET, registry: Registry = REGISTRY) -> None:
        self.leadership = Told()
        self.forwarding = Forwarding(secret, "127.0.0.1", registry, self.leadership)
        self.engine = Engine(store, registry, peers=self.forwarding)

    async def start(self) -> None:
        await self.engine.start()
        await self.forwarding.start(self.engine.mutate_for_peer)

    async def stop(self) -> None:
        await self.forwarding.stop()
        await self.engine.stop()

    async def follow(self, other: Hub) -> None:
        """Take the other one for the leader from now on, and connect to it."""
        self.leadership.told = Mark.unpack(other.forwarding.mark)
        self.forwarding.leads("")
        while self.forwarding._connecting:  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0)

    async def call(self, path: str, number: int, identity: Identity | None = None, **args: Any) -> Outcome:
        return await self.engine.mutate(f"shelves:{path}", args, identity, session=SESSION, number=number)

    @property
    def counts(self) -> tuple[int, int, int]:
        counters = self.forwarding.counters
        return counters["forwarded"], counters["received"], counters["returned"]


@pytest.fixture
async def store() -> AsyncIterator[FaultySQLiteStore]:
    async with asyncio.timeout(PATIENCE):
        store = FaultySQLiteStore()
        await store.open([shelves.Item.spec])
        yield store
        await store.close()


@pytest.fixture
async def leader(store: FaultySQLiteStore) -> AsyncIterator[Hub]:
    hub = Hub(store)
    await hub.start()
    yield hub
    store.gate.set()
    await hub.stop()


@pytest.fixture
async def hub(store: FaultySQLiteStore, leader: Hub) -> AsyncIterator[Hub]:
    hub = Hub(store)
    await hub.start()
    await hub.follow(leader)
    yield hub
    store.gate.set()
    await hub.stop()


async def test_a_mutation_is_run_at_the_other_hub_and_seen_at_this_one(hub: Hub, leader: Hub) -> None:
    put = await hub.call("put", 1, name="i", shelf="a", rank=3)
    assert put.value() == "i"
    assert hub.engine.head >= (put.ts or 0) > 0, "what was acknowledged here is seen here"
    refused = (await hub.call("spend", 2, name="i", amount=5)).error
    assert refused is not None
    assert (refused.code, refused.data) == ("insufficient", {"rank": 3})
    assert (hub.counts, leader.counts) == ((2, 0, 0), (0, 2, 0))


async def test_what_was_committed_there_is_not_run_again_here(hub: Hub) -> None:
    await hub.call("put", 1, name="i", shelf="a", rank=0)
    first = await hub.call("raise_rank", 2, name="i", by=1)
    hub.leadership.told = None
    args = {"name": "i", "by": 1}
    again = await hub.engine.mutate("shelves:raise_rank", args, None, session=SESSION, number=2, retry=True)
    assert (first.value(), again.value()) == (1, 1)


async def test_a_mutation_whose_hub_goes_before_it_answers_takes_place_once(
    store: FaultySQLiteStore, hub: Hub, leader: Hub
) -> None:
    await hub.call("put", 1, name="i", shelf="a", rank=0)
    store.waiting.clear()
    store.gate.clear()
    raising = asyncio.create_task(hub.call("raise_rank", 2, name="i", by=1))
    await store.waiting.wait()  # the leader commits it at this moment
    await leader.forwarding.stop()
    while not hub.engine.stage:  # noqa: ASYNC110 (it is run here meanwhile; there is no event for that)
        await asyncio.sleep(0)
    store.gate.set()
    assert (await raising).value() == 1
    everything = (await hub.engine.query("shelves:everything", {}, None)).value()
    assert everything["i"] == ["a", 1, "i"]
    assert hub.counts == (2, 0, 1)


async def test_a_hub_that_does_not_finish_is_not_waited_for_for_ever(
    store: FaultySQLiteStore, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synovia.hubs.forwarding.PATIENCE", 0.05)
    stuck = Forwarding(SECRET, "127.0.0.1", REGISTRY)
    begun = asyncio.Event()

    async def run_for_ever(call: MutationCall) -> Outcome:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    await stuck.start(run_for_ever)
    hub.leadership.told = Mark.unpack(stuck.mark)
    assert not hub.forwarding.leads("shelves:put"), "there is no connection yet"
    while not hub.forwarding.leads("shelves:put"):  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0)
    assert (await hub.call("put", 1, name="i", shelf="a", rank=0)).value() == "i"
    assert begun.is_set()
    assert not hub.forwarding.leads("shelves:put"), "it is left alone for a while"
    assert hub.counts == (1, 0, 1)
    await stuck.stop()


async def test_a_hub_at_an_address_that_is_not_here_goes_on_without_others(store: FaultySQLiteStore) -> None:
    alone = Forwarding(SECRET, "192.0.2.1", REGISTRY)
    await alone.start(Engine(store, REGISTRY).mutate_for_peer)
    assert alone.mark == b""
    assert not alone.leads("shelves:put")
    await alone.stop()


async def test_a_mutation_is_not_sent_on_by_the_hub_that_runs_it_for_another(hub: Hub, leader: Hub) -> None:
    await leader.follow(hub)
    assert (await hub.call("put", 1, name="i", shelf="a", rank=0)).value() == "i"
    assert (await leader.call("put", 2, name="j", shelf="a", rank=0)).value() == "j"
    assert (hub.counts, leader.counts) == ((1, 1, 0), (1, 1, 0))


async def test_hubs_of_another_secret_or_application_run_nothing_for_each_other(
    store: FaultySQLiteStore, leader: Hub
) -> None:
    functions = {path: function for path, function in REGISTRY.functions.items() if path != "shelves:spend"}
    older = Registry(REGISTRY.name, functions, REGISTRY.tables)
    for number, stranger in enumerate((Hub(store, b"another secret of hubs"), Hub(store, registry=older)), 1):
        await stranger.start()
        await stranger.follow(leader)
        assert (await stranger.call("put", number, name=f"i{number}", shelf="a", rank=0)).value() == f"i{number}"
        assert stranger.counts == (0, 0, 0)
        await stranger.stop()
    assert leader.counts == (0, 0, 0)


async def test_what_is_too_large_to_be_sent_is_run_here(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.hubs.forwarding.MOST_BYTES", 200)
    assert (await hub.call("put", 1, name="i" * 200, shelf="a", rank=0)).value() == "i" * 200
    assert hub.counts == (0, 0, 0)


async def test_hubs_that_overtake_each_other_find_one_that_runs_it_for_all(store: FaultySQLiteStore) -> None:
    hubs = []
    for _ in range(3):
        hub = Hub(store)
        hub.forwarding = Forwarding(SECRET, "127.0.0.1", REGISTRY)
        hub.engine = Engine(store, REGISTRY, peers=hub.forwarding)
        await hub.start()
        hubs.append(hub)
    await hubs[0].call("put", 0, name="i", shelf="a", rank=0)
    number = raised = 0
    while sum(hub.forwarding.counters["received"] for hub in hubs) < 50:
        calls = []
        for hub in hubs:
            for _ in range(5):
                number += 1
                calls.append(hub.call("raise_rank", number, name="i", by=1))
        outcomes = await asyncio.gather(*calls)
        assert [outcome.error for outcome in outcomes] == [None] * 15
        raised += 15
    assert (await hubs[1].engine.query("shelves:everything", {}, None)).value()["i"] == ["a", raised, "i"]
    leading = [hub for hub in hubs if hub.forwarding.counters["received"]]
    assert min(hubs, key=lambda hub: hub.forwarding.mark) in leading
    for hub in hubs:
        await hub.stop()


CALLS = [
    MutationCall("a:b", {"n": 1, "list": [1.5, None, b"x", {"d": "ü"}]}, None, SESSION, 7),
    MutationCall(
        "a/b:c", {}, Identity("https://i", "s", "e@x", "N", "p", {"tenant": ["a", 1, {"b": None}]}, ("operator",)),
        SESSION, 1 << 40, True, 1_700_000_000_000, b"mark", CallOrigin.FUNCTION,
    ),
]  # fmt: skip
OUTCOMES = [
    Outcome(12, b"\xc0", None, frozenset({b"a" * 32, b"b" * 32}), log_lines=(LogLine(20, "said"),), documents_read=3),
    Outcome(error=ErrorInfo("code", "why", {"rank": 3})),
    Outcome(error=ErrorInfo("overloaded", "why"), unknown=True),
    Outcome(error=ErrorInfo("overloaded", "why"), unusable=True),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_arrives_as_it_was(call: MutationCall) -> None:
    arrived = unpack_call(pack_call(call))
    assert arrived == call
    assert (arrived.identity and arrived.identity.claims) == (call.identity and call.identity.claims)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_came_of_it_arrives_as_it_was(outcome: Outcome) -> None:
    assert unpack_outcome(pack_outcome(outcome)) == outcome


def test_an_application_has_the_same_fingerprint_each_time_and_another_one_another() -> None:
    assert fingerprint(REGISTRY) == fingerprint(collect("shelves", [shelves]))
    assert fingerprint(REGISTRY) != fingerprint(collect("others", [shelves]))
