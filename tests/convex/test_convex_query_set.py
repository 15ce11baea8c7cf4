"""The rules of transitions, against an engine whose live queries do what a test says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from helpers.convex_wire import KIT, add, remove
from helpers.examples import examples
from helpers.scripted_engine import ScriptedEngine, ScriptedLive
from synovia.convex.functions import ConvexFunctions
from synovia.convex.messages import Malformed, ModifyQuerySet, parse
from synovia.convex.query_set import ConvexQuerySet
from synovia.convex.results import ResultCache
from synovia.convex.versions import StateVersion
from synovia.engine.freshness import Floor
from synovia.functions.registry import load_application
from synovia.identity import SERVER, Identity
from synovia_protocol.errors import ErrorInfo

FUNCTIONS = ConvexFunctions(load_application(KIT))
PATHS = ("hello:default", "values:stored", "values:optional", "users:me")
ANN, BEN = Identity("issuer", "ann"), Identity("issuer", "ben")


class Client:
    """A query set, and what its client makes of the transitions."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self.engine = engine
        self.query_set = ConvexQuerySet(engine, FUNCTIONS, ResultCache(), lambda: None, max_queries=100, account=SERVER)
        self.asked = self.identities = 0
        self.version = StateVersion()
        self.shown: dict[int, Any] = {}

    def modify(self, *modifications: dict[str, Any], base: int | None = None) -> None:
        base, self.asked = self.asked if base is None else base, self.asked + 1
        message = {"type": "ModifyQuerySet", "baseVersion": base, "newVersion": self.asked}
        parsed = parse(json.dumps(message | {"modifications": modifications}))
        assert isinstance(parsed, ModifyQuerySet)
        self.query_set.modify(parsed)

    def sign_in(self, identity: Identity | None) -> None:
        self.identities += 1
        self.query_set.sign_in(identity)

    def step(self) -> list[dict[str, Any]] | None:
        """Advance; give the modifications of the transition, None if there is none."""
        step = self.query_set.advance(self.engine.head)
        if step is None:
            return None
        assert step.start == self.version
        assert step.end.ts >= step.start.ts
        self.version = step.end
        modifications: list[dict[str, Any]] = [json.loads(each) for each in step.modifications]
        for each in modifications:
            if each["type"] == "QueryRemoved":
                self.shown.pop(each["queryId"], None)
            else:
                self.shown[each["queryId"]] = each.get("value", each)
        return modifications


@pytest.fixture
def client() -> Client:
    engine = ScriptedEngine()
    for path in PATHS:
        engine.live(path).now(0, "old")
    return Client(engine)


def test_every_version_is_answered_and_nothing_else(client: Client) -> None:
    assert client.step() is None
    client.modify()
    assert client.step() == []
    assert client.version == StateVersion(1, 100, 0)
    client.engine.head = 105
    assert client.step() is None
    client.sign_in(ANN)
    client.sign_in(None)
    assert client.step() == []
    assert client.version == StateVersion(1, 105, 2)


def test_a_slow_query_holds_up_its_own_version_and_no_other_result(client: Client) -> None:
    client.modify(add(0, PATHS[0]))
    client.step()
    slow = client.engine.lives["values:stored", None] = ScriptedLive()
    client.modify(add(1, "values:stored"), add(2, PATHS[2]))
    client.modify(remove(0), add(3, PATHS[3]))
    assert client.step() is None
    client.engine.head = 101
    slow.now(101, "late")
    told = client.step()
    assert told is not None
    assert [(each["type"], each["queryId"]) for each in told] == [
        ("QueryRemoved", 0), ("QueryUpdated", 1), ("QueryUpdated", 2), ("QueryUpdated", 3),
    ]  # fmt: skip
    assert client.version == StateVersion(3, 101, 0)


def test_what_is_held_moves_on_while_a_new_query_is_slow(client: Client) -> None:
    client.modify(add(0, PATHS[0]))
    client.step()
    client.engine.lives["values:stored", None] = ScriptedLive()
    client.modify(add(1, "values:stored"))
    client.engine.head = 101
    client.engine.live(PATHS[0]).now(101, "new")
    assert client.step() is not None
    assert (client.shown, client.version) == ({0: "new"}, StateVersion(1, 101, 0))


