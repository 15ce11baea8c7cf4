"""Who runs what, as each hub finds out for itself."""

from __future__ import annotations

from synovia.hubs.leadership import LATELY, Leadership, Mark

LOW, MIDDLE, HIGH = (Mark(bytes([first] * 8), "127.0.0.1", 4000 + first) for first in (1, 5, 9))


class Clock:
    """Moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_of_all_hubs_that_overtake_each_other_the_one_with_the_least_name_leads() -> None:
    clock = Clock()
    hubs = {mark.name: Leadership(mark.name, clock) for mark in (LOW, MIDDLE, HIGH)}
    for name, hub in hubs.items():
        hub.overtaken("a:b")
        for mark in (HIGH, LOW, MIDDLE):
            hub.heard(mark.pack())
        assert hub.leader("a:b") == (None if name == LOW.name else LOW)
        assert hub.leader("a:c") is None, "nobody has overtaken that"


def test_nobody_leads_any_more_once_nothing_has_been_overtaken_or_heard_lately() -> None:
    clock = Clock()
    hub = Leadership(MIDDLE.name, clock)
    hub.heard(LOW.pack())
    hub.overtaken("a:b")
    clock.now += LATELY + 0.1
    assert hub.leader("a:b") is None
    hub.overtaken("a:b")
    assert hub.leader("a:b") is None, "the other one has not committed lately"
    hub.heard(LOW.pack())
    assert hub.leader("a:b") == LOW


def test_a_hub_that_has_not_answered_is_left_alone_for_a_while() -> None:
    clock = Clock()
    hub = Leadership(HIGH.name, clock)
    hub.overtaken("a:b")
    for mark in (LOW, MIDDLE):
        hub.heard(mark.pack())
    hub.avoid(LOW.name)
    assert hub.leader("a:b") == MIDDLE
    clock.now += LATELY
    hub.overtaken("a:b")
    for mark in (LOW, MIDDLE):
        hub.heard(mark.pack())
    assert hub.leader("a:b") == LOW


def test_what_is_no_mark_is_nobody() -> None:
    """Anybody who may write to the database can have written it."""
    hub = Leadership(HIGH.name, Clock())
    hub.overtaken("a:b")
    for packed in (b"", b"\0", b"\0" * 10, LOW.pack()[:10], LOW.pack()[:10] + b"\xff", LOW.pack() + b"x" * 300):
        hub.heard(packed)
    hub.heard(HIGH.pack())
    assert hub.leader("a:b") is None


def test_what_is_kept_is_bounded() -> None:
    clock = Clock()
    hub = Leadership(b"\xff" * 8, clock)
    for number in range(5000):
        clock.now += 0.0001
        hub.heard(Mark(number.to_bytes(8, "big"), "127.0.0.1", 1).pack())
        hub.overtaken(f"a:{number}")
    assert len(hub._hubs) <= 64
    assert len(hub._overtaken) <= 1024
    assert hub.leader("a:4999") is not None
