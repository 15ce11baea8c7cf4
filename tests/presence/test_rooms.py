"""What those who look at a room at different moments are told leads each of them to who is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia.presence import room as module
from synovia.presence.room import Changes, Claim, Room
from synovia.presence.rooms import LONGEST, LONGEST_PAUSE, PER_TELLING, OpenRoom, Rooms

NAMES, SOURCES = st.sampled_from("abc"), st.sampled_from(["one", "other"])
SHOW = st.tuples(
    st.just("show"), NAMES, SOURCES, st.integers(0, 2), st.sampled_from([b"x", b"y"]), st.sampled_from([b"1", b"2"])
)
STEP = st.one_of(SHOW, st.tuples(st.just("remove"), NAMES, SOURCES), st.tuples(st.just("look"), st.integers(0, 2)))


class Wakes:
    """Somebody inside a room of a hub."""

    def wake(self) -> None:
        pass


class Listener:
    """Somebody who is told from time to time; refuses what does not fit, as clients do."""

    def __init__(self) -> None:
        self.told: int | None = None
        self.known: dict[str, tuple[bytes, bytes]] = {}

    def look(self, room: Room) -> None:
        changes: Changes = room.since(self.told)
        self.told = room.number
        if changes.whole:
            self.known = {}
        for name in changes.left:
            del self.known[name]
        self.known.update((name, claim[1:]) for name, claim in changes.here)
        for name, claim in changes.moved:
            assert self.known[name][0] == claim.who, "whoever is somebody else has come anew"
            self.known[name] = claim[1:]


@pytest.mark.parametrize("departures", [1_000, 0])
def test_everybody_comes_to_know_who_is_there(departures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEWEST_DEPARTURES", departures)

    @given(st.lists(STEP, max_size=60))
    def check(steps: list[tuple[str, ...]]) -> None:
        room, listeners = Room(), [Listener() for _ in range(3)]
        claims: dict[str, dict[str, Claim]] = {}
        for kind, *fields in steps:
            match kind, fields:
                case "show", [name, source, since, who, state]:
                    claim = claims.setdefault(name, {})[source] = Claim(since, who, state)  # type: ignore[arg-type]
                    room.show(name, source, claim)
                case "remove", [name, source]:
                    claims.get(name, {}).pop(source, None)
                    room.remove(name, source)
                case "look", [number]:
                    listeners[number].look(room)  # type: ignore[call-overload]
        there = {name for name, of in claims.items() if of}
        newest = {
            name: {claim[1:] for claim in of.values() if claim.since == max(c.since for c in of.values())}
            for name, of in claims.items()
            if of
        }
        for listener in listeners:
            listener.look(room)
            assert listener.known.keys() == there
            assert all(listener.known[name] in newest[name] for name in there)
        assert listeners[0].known == listeners[1].known == listeners[2].known

    check()


def test_who_was_there_by_two_is_there_until_both_have_said_otherwise() -> None:
    room = Room()
    room.show("a", "one", Claim(1, b"x", b"1"))
    room.show("a", "other", Claim(2, b"x", b"2"))
    assert not room.show("a", "one", Claim(1, b"x", b"late"))
    assert [claim.state for _, claim in room.since(None).here] == [b"2"]
    assert room.remove("a", "other")
    assert [claim.state for _, claim in room.since(None).here] == [b"late"]
    assert room.remove("a", "one")
    assert len(room) == 0


async def test_many_busy_rooms_together_are_told_no_more_than_so_often_and_a_small_one_hardly_waits_for_them() -> None:
    rooms = Rooms()
    for number in range(40):
        large = number < 20
        for member in range(500 if large else 3):
            opened = rooms.enter(bytes([number]), Wakes())
            opened.everybody.show(str(member), member, Claim(1, b"who", b""))
        opened.show("new", 1, Claim(2, b"who", b""))
    assert sum(len(room.inside) / room.pause for room in rooms) <= 1 / PER_TELLING + 1
    small = [room for room in rooms if len(room.inside) == 3]
    assert all(room.pause == pytest.approx(3 * 40 * PER_TELLING) for room in small)
    for room in list(rooms):
        for listener in list(room.inside):
            rooms.exit(room, listener)
    assert not rooms._busy


async def test_a_dear_transition_is_paid_for_before_the_next_one() -> None:
    room = OpenRoom(b"a room", lambda room: None, set())
    for number in range(1_000):
        room.everybody.show(str(number), number, Claim(1, b"who", b""))
    room.packed_since(None)
    assert room.pause == LONGEST, "who comes is told of everybody, once"
    told = room.everybody.number
    for size, least, most in ((4_096, 0.12, 0.13), (1_000_000, LONGEST_PAUSE, LONGEST_PAUSE), (1, 0.05, 0.05)):
        room._publish()
        room.everybody.show("0", 0, Claim(1, b"who", bytes(size)))
        for _ in range(1_000):
            room.packed_since(told)
        told = room.everybody.number
        assert least <= room.pause <= most, size
        room.show(f"new {size}", 1, Claim(2, b"who", b""))
        assert room._timer is not None
        assert room._timer.when() == pytest.approx(room._published_at + room.pause)  # type: ignore[attr-defined]
        room.close()
        room._timer = None
        told = room.everybody.number
