"""Requests and arrays between a client session and a server session, each step asserted on both sides."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from protocol.session_pair import SESSION, Pair, refusal
from synovia_protocol import messages as m
from synovia_protocol.arrays import ArrayReceived, ChunkReceived, encode_frame, frames_of, raw_of, ref_of
from synovia_protocol.codec import Limits, encode, pack
from synovia_protocol.errors import ErrorCode, ErrorInfo, WireValueError
from synovia_protocol.sessions import (
    ArrayChunk,
    ArrayFetched,
    ClientSession,
    ClientState,
    ServerSession,
    ServerState,
    SessionError,
)

ERROR = ErrorInfo("forbidden", "not yours")
DIGEST = bytes(range(32))


def fails(code: ErrorCode, work: Any) -> None:
    """Check that a session refuses something with this code."""
    error = refusal(work)
    assert error is not None
    assert error.code is code


# --- requests --------------------------------------------------------------------------------------------------------


def test_mutations_and_actions_are_answered() -> None:
    pair = Pair().open()
    assert pair.to_server(pair.client.mutation(1, "a:b", {"x": 1})) == [m.Mutation(1, "a:b", {"x": 1})]
    assert pair.to_server(pair.client.action(2, "a:c", {})) == [m.Action(2, "a:c", {})]
    assert pair.to_server(pair.client.mutation(3, "a:b", {}, retry=True)) == [m.Mutation(3, "a:b", {}, retry=True)]
    assert pair.to_client(pair.server.send_mutation_result(1, 5, pack([1]))) == [m.MutationResponse(1, 5, [1])]
    assert pair.answer(m.ActionResponse(2, error=ERROR)) == [m.ActionResponse(2, None, ERROR)]
    assert pair.answer(m.MutationResponse(3, None, error=ERROR)) == [m.MutationResponse(3, None, None, ERROR)]
    pair.to_server(pair.client.action(4, "a:c", {}))
    assert pair.to_client(pair.server.send_action_result(4, pack("done"))) == [m.ActionResponse(4, "done")]


def test_an_answer_comes_once_and_to_what_was_asked() -> None:
    for frame in (
        encode(m.MutationResponse(2, 5)),
        encode(m.ActionResponse(1)),
        encode(m.ArrayResponse(1)),
    ):
        pair = Pair().open()
        pair.client.mutation(1, "a:b", {})
        fails(ErrorCode.UNEXPECTED_MESSAGE, partial(pair.to_client, frame))
    pair = Pair().open()
    pair.to_server(pair.client.mutation(1, "a:b", {}))
    answer = pair.server.send_mutation_result(1, 5, pack(None))
    pair.to_client(answer)
    with pytest.raises(SessionError):
        pair.server.send_mutation_result(1, 5, pack(None))
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: pair.to_client(answer))


def test_a_request_number_is_used_once_at_a_time() -> None:
    pair = Pair().open()
    pair.client.mutation(1, "a:b", {})
    with pytest.raises(SessionError):
        pair.client.action(1, "a:b", {})


def test_a_message_larger_than_the_server_takes_is_not_sent() -> None:
    pair = Pair()
    pair.server.limits = Limits(max_message_bytes=100)
    pair.open()
    with pytest.raises(WireValueError):
        pair.client.mutation(1, "a:b", {"x": "y" * 100})
    pair.client.mutation(1, "a:b", {})
    pair.check(ClientState.OPEN, ServerState.OPEN)


def test_arguments_that_cannot_travel_leave_the_session_as_it_was() -> None:
    pair = Pair().open()
    with pytest.raises(WireValueError):
        pair.client.mutation(1, "a:b", {"x": object()})
    with pytest.raises(WireValueError):
        pair.client.modify([m.QueryAdd(1, "a:b", {"x": {1: 2}})])
    pair.client.mutation(1, "a:b", {})
    pair.subscribe(1)


# --- arrays ----------------------------------------------------------------------------------------------------------


def test_an_upload_mixes_with_messages() -> None:
    pair = Pair().open()
    array = np.arange(40_000.0)
    ref = ref_of(array)
    frames = list(pair.client.upload(array, ref))
    assert [type(event) for event in pair.to_server(frames[0])] == [ChunkReceived]
    pair.to_server(pair.client.ping())
    chunk, end = pair.to_server(frames[1])
    assert isinstance(chunk, ChunkReceived)
    assert (chunk.array_digest, chunk.index) == (ref.digest, 1)
    assert isinstance(end, ArrayReceived)
    assert (end.digest, end.dtype, end.length) == (ref.digest, "float64", 40_000)
    fails(ErrorCode.ARRAY_MISORDERED, lambda: pair.to_server(frames[1]))
    assert pair.server.state is ServerState.FATAL_ERROR_DUE


def fetching(pair: Pair, request_id: int = 9) -> None:
    pair.to_server(pair.client.fetch_array(request_id, 1, DIGEST, 2, 7, None))


def test_a_fetch_is_answered_in_frames() -> None:
    pair = Pair().open()
    assert pair.to_server(pair.client.fetch_array(9, 1, DIGEST, 2, 7)) == [m.FetchArray(9, 1, DIGEST, 2, 7)]
    assert pair.answer(m.ArrayResponse(9, "float64", (5,))) == [m.ArrayResponse(9, "float64", (5,))]
    raw = raw_of(np.arange(5.0))
    first = pair.server.send_array_frame(m.ArrayFrame(9, "float64", DIGEST, 0, 5, raw[:16]))
    assert pair.to_client(first) == [ArrayChunk(9, 0, 5, raw[:16])]
    assert pair.answer(m.Pong(1)) == [m.Pong(1)]
    rest = pair.server.send_array_frame(m.ArrayFrame(9, "float64", DIGEST, 2, 5, raw[16:]))
    chunk, fetched = pair.to_client(rest)
    assert chunk == ArrayChunk(9, 2, 5, raw[16:])
    assert isinstance(fetched, ArrayFetched)
    assert fetched.to_numpy().tolist() == [0, 1, 2, 3, 4]
    fails(ErrorCode.BAD_ARRAY_FRAME, lambda: pair.to_client(rest))


def test_an_empty_answer_is_complete_at_once() -> None:
    pair = Pair().open()
    fetching(pair)
    response, fetched = pair.answer(m.ArrayResponse(9, "int16", (0, 2)))
    assert response == m.ArrayResponse(9, "int16", (0, 2))
    assert isinstance(fetched, ArrayFetched)
    assert fetched.to_numpy().shape == (0, 2)


def test_a_fetch_that_fails_is_over() -> None:
    pair = Pair().open()
    fetching(pair)
    answer = pair.server.send(m.ArrayResponse(9, error=ERROR))
    assert pair.to_client(answer) == [m.ArrayResponse(9, error=ERROR)]
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: pair.to_client(answer))


def test_a_second_answer_to_a_fetch_is_refused() -> None:
    pair = Pair().open()
    fetching(pair)
    answer = pair.server.send(m.ArrayResponse(9, "float64", (5,)))
    pair.to_client(answer)
    fails(ErrorCode.UNEXPECTED_MESSAGE, lambda: pair.to_client(answer))


def test_what_comes_of_a_cancelled_fetch_is_ignored() -> None:
    pair = Pair().open()
    fetching(pair)
    pair.answer(m.ArrayResponse(9, "float64", (5,)))
    elements = m.ArrayFrame(9, "float64", DIGEST, 0, 5, raw_of(np.arange(5.0)))
    assert pair.server.owes_elements(9)
    under_way = pair.server.send_array_frame(elements)
    assert pair.to_server(pair.client.cancel_fetch(9)) == [m.CancelFetch(9)]
    assert pair.to_client(under_way) == []
    fetching(pair, 10)
    cancel = pair.client.cancel_fetch(10)
    assert pair.answer(m.ArrayResponse(10, "float64", (5,))) == []
    pair.to_server(cancel)
    assert not pair.server.owes_elements(10)
    with pytest.raises(SessionError):
        pair.server.send_array_frame(elements)
    with pytest.raises(SessionError):
        pair.client.cancel_fetch(10)
    with pytest.raises(SessionError):
        pair.client.action(10, "a:b", {})


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (m.ArrayFrame(8, "float64", DIGEST, 0, 5, memoryview(bytes(40))), ErrorCode.BAD_ARRAY_FRAME),
        (m.ArrayFrame(9, "float64", DIGEST, 1, 5, memoryview(bytes(32))), ErrorCode.ARRAY_MISORDERED),
        (m.ArrayFrame(9, "float64", bytes(32), 0, 5, memoryview(bytes(40))), ErrorCode.ARRAY_DIGEST_MISMATCH),
        (m.ArrayFrame(9, "int64", DIGEST, 0, 5, memoryview(bytes(40))), ErrorCode.BAD_ARRAY_FRAME),
        (m.ArrayFrame(9, "float64", DIGEST, 0, 6, memoryview(bytes(40))), ErrorCode.BAD_ARRAY_FRAME),
    ],
)
def test_frames_that_do_not_belong_are_not_sent_and_refused_where_they_come(
    frame: m.ArrayFrame, code: ErrorCode
) -> None:
    pair = Pair().open()
    fetching(pair)
    pair.answer(m.ArrayResponse(9, "float64", (5,)))
    with pytest.raises(SessionError):
        pair.server.send_array_frame(frame)
    assert pair.server.owes_elements(9)
    fails(code, lambda: pair.to_client(encode_frame(frame)))


def test_elements_are_sent_after_their_announcement_and_once() -> None:
    pair = Pair().open()
    fetching(pair)
    elements = m.ArrayFrame(9, "float64", DIGEST, 0, 5, raw_of(np.arange(5.0)))
    with pytest.raises(SessionError):
        pair.server.send_array_frame(elements)
    pair.answer(m.ArrayResponse(9, "float64", (5,)))
    with pytest.raises(SessionError):
        pair.server.send(m.ArrayResponse(9, error=ERROR))
    pair.to_client(pair.server.send_array_frame(elements))
    with pytest.raises(SessionError):
        pair.server.send_array_frame(elements)


def test_a_fetch_asked_for_twice_is_answered_twice_at_most_once_with_elements() -> None:
    """No client of ours does it; one of others gets an error for the second, and the first goes on."""
    server = ServerSession()
    for message in (m.Connect(SESSION), m.FetchArray(9, 1, DIGEST), m.FetchArray(9, 1, DIGEST)):
        server.receive(encode(message))
    server.send_welcome(30)
    server.send(m.ArrayResponse(9, "float64", (5,)))
    with pytest.raises(SessionError):
        server.send(m.ArrayResponse(9, "float64", (5,)))
    server.send(m.ArrayResponse(9, error=ERROR))
    assert server.owes_elements(9)
    with pytest.raises(SessionError):
        server.send(m.ArrayResponse(9, error=ERROR))


def test_array_frames_to_a_client_are_limited() -> None:
    pair = Pair(ClientSession(SESSION, limits=Limits(max_message_bytes=60))).open()
    fetching(pair)
    pair.answer(m.ArrayResponse(9, "float64", (5,)))
    frame = next(iter(frames_of(np.zeros(5), ref_of(np.zeros(5)), 9)))
    fails(ErrorCode.TOO_LARGE, lambda: pair.to_client(encode_frame(frame)))
