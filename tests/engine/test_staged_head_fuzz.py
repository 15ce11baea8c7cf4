"""Random mutations at two hubs on a store that fails at random, against a few lines of Python that do them one by one.

Every mutation that was committed must have given what it gives in the order of the commits; every failure that was told must
be right at some instant between its question and its answer; and nothing may be older than what was acknowledged before.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from apps import shelves
from helpers.faulty_store import Fault, FaultySQLiteStore, Request
from helpers.patience import PATIENCE
from synovia.engine.engine import Engine
from synovia.engine.entries import Entry, Submission
from synovia.engine.outcomes import Outcome
from synovia.engine.stage import Stage, View
from synovia.functions.registry import collect
from synovia.store.base import Gap
from synovia.tasks import end
from synovia.transaction.index_lookups import IndexLookups
from synovia.transaction.keyed import KeyedCommit

Items = dict[str, list[Any]]
NAMES = [f"i{number}" for number in range(7)]
SHELVES = ["a", "b"]
CODES = ["c0", "c1", "c2"]


class Failed(Exception):
    """A mutation that failed, with its code."""


# --- the model ----------------------------------------------------------------------------------------------------------


def found(items: Items, name: str) -> list[Any]:
    if name not in items:
        raise Failed("missing")
    return items[name]


def on_shelf(items: Items, shelf: str, order: str = "asc") -> list[str]:
    placed = sorted((item[1], name) for name, item in items.items() if item[0] == shelf)
    return [name for _, name in (placed if order == "asc" else placed[::-1])]


def is_taken(items: Items, code: str, but: str) -> bool:
    return any(item[2] == code for name, item in items.items() if name != but)


def put(items: Items, name: str, shelf: str, rank: int) -> str:
    if name in items or is_taken(items, name, name):
        raise Failed("unique_violation")
    items[name] = [shelf, rank, name]
    return name


def raise_rank(items: Items, name: str, by: int) -> int:
    item = found(items, name)
    item[1] += by
    return int(item[1])


def spend(items: Items, name: str, amount: int) -> int:
    item = found(items, name)
    if item[1] < amount:
        raise Failed("insufficient", item[1])
    item[1] -= amount
    return int(item[1])


def move(items: Items, name: str, shelf: str) -> str:
    item = found(items, name)
    before, item[0] = item[0], shelf
    return str(before)


def rename(items: Items, name: str, code: str) -> str:
    item = found(items, name)
    if item[2] != code and is_taken(items, code, name):
        raise Failed("unique_violation")
    before, item[2] = item[2], code
    return str(before)


def take(items: Items, shelf: str, order: str) -> str | None:
    for name in on_shelf(items, shelf, order):
        del items[name]
        return name
    return None


def sum_up(items: Items, shelf: str, limit: int, order: str, into: str) -> list[str]:
    names = on_shelf(items, shelf, order)[:limit]
    found(items, into)[1] = sum(items[name][1] for name in names) % 1000
    return names


def count(items: Items, shelf: str, into: str) -> int:
    counted = len(on_shelf(items, shelf))
    found(items, into)[1] = counted
    return counted


def holder(items: Items, code: str) -> str | None:
    return next((name for name, item in items.items() if item[2] == code), None)


def find(items: Items, code: str, by: int) -> str | None:
    name = holder(items, code)
    if name is not None:
        items[name][1] += by
    return name


def hand_over(items: Items, code: str, to: str) -> str | None:
    name, item = holder(items, code), found(items, to)
    if name is not None:
        items[name][2] = item[2]
    item[2] = code
    return None if name == to else name


def drop(items: Items, code: str) -> str | None:
    name = holder(items, code)
    if name is not None:
        del items[name]
    return name


MODEL: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (put, raise_rank, spend, move, rename, take, sum_up, count, find, hand_over, drop)
}


def outcome_in(items: Items, path: str, args: dict[str, Any]) -> Any:
    """Do a mutation in the model and give its result; a failure changes nothing."""
    before = {name: list(item) for name, item in items.items()}
    try:
        return MODEL[path](items, **args)
    except Failed as failure:
        items.clear()
        items.update(before)
        return failure.args


# --- the calls ----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Call:
    """One mutation with what came of it.

    Attributes:
        after: So many commits had been acknowledged when it was asked for.
        told_after: So many had been made when it was answered.
    """

    request: Request
    path: str
    args: dict[str, Any]
    after: int = 0
    told_after: int = 0
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def told(self) -> Any:
        """The result, or the code of the failure (of one that says a number, with that)."""
        error = self.outcome.error
        if error is None:
            return self.outcome.value()
        return (error.code, error.data["rank"]) if error.code == "insufficient" else (error.code,)


def draw_call(chance: random.Random, number: int) -> Call:
    name, shelf, order = chance.choice(NAMES), chance.choice(SHELVES), chance.choice(["asc", "desc"])
    code = chance.choice(CODES + NAMES)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("put", {"name": name, "shelf": shelf, "rank": chance.randrange(20)}),
        ("put", {"name": name, "shelf": shelf, "rank": chance.randrange(20)}),
        ("raise_rank", {"name": name, "by": chance.randrange(1, 9)}),
        ("raise_rank", {"name": name, "by": chance.randrange(1, 9)}),
        ("spend", {"name": name, "amount": chance.randrange(1, 15)}),
        ("move", {"name": name, "shelf": shelf}),
        ("rename", {"name": name, "code": chance.choice(CODES)}),
        ("take", {"shelf": shelf, "order": order}),
        ("sum_up", {"shelf": shelf, "limit": chance.randrange(1, 4), "order": order, "into": name}),
        ("count", {"shelf": shelf, "into": name}),
        ("find", {"code": code, "by": chance.randrange(1, 9)}),
        ("find", {"code": code, "by": chance.randrange(1, 9)}),
        ("hand_over", {"code": code, "to": name}),
        ("drop", {"code": code}),
    ]
    path, args = chance.choice(calls)
    return Call(Request(number.to_bytes(16, "big"), 1), path, args)


IN_VAIN = 40
"""After so many batches in a row of which nothing is committed a game gets no further; one that goes on has 6 at most."""


class Game:
    """Callers at two hubs on one store.

    Attributes:
        is_stuck: Set when batch after batch is refused, whoever is in it.
    """

    def __init__(self, seed: int, faults: dict[Fault | None, int], poison: float) -> None:
        self.chance = random.Random(seed)
        self.faults = faults
        self.poison = poison
        self.store = FaultySQLiteStore(plan=self.draw_fault, foreign=self.call_at_other)
        self.calls: dict[Request, Call] = {}
        self.acknowledged = 0
        self.wrong: list[str] = []
        self.other: Engine | None = None
        self.is_stuck = asyncio.Event()
        self._in_vain = self._committed = 0

    def draw_fault(self) -> Fault | None:
        """Say what happens to a batch, and count it."""
        if len(self.store.committed) > self._committed:
            self._committed, self._in_vain = len(self.store.committed), 0
        self._in_vain += 1
        if self._in_vain > IN_VAIN:
            self.is_stuck.set()
        return self.chance.choices(list(self.faults), list(self.faults.values()))[0]

    async def call_at_other(self) -> None:
        assert self.other is not None
        await self.call(self.other)

    async def call(self, engine: Engine) -> None:
        """Do one mutation, again as a client does as long as nobody knows what came of it."""
        call = draw_call(self.chance, len(self.calls))
        self.calls[call.request] = call
        if self.chance.random() < self.poison:
            self.store.poisoned.add(call.request)
        call.after, retry = self.acknowledged, False
        while True:
            session, number = call.request.session, call.request.number
            call.outcome = await engine.mutate(
                f"shelves:{call.path}", call.args, None, session=session, number=number, retry=retry
            )
            if not call.outcome.unknown:
                break
            retry = True
        call.told_after = len(self.store.committed)
        if call.outcome.ts is None:
            return
        if call.request not in self.store.committed:
            self.wrong.append(f"acknowledged before it was durable: {call}")
        else:
            self.acknowledged = max(self.acknowledged, self.store.committed.index(call.request) + 1)

    async def play(self, callers: int, calls: int) -> dict[str, Any]:
        """Let everybody call, and give what is there in the end."""
        registry = collect("shelves", [shelves])
        await self.store.open([shelves.Item.spec])
        hubs = [Engine(self.store, registry) for _ in range(2)]
        self.other = hubs[1]
        for hub in hubs:
            hub.committer._patience = 0.3
            await hub.start()

        async def act() -> None:
            for _ in range(calls):
                await self.call(hubs[0])

        await asyncio.gather(*(act() for _ in range(callers)))
        everything = await hubs[0].query("shelves:everything", {}, None)
        for hub in hubs:
            await hub.stop()
        await self.store.close()
        return dict(everything.value())


async def played(game: Game) -> dict[str, Any] | None:
    """Play a game and give what is there in the end; None: it is stuck."""
    playing = asyncio.create_task(game.play(callers=12, calls=12))
    stuck = asyncio.create_task(game.is_stuck.wait())
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([playing, stuck], return_when=asyncio.FIRST_COMPLETED)
        return await playing if playing.done() else None
    finally:
        await end([playing, stuck])


def faults_of(game: Game, last: dict[str, Any]) -> list[str]:
    """Check a game; give what is wrong."""
    wrong = list(game.wrong)
    items: Items = {}
    states: list[Items] = [{}]
    places: dict[Request, int] = {}
    for place, request in enumerate(game.store.committed):
        call = game.calls[request]
        if request in places:
            wrong.append(f"committed twice: {call}")
        places[request] = place
        expected = outcome_in(items, call.path, call.args)
        states.append({name: list(item) for name, item in items.items()})
        if call.told != expected:
            wrong.append(f"{expected} in the order of commits: {call}")
        if place < call.after:
            wrong.append(f"stale: committed before what was acknowledged before: {call}")
    for call in game.calls.values():
        if call.request in places:
            continue
        if call.request in game.store.poisoned and call.told == ("server_error",):
            continue
        if call.outcome.error is None:
            wrong.append(f"lost: {call}")
        elif not any(
            outcome_in({name: list(item) for name, item in state.items()}, call.path, call.args) == call.told
            for state in states[call.after : call.told_after + 1]
        ):
            wrong.append(f"a failure that was never true: {call}")
    if items != last:
        wrong.append(f"in the end {last}, not {items}")
    return wrong


CALM: dict[Fault | None, int] = {None: 1, Fault.LATE: 1}
WILD: dict[Fault | None, int] = {
    None: 12,
    Fault.LATE: 4,
    Fault.LOST: 2,
    Fault.OUT_OF_REACH: 1,
    Fault.CONFLICT: 1,
    Fault.OVERTAKEN: 4,
}
GAMES = {
    "calm": (CALM, 0.0),
    "refused": (CALM, 0.15),
    "overtaken": ({None: 2, Fault.OVERTAKEN: 1}, 0.0),
    "lost": ({None: 4, Fault.LOST: 1, Fault.LATE: 1}, 0.0),
    "wild": (WILD, 0.05),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", GAMES)
async def test_everything_is_as_if_done_one_by_one(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed % 2:  # some are taken for large ones: they are made ready beforehand, and committed alone
        numbers = itertools.count()
        monkeypatch.setattr(Submission, "is_large", property(lambda submission: next(numbers) % 3 == 0))
    faults, poison = GAMES[name]
    game = Game(seed, faults, poison)
    last = await played(game)
    assert last is not None, "it is stuck"
    assert faults_of(game, last) == []
    assert len(game.store.committed) > 20


# --- the game finds what it is there to find -----------------------------------------------------------------------------


def acknowledge_before_durable(patch: pytest.MonkeyPatch) -> None:
    add = Stage.add

    def add_and_tell(self: Stage, view: View, submission: Submission) -> Entry:
        entry = add(self, view, submission)
        entry.done.set_result(view.ts)
        return entry

    patch.setattr(Stage, "add", add_and_tell)


def tell_failures_early(patch: pytest.MonkeyPatch) -> None:
    async def at_once(self: Stage, entries: Any) -> bool:
        return True

    patch.setattr(Stage, "until_durable", at_once)
    patch.setattr(Stage, "still_holds", lambda self, view, reads, leaned_on: True)


def keep_who_leaned_on_a_failed_batch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Entry, "leans_on", lambda self, dropped: False)
    patch.setattr(Stage, "_was_dropped", lambda self, view, reads: False)


def take_every_commit_for_an_own_one(patch: pytest.MonkeyPatch) -> None:
    """As if the number of the fence told whose commit it is."""
    on_change = Stage.on_change

    def mistaken(self: Stage, change: KeyedCommit | Gap) -> None:
        if isinstance(change, KeyedCommit) and change.token not in self._attempts:
            change.token = next(iter(self._attempts), b"")
        on_change(self, change)

    patch.setattr(Stage, "on_change", mistaken)


def lay_own_commits_over_themselves(patch: pytest.MonkeyPatch) -> None:
    """As if nobody minded that the log may bring a commit before the store acknowledges it."""
    patch.setattr(Stage, "_deliver", lambda self, attempt, commit: None)


def stand_against_commits_from_elsewhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Stage, "_give_way", lambda self, commit, but=(): None)


def find_who_had_a_code(patch: pytest.MonkeyPatch) -> None:
    """As if the log did not move what was looked up."""
    patch.setattr(IndexLookups, "on_change", lambda self, commit: None)


SABOTAGES: dict[Callable[[pytest.MonkeyPatch], None], str] = {
    acknowledge_before_durable: "refused",
    tell_failures_early: "refused",
    keep_who_leaned_on_a_failed_batch: "refused",
    take_every_commit_for_an_own_one: "overtaken",
    lay_own_commits_over_themselves: "calm",
    stand_against_commits_from_elsewhere: "overtaken",
    find_who_had_a_code: "calm",
}


@pytest.mark.parametrize("sabotage", SABOTAGES)
@pytest.mark.slow
async def test_a_guarantee_that_is_switched_off_is_missed_here_too(
    sabotage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    faults, poison = GAMES[SABOTAGES[sabotage]]
    for seed in range(40):
        game = Game(seed, faults, poison)
        last = await played(game)
        if last is None or faults_of(game, last):
            return
    pytest.fail("nothing was found")
