"""Sessions over a link that loses, doubles and swaps frames, and over bytes that are no protocol at all.

Whatever happens, a client shows the database as it was at its instant, or asks for a fresh start; and no input makes
either end raise anything but a ProtocolError.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from helpers.wire_strategies import bits, client_messages, documents, server_messages, small_values
from protocol.session_pair import SESSION, Pair, patch_of, refusal, unchanged, value_of
from synovia_protocol import messages as m
from synovia_protocol.arrays import encode_frame, frames_of, ref_of
from synovia_protocol.codec import encode, encode_transition
from synovia_protocol.digest import digest
from synovia_protocol.errors import ErrorCode, ProtocolError
from synovia_protocol.sessions import ClientSession, ClientState, ServerSession, ServerState

QUERIES = (1, 2, 3)


class Database:
    """The results of three queries at every instant since the beginning."""

    def __init__(self, start: list[Any]) -> None:
        self.history: dict[int, list[Any]] = {1: start}
        self.ts = 1

    @property
    def now(self) -> list[Any]:
        return self.history[self.ts]

    def change(self, index: int, value: Any, step: int) -> None:
        results = copy.deepcopy(self.now)
        results[index] = value
        self.ts += step
        self.history[self.ts] = results


class Hub:
    """The least that a hub does for one connection: answer the offers, then send what changed."""

    def __init__(self, database: Database, pair: Pair) -> None:
        self.database = database
        self.pair = pair
        self.shown: dict[int, Any] = {}

    def first(self, adds: tuple[m.QueryAdd, ...]) -> bytes:
        base = self.database.history.get(self.pair.server.ts, self.database.now)
        updates = [self._answer(add, base[add.query_id - 1], self.database.now[add.query_id - 1]) for add in adds]
        return self.pair.server.send_transition(self.database.ts, updates)

    def _answer(self, add: m.QueryAdd, old: Any, new: Any) -> bytes:
        self.shown[add.query_id] = new
        if add.digest is None or add.digest != digest(old):
            return value_of(add.query_id, new)
        return unchanged(add.query_id) if bits(old) == bits(new) else patch_of(add.query_id, old, new)

    def next(self) -> bytes:
        updates = []
        for query_id, old in self.shown.items():
            new = self.database.now[query_id - 1]
            if bits(old) != bits(new):
                updates.append(patch_of(query_id, old, new))
            self.shown[query_id] = new
        return self.pair.server.send_transition(self.database.ts, updates)


def connect(database: Database, client: ClientSession) -> tuple[Hub, list[bytes]]:
    """Open a connection; give its hub and the frames on their way to the client."""
    pair = Pair(client).open()
    (message,) = pair.subscribe(*QUERIES)
    assert isinstance(message, m.ModifyQuerySet)
    hub = Hub(database, pair)
    return hub, [hub.first(message.add)]


def check_truth(database: Database, client: ClientSession) -> None:
    """Check that what the client calls current is what the database held at the client's instant."""
    for query_id in QUERIES:
        if client.is_current(query_id):
            assert client.ts is not None
            assert bits(client.held[query_id].value) == bits(database.history[client.ts][query_id - 1])


results = st.one_of(documents(), small_values)
steps = st.lists(
    st.tuples(st.sampled_from(["pass", "lose", "double", "swap", "reconnect"]), st.integers(0, 2), results), max_size=8
)


@pytest.mark.slow
@examples(200)
@given(st.lists(results, min_size=3, max_size=3), steps)
def test_a_bad_link_never_shows_a_wrong_value(start: list[Any], script: list[tuple[str, int, Any]]) -> None:
    database = Database(start)
    hub, frames = connect(database, ClientSession(SESSION))
    for fate, index, value in script:
        database.change(index, value, 3)
        frames.append(hub.next())
        client = hub.pair.client
        if fate == "reconnect":
            client.close()
            hub, frames = connect(database, client.resume())
        elif not deliver(database, client, frames, fate):
            hub, frames = connect(database, client.restart())
    database.change(0, "the end", 1)
    frames.append(hub.next())
    if not deliver(database, hub.pair.client, frames, "pass"):
        hub, frames = connect(database, hub.pair.client.restart())
        assert deliver(database, hub.pair.client, frames, "pass")
    held = hub.pair.client.held
    assert [bits(held[query_id].value) for query_id in QUERIES] == list(map(bits, database.now))


