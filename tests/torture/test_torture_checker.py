"""The checker on histories made by hand: each anomaly that it knows, and none where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from torture.checker import check
from torture.checker.freshness import check_readings
from torture.checker.graph import Graph
from torture.history import Call, Final, History, Outcome, Reading, Sight


def call(call_name: str, kind: str, outcome: Outcome = Outcome.OK, result: Any = None, **args: Any) -> Call:
    return Call(call_name, 0, kind, args, outcome, result)


def append(name: str, item: int, to: str, outcome: Outcome = Outcome.OK, **read: list[int]) -> Call:
    return call(name, "append", outcome, read, read=list(read), append=[to], item=item)


def final(**changes: Any) -> Final:
    state: dict[str, Any] = {
        "accounts": {"a": 10, "b": 10},
        "sides": ({"a": 10}, {"b": 10}),
        "entries": [],
        "registers": {},
        "on_duty": {},
        "counters": {},
        "handles": [],
        "seats": [],
    }
    return Final(**{**state, **changes})


def kinds(*calls: Call, sights: tuple[Sight, ...] = (), **changes: Any) -> list[str]:
    history = History(20, list(calls), list(sights), finals=[final(**changes)])
    return [anomaly.kind for anomaly in check(history)]


def sight(ts: int, life: int = 0, **values: Any) -> Sight:
    return Sight(0, life, ts, {name.replace("_", " "): value for name, value in values.items()})


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    first, second = append("t1", 1, "x"), append("t2", 2, "x", x=[1])
    moved = call("t3", "transfer", ref="t3", source="a", target="b", amount=4)
    entry = {"ref": "t3", "source": "a", "target": "b", "amount": 4}
    state: dict[str, Any] = {"accounts": {"a": 6, "b": 14}, "sides": ({"a": 6}, {"b": 14}), "entries": [entry]}
    sights = (sight(1, registers={"x": [1]}), sight(2, registers={"x": [1, 2]}, accounts={"a": 6, "b": 14}))
    assert kinds(first, second, moved, sights=sights, registers={"x": [1, 2]}, **state) == []


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        ([("a", "b", "ww"), ("b", "a", "ww")], ["G0"]),
        ([("a", "b", "ww"), ("b", "c", "wr"), ("c", "a", "wr")], ["G1c"]),
        ([("a", "b", "wr"), ("b", "a", "rw")], ["G2"]),
        ([("a", "b", "rw"), ("b", "a", "rw")], ["G2"]),
        ([("a", "b", "rw"), ("b", "c", "ww"), ("a", "c", "wr")], []),
    ],
)
def test_cycles_are_named_after_their_worst_edges(edges: list[tuple[str, str, str]], found: list[str]) -> None:
    graph = Graph()
    for edge in edges:
        graph.add(*edge)
    cycles = list(graph.cycles())
    assert [name for name, _ in cycles] == found
    for _, cycle in cycles:
        assert cycle[0] == cycle[-1]
        for before, kind, after in zip(cycle[::2], cycle[1::2], cycle[2::2], strict=False):
            assert (before, after, kind) in edges


def test_lists_that_two_read_before_either_wrote_are_a_g2() -> None:
    one, two = append("t1", 1, "x", y=[]), append("t2", 2, "y", x=[])
    assert kinds(one, two, registers={"x": [1], "y": [2]}) == ["G2"]


def test_lists_that_disagree_about_the_order_of_two_writers_are_a_g0() -> None:
    one = call("t1", "append", result={}, read=[], append=["x", "y"], item=1)
    two = call("t2", "append", result={}, read=[], append=["x", "y"], item=2)
    assert kinds(one, two, registers={"x": [1, 2], "y": [2, 1]}) == ["G0"]


def test_two_that_saw_each_others_writes_are_a_g1c() -> None:
    one, two = append("t1", 1, "x", y=[2]), append("t2", 2, "y", x=[1])
    assert kinds(one, two, registers={"x": [1], "y": [2]}) == ["G1c"]


def test_reads_of_which_neither_begins_the_other_have_no_order() -> None:
    one, two = append("t1", 1, "x"), append("t2", 2, "x")
    assert "order" in kinds(one, two, sights=(sight(1, registers={"x": [2]}),), registers={"x": [1, 2]})


@pytest.mark.parametrize(
    ("outcome", "items", "found"),
    [
        (Outcome.OK, [], ["lost"]),
        (Outcome.OK, [1, 1], ["doubled"]),
        (Outcome.FAIL, [1], ["G1a"]),
        (Outcome.UNKNOWN, [1], []),
        (Outcome.UNKNOWN, [], []),
        (Outcome.OK, [1, 7], ["made up"]),
    ],
)
def test_what_became_of_an_append(outcome: Outcome, items: list[int], found: list[str]) -> None:
    assert kinds(append("t1", 1, "x", outcome), registers={"x": items}) == found


@pytest.mark.parametrize(
    ("ok", "unknown", "value", "found"),
    [(2, 0, 2, []), (2, 1, 3, []), (2, 1, 2, []), (2, 1, 1, ["lost"]), (2, 1, 4, ["doubled"])],
)
def test_a_counter_counts_what_is_known_and_may_count_what_is_not(
    ok: int, unknown: int, value: int, found: list[str]
) -> None:
    calls = [call(f"t{n}", "increment", result=n, name="c") for n in range(1, ok + 1)]
    calls += [call(f"u{n}", "increment", Outcome.UNKNOWN, name="c") for n in range(unknown)]
    assert kinds(*calls, counters={"c": value}) == found


def test_two_increments_with_one_result_have_lost_one() -> None:
    calls = [call(f"t{n}", "increment", result=1, name="c") for n in range(2)]
    assert "lost update" in kinds(*calls, counters={"c": 2})


@pytest.mark.parametrize(
    ("outcome", "times", "found"),
    [(Outcome.OK, 0, "lost"), (Outcome.OK, 2, "doubled"), (Outcome.FAIL, 1, "G1a")],
)
def test_what_became_of_a_transfer(outcome: Outcome, times: int, found: str) -> None:
    moved = call("t1", "transfer", outcome, ref="t1", source="a", target="b", amount=2)
    entry = {"ref": "t1", "source": "a", "target": "b", "amount": 2}
    balances = {"a": 10 - 2 * times, "b": 10 + 2 * times}
    state: dict[str, Any] = {
        "accounts": balances,
        "sides": ({"a": balances["a"]}, {"b": balances["b"]}),
        "entries": [entry] * times,
    }
    assert kinds(moved, **state) == [found]


def test_a_balance_that_the_ledger_does_not_explain_is_half_a_write() -> None:
    assert kinds(accounts={"a": 9, "b": 11}, sides=({"a": 9}, {"b": 11})) == ["half a write"]


def test_accounts_that_are_gone_with_what_the_round_began_with_are_lost() -> None:
    assert kinds(accounts={}, sides=({}, {})) == ["lost", "sum", "torn"]


@pytest.mark.parametrize("what", ["handle", "seat"])
def test_a_name_has_one_owner_and_it_is_who_was_told_so(what: str) -> None:
    one, two = call("t1", what, name="n", owner="t1"), call("t2", what, Outcome.FAIL, name="n", owner="t2")
    first, second = {"name": "n", "owner": "t1"}, {"name": "n", "owner": "t2"}
    expected: list[tuple[list[Any], list[str]]] = [
        ([first], []),
        ([], ["lost"]),
        ([first, second], ["not unique", "G1a"]),
    ]
    for rows, found in expected:
        changes: dict[str, Any] = {what + "s": rows}
        assert kinds(one, two, **changes) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"accounts": {"a": 10, "b": 9}}, ["sum"]),
        ({"accounts": {"a": 25, "b": -5}}, ["overdrawn"]),
        ({"side_0": {"a": 6}, "side_1": {"b": 10}}, ["torn"]),
        ({"side_0": {"a": 6}, "side_1": {"b": 14}, "accounts": {"a": 10, "b": 10}}, ["torn"]),
        ({"guards": {"g0": 1, "g1": 0}}, ["write skew"]),
    ],
)
def test_an_instant_that_never_was_is_seen(values: dict[str, Any], found: list[str]) -> None:
    assert kinds(sights=(sight(5, **values),)) == found


def test_nobody_is_taken_back_in_time() -> None:
    assert kinds(sights=(sight(5), sight(4, life=1))) == ["back in time"]
    assert kinds(sights=(sight(5, counters={"c": 2}), sight(6, counters={"c": 1}))) == ["back in time"]


def test_an_answer_waits_for_the_transition_that_shows_it() -> None:
    early = append("t1", 1, "x")
    early.shown = {"registers": {"x": []}}
    assert kinds(early, registers={"x": [1]}) == ["answered too early"]
    late = call("t2", "increment", result=3, name="c")
    late.shown = {"counters": {"c": 2}}
    assert "answered too early" in kinds(late, counters={"c": 3})


def test_hubs_that_tell_different_states_are_noticed() -> None:
    history = History(20, finals=[final(), final(counters={"c": 1})])
    assert "hubs differ" in [anomaly.kind for anomaly in check(history)]


def answered(made: Call, began: float, ended: float) -> Call:
    made.began_at, made.ended = began, ended
    return made


def place(inside: bool, began: float, ended: float, outcome: Outcome = Outcome.OK) -> Call:
    return answered(call(f"p{began}", "place", outcome, person="p1", inside=inside), began, ended)


def read(path: str, began: float, value: Any = None, name: str = "", error: str | None = None) -> Reading:
    return Reading(path, name, "p1", "request", 1, began, began + 1, value, error)


@pytest.mark.parametrize(
    ("calls", "reading", "found"),
    [
        ([answered(call("i", "increment", result=3, name="c"), 1, 2)], read("counters:value", 2.5, 3, "c"), []),
        ([answered(call("i", "increment", result=3, name="c"), 1, 2)], read("counters:value", 2.5, 2, "c"), ["stale"]),
        ([answered(call("i", "increment", result=3, name="c"), 1, 2)], read("counters:value", 1.5, 2, "c"), []),
        ([answered(append("a", 7, "r"), 1, 2)], read("registers:items", 3, [], "r"), ["stale"]),
        ([answered(append("a", 7, "r"), 1, 2)], read("registers:items", 3, [7], "r"), []),
        ([place(True, 1, 2), place(False, 3, 4)], read("roles:secret", 5, "the secret"), ["stale access"]),
        ([place(True, 1, 2), place(False, 3, 4)], read("roles:secret", 5, error="forbidden"), []),
        ([place(False, 1, 2), place(True, 3, 4)], read("roles:secret", 5, error="forbidden"), ["stale access"]),
        ([place(False, 1, 2), place(True, 3, 4)], read("roles:secret", 5, error="timeout"), []),
        ([place(True, 1, 2), place(False, 3, 6)], read("roles:secret", 5, "the secret"), []),
        ([place(True, 1, 2), place(False, 3, 4, Outcome.UNKNOWN)], read("roles:secret", 5, "the secret"), []),
    ],
)
def test_an_answer_that_is_older_than_what_was_acknowledged(
    calls: list[Call], reading: Reading, found: list[str]
) -> None:
    history = History(calls=calls, readings=[reading])
    assert [anomaly.kind for anomaly in check_readings(history)] == found
