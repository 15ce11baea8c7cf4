"""The subscription index finds exactly the read sets that a commit touches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia import keys
from synovia.engine import subscriptions
from synovia.engine.subscriptions import SubscriptionIndex
from synovia.keys import BY_ID, IndexSpec
from synovia.schema.specs import Document
from synovia.store.base import Write
from synovia.store.filters import Comparison
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import RangeRead, ReadSet

BY_X = IndexSpec("by_x", ("x", "y"))
BY_LIST = IndexSpec("by_list", ("l",))
NUMBERS = st.integers(0, 4)


def document(id_: int, x: int, y: int, items: list[int]) -> Document:
    return {"_id": id_, "x": x, "y": y, "l": items}


DOCUMENTS = st.builds(document, NUMBERS, NUMBERS, NUMBERS, st.lists(NUMBERS, max_size=3))


def write(before: Document | None, after: Document | None) -> Write:
    known: Any = before or after
    return Write("t", known["_id"], before, after)


WRITES = st.one_of(
    st.builds(write, DOCUMENTS, st.none()),
    st.builds(write, st.none(), DOCUMENTS),
    DOCUMENTS.flatmap(lambda d: st.builds(lambda e: write(d, {**e, "_id": d["_id"]}), DOCUMENTS)),
)
INTERVALS = st.one_of(
    st.builds(lambda x: (BY_X, keys.prefix([x])), NUMBERS),
    st.builds(lambda x, y: (BY_X, keys.between([x], (y, True), (y + 2, False))), NUMBERS, NUMBERS),
    st.builds(lambda v: (BY_LIST, keys.prefix([v])), NUMBERS),
    st.just((BY_ID, keys.prefix([]))),
)
WHERES = st.one_of(st.none(), st.builds(lambda y: Comparison("y", "ge", y), NUMBERS))
RANGES = st.builds(lambda place, where: RangeRead("t", place[0], place[1], where), INTERVALS, WHERES)
READ_SETS = st.builds(
    lambda points, ranges: ReadSet({("t", keys.encode_value(p)) for p in points}, set(ranges)),
    st.lists(NUMBERS, max_size=2),
    st.lists(RANGES, max_size=3),
)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), READ_SETS)), max_size=12), st.lists(WRITES, max_size=40)
)
def test_affected_is_who_overlaps(steps: list[tuple[int, ReadSet | None]], writes: list[Write]) -> None:
    index: SubscriptionIndex[int] = SubscriptionIndex()
    held: dict[int, ReadSet] = {}
    for subscriber, read_set in steps:
        if read_set is None:
            index.remove(subscriber)
            held.pop(subscriber, None)
        else:
            index.replace(subscriber, read_set)
            held[subscriber] = read_set
    commit = KeyedCommit(1, writes)
    assert index.affected(commit) == {s for s, read_set in held.items() if read_set.overlaps(commit)}
    for subscriber in list(held):
        index.remove(subscriber)
    assert len(index) == 0
    assert index.affected(commit) == set()


def test_of_conditions_only_so_many_are_evaluated_the_rest_count_as_satisfied(monkeypatch: pytest.MonkeyPatch) -> None:
    index: SubscriptionIndex[int] = SubscriptionIndex()
    for subscriber in range(10):
        read = RangeRead("t", BY_X, keys.prefix([]), Comparison("y", "eq", -1 - subscriber))
        index.replace(subscriber, ReadSet(set(), {read}))
    commit = KeyedCommit(1, [write(None, document(n, n, n, [])) for n in range(100)])
    assert index.affected(commit) == set()
    monkeypatch.setattr(subscriptions, "MOST_TESTS", 250)
    assert len(index.affected(commit)) == 8
