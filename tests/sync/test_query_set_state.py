from __future__ import annotations

import gc
import weakref

import pytest

from helpers.scripted_engine import ScriptedEngine, ScriptedLive, ScriptedVersion
from sync.scripted import ROWS, Pair, changed
from synovia.identity import Identity
from synovia.sync.query_set import MANY_TO_COME
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.events import QueryErrored, QueryUpdated, TransitionApplied
from synovia_protocol.messages import MutationResponse

ALICE = Identity("dev", "alice@example.org")
BOB = Identity("dev", "bob@example.org")


def test_a_query_is_told_once_it_is_loaded_then_only_when_it_changes(engine: ScriptedEngine, pair: Pair) -> None:
    pair.add(1, "a")
    assert pair.step() == []
    engine.live("a").now(100, ["first"])
    assert pair.step() == [QueryUpdated(1, ["first"]), TransitionApplied(100, frozenset({1}))]
    assert pair.step(105) == []
    assert pair.query_set.ts == 105
    engine.live("a").now(106, ["first", "second"])
    pair.step(106)
    assert pair.value(1) == ["first", "second"]


def test_a_change_travels_as_a_patch(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, ROWS)
    pair.add(1, "a")
    pair.step()
    engine.live("a").now(101, changed(ROWS, 30, done=True))
    pair.step(101)
    assert pair.value(1) == changed(ROWS, 30, done=True)
    assert len(pair.frames[0]) < 60


@pytest.mark.parametrize("queries", [1, 2])
def test_a_result_that_changes_while_time_stands_still_is_told_whole(
    engine: ScriptedEngine, pair: Pair, queries: int
) -> None:
    """No commit has changed it, but the time of day, or what the hub has in memory: a client must not patch then."""
    other = Pair(engine, cache=pair.cache)
    for each in (pair, other):
        for query_id in range(1, queries + 1):
            each.add(query_id, f"q{query_id}")
    for query_id in range(1, queries + 1):
        engine.live(f"q{query_id}").now(90, ROWS)
    pair.step(100)
    other.step()
    engine.live("q1").now(100, changed(ROWS, 30, done=True))
    pair.step()
    assert pair.value(1) == changed(ROWS, 30, done=True)
    other.step(101)  # what is told while time goes on has a frame of its own
    assert other.value(1) == changed(ROWS, 30, done=True)
    engine.live("q1").now(102, changed(ROWS, 31, done=True))
    pair.step(102)
    assert pair.value(1) == changed(ROWS, 31, done=True)
    assert len(pair.frames[0]) < 100  # a patch again


def test_several_versions_are_told_as_one_step(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, [0])
    pair.add(1, "a")
    pair.step()
    for ts in range(101, 111):
        engine.live("a").now(ts, [ts])
    assert pair.step(110) == [QueryUpdated(1, [110]), TransitionApplied(110, frozenset({1}))]


def test_a_query_that_is_still_being_run_holds_the_others_at_its_instant(engine: ScriptedEngine, pair: Pair) -> None:
    fast, slow = engine.live("fast"), engine.live("slow")
    fast.now(90, "fast 90")
    slow.now(90, "slow 90")
    pair.add(1, "fast")
    pair.add(2, "slow")
    pair.step()
    slow.behind = 104  # a commit at 105 touches both
    fast.now(103, "fast 103")
    fast.now(105, "fast 105")
    pair.step(105)
    assert (pair.query_set.ts, pair.value(1), pair.value(2)) == (104, "fast 103", "slow 90")
    slow.now(105, "slow 105")
    slow.behind = None
    assert len(pair.step()) == 3
    assert (pair.value(1), pair.value(2)) == ("fast 105", "slow 105")


def test_first_results_are_waited_for_together_only_if_they_are_many(engine: ScriptedEngine, pair: Pair) -> None:
    for number in range(MANY_TO_COME + 1):
        assert not pair.query_set.loading
        pair.add(number, f"q{number}")
        pair.step()
    assert pair.query_set.loading
    engine.live("q0").now(100, "first")
    pair.step()
    assert not pair.query_set.loading


def test_nobody_who_holds_little_counts_as_loading(engine: ScriptedEngine, pair: Pair) -> None:
    for number in range(MANY_TO_COME + 1):
        pair.add(number, f"q{number}")
    pair.step()
    for number in range(1, MANY_TO_COME + 1):
        pair.remove(number)
    assert not pair.query_set.loading


