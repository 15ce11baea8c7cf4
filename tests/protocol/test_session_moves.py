"""Every message in every state, at both ends: what is legal moves the session, all else raises and changes nothing."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from protocol.session_pair import SESSION
from synovia_protocol import messages as m
from synovia_protocol.codec import CLIENT_LAYOUTS, SERVER_LAYOUTS, encode
from synovia_protocol.errors import ErrorCode, ErrorInfo, ProtocolError
from synovia_protocol.sessions import ClientSession, ClientState, ServerSession, ServerState, SessionError

ERROR = ErrorInfo("forbidden", "not yours")
DIGEST = bytes(range(32))
ELEMENT = memoryview(bytes(8))

# --- the server's end ------------------------------------------------------------------------------------------------

FROM_CLIENTS: dict[type, m.ClientMessage] = {
    m.Connect: m.Connect(SESSION),
    m.Authenticate: m.Authenticate("token"),
    m.ModifyQuerySet: m.ModifyQuerySet((m.QueryAdd(2, "a:b", {}),)),
    m.Mutation: m.Mutation(4, "a:b", {}),
    m.Action: m.Action(5, "a:b", {}),
    m.FetchArray: m.FetchArray(6, 1, DIGEST),
    m.CancelFetch: m.CancelFetch(3),
    m.Ping: m.Ping(),
    m.PresenceJoin: m.PresenceJoin(2, "a:b", {}),
    m.PresenceState: m.PresenceState(1, 7),
    m.PresenceLeave: m.PresenceLeave(1),
}
FROM_SERVERS: dict[type, Callable[[ServerSession], bytes]] = {
    m.Welcome: lambda server: server.send_welcome(30),
    m.Transition: lambda server: server.send_transition(7),
    m.MutationResponse: lambda server: server.send(m.MutationResponse(1, None, error=ERROR)),
    m.ActionResponse: lambda server: server.send(m.ActionResponse(2, error=ERROR)),
    m.AuthError: lambda server: server.send(m.AuthError(ERROR)),
    m.Authenticated: lambda server: server.send(m.Authenticated()),
    m.ArrayResponse: lambda server: server.send(m.ArrayResponse(3, "float64", (1,))),
    m.FatalError: lambda server: server.send(m.FatalError(ERROR)),
    m.Pong: lambda server: server.send(m.Pong()),
    m.PresenceUpdate: lambda server: server.send(m.PresenceUpdate(1, whole=True, me="a")),
    m.PresenceEnded: lambda server: server.send(m.PresenceEnded(1, ERROR)),
}
PACKED_ANSWERS: dict[str, Callable[[ServerSession], bytes]] = {
    "a mutation's result": lambda server: server.send_mutation_result(1, 5, b"\xc0"),
    "an action's result": lambda server: server.send_action_result(2, b"\xc0"),
    "elements": lambda server: server.send_array_frame(m.ArrayFrame(8, "float64", DIGEST, 0, 1, ELEMENT)),
}

SERVER_TAKES: dict[ServerState, dict[type, ServerState]] = {
    ServerState.EXPECT_CONNECT: {m.Connect: ServerState.WELCOME_DUE},
    ServerState.WELCOME_DUE: dict.fromkeys(set(FROM_CLIENTS) - {m.Connect}, ServerState.WELCOME_DUE),
    ServerState.OPEN: dict.fromkeys(set(FROM_CLIENTS) - {m.Connect}, ServerState.OPEN),
    ServerState.FATAL_ERROR_DUE: {},
    ServerState.CLOSED: {},
}
SERVER_SENDS: dict[ServerState, dict[type, ServerState]] = {
    ServerState.EXPECT_CONNECT: {m.FatalError: ServerState.CLOSED},
    ServerState.WELCOME_DUE: {m.Welcome: ServerState.OPEN, m.FatalError: ServerState.CLOSED},
    ServerState.OPEN: {
        **dict.fromkeys(set(FROM_SERVERS) - {m.Welcome}, ServerState.OPEN),
        m.FatalError: ServerState.CLOSED,
    },
    ServerState.FATAL_ERROR_DUE: {m.FatalError: ServerState.CLOSED},
    ServerState.CLOSED: {},
}


def server_in(state: ServerState) -> ServerSession:
    """Bring a server's session into a state, with requests open where there can be any."""
    server = ServerSession()
    if state is ServerState.EXPECT_CONNECT:
        return server
    requests = m.Mutation(1, "a:b", {}), m.Action(2, "a:b", {}), m.FetchArray(3, 1, DIGEST), m.FetchArray(8, 1, DIGEST)
    room = m.PresenceJoin(1, "a:b", {})
    for message in (m.Connect(SESSION), m.ModifyQuerySet((m.QueryAdd(1, "a:b", {}),)), *requests, room):
        server.receive(encode(message))
    if state is ServerState.WELCOME_DUE:
        return server
    server.send_welcome(30)
    server.send(m.ArrayResponse(8, "float64", (1,)))
    if state is ServerState.CLOSED:
        server.send(m.FatalError(ERROR))
    elif state is ServerState.FATAL_ERROR_DUE:
        with pytest.raises(ProtocolError):
            server.receive("text")
    assert server.state is state
    return server


