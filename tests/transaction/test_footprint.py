"""Estimated sizes: near the truth for what programs keep, and never at the price of looking at everything."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from synovia.transaction import footprint as measured
from synovia.transaction.footprint import footprint


def nested(width: int, depth: int) -> Any:
    return {f"k{n}": nested(width, depth - 1) if depth else n + 1000 for n in range(width)}


def exact(value: Any) -> int:
    within = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return sys.getsizeof(value) + sum(map(exact, within))


VALUES = {
    "documents": [{"_id": f"{n:024}", "room": "north", "tags": ["a", "b"], "at": {"x": 1.5}} for n in range(2_000)],
    "one large text": {"text": "x" * 100_000, "rest": [1] * 1_000, "deep": {"er": {"yet": "x" * 1_000}}},
    "maps of maps of maps": nested(40, 2),
    "few in each, but deep": nested(3, 9),
    "lists of lists of lists": [[[[1.5] * 10] * 10] * 10] * 10,
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_an_estimate_is_near_the_truth_and_looks_at_a_bounded_number_of_things(
    value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def counted(each: Any) -> int:
        nonlocal looks
        looks += 1
        return sys.getsizeof(each)

    monkeypatch.setattr(measured, "_getsizeof", counted)
    assert footprint(value) == pytest.approx(exact(value), rel=0.1)
    assert looks < 12_000
