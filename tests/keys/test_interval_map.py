"""The interval map against a list that is searched from end to end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from synovia.keys import Interval
from synovia.keys.interval_map import IntervalMap

KEYS = st.binary(max_size=3)
STEPS = st.lists(st.tuples(st.booleans(), KEYS, KEYS, st.integers(0, 4)), max_size=60)


@given(STEPS, st.lists(KEYS, min_size=1, max_size=20))
def test_it_finds_what_a_plain_search_finds(steps: list[tuple[bool, bytes, bytes, int]], keys: list[bytes]) -> None:
    tree: IntervalMap[int] = IntervalMap()
    plain: set[tuple[Interval, int]] = set()
    for adding, low, high, value in steps:
        entry = Interval(low, high), value
        if adding:
            tree.add(*entry)
            plain.add(entry)
        elif entry in plain:
            tree.remove(*entry)
            plain.remove(entry)
    assert len(tree) == len({interval for interval, _ in plain})
    for key in keys:
        assert sorted(tree.containing(key)) == sorted(value for interval, value in plain if key in interval)


def test_a_look_up_visits_few_of_many_intervals() -> None:
    class Counted(bytes):
        compared = 0

        def __le__(self, other: bytes) -> bool:
            Counted.compared += 1
            return bytes.__le__(self, other)

    tree: IntervalMap[int] = IntervalMap()
    for number in range(10_000):
        low = number.to_bytes(4, "big")
        tree.add(Interval(Counted(low), low + b"\xff"), number)
    assert list(tree.containing((5000).to_bytes(4, "big") + b"x")) == [5000]
    assert Counted.compared < 100
