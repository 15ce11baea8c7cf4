"""A commit is looked at by key, one write at a time or in order: both find the same."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia import keys, turns
from synovia.keys import BY_ID, IndexSpec, Interval
from synovia.store.base import Write
from synovia.transaction.keyed import KeyedCommit

BY_X = IndexSpec("by_x", ("x",))
BY_LIST = IndexSpec("by_list", ("items",))
NUMBERS = st.integers(0, 9)
IMAGES = st.none() | st.tuples(NUMBERS, st.lists(NUMBERS, max_size=3))
CHANGES = st.lists(st.tuples(IMAGES, IMAGES).filter(any), max_size=60)
INTERVALS = st.builds(lambda low, more: keys.between([], (low, True), (low + more, False)), NUMBERS, NUMBERS)


def writes(changes: list[tuple[object, object]]) -> list[Write]:
    def document(id_: int, image: object) -> dict[str, object] | None:
        return None if not isinstance(image, tuple) else {"_id": id_, "x": image[0], "items": image[1]}

    return [Write("t", n, document(n, before), document(n, after)) for n, (before, after) in enumerate(changes)]


def plainly(commit: KeyedCommit, index: IndexSpec, interval: Interval) -> list[tuple[int, int]]:
    return sorted(
        (each.write.id, id(image)) for each in commit for key, image in each.entries(index) if key in interval
    )


@given(CHANGES, st.integers(0, 60), st.lists(st.tuples(st.sampled_from([BY_X, BY_LIST, BY_ID]), INTERVALS), max_size=4))
def test_what_lies_in_an_interval_is_found_also_while_a_commit_grows(
    changes: list[tuple[object, object]], first: int, places: list[tuple[IndexSpec, Interval]]
) -> None:
    all_writes = writes(changes)
    commit = KeyedCommit(1, all_writes[:first])
    for join in (False, True):
        for index, interval in places:
            found = [(each.write.id, id(image)) for each, image in commit.within("t", index, interval)]
            assert sorted(found) == plainly(commit, index, interval)
        if not join:
            commit.join(KeyedCommit(0, all_writes[first:]))
    assert list(commit.points) == [("t", keys.encode_value(write.id)) for write in all_writes]


async def test_a_large_commit_is_prepared_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    given_writes = [Write("t", n, None, {"_id": n, "x": n, "items": []}) for n in range(400)]
    preparing = asyncio.create_task(KeyedCommit.gathered(1, given_writes, indexes=lambda table: [BY_X]))
    rounds = 0
    while not preparing.done():
        rounds += 1
        await asyncio.sleep(0)
    assert rounds >= 400 / 16
    assert (await preparing).size == KeyedCommit(1, given_writes).size
