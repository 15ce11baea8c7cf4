"""What two sessions make of rooms: both know the same members, and what does not fit is never guessed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocol.session_pair import Pair
from synovia_protocol import messages as m
from synovia_protocol.codec import encode, pack, pack_presence_changes
from synovia_protocol.errors import ErrorCode, ErrorInfo, ProtocolError, ResyncNeeded, SessionError
from synovia_protocol.sessions import PresenceUpdated

ADA, BO = m.PresenceMember("a", "Ada", None), m.PresenceMember("b", "Bo", {"cursor": 3})
ERROR = ErrorInfo("forbidden", "not yours")


@pytest.fixture
def pair() -> Pair:
    """Two ends, one of which is in room 1 as Ada."""
    pair = Pair().open()
    pair.to_server(pair.client.join(1, "documents:room", {}))
    pair.answer(m.PresenceUpdate(1, (ADA,), whole=True, me="a"))
    return pair


def test_who_comes_moves_and_goes(pair: Pair) -> None:
    assert pair.answer(m.PresenceUpdate(1, (BO,))) == [PresenceUpdated(1, {"a": ADA, "b": BO}, "a")]
    moved = m.PresenceMember("b", "Bo", {"cursor": 4})
    packed = pack_presence_changes([], [("b", pack({"cursor": 4}))], [], whole=False)
    assert pair.to_client(pair.server.send_presence(1, packed)) == [PresenceUpdated(1, {"a": ADA, "b": moved}, "a")]
    assert pair.answer(m.PresenceUpdate(1, left=("b",))) == [PresenceUpdated(1, {"a": ADA}, "a")]
    assert pair.answer(m.PresenceUpdate(1, (BO,), whole=True)) == [PresenceUpdated(1, {"b": BO}, "a")]


def test_one_update_takes_away_before_it_adds(pair: Pair) -> None:
    again = m.PresenceMember("a", "Ada L.", None)
    assert pair.answer(m.PresenceUpdate(1, (again,), left=("a",))) == [PresenceUpdated(1, {"a": again}, "a")]


@pytest.mark.parametrize(
    "update", [m.PresenceUpdate(1, left=("x",)), m.PresenceUpdate(1, (), (m.PresenceMove("x", 1),))]
)
def test_what_does_not_fit_is_asked_for_again(pair: Pair, update: m.PresenceUpdate) -> None:
    with pytest.raises(ResyncNeeded):
        pair.answer(update)


def test_a_room_that_was_left_is_not_heard_of_any_more(pair: Pair) -> None:
    under_way = pair.server.send(m.PresenceUpdate(1, (BO,)))
    pair.to_server(pair.client.leave(1))
    assert pair.to_client(under_way) == []
    with pytest.raises(SessionError):
        pair.client.show(1, None)
    with pytest.raises(SessionError):
        pair.server.send(m.PresenceEnded(1, ERROR))


def test_a_room_that_the_server_ends_may_still_be_written_to_by_who_has_not_heard(pair: Pair) -> None:
    under_way = pair.client.show(1, 5)
    assert pair.answer(m.PresenceEnded(1, ERROR)) == [m.PresenceEnded(1, ERROR)]
    assert pair.to_server(under_way) == [m.PresenceState(1, 5)]
    with pytest.raises(SessionError):
        pair.client.leave(1)


def test_rooms_are_numbered_upwards(pair: Pair) -> None:
    with pytest.raises(SessionError):
        pair.client.join(1, "documents:room", {})
    with pytest.raises(ProtocolError) as caught:
        pair.to_server(encode(m.PresenceJoin(1, "documents:room", {})))
    assert caught.value.code is ErrorCode.BAD_MESSAGE


@pytest.mark.parametrize(
    "send",
    [lambda: m.PresenceUpdate(2, whole=True, me="a"), lambda: m.PresenceEnded(2, ERROR)],
    ids=["update", "end"],
)
def test_nothing_is_told_of_a_room_that_was_never_joined(pair: Pair, send: Callable[[], m.ServerMessage]) -> None:
    with pytest.raises(ProtocolError) as caught:
        pair.to_client(encode(send()))
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_the_first_update_says_who_this_is() -> None:
    pair = Pair().open()
    pair.to_server(pair.client.join(1, "documents:room", {}))
    with pytest.raises(ProtocolError) as caught:
        pair.answer(m.PresenceUpdate(1, (ADA,), whole=True))
    assert caught.value.code is ErrorCode.BAD_MESSAGE
