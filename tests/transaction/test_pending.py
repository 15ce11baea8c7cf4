"""A run's own writes are found by the keys of an index as if each were looked at; however many there are, at one cost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia import keys
from synovia.keys import BY_ID, IndexSpec, Interval
from synovia.store.base import Write
from synovia.transaction import pending
from synovia.transaction.keyed import FEW, keys_in
from synovia.transaction.pending import PendingWrites

BY_X = IndexSpec("by_x", ("x",))
BY_LIST = IndexSpec("by_list", ("items",))
NUMBERS = st.integers(0, 9)
IMAGES = st.none() | st.tuples(NUMBERS, st.lists(NUMBERS, max_size=3))
WRITES = st.tuples(st.integers(0, 40), IMAGES)
INTERVALS = st.builds(lambda low, more: keys.between([], (low, True), (low + more, False)), NUMBERS, NUMBERS)
LOOKS = st.tuples(st.sampled_from([BY_X, BY_LIST, BY_ID]), INTERVALS)


def write(id_: int, image: tuple[int, list[int]] | None) -> Write:
    return Write("t", id_, {"_id": id_}, None if image is None else {"_id": id_, "x": image[0], "items": image[1]})


@given(st.lists(st.lists(WRITES, max_size=40) | LOOKS, max_size=12))
def test_what_lies_in_an_interval_is_found_while_more_is_written(steps: list[Any]) -> None:
    writes = PendingWrites()
    for step in steps:
        if isinstance(step, list):
            for id_, image in step:
                writes.put(keys.encode_value(id_), write(id_, image))
            continue
        index, interval = step
        images = [each.after for each in writes.by_id.values() if each.after is not None]
        wanted = [each["_id"] for each in images if any(key in interval for key in keys_in(index, each))]
        assert sorted(each["_id"] for each in writes.within(index, interval)) == sorted(wanted)


def test_what_a_run_reads_of_its_own_writes_costs_the_same_however_many_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such is each check of a unique index while many rows are inserted."""
    found: list[IndexSpec] = []

    def counted(index: IndexSpec, document: dict[str, Any]) -> Any:
        found.append(index)
        return keys_in(index, document)

    monkeypatch.setattr(pending, "keys_in", counted)
    writes = PendingWrites()
    for number in range(500):
        assert len(writes.within(BY_X, keys.prefix([number]))) == 0
        writes.put(keys.encode_value(number), write(number, (number, [])))
    assert len(found) <= 500 + FEW * FEW


def test_a_copy_goes_on_by_itself() -> None:
    writes = PendingWrites()
    for number in range(FEW + 4):
        writes.put(keys.encode_value(number), write(number, (number, [])))
    everything = Interval(b"", b"\xff")
    before = writes.copy()
    writes.put(keys.encode_value(0), write(0, None))
    assert (len(writes.within(BY_X, everything)), len(before.within(BY_X, everything))) == (FEW + 3, FEW + 4)
    assert (writes.taking, before.taking) == (FEW + 4, FEW + 4)