def all_of(session: object) -> bytes:
    """Give everything that a session remembers."""
    return pickle.dumps(vars(session))


def test_there_is_an_example_of_every_message() -> None:
    assert list(FROM_CLIENTS) == [layout.kind for layout in CLIENT_LAYOUTS]
    assert set(FROM_SERVERS) == {layout.kind for layout in SERVER_LAYOUTS}


@pytest.mark.parametrize("kind", FROM_CLIENTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", ServerState)
def test_what_a_server_takes(state: ServerState, kind: type) -> None:
    server = server_in(state)
    message = FROM_CLIENTS[kind]
    if (after := SERVER_TAKES[state].get(kind)) is not None:
        assert server.receive(encode(message)) == [message]
        assert server.state is after
        return
    with pytest.raises(ProtocolError) as caught:
        server.receive(encode(message))
    assert caught.value.code is ErrorCode.UNEXPECTED_MESSAGE
    assert server.state is (ServerState.CLOSED if state is ServerState.CLOSED else ServerState.FATAL_ERROR_DUE)
    assert server.is_over


@pytest.mark.parametrize("kind", FROM_SERVERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", ServerState)
def test_what_a_server_sends(state: ServerState, kind: type) -> None:
    server = server_in(state)
    check_sending(server, SERVER_SENDS[state].get(kind), lambda: FROM_SERVERS[kind](server))


@pytest.mark.parametrize("send", PACKED_ANSWERS.values(), ids=PACKED_ANSWERS)
@pytest.mark.parametrize("state", ServerState)
def test_what_is_packed_already_is_sent_when_open(state: ServerState, send: Callable[[ServerSession], bytes]) -> None:
    server = server_in(state)
    check_sending(server, ServerState.OPEN if state is ServerState.OPEN else None, lambda: send(server))
    if state is ServerState.OPEN:  # and once
        check_sending(server, None, lambda: send(server))


@pytest.mark.parametrize(
    "message",
    [
        m.Transition(0, 5),
        m.MutationResponse(2, 5),
        m.ActionResponse(1),
        m.ArrayResponse(1),
        m.ArrayResponse(8, "float64", (1,)),
        m.PresenceUpdate(2, whole=True, me="a"),
        m.PresenceEnded(2, ERROR),
    ],
)
def test_what_nothing_asked_for_is_not_sent(message: m.ServerMessage) -> None:
    server = server_in(ServerState.OPEN)
    check_sending(server, None, lambda: server.send(message))


def test_a_server_does_not_go_back_in_time() -> None:
    server = server_in(ServerState.OPEN)
    server.send_transition(5)
    check_sending(server, None, lambda: server.send_transition(4))


def check_sending(session: Any, after: Any, send: Callable[[], object]) -> None:
    """Check that something can be sent and leads to a state, or, with None, that it raises and changes nothing."""
    if after is not None:
        send()
        assert session.state is after
        return
    before = all_of(session)
    with pytest.raises(SessionError):
        send()
    assert all_of(session) == before


# --- the client's end ------------------------------------------------------------------------------------------------

CLIENT_CALLS: dict[type, Callable[[ClientSession], object]] = {
    m.Connect: lambda client: client.connect(),
    m.Authenticate: lambda client: client.authenticate("token"),
    m.ModifyQuerySet: lambda client: client.modify([m.QueryAdd(2, "a:b", {})]),
    m.Mutation: lambda client: client.mutation(4, "a:b", {}),
    m.Action: lambda client: client.action(5, "a:b", {}),
    m.FetchArray: lambda client: client.fetch_array(6, 1, DIGEST),
    m.CancelFetch: lambda client: client.cancel_fetch(3),
    m.Ping: lambda client: client.ping(),
    m.PresenceJoin: lambda client: client.join(2, "a:b", {}),
    m.PresenceState: lambda client: client.show(1, 7),
    m.PresenceLeave: lambda client: client.leave(1),
    m.ArrayFrame: lambda client: client.array_frame(m.ArrayFrame(0, "float64", DIGEST, 0, 1, ELEMENT)),
}
ARRIVING: dict[type, m.ServerMessage] = {
    m.Welcome: m.Welcome(1, 1 << 20, 30.0),
    m.Transition: m.Transition(0, 7),
    m.MutationResponse: m.MutationResponse(1, 5),
    m.ActionResponse: m.ActionResponse(2),
    m.AuthError: m.AuthError(ERROR),
    m.Authenticated: m.Authenticated(),
    m.ArrayResponse: m.ArrayResponse(3, "float64", (1,)),
    m.FatalError: m.FatalError(ERROR),
    m.Pong: m.Pong(),
    m.PresenceUpdate: m.PresenceUpdate(1, whole=True, me="a"),
    m.PresenceEnded: m.PresenceEnded(1, ERROR),
}
CLIENT_SENDS: dict[ClientState, dict[type, ClientState]] = {
    ClientState.NEW: {m.Connect: ClientState.EXPECT_WELCOME},
    ClientState.EXPECT_WELCOME: dict.fromkeys(set(CLIENT_CALLS) - {m.Connect}, ClientState.EXPECT_WELCOME),
    ClientState.OPEN: dict.fromkeys(set(CLIENT_CALLS) - {m.Connect}, ClientState.OPEN),
    ClientState.CLOSED: {},
}
CLIENT_TAKES: dict[ClientState, dict[type, ClientState]] = {
    ClientState.NEW: {m.FatalError: ClientState.CLOSED},
    ClientState.EXPECT_WELCOME: {m.Welcome: ClientState.OPEN, m.FatalError: ClientState.CLOSED},
    ClientState.OPEN: {
        **dict.fromkeys(set(ARRIVING) - {m.Welcome}, ClientState.OPEN),
        m.FatalError: ClientState.CLOSED,
    },
    ClientState.CLOSED: {},
}


def client_in(state: ClientState) -> ClientSession:
    """Bring a client's session into a state, with requests open where there can be any."""
    client = ClientSession(SESSION)
    if state is ClientState.NEW:
        return client
    client.connect()
    client.modify([m.QueryAdd(1, "a:b", {})])
    client.mutation(1, "a:b", {})
    client.action(2, "a:b", {})
    client.fetch_array(3, 1, DIGEST)
    client.join(1, "a:b", {})
    if state is ClientState.OPEN:
        client.receive(encode(ARRIVING[m.Welcome]))
    elif state is ClientState.CLOSED:
        client.close()
    assert client.state is state
    return client


@pytest.mark.parametrize("kind", CLIENT_CALLS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", ClientState)
def test_what_a_client_sends(state: ClientState, kind: type) -> None:
    client = client_in(state)
    check_sending(client, CLIENT_SENDS[state].get(kind), lambda: CLIENT_CALLS[kind](client))


@pytest.mark.parametrize("kind", ARRIVING, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", ClientState)
def test_what_a_client_takes(state: ClientState, kind: type) -> None:
    client = client_in(state)
    if (after := CLIENT_TAKES[state].get(kind)) is not None:
        client.receive(encode(ARRIVING[kind]))
        assert client.state is after
        return
    held = client.ts, client.held
    with pytest.raises(ProtocolError) as caught:
        client.receive(encode(ARRIVING[kind]))
    assert caught.value.code is ErrorCode.UNEXPECTED_MESSAGE
    assert (client.state, client.ts, client.held) == (ClientState.CLOSED, *held)