def test_a_query_that_has_not_loaded_holds_nobody_back(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    pair.add(2, "loading")
    pair.step()
    engine.live("a").now(101, "a 101")
    pair.step(101)
    assert pair.value(1) == "a 101"


def test_a_query_whose_first_result_is_older_than_what_is_held_waits_for_a_newer_one(
    engine: ScriptedEngine, pair: Pair
) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    pair.step(110)
    late = engine.live("late")
    late.now(105, "late 105")
    late.behind = 107
    pair.add(2, "late")
    assert pair.step() == []
    late.behind = None
    late.now(108, "late 108")
    pair.step()
    assert (pair.query_set.ts, pair.value(2)) == (110, "late 108")


def test_a_new_query_not_known_yet_at_the_common_instant_is_told_later(engine: ScriptedEngine, pair: Pair) -> None:
    slow, new = engine.live("slow"), engine.live("new")
    slow.now(90, "slow")
    pair.add(1, "slow")
    pair.step()
    slow.behind = 103
    new.now(105, "new")
    pair.add(2, "new")
    assert pair.step(106) == []
    assert pair.query_set.ts == 103
    slow.behind = None
    pair.step()
    assert pair.value(2) == "new"


def test_a_response_comes_after_the_transition_that_shows_its_effects(engine: ScriptedEngine, pair: Pair) -> None:
    live = engine.live("a")
    live.now(90, "before")
    pair.add(1, "a")
    pair.step()
    live.behind = 100
    pair.mutate(7, 101)
    assert pair.step(101) == []
    live.behind = None
    live.now(101, "after")
    events = pair.step()
    assert events[0] == QueryUpdated(1, "after")
    assert events[-1] == MutationResponse(7, 101)


def test_a_response_whose_effects_change_nothing_here_is_released_without_a_transition(
    engine: ScriptedEngine, pair: Pair
) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    pair.step()
    pair.mutate(7, 101)
    assert pair.step(101) == [MutationResponse(7, 101)]


def test_a_query_loaded_behind_a_released_response_is_told_only_when_it_shows_its_effects(
    engine: ScriptedEngine, pair: Pair
) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    pair.step()
    pair.mutate(7, 110)
    pair.step(110)
    live = engine.live("b")
    live.now(105, "b before")
    live.behind = 109
    pair.add(2, "b")
    assert pair.step() == []
    live.behind = None
    live.now(110, "b after")
    pair.step()
    assert pair.value(2) == "b after"


def test_nothing_is_told_at_an_instant_of_which_a_version_is_not_kept(engine: ScriptedEngine, pair: Pair) -> None:
    fast, slow = engine.live("fast"), engine.live("slow")
    fast.now(90, "fast 90")
    slow.now(90, "slow 90")
    pair.add(1, "fast")
    pair.add(2, "slow")
    pair.step()
    slow.behind = 103
    fast.now(105, "fast 105")
    fast.versions = fast.versions[-1:]
    assert pair.step(106) == []
    slow.behind = None
    slow.now(106, "slow 106")
    pair.step()
    assert (pair.value(1), pair.value(2)) == ("fast 105", "slow 106")


def test_an_error_replaces_the_value_and_a_value_the_error(engine: ScriptedEngine, pair: Pair) -> None:
    live = engine.live("a")
    live.now(90, "good")
    pair.add(1, "a")
    pair.step()
    error = ErrorInfo("not_found", "gone")
    live.now(101, None, error=error)
    assert pair.step(101)[0] == QueryErrored(1, error)
    live.now(102, "good")
    assert pair.step(102)[0] == QueryUpdated(1, "good")


def test_a_query_that_cannot_be_subscribed_to_fails_alone(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "no:such")
    pair.add(2, "a")
    events = pair.step()
    assert next(event for event in events if isinstance(event, QueryErrored)).error.code == "not_found"
    assert pair.value(2) == "a"
    assert len(pair.query_set) == 1


def test_one_subscription_too_many_is_refused_and_a_place_given_up_is_free_again(engine: ScriptedEngine) -> None:
    pair = Pair(engine, max_subscriptions=1)
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    pair.add(2, "a")
    errors = [event for event in pair.step() if isinstance(event, QueryErrored)]
    assert [(event.query_id, event.error.code) for event in errors] == [(2, "limit_exceeded")]
    pair.remove(1)
    pair.add(3, "a")
    pair.step()
    assert pair.value(3) == "a"


def test_removing_a_query_gives_its_subscription_back(engine: ScriptedEngine, pair: Pair) -> None:
    live = engine.live("a")
    live.now(90, "a")
    pair.add(1, "a")
    pair.add(2, "a")
    pair.step()
    pair.remove(1)
    assert len(live.subscribers) == 1
    live.now(101, "b")
    pair.step(101)
    assert pair.value(2) == "b"
    pair.query_set.close()
    assert live.subscribers == []


# --- another caller


def test_signing_in_changes_only_the_queries_that_look_at_the_caller(engine: ScriptedEngine, pair: Pair) -> None:
    engine.personal = {"mine"}
    engine.live("all").now(90, ROWS)
    engine.live("mine").now(90, "nobody's")
    pair.add(1, "all")
    pair.add(2, "mine")
    pair.step()
    engine.live("mine", ALICE).now(95, "alice's")
    pair.query_set.sign_in(ALICE)
    assert pair.step() == [QueryUpdated(2, "alice's"), TransitionApplied(100, frozenset({2}))]
    assert engine.live("mine").subscribers == []
    assert len(engine.live("all").subscribers) == 1


def test_nothing_moves_until_every_query_answers_to_the_new_caller(engine: ScriptedEngine, pair: Pair) -> None:
    engine.personal = {"mine"}
    engine.live("all").now(90, "all 90")
    engine.live("mine").now(90, "nobody's")
    pair.add(1, "all")
    pair.add(2, "mine")
    pair.step()
    pair.query_set.sign_in(ALICE)
    engine.live("all").now(101, "all 101")
    engine.live("mine").now(101, "nobody's 101")
    assert pair.step(101) == []
    engine.live("mine", ALICE).now(101, "alice's")
    pair.step()
    assert (pair.value(1), pair.value(2)) == ("all 101", "alice's")


def test_what_looks_the_same_to_both_callers_is_not_sent_again(engine: ScriptedEngine, pair: Pair) -> None:
    engine.personal = {"mine"}
    engine.live("mine", ALICE).now(90, ROWS)
    engine.live("mine", BOB).now(95, ROWS)
    pair.query_set.sign_in(ALICE)
    pair.add(1, "mine")
    pair.step()
    pair.query_set.sign_in(BOB)
    assert pair.step() == []
    engine.live("mine", BOB).now(101, changed(ROWS, 1, done=True))
    pair.step(101)
    assert pair.value(1) == changed(ROWS, 1, done=True)
    assert len(pair.frames[0]) < 60


def test_a_shared_query_that_is_split_by_caller_goes_on(engine: ScriptedEngine, pair: Pair) -> None:
    shared = engine.live("a")
    shared.now(90, "for all")
    pair.add(1, "a")
    pair.step()
    engine.personal = {"a"}
    own = engine.live("a", ALICE)
    (subscriber,) = shared.subscribers
    own.subscribers.append(subscriber)
    subscriber.replaced(shared, own)
    assert pair.step(105) == []
    own.now(104, "for alice")
    pair.step(105)
    assert pair.value(1) == "for alice"


# --- sharing


def test_connections_that_hold_the_same_share_the_bytes(engine: ScriptedEngine) -> None:
    engine.live("a").now(90, ROWS)
    pairs = [Pair(engine) for _ in range(3)]
    cache = pairs[0].cache
    for pair in pairs:
        pair.query_set._cache = cache
        pair.add(1, "a")
        pair.step()
    engine.live("a").now(101, changed(ROWS, 1, done=True))
    frames = []
    for pair in pairs:
        pair.step(101)
        frames.append(pair.frames[0])
        assert pair.value(1) == changed(ROWS, 1, done=True)
    assert frames[0] is frames[1] is frames[2]
    assert (cache.hits, cache.misses) == (0, 2)


def test_connections_with_other_numbers_of_transitions_share_the_updates(engine: ScriptedEngine) -> None:
    engine.live("a").now(90, ROWS)
    engine.live("b").now(90, "b")
    first, second = Pair(engine), Pair(engine)
    second.query_set._cache = first.cache
    first.add(1, "a")
    first.step()
    second.add(2, "b")
    second.step()
    second.add(1, "a")
    second.step()
    engine.live("a").now(101, changed(ROWS, 1, done=True))
    first.step(101)
    second.step(101)
    assert first.cache.hits == 2
    assert first.value(1) == second.value(1) == changed(ROWS, 1, done=True)


def test_the_invariant_check_notices_a_wrong_version(engine: ScriptedEngine, pair: Pair) -> None:
    engine.live("a").now(90, "a")
    pair.add(1, "a")
    pair.step()
    engine.live("a").now(95, "never told")
    with pytest.raises(AssertionError):
        pair.query_set.check()


def test_what_seems_unchanged_holds_the_client_back_where_it_was_never_known(
    engine: ScriptedEngine, pair: Pair
) -> None:
    """A query that was dirty from 105 on and is found unchanged at 110 may have looked different in between."""
    slow, again = engine.live("slow"), engine.live("again")
    slow.now(90, "slow 90")
    again.now(90, "again")
    pair.add(1, "slow")
    pair.add(2, "again")
    pair.step()
    slow.behind = again.behind = 104
    pair.step(110)
    again.behind, again.gaps = None, [(105, 110)]
    again.tell()
    pair.step()
    assert pair.query_set.ts == 104
    slow.behind = 107
    slow.now(105, "slow 105")
    pair.step()
    assert (pair.query_set.ts, pair.value(1)) == (104, "slow 90")
    slow.behind = None
    slow.tell()
    pair.step()
    assert (pair.query_set.ts, pair.value(1), pair.value(2)) == (110, "slow 105", "again")


class Counted(ScriptedLive):
    """Counts how often it is looked at."""

    looks = 0

    def version_at(self, ts: int) -> ScriptedVersion | None:
        self.looks += 1
        return super().version_at(ts)

    def known_through(self, head: int) -> int:
        self.looks += 1
        return super().known_through(head)


def test_of_many_queries_only_those_that_have_changed_are_looked_at(engine: ScriptedEngine, pair: Pair) -> None:
    lives = [Counted() for _ in range(300)]
    for number, live in enumerate(lives):
        engine.lives[str(number), None] = live
        live.now(90, number)
        pair.add(number + 1, str(number))
    engine.head = 100
    pair.query_set.advance()
    for live in lives:
        live.looks = 0
    for ts, place in ((101, 7), (102, 250)):
        engine.head = ts
        lives[place].behind = ts - 1
        assert pair.query_set.advance() == []
        lives[place].behind = None
        lives[place].now(ts, "new")
        assert len(pair.query_set.advance()) == 1
        assert pair.query_set.ts == ts
    assert sum(live.looks for live in lives) <= 20
    assert {place for place, live in enumerate(lives) if live.looks} == {7, 250}


def test_a_settled_query_that_is_split_by_caller_is_looked_at_again(engine: ScriptedEngine, pair: Pair) -> None:
    for path in ("shared", "other"):
        engine.live(path).now(90, path)
    pair.add(1, "shared")
    pair.add(2, "other")
    pair.step()
    [subscription] = engine.live("shared").subscribers
    personal = engine.lives["personal", None] = ScriptedLive([ScriptedVersion(90, "mine")])
    personal.subscribers.append(subscription)
    subscription.replaced(engine.live("shared"), personal)
    pair.step(101)
    assert pair.value(1) == "mine"
    personal.behind = 101
    pair.step(102)
    assert pair.query_set.ts == 101
    personal.behind = None
    personal.now(102, "mine 102")
    pair.step()
    assert (pair.query_set.ts, pair.value(1)) == (102, "mine 102")


def test_a_live_query_that_answers_nothing_any_more_is_not_kept(engine: ScriptedEngine, pair: Pair) -> None:
    for path in ("shared", "other"):
        engine.live(path).now(90, path)
    for query_id, path in ((1, "shared"), (2, "shared"), (3, "other")):
        pair.add(query_id, path)
    pair.step()
    shared = weakref.ref(engine.lives["shared", None])
    for ts, subscription in enumerate([*engine.live("shared").subscribers], 101):
        personal = engine.lives[f"of {ts}", None] = ScriptedLive([ScriptedVersion(90, ts)])
        personal.subscribers.append(subscription)
        subscription.replaced(engine.live("shared"), personal)
        pair.step(ts)
    assert [pair.value(query_id) for query_id in (1, 2, 3)] == [101, 102, "other"]
    del engine.lives["shared", None]
    gc.collect()
    assert shared() is None
