"""What was used last is remembered, and never more than so many entries."""

from __future__ import annotations

from synovia.limits.recent import Recent


def test_the_entry_unused_for_longest_is_forgotten() -> None:
    recent = Recent[str, int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.use("a", lambda: 0) == 1  # it was there
    assert recent.use("c", lambda: 3) == 3
    assert list(recent.items()) == [("a", 1), ("c", 3)]
    recent.put("a", 4)
    recent.put("d", 5)
    assert list(recent.items()) == [("a", 4), ("d", 5)]
