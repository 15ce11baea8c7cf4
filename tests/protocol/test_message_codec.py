"""Messages: every field travels, what is wrong is refused with a code, what is new is ignored."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given

from helpers.wire_strategies import client_messages, server_messages
from synovia_protocol import messages as m
from synovia_protocol.codec import (
    Limits,
    decode_client,
    decode_server,
    encode,
    encode_transition,
    pack,
    pack_action_response,
    pack_mutation_response,
    pack_patch_update,
    pack_update,
    pack_value_update,
)
from synovia_protocol.edits import MapEdit
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo, ProtocolError, WireValueError
from synovia_protocol.patch import diff

ERROR = ErrorInfo("forbidden", "not yours", {"why": [1]})
SESSION = bytes(range(16))


def refusal(frame: bytes | str, decode: Any = decode_client) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode(frame)
    return caught.value


@given(client_messages)
def test_client_messages_come_back(message: m.ClientMessage) -> None:
    frame = encode(message)
    again = decode_client(frame)
    assert type(again) is type(message)
    assert encode(again) == frame


@given(server_messages)
def test_server_messages_come_back(message: m.ServerMessage) -> None:
    frame = encode(message)
    again = decode_server(frame)
    assert type(again) is type(message)
    assert encode(again) == frame


def test_fields_arrive_under_their_names() -> None:
    add = m.QueryAdd(7, "recordings:list_mine", {"limit": 20}, bytes(16), b"journal")
    assert decode_client(encode(m.ModifyQuerySet((add,), (3, 4)))) == m.ModifyQuerySet((add,), (3, 4))
    fetch = m.FetchArray(1, 2, bytes(32), 3, 4, 500)
    assert decode_client(encode(fetch)) == fetch
    transition = m.Transition(
        1, 2, (m.QueryValue(1, [1.5], b"j"), m.QueryUnchanged(3), m.QueryFailed(4, ERROR)), number=9
    )
    assert decode_server(encode(transition)) == transition
    response = m.MutationResponse(5, None, None, ERROR)
    assert decode_server(encode(response)) == response


@pytest.mark.parametrize(
    ("message", "length"),
    [
        (m.Ping(), 1),
        (m.Authenticate(), 1),
        (m.Connect(SESSION), 3),
        (m.Mutation(1, "a:b", {}), 4),
        (m.Mutation(1, "a:b", {}, retry=True), 5),
        (m.FetchArray(1, 2, bytes(32), points=5), 7),
        (m.ModifyQuerySet(remove=(1,)), 3),
    ],
)
def test_default_fields_at_the_end_do_not_travel(message: m.ClientMessage, length: int) -> None:
    frame = encode(message)
    assert len(msgpack.unpackb(frame)) == length
    assert decode_client(frame) == message


def test_a_default_of_another_type_does_travel() -> None:
    results: tuple[Any, ...] = (0, False, "", [], 0.0)
    for result in results:
        again = decode_server(encode(m.ActionResponse(1, result)))
        assert isinstance(again, m.ActionResponse)
        assert (type(again.result), again.result) == (type(result), result)


def test_more_fields_than_are_known_are_ignored() -> None:
    assert decode_client(msgpack.packb([8, 5, "new", {"x": 1}])) == m.Ping(5)
    assert decode_client(msgpack.packb([3, [[1, "a:b", {}, None, None, None, "new"]]])) == m.ModifyQuerySet(
        (m.QueryAdd(1, "a:b", {}),)
    )
    assert decode_server(msgpack.packb([33, 1, 2, [[2, 7, "new"]], 0, "new"])) == m.Transition(
        1, 2, (m.QueryUnchanged(7),)
    )


@pytest.mark.parametrize(
    "fields",
    [
        None,
        7,
        {},
        [],
        ["8"],
        [True],
        [1],
        [1, b"short", 1],
        [1, SESSION],
        [1, SESSION, "1"],
        [1, SESSION, 1, -1],
        [1, SESSION, 1, 1.0],
        [1, SESSION, 1, None, b"client"],
        [1, SESSION.decode("latin-1"), 1],
        [2, 5],
        [3, {}],
        [3, [5]],
        [3, [[1, "a:b"]]],
        [3, [[1, "a:b", []]]],
        [3, [[-1, "a:b", {}]]],
        [3, [[1, "a:b", {}, b"short"]]],
        [3, [], ["x"]],
        [3, [], [True]],
        [4, 1, "a:b"],
        [4, 1, "a:b", []],
        [4, True, "a:b", {}],
        [4, 1, b"a:b", {}],
        [4, 1, "a:b", {}, 1],
        [5, 1, "a:b", None],
        [6, 0, 1, bytes(32)],
        [6, 2**32, 1, bytes(32)],
        [6, 1, 1, bytes(31)],
        [6, 1, 1, bytes(32), -1],
        [6, 1, 1, bytes(32), 0, None, 1],
        [7],
        [7, 0],
        [8, -1],
    ],
)
def test_wrong_fields_from_a_client(fields: Any) -> None:
    error = refusal(msgpack.packb(fields))
    assert error.code is ErrorCode.BAD_MESSAGE
    assert error.close_code is CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "fields",
    [
        [32, 1, 2],
        [32, 1, 2, -0.5],
        [32, 1, 2, float("inf")],
        [32, 1, 2, float("nan")],
        [33, 1],
        [33, 1, 2, 7],
        [33, 1, 2, [[]]],
        [33, 1, 2, [7]],
        [33, 1, 2, [[4, 1]]],
        [33, 1, 2, [[False, 1, 2]]],
        [33, 1, 2, [[0, 1]]],
        [33, 1, 2, [[0, 1, 2, "journal"]]],
        [33, 1, 2, [[1, 1, []]]],
        [33, 1, 2, [[1, 1, {}]]],
        [33, 1, 2, [[3, 1, ["code"]]]],
        [33, 1, 2, [], -1],
        [34, 1],
        [34, 1, "ts"],
        [35],
        [35, 1, None, "error"],
        [36, None],
        [36, [1, "message"]],
        [37, 1, 8],
        [37, 1, "float64", 8],
        [37, 1, "float64", [-8]],
        [38, ["a", "b"], "soon"],
        [39, None],
    ],
)
def test_wrong_fields_from_a_server(fields: Any) -> None:
    assert refusal(msgpack.packb(fields), decode_server).code is ErrorCode.BAD_MESSAGE


def test_the_message_of_an_error_names_the_field() -> None:
    assert "Mutation.path is not a string" in refusal(msgpack.packb([4, 1, 2, {}])).message


@pytest.mark.parametrize("number", [0, 12, 31, 32, 39, 40, 255, -1, 2**40])
def test_types_that_a_client_never_sends_are_unknown(number: int) -> None:
    assert refusal(msgpack.packb([number, 1, 2, 3])).code is ErrorCode.UNKNOWN_MESSAGE


@pytest.mark.parametrize("number", [0, 1, 8, 31, 43, -1])
def test_types_that_a_server_never_sends_are_unknown(number: int) -> None:
    assert refusal(msgpack.packb([number, 1, 2, 3]), decode_server).code is ErrorCode.UNKNOWN_MESSAGE


def test_text_frames_are_refused() -> None:
    assert refusal("[8]").code is ErrorCode.TEXT_FRAME
    assert refusal("[39]", decode_server).code is ErrorCode.TEXT_FRAME


def test_patches_travel_in_transitions_only() -> None:
    patch = msgpack.ExtType(2, msgpack.packb([{"a": 1}]))
    decode_server(msgpack.packb([33, 1, 2, [[1, 1, [patch]]]]))
    assert refusal(msgpack.packb([4, 1, "a:b", {"x": patch}])).code is ErrorCode.BAD_FRAME
    for fields in (
        [33, 1, 2, [[0, 1, patch]]],
        [33, 1, 2, [[0, 1, {"a": patch}]]],
        [33, 1, 2, [[1, 1, [[patch]]]]],
        [33, 1, 2, [[3, 1, ["a", "b", patch]]]],
        [34, 1, 2, patch],
        [35, 1, [patch]],
    ):
        assert refusal(msgpack.packb(fields), decode_server).code is ErrorCode.BAD_FRAME


def test_arguments_nest_as_deeply_as_values() -> None:
    def nested(depth: int) -> Any:
        return {"a": nested(depth - 1)} if depth else {}

    assert decode_client(encode(m.Action(1, "a:b", nested(63)))) == m.Action(1, "a:b", nested(63))
    assert refusal(msgpack.packb([5, 1, "a:b", nested(64)])).code is ErrorCode.TOO_LARGE


def test_a_message_that_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_client(b"\xc1" * 101, Limits(max_message_bytes=100))
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert caught.value.close_code is CloseCode.TOO_LARGE


@pytest.mark.parametrize("args", [{1: 2}, {"a": {1: 2}}, {"a": object()}, {"a": 2**63}])
def test_arguments_that_cannot_travel_are_not_encoded(args: Any) -> None:
    with pytest.raises(WireValueError):
        encode(m.Mutation(1, "a:b", args))


@pytest.mark.parametrize("count", [0, 1, 15, 16, 70_000])
@pytest.mark.parametrize("number", [0, 300])
def test_joined_transitions_are_those_encoded_whole(count: int, number: int) -> None:
    updates = tuple(m.QueryUnchanged(index) for index in range(count))
    joined = encode_transition(2**40, 2**40 + 5, map(pack_update, updates), number)
    assert joined == encode(m.Transition(2**40, 2**40 + 5, updates, number))


def test_updates_of_packed_parts_are_those_packed_whole() -> None:
    value = [{"a": 1.5}] * 20
    assert pack_value_update(300, pack(value)) == pack_update(m.QueryValue(300, value))
    assert pack_value_update(300, pack(value), b"") == pack_update(m.QueryValue(300, value, b""))
    patches = [diff({"a": [1] * 9, "b": 2}, {"a": [1] * 9}), MapEdit({"c": 1})] * 10
    assert pack_patch_update(1, list(map(pack, patches))) == pack_update(m.QueryPatch(1, tuple(patches)))


def test_responses_of_packed_results_are_those_encoded_whole() -> None:
    assert pack_mutation_response(2**33, 2**60, pack({"a": 1})) == encode(m.MutationResponse(2**33, 2**60, {"a": 1}))
    assert decode_server(pack_mutation_response(1, None, pack(None))) == m.MutationResponse(1, None)
    assert pack_action_response(9, pack("done")) == encode(m.ActionResponse(9, "done"))
    assert decode_server(pack_action_response(1, pack(None))) == m.ActionResponse(1)
