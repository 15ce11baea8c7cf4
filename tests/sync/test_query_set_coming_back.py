"""What a client is told by a query set that it held before its connection broke."""

from __future__ import annotations

import pytest

from helpers.scripted_engine import ScriptedEngine
from sync.scripted import ROWS, Pair, changed
from synovia_protocol.errors import ResyncNeeded
from synovia_protocol.events import QueryUpdated, TransitionApplied


def test_coming_back_up_to_date_costs_a_few_bytes(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, ROWS)
    pair.add(1, "a")
    pair.step()
    again = pair.reconnect()
    again.add(1, "a")
    assert again.step(120) == [QueryUpdated(1, ROWS, changed=False), TransitionApplied(120, frozenset())]
    assert len(again.frames[0]) < 20


def test_coming_back_later_brings_what_was_missed_as_a_patch(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, ROWS)
    pair.add(1, "a")
    pair.step()
    engine.live("a").now(110, changed(ROWS, 3, done=True))
    again = pair.reconnect()
    again.add(1, "a")
    again.step(120)
    assert again.value(1) == changed(ROWS, 3, done=True)
    assert len(again.frames[0]) < 60


def test_coming_back_when_the_version_held_is_no_longer_kept_brings_the_value(
    engine: ScriptedEngine, pair: Pair
) -> None:
    engine.live("a").now(90, ROWS)
    pair.add(1, "a")
    pair.step()
    engine.live("a").versions.clear()
    engine.live("a").now(110, ROWS[:10])
    again = pair.reconnect()
    again.add(1, "a")
    again.step(120)
    assert again.value(1) == ROWS[:10]


def test_a_returning_client_is_not_taken_back_in_time(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    engine.live("a").now(150, "b")
    pair.step(150)
    engine.head = 140  # another hub, whose log is behind
    again = pair.reconnect()
    again.add(1, "a")
    assert again.step(140) == []
    again.step(155)
    assert again.value(1) == "b"


def test_a_client_from_another_database_is_made_to_start_over(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    pair.step()
    engine.live("a").versions.clear()
    engine.live("a").now(3, "of a new database")
    engine.head = 5
    again = pair.reconnect()
    again.add(1, "a")
    again.query_set.forget_past()
    with pytest.raises(ResyncNeeded):
        again.step()


def test_what_is_held_from_before_is_confirmed_all_at_one_instant(engine: ScriptedEngine, pair: Pair) -> None:
    for path in ("a", "b"):
        engine.live(path).now(90, f"{path} 90")
    pair.add(1, "a")
    pair.add(2, "b")
    pair.step()
    engine.live("a").now(105, "a 105")
    engine.live("b").versions.clear()  # forgotten meanwhile, and being run again
    again = pair.reconnect()
    again.add(1, "a")
    again.add(2, "b")
    assert again.step(110) == []
    engine.live("b").now(108, "b 108")
    engine.live("a").behind = 107
    assert again.step() == [], "at 107 the result of b is not known"
    engine.live("a").behind = None
    again.step()
    assert (again.value(1), again.value(2)) == ("a 105", "b 108")