def deliver(database: Database, client: ClientSession, frames: list[bytes], fate: str) -> bool:
    """Deliver frames as fate will have it; False when the client asked for a fresh start."""
    if fate == "lose":
        del frames[len(frames) // 2]
    elif fate == "double":
        frames.insert(0, frames[0])
    elif fate == "swap":
        frames.reverse()
    error = None
    for frame in frames:
        error = error or refusal(partial(client.receive, frame))
        check_truth(database, client)
    frames.clear()
    assert error is None or error.code is ErrorCode.OUT_OF_SYNC
    return error is None


@pytest.mark.parametrize("spoil", ["lose", "double", "swap"])
@pytest.mark.parametrize("step", [0, 1])
def test_a_lost_doubled_or_swapped_transition_is_always_noticed(spoil: str, step: int) -> None:
    """Even when time stood still in between, as it does when queries are added one after the other."""
    pair = Pair().open()
    pair.subscribe(1, 2, 3)
    frames = [pair.server.send_transition(5 + index * step, [value_of(index, index)]) for index in (1, 2, 3)]
    frames = {"lose": frames[1:], "double": frames[:1] + frames, "swap": frames[1::-1] + frames[2:]}[spoil]
    refusals = [error for frame in frames if (error := refusal(partial(pair.to_client, frame)))]
    assert refusals[0].code is ErrorCode.OUT_OF_SYNC


def test_transitions_without_numbers_are_checked_by_their_instants() -> None:
    pair = Pair().open()
    pair.subscribe(1)
    pair.to_client(encode_transition(0, 5, [value_of(1, 1)]))
    pair.to_client(encode_transition(5, 6, [value_of(1, 2)]))
    with pytest.raises(ProtocolError):
        pair.to_client(encode_transition(5, 6, [value_of(1, 2)]))


# --- no protocol at all ----------------------------------------------------------------------------------------------

ARRAY_FRAMES = [encode_frame(frame) for frame in frames_of(np.arange(5.0), ref_of(np.arange(5.0)))]


@st.composite
def mutated(draw: st.DrawFn, frames: st.SearchStrategy[bytes]) -> bytes:
    """Draw a valid frame with some of its bytes changed, cut, doubled or put in."""
    frame = bytearray(draw(frames))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(frame)))
        what = draw(st.sampled_from(["set", "cut", "put", "drop", "double"]))
        if what == "set" and place < len(frame):
            frame[place] = draw(st.integers(0, 255))
        elif what == "cut":
            del frame[place:]
        elif what == "put":
            frame[place:place] = draw(st.binary(max_size=9))
        elif what == "drop":
            del frame[place : place + draw(st.integers(1, 9))]
        else:
            frame[place:place] = frame[place : place + 20]
    return bytes(frame)


client_frames = st.one_of(client_messages.map(encode), st.sampled_from(ARRAY_FRAMES))
server_frames = st.one_of(server_messages.map(encode), st.sampled_from(ARRAY_FRAMES))


def feed_server(frames: list[bytes]) -> None:
    server = Pair().open().server
    for frame in frames:
        error = refusal(partial(server.receive, frame))
        if error is not None:
            assert isinstance(error.code, ErrorCode)
            assert server.state is ServerState.FATAL_ERROR_DUE
            server.send(m.FatalError(error.info))
            return
    assert server.state is ServerState.OPEN


def feed_client(frames: list[bytes]) -> None:
    client = expectant_client()
    for frame in frames:
        before = client.ts, dict(client.held)
        error = refusal(partial(client.receive, frame))
        if error is not None:
            assert isinstance(error.code, ErrorCode)
            assert client.state is ClientState.CLOSED
            assert (client.ts, client.held) == before
            return


def expectant_client() -> ClientSession:
    """Make a client for which much of what may come makes sense."""
    pair = Pair().open()
    pair.subscribe(*range(20))
    pair.client.fetch_array(100, 1, ref_of(np.arange(5.0)).digest)
    for request_id in range(8):
        pair.client.mutation(request_id, "a:b", {})
    pair.to_client(pair.server.send_transition(1, [value_of(1, {"a": [1, 2]}), value_of(2, [{"_id": "x"}])]))
    return pair.client


@pytest.mark.slow
@examples(200)
@given(st.lists(st.one_of(st.binary(max_size=60), mutated(client_frames), client_frames), max_size=4))
def test_nothing_makes_a_server_session_raise_anything_else(frames: list[bytes]) -> None:
    feed_server(frames)


@examples(200)
@given(st.lists(st.one_of(st.binary(max_size=60), mutated(server_frames), server_frames), max_size=4))
def test_nothing_makes_a_client_session_raise_anything_else(frames: list[bytes]) -> None:
    feed_client(frames)


@examples(200)
@given(mutated(st.one_of(client_frames, server_frames)))
def test_nothing_makes_an_unopened_session_raise_anything_else(frame: bytes) -> None:
    client = ClientSession(SESSION)
    client.connect()
    for session in (ServerSession(), client):
        if refusal(partial(session.receive, frame)) is not None:
            assert session.state in (ServerState.FATAL_ERROR_DUE, ClientState.CLOSED)


@pytest.mark.slow
@examples(200)
@given(st.one_of(documents(), small_values), st.one_of(documents(), small_values), st.data())
def test_a_mutated_patch_applies_or_is_refused(old: Any, new: Any, data: st.DataObject) -> None:
    pair = Pair().open()
    pair.subscribe(1)
    pair.to_client(pair.server.send_transition(5, [value_of(1, old)]))
    frame = data.draw(mutated(st.just(pair.server.send_transition(6, [patch_of(1, old, new)]))))
    error = refusal(lambda: pair.to_client(frame))
    if error is not None:
        assert isinstance(error.code, ErrorCode)
        assert pair.client.ts == 5
        assert bits(pair.client.held[1].value) == bits(old)