def test_what_a_mutation_has_changed_is_told_after_its_answer(client: Client) -> None:
    client.modify(add(0, PATHS[0]))
    client.step()
    client.query_set.hold(7)
    client.engine.head = 101
    client.engine.live(PATHS[0]).now(101, "mine")
    assert client.step() is None
    client.query_set.answered(7, 101)
    assert client.step() is not None
    assert client.shown == {0: "mine"}


def test_what_others_have_changed_is_told_while_a_mutation_is_being_committed(client: Client) -> None:
    client.modify(add(0, PATHS[0]))
    client.step()
    client.engine.head = 101
    client.engine.live(PATHS[0]).now(101, "another's")
    client.query_set.hold(7)
    client.engine.head = 102
    client.engine.live(PATHS[0]).now(102, "mine")
    assert client.step() is not None
    assert client.shown == {0: "another's"}


@pytest.mark.parametrize("ts", [None, 100, 103])
def test_a_transition_follows_each_answer_once_it_can_hold_it(client: Client, ts: int | None) -> None:
    client.modify()
    client.step()
    client.query_set.answered(0, ts)
    if ts == 103:
        assert client.step() is None
        client.engine.head = 103
    assert client.step() == []
    assert client.step() is None


def test_a_transition_waits_for_the_result_that_shows_what_was_answered(client: Client) -> None:
    client.modify(add(0, PATHS[0]))
    client.step()
    client.engine.head = 103
    live = client.engine.live(PATHS[0])
    live.behind = 102
    client.query_set.answered(0, 103)
    assert client.step() is None
    live.behind = None
    live.now(103, "shown")
    assert client.step() is not None
    assert client.shown == {0: "shown"}


def test_equal_results_are_not_told_again(client: Client) -> None:
    client.modify(add(0, PATHS[0]))
    client.step()
    client.engine.head = 101
    client.engine.live(PATHS[0]).now(101, "old")
    assert client.step() is None
    client.engine.live(PATHS[0]).now(101, "new")
    client.engine.head = 102
    assert client.step() is not None


def test_from_a_result_to_an_error_and_back(client: Client) -> None:
    client.modify(add(0, PATHS[0]))
    client.step()
    for ts, value, error in ((101, None, ErrorInfo("gone", "it is gone", 5)), (102, "back", None)):
        client.engine.head = ts
        client.engine.live(PATHS[0]).now(ts, value, error=error)
        assert client.step() is not None
        told = client.shown[0]
        assert (
            told == "back"
            if error is None
            else told["errorData"] == {"code": "gone", "message": "it is gone", "data": 5.0}
        )


def test_another_caller_is_told_all_at_once(client: Client) -> None:
    client.engine.personal = {PATHS[0], PATHS[1]}
    client.modify(add(0, PATHS[0]), add(1, PATHS[1]), add(2, PATHS[2]))
    client.step()
    client.sign_in(ANN)
    client.engine.live(PATHS[0], ANN).now(50, "ann's")
    client.engine.head = 101
    client.engine.live(PATHS[2]).now(101, "new")
    assert client.step() is None
    client.engine.live(PATHS[1], ANN).now(50, "old")
    assert client.step() is not None
    assert (client.shown, client.version.identity) == ({0: "ann's", 1: "old", 2: "new"}, 1)


def test_another_token_of_the_same_caller_asks_nothing_again(client: Client) -> None:
    client.engine.personal = {PATHS[0]}
    client.sign_in(ANN)
    client.engine.live(PATHS[0], ANN).now(0, "ann's")
    client.modify(add(0, PATHS[0]))
    client.step()
    subscribers = list(client.engine.live(PATHS[0], ANN).subscribers)
    client.sign_in(Identity("issuer", "ann"))
    assert client.step() == []
    assert client.engine.live(PATHS[0], ANN).subscribers == subscribers


def test_nothing_older_than_the_client_has_seen(client: Client) -> None:
    client.query_set.begin(105)
    client.modify(add(0, PATHS[0]))
    assert client.step() is None
    assert client.query_set.is_behind(104)
    client.engine.head = 105
    assert client.step() is not None


