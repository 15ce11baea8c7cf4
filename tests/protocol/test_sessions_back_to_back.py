"""A client session and a server session joined back to back, each step asserted on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from protocol.session_pair import SESSION, Pair, patch_of, unchanged, value_of
from synovia_protocol import messages as m
from synovia_protocol.arrays import ref_of
from synovia_protocol.codec import encode, pack_update
from synovia_protocol.digest import digest
from synovia_protocol.edits import MapEdit
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo, ProtocolError
from synovia_protocol.sessions import (
    ClientSession,
    ClientState,
    Held,
    QueryErrored,
    QueryUpdated,
    ResyncNeeded,
    ServerSession,
    ServerState,
    SessionError,
    TransitionApplied,
)

ERROR = ErrorInfo("forbidden", "not yours")
DIGEST = bytes(range(32))
DOCUMENTS = [{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]
CHANGED = [{"_id": "b", "n": 2}, {"_id": "a", "n": 5}]


def fails(code: ErrorCode, work: Callable[[], Any]) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        work()
    assert caught.value.code is code
    return caught.value


# --- opening and closing ---------------------------------------------------------------------------------------------


def test_a_connection_opens() -> None:
    pair = Pair()
    pair.check(ClientState.NEW, ServerState.EXPECT_CONNECT)
    assert pair.to_server(pair.client.connect("test/1")) == [m.Connect(SESSION, 1, None, "test/1")]
    pair.check(ClientState.EXPECT_WELCOME, ServerState.WELCOME_DUE)
    welcome = m.Welcome(1, 1 << 20, 30.0)
    assert pair.to_client(pair.server.send_welcome(30)) == [welcome]
    pair.check(ClientState.OPEN, ServerState.OPEN)
    assert pair.client.welcome == welcome
    assert pair.server.connect == m.Connect(SESSION, 1, None, "test/1")


def test_nobody_waits_for_the_welcome() -> None:
    pair = Pair()
    frames = [
        pair.client.connect(),
        pair.client.authenticate("token"),
        pair.client.modify([m.QueryAdd(1, "a:b", {})]),
        pair.client.mutation(1, "a:b", {}),
    ]
    kinds = [type(event) for frame in frames for event in pair.to_server(frame)]
    assert kinds == [m.Connect, m.Authenticate, m.ModifyQuerySet, m.Mutation]
    pair.check(ClientState.EXPECT_WELCOME, ServerState.WELCOME_DUE)


def test_a_message_before_connect_is_refused() -> None:
    server = ServerSession()
    error = fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: server.receive(encode(m.Ping())))
    assert error.close_code is CloseCode.PROTOCOL_ERROR
    assert server.state is ServerState.FATAL_ERROR_DUE


def test_an_array_frame_before_connect_is_refused() -> None:
    frame = next(Pair().open().client.upload(np.zeros(3), ref_of(np.zeros(3))))
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: ServerSession().receive(frame))


def test_a_second_connect_is_refused() -> None:
    pair = Pair().open()
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: pair.to_server(encode(m.Connect(SESSION))))
    assert pair.server.state is ServerState.FATAL_ERROR_DUE


def test_another_version_is_refused_with_a_close_code_of_its_own() -> None:
    server = ServerSession()
    error = fails(ErrorCode.UNSUPPORTED_VERSION, lambda: server.receive(encode(m.Connect(SESSION, 2))))
    assert error.close_code is CloseCode.UNSUPPORTED_VERSION
    client = ClientSession(SESSION)
    client.connect()
    assert client.receive(server.send(m.FatalError(error.info))) == [m.FatalError(error.info)]
    assert client.state is ClientState.CLOSED


def test_a_server_of_another_version_is_refused() -> None:
    client = ClientSession(SESSION)
    client.connect()
    fails(ErrorCode.UNSUPPORTED_VERSION, lambda: client.receive(encode(m.Welcome(2, 100, 30.0))))


def test_a_fatal_error_closes_both_ends() -> None:
    pair = Pair().open()
    frame = pair.server.send(m.FatalError(ErrorInfo("stopping", "back soon"), 1.5))
    assert pair.to_client(frame) == [m.FatalError(ErrorInfo("stopping", "back soon"), 1.5)]
    pair.check(ClientState.CLOSED, ServerState.CLOSED)
    with pytest.raises(SessionError):
        pair.client.ping()
    with pytest.raises(SessionError):
        pair.server.send(m.Pong(0))
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: pair.to_server(encode(m.Ping())))
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: pair.to_client(encode(m.Pong())))


def test_text_frames_close_either_end() -> None:
    pair = Pair().open()
    fails(ErrorCode.TEXT_FRAME, lambda: pair.server.receive("[8]"))
    fails(ErrorCode.TEXT_FRAME, lambda: pair.client.receive("[39]"))
    pair.check(ClientState.CLOSED, ServerState.FATAL_ERROR_DUE)


@pytest.mark.parametrize(
    "frame",
    [encode(m.Pong()), encode(m.Transition(0, 1)), encode(m.Welcome(1, 1, 1.0)), encode(m.MutationResponse(1, 1))],
)
def test_a_server_message_is_unknown_to_the_server(frame: bytes) -> None:
    fails(ErrorCode.UNKNOWN_MESSAGE, lambda: Pair().open().to_server(frame))


@pytest.mark.parametrize("message", [m.Pong(), m.Transition(0, 1), m.AuthError(ERROR), m.MutationResponse(1, 1)])
def test_nothing_comes_before_the_welcome(message: m.ServerMessage) -> None:
    client = ClientSession(SESSION)
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: ClientSession(SESSION).receive(encode(message)))
    client.connect()
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: client.receive(encode(message)))


def test_a_second_welcome_is_refused() -> None:
    pair = Pair().open()
    with pytest.raises(SessionError):
        pair.server.send_welcome(30)
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: pair.to_client(encode(m.Welcome(1, 1 << 20, 30.0))))


def test_heartbeats_and_identity() -> None:
    pair = Pair().open()
    assert pair.to_server(pair.client.ping(7)) == [m.Ping(7)]
    assert pair.answer(m.Pong(7)) == [m.Pong(7)]
    assert pair.to_server(pair.client.authenticate(None)) == [m.Authenticate(None)]
    assert pair.answer(m.AuthError(ERROR)) == [m.AuthError(ERROR)]
    pair.check(ClientState.OPEN, ServerState.OPEN)


# --- queries ---------------------------------------------------------------------------------------------------------


def test_results_move_from_instant_to_instant() -> None:
    pair = Pair().open()
    assert pair.subscribe(1, 2) == [
        m.ModifyQuerySet((m.QueryAdd(1, "test:query", {}), m.QueryAdd(2, "test:query", {})))
    ]
    assert (pair.client.ts, pair.server.ts) == (None, 0)
    events = pair.to_client(pair.server.send_transition(5, [value_of(1, DOCUMENTS, b"j"), value_of(2, 1)]))
    assert events == [QueryUpdated(1, DOCUMENTS), QueryUpdated(2, 1), TransitionApplied(5, frozenset({1, 2}))]
    assert (pair.client.ts, pair.server.ts) == (5, 5)
    events = pair.to_client(pair.server.send_transition(9, [patch_of(1, DOCUMENTS, CHANGED)]))
    assert events == [QueryUpdated(1, CHANGED), TransitionApplied(9, frozenset({1}))]
    assert pair.client.held == {1: Held(CHANGED, b"j"), 2: Held(1)}
    assert pair.to_client(pair.server.send_transition(12)) == [TransitionApplied(12, frozenset())]
    assert (pair.client.ts, pair.server.ts) == (12, 12)


def test_several_patches_are_applied_in_order() -> None:
    pair = Pair().open()
    pair.subscribe(1)
    versions = [DOCUMENTS, CHANGED, [*CHANGED, {"_id": "c"}], [{"_id": "c", "n": 1}]]
    pair.to_client(pair.server.send_transition(5, [value_of(1, DOCUMENTS)]))
    events = pair.to_client(pair.server.send_transition(9, [patch_of(1, *versions)]))
    assert events[0] == QueryUpdated(1, versions[-1])


def test_what_the_owner_was_given_stays_as_it_was() -> None:
    pair = Pair().open()
    pair.subscribe(1)
    first = pair.to_client(pair.server.send_transition(5, [value_of(1, DOCUMENTS)]))[0]
    pair.to_client(pair.server.send_transition(9, [patch_of(1, DOCUMENTS, CHANGED)]))
    assert isinstance(first, QueryUpdated)
    assert first.value == DOCUMENTS


def test_a_failed_query_has_no_result_and_recovers() -> None:
    pair = Pair().open()
    pair.subscribe(1)
    pair.to_client(pair.server.send_transition(5, [value_of(1, DOCUMENTS)]))
    failed = pack_update(m.QueryFailed(1, ERROR))
    assert pair.to_client(pair.server.send_transition(6, [failed])) == [
        QueryErrored(1, ERROR),
        TransitionApplied(6, frozenset({1})),
    ]
    assert pair.client.held == {}
    pair.to_client(pair.server.send_transition(7, [value_of(1, CHANGED)]))
    assert pair.client.held == {1: Held(CHANGED)}


def test_a_query_added_while_time_stands_still() -> None:
    pair = Pair().open()
    pair.subscribe(1)
    pair.to_client(pair.server.send_transition(5, [value_of(1, 1)]))
    pair.subscribe(2)
    events = pair.to_client(pair.server.send_transition(5, [value_of(2, 2)]))
    assert events == [QueryUpdated(2, 2), TransitionApplied(5, frozenset({2}))]


def test_updates_of_a_query_just_removed_are_ignored() -> None:
    pair = Pair().open()
    pair.subscribe(1, 2)
    pair.to_client(pair.server.send_transition(5, [value_of(1, 1), value_of(2, 2)]))
    removal = pair.client.modify(remove=[1])
    events = pair.to_client(pair.server.send_transition(6, [patch_of(1, 1, 3), patch_of(2, 2, 4)]))
    assert events == [QueryUpdated(2, 4), TransitionApplied(6, frozenset({2}))]
    assert pair.to_server(removal) == [m.ModifyQuerySet(remove=(1,))]
    assert pair.client.held == {2: Held(4)}


def test_query_ids_are_used_once() -> None:
    pair = Pair().open()
    pair.subscribe(1)
    misuses: tuple[Callable[[], object], ...] = (
        lambda: pair.client.modify([m.QueryAdd(1, "a:b", {})]),
        lambda: pair.client.modify([m.QueryAdd(2, "a:b", {}), m.QueryAdd(2, "a:b", {})]),
        lambda: pair.client.modify(remove=[3]),
        lambda: pair.client.modify(remove=[1, 1]),
    )
    for misuse in misuses:
        with pytest.raises(SessionError):
            misuse()
    pair.to_server(pair.client.modify(remove=[1]))
    with pytest.raises(SessionError):
        pair.subscribe(1)


@pytest.mark.parametrize(
    "message",
    [
        m.ModifyQuerySet((m.QueryAdd(1, "a:b", {}),)),
        m.ModifyQuerySet((m.QueryAdd(2, "a:b", {}), m.QueryAdd(2, "a:b", {}))),
        m.ModifyQuerySet(remove=(2,)),
        m.ModifyQuerySet(remove=(1, 1)),
    ],
)
def test_the_server_checks_query_ids(message: m.ClientMessage) -> None:
    pair = Pair().open()
    pair.subscribe(1)
    fails(ErrorCode.BAD_MESSAGE, lambda: pair.to_server(encode(message)))


def test_a_server_cannot_go_back_in_time() -> None:
    pair = Pair().open()
    pair.server.send_transition(5)
    with pytest.raises(SessionError):
        pair.server.send_transition(4)
    assert pair.server.ts == 5


@pytest.mark.parametrize(
    "frame",
    [
        encode(m.Transition(4, 6)),
        encode(m.Transition(6, 7)),
        encode(m.Transition(5, 4)),
        encode(m.Transition(5, 6, number=1)),
        encode(m.Transition(5, 6, number=3)),
        encode(m.Transition(5, 6, (m.QueryPatch(1, (MapEdit({"a": 1}),)),))),
        encode(m.Transition(5, 6, (m.QueryPatch(2, (1,)),))),
        encode(m.Transition(5, 6, (m.QueryUnchanged(2),))),
        encode(m.Transition(5, 5, (m.QueryPatch(1, ([],)),))),
    ],
)
def test_what_does_not_continue_asks_for_a_fresh_start_and_changes_nothing(frame: bytes) -> None:
    pair = Pair().open()
    pair.subscribe(1, 2)
    pair.to_client(pair.server.send_transition(5, [value_of(1, DOCUMENTS)]))
    with pytest.raises(ResyncNeeded) as caught:
        pair.to_client(frame)
    assert caught.value.code is ErrorCode.OUT_OF_SYNC
    assert pair.client.state is ClientState.CLOSED
    assert (pair.client.ts, pair.client.held) == (5, {1: Held(DOCUMENTS)})


@pytest.mark.parametrize(
    "updates", [(m.QueryValue(7, 1),), (m.QueryValue(1, 1), m.QueryValue(1, 2)), (m.QueryFailed(7, ERROR),)]
)
def test_updates_that_make_no_sense_change_nothing(updates: Any) -> None:
    pair = Pair().open()
    pair.subscribe(1)
    fails(ErrorCode.BAD_MESSAGE, lambda: pair.to_client(encode(m.Transition(0, 6, updates))))
    assert (pair.client.ts, pair.client.held) == (None, {})


def test_one_patch_that_does_not_fit_spoils_the_whole_transition() -> None:
    pair = Pair().open()
    pair.subscribe(1, 2)
    pair.to_client(pair.server.send_transition(5, [value_of(1, 1), value_of(2, 2)]))
    frame = pair.server.send_transition(6, [value_of(1, 7), pack_update(m.QueryPatch(2, (MapEdit({}),)))])
    with pytest.raises(ResyncNeeded):
        pair.to_client(frame)
    assert (pair.client.ts, pair.client.held) == (5, {1: Held(1), 2: Held(2)})


# --- resuming --------------------------------------------------------------------------------------------------------


def resumed() -> Pair:
    """Give a pair whose client held two results at instant 5 when its connection broke."""
    pair = Pair().open()
    pair.subscribe(1, 2)
    pair.to_client(pair.server.send_transition(5, [value_of(1, DOCUMENTS, b"journal"), value_of(2, "two")]))
    pair.client.close()
    return Pair(pair.client.resume())


def test_a_client_offers_what_it_holds() -> None:
    pair = resumed()
    assert pair.to_server(pair.client.connect()) == [m.Connect(SESSION, 1, 5)]
    assert pair.server.ts == 5
    assert pair.subscribe(1, 2, 3) == [
        m.ModifyQuerySet(
            (
                m.QueryAdd(1, "test:query", {}, digest(DOCUMENTS), b"journal"),
                m.QueryAdd(2, "test:query", {}, digest("two")),
                m.QueryAdd(3, "test:query", {}),
            )
        )
    ]
    assert not pair.client.is_current(1)


def test_what_is_not_wanted_any_more_is_not_offered() -> None:
    pair = resumed()
    for kept in (
        pair.client.resume(lambda query_id: query_id == 2),
        pair.client.restart(lambda query_id: query_id == 2),
    ):
        again = Pair(kept).open()
        (modified,) = again.subscribe(1, 2)
        assert isinstance(modified, m.ModifyQuerySet)
        assert [query.digest for query in modified.add] == [None, digest("two")]


def test_a_client_that_is_up_to_date_gets_a_few_bytes() -> None:
    pair = resumed().open()
    pair.subscribe(1, 2)
    frame = pair.server.send_transition(5, [unchanged(1), unchanged(2)])
    assert len(frame) < 20
    assert pair.to_client(frame) == [
        QueryUpdated(1, DOCUMENTS, changed=False),
        QueryUpdated(2, "two", changed=False),
        TransitionApplied(5, frozenset()),
    ]
    assert pair.client.is_current(1)


def test_a_client_is_patched_from_where_it_was() -> None:
    pair = resumed().open()
    pair.subscribe(1, 2)
    events = pair.to_client(pair.server.send_transition(9, [patch_of(1, DOCUMENTS, CHANGED), value_of(2, "new")]))
    assert events == [QueryUpdated(1, CHANGED), QueryUpdated(2, "new"), TransitionApplied(9, frozenset({1, 2}))]
    assert pair.client.held == {1: Held(CHANGED, b"journal"), 2: Held("new")}


def test_a_client_can_be_patched_while_time_stood_still() -> None:
    pair = resumed().open()
    pair.subscribe(1)
    pair.to_client(pair.server.send_transition(5, [patch_of(1, DOCUMENTS, CHANGED)]))
    assert pair.client.held[1].value == CHANGED


@pytest.mark.parametrize("told", [False, True])
def test_a_server_that_cannot_continue_starts_over(told: bool) -> None:
    pair = resumed().open()
    pair.subscribe(1)
    if told:  # something, while time stood still where the client was
        pair.to_client(pair.server.send_transition(5, [pack_update(m.QueryFailed(1, ERROR))]))
    pair.server.start_over()
    frame = pair.server.send_transition(3, [value_of(1, "older")])
    with pytest.raises(ResyncNeeded):
        pair.to_client(frame)
    fresh = Pair(pair.client.restart())
    fresh.open().subscribe(1)
    assert fresh.server.connect == m.Connect(SESSION)
    fresh.to_client(fresh.server.send_transition(3, [value_of(1, "older")]))
    assert fresh.client.held[1] == Held("older")
    with pytest.raises(SessionError):
        fresh.server.start_over()


def test_a_client_that_has_been_moved_on_is_not_told_to_start_over() -> None:
    pair = resumed().open()
    pair.to_client(pair.server.send_transition(6))
    with pytest.raises(SessionError):
        pair.server.start_over()
    assert pair.to_client(pair.server.send_transition(7)) == [TransitionApplied(7, frozenset())]


def test_a_transition_that_cannot_be_encoded_has_not_been_sent() -> None:
    def untellable(from_ts: int, to_ts: int, updates: object, number: int) -> bytes:
        raise LookupError

    pair = Pair().open()
    with pytest.raises(LookupError):
        pair.server.send_transition(5, [], untellable)
    assert pair.to_client(pair.server.send_transition(3)) == [TransitionApplied(3, frozenset())]