def test_what_was_acknowledged_before_is_in_the_first_result(client: Client) -> None:
    client.engine.next_floor = Floor()
    client.modify(add(0, PATHS[0]))
    assert client.step() is None
    client.engine.next_floor.settle(102)
    assert client.step() is None
    client.engine.head = 102
    assert client.step() is not None


@pytest.mark.parametrize("modification", [remove(5), add(0, PATHS[1])])
def test_what_cannot_be_changed_is_refused(client: Client, modification: dict[str, Any]) -> None:
    client.modify(add(0, PATHS[0]))
    with pytest.raises(Malformed):
        client.modify(modification)


def test_a_version_that_does_not_go_on_is_refused(client: Client) -> None:
    client.modify()
    with pytest.raises(Malformed):
        client.modify(base=0)


def test_one_query_too_many_fails_alone(client: Client) -> None:
    client.query_set.max_queries = 1
    client.modify(add(0, PATHS[0]), add(1, PATHS[1]))
    client.step()
    assert client.shown[0] == "old"
    assert client.shown[1]["errorData"]["code"] == "limit_exceeded"


class Walk(RuleBasedStateMachine):
    """Whatever happens in whatever order, the client sees each instant as it was, and everything at last."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Client(ScriptedEngine())
        self.engine = self.client.engine
        self.held: dict[int, str] = {}
        self.next_id = self.next_request = 0
        self.pending: dict[int, int] = {}
        for path in PATHS:
            self.engine.live(path).now(0, "first")

    @rule(path=st.sampled_from(PATHS))
    def follow(self, path: str) -> None:
        self.client.modify(add(self.next_id, path))
        self.held[self.next_id] = path
        self.next_id += 1

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        query_id = data.draw(st.sampled_from(sorted(self.held)))
        del self.held[query_id]
        self.client.modify(remove(query_id))

    @rule(path=st.sampled_from(PATHS), behind=st.booleans())
    def commit(self, path: str, behind: bool) -> None:
        self.engine.head += 1
        live = self.engine.live(path)
        if behind:
            live.behind = min(live.behind or self.engine.head - 1, self.engine.head - 1)
        elif live.behind is None:
            live.now(self.engine.head, f"at {self.engine.head}")

    @rule(path=st.sampled_from(PATHS))
    def catch_up(self, path: str) -> None:
        live = self.engine.live(path)
        if live.behind is not None:
            live.gaps.append((live.behind + 1, self.engine.head))
            live.behind = None
            live.now(self.engine.head, f"at {self.engine.head}")

    @rule()
    def mutate(self) -> None:
        self.client.query_set.hold(self.next_request)
        self.engine.head += 1
        self.engine.live(PATHS[0]).now(self.engine.head, f"mine at {self.engine.head}")
        self.pending[self.next_request] = self.engine.head
        self.next_request += 1

    @precondition(lambda self: self.pending)
    @rule()
    def answer(self) -> None:
        number = min(self.pending)
        self.client.query_set.answered(number, self.pending.pop(number))

    @rule(identity=st.sampled_from([None, ANN, BEN]))
    def sign_in(self, identity: Identity | None) -> None:
        self.client.sign_in(identity)

    @rule()
    def advance(self) -> None:
        self.client.step()

    @invariant()
    def never_ahead_of_an_answer(self) -> None:
        if self.pending:
            assert self.client.version.ts < min(self.pending.values())

    @invariant()
    def all_of_one_instant(self) -> None:
        for query_id, value in self.client.shown.items():
            path = self.held.get(query_id)
            version = self.engine.live(path).version_at(self.client.version.ts) if path is not None else None
            assert version is None or value == version.value

    def teardown(self) -> None:
        while self.pending:
            self.answer()
        for path in PATHS:
            self.catch_up(path)
        self.client.step()
        assert self.client.version == StateVersion(self.client.asked, self.engine.head, self.client.identities) or (
            self.client.step() is None
        )
        assert self.client.version.query_set == self.client.asked
        assert self.client.version.identity == self.client.identities
        newest = {number: self.engine.live(path).versions[-1].value for number, path in self.held.items()}
        assert self.client.shown == newest


Walk.TestCase.settings = examples(60, steps=40)
TestWalk = Walk.TestCase
