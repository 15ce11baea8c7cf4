"""How the client comes to its connection, notices that it is gone, and comes back with what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, PeerConnection, eventually
from helpers.patience import PATIENCE
from synovia_client import Backoff, Client, ConnectionFailed, ConnectionState, RequestTimeout, Timeouts
from synovia_protocol import messages as m
from synovia_protocol.codec import encode, encode_transition, pack, pack_value_update
from synovia_protocol.digest import digest
from synovia_protocol.edits import ListEdit
from synovia_protocol.errors import CloseCode, ErrorInfo

LONG = 0.999


async def test_it_says_who_it_is_and_nothing_secret_in_the_address(make: MakeClient, peer: Peer) -> None:
    async with make(token="secret", session_id=b"s" * 16) as client:
        connection = await peer.accept()
        connect = await connection.welcome()
        assert connect.session == b"s" * 16
        assert connect.version == m.PROTOCOL_VERSION
        assert connect.newest_ts is None
        assert connect.client.startswith("synovia-client-python/")
        assert connection.websocket.subprotocol == "synovia.v1"
        assert peer.paths == ["/sync"]
        assert connection.websocket.request is not None
        assert "secret" not in str(connection.websocket.request.headers)
        assert await connection.expect(m.Authenticate) == m.Authenticate("secret")
        await client.connected()


async def test_the_states_from_start_to_end(make: MakeClient, peer: Peer) -> None:
    client = make()
    states: list[str] = []

    async def watch() -> None:
        async for state in client.states():
            states.append(state)  # noqa: PERF401

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    async with client:
        first = await peer.welcome()
        await client.connected()
        await eventually(lambda: states[-1] == "connected")
        assert client.trouble is None
        await peer.stop()
        await eventually(lambda: states[-1] == "reconnecting")
        assert first.websocket.transport.is_closing()
        await eventually(lambda: "cannot be reached" in (client.trouble or ""))
        await peer.listen(peer.port)
        await peer.welcome()
        await client.connected()
        await eventually(lambda: states[-1] == "connected")
    await watching
    assert states == ["connecting", "connected", "reconnecting", "connected", "closed"]


async def test_entering_waits_for_nothing(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    await peer.stop()
    async with make(random=lambda: LONG) as client:
        assert client.state is ConnectionState.CONNECTING
        waiting = asyncio.create_task(client.connected(5))
        await clock.awaited(5)
        clock.advance(5)
        with pytest.raises(RequestTimeout, match="connecting"):
            await waiting


@pytest.mark.parametrize(
    "url", ["localhost:80", "ftp://host", "ws://", "ws://u:p@host", "ws://host/#x", "ws://h:99999"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|ort"):
        Client(url)


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("ws://127.0.0.1:8000", "ws://127.0.0.1:8000/sync"),
        ("wss://hub.example.org/", "wss://hub.example.org/sync"),
        ("https://hub.example.org/a/b?c=d", "wss://hub.example.org/a/b/sync?c=d"),
        ("ws://hub.example.org/sync-api", "ws://hub.example.org/sync-api/sync"),
        ("ws://hub.example.org/sync-api/", "ws://hub.example.org/sync-api/sync"),
        ("ws://hub.example.org/sync-api/sync", "ws://hub.example.org/sync-api/sync"),
        ("ws://hub.example.org/sync", "ws://hub.example.org/sync"),
        ("http://[::1]:8000", "ws://[::1]:8000/sync"),
    ],
)
def test_addresses(url: str, full: str) -> None:
    assert Client(url).url == full


def test_settings_that_are_none() -> None:
    with pytest.raises(ValueError, match="pong"):
        Timeouts(pong=0)
    with pytest.raises(ValueError, match="16 bytes"):
        Client("ws://host", session_id=b"short")
    with pytest.raises(ValueError, match="from 1"):
        Client("ws://host", first_request=0)


# --- resuming


async def watched(client: Client, path: str, values: list[Any]) -> None:
    async for value in client.subscribe(path):
        values.append(value)  # noqa: PERF401


async def test_resuming_offers_what_is_held_and_takes_a_patch(client: Client, peer: Peer) -> None:
    values: list[Any] = []
    watching = asyncio.create_task(watched(client, "list", values))
    first = await peer.welcome()
    await first.give("list", [{"_id": "a", "n": 1}], 50, journal=b"j1")
    await eventually(lambda: len(values) == 1)
    query_id = first.queries["list"].query_id
    first.cut()

    second = await peer.accept()
    connect = await second.welcome()
    assert connect.newest_ts == 50
    query = await second.expect_query("list")
    assert query == m.QueryAdd(query_id, "list", {}, digest([{"_id": "a", "n": 1}]), b"j1")
    await second.patch("list", [{"_id": "a", "n": 1}], [{"_id": "a", "n": 2}], 60)
    await eventually(lambda: len(values) == 2)
    assert values[1] == [{"_id": "a", "n": 2}]
    second.cut()

    third = await peer.welcome()
    query = await third.expect_query("list")
    assert query.digest == digest([{"_id": "a", "n": 2}])
    await third.transition(60, m.QueryUnchanged(query_id))
    asking = asyncio.create_task(client.query("other"))
    await third.give("other", "as of now", 60)
    assert await asking == "as of now"
    assert len(values) == 2, "nothing has changed, so nobody is told"
    watching.cancel()


async def test_a_value_is_kept_while_there_is_no_connection(client: Client, peer: Peer) -> None:
    async with asyncio.TaskGroup() as tasks:
        entering = client.subscribe("list")
        entered = tasks.create_task(entering.__aenter__())
        first = await peer.welcome()
        await first.give("list", "held", 5)
        await entered
        await peer.stop()
        await eventually(lambda: client.state == "reconnecting")
        assert (entering.value, entering.current) == ("held", False)
        fresh = asyncio.create_task(client.query("list"))
        await peer.listen(peer.port)
        second = await peer.welcome()
        held, asked = (await second.expect(m.ModifyQuerySet)).add
        await second.silence()
        assert not fresh.done(), "a query does not answer with what may be old"
        await second.transition(9, m.QueryValue(held.query_id, "new"), m.QueryValue(asked.query_id, "new"))
        assert await fresh == "new"
        assert (entering.value, entering.current) == ("new", True)
        await entering.__aexit__(None, None, None)


async def test_queries_let_go_while_there_is_no_connection_are_forgotten(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.query("list"))
    first = await peer.welcome()
    await first.expect_query("list")
    await peer.stop()
    await eventually(lambda: client.state == "reconnecting")
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await peer.listen(peer.port)
    second = await peer.welcome()
    await client.connected()
    await second.silence()


async def lost(connection: PeerConnection) -> None:
    query_id = connection.queries["list"].query_id
    connection.session.send_transition(6, [pack_value_update(query_id, pack("never arrives"))])
    await connection.transition(7, m.QueryValue(query_id, "after the lost one"))


async def doubled(connection: PeerConnection) -> None:
    query_id = connection.queries["list"].query_id
    frame = connection.session.send_transition(6, [pack_value_update(query_id, pack("twice"))])
    await connection.send(frame)
    await connection.send(frame)


async def misfit(connection: PeerConnection) -> None:
    await connection.transition(6, m.QueryPatch(connection.queries["list"].query_id, (ListEdit([5, 3]),)))


async def unfounded(connection: PeerConnection) -> None:
    frame = encode_transition(3, 8, [pack_value_update(connection.queries["list"].query_id, pack("?"))])
    await connection.send(frame)


@pytest.mark.parametrize("fault", [lost, doubled, misfit, unfounded])
async def test_a_wrong_start_is_never_guessed_from(
    client: Client, peer: Peer, fault: Callable[[PeerConnection], Any]
) -> None:
    values: list[Any] = []
    watching = asyncio.create_task(watched(client, "list", values))
    first = await peer.welcome()
    await first.give("list", ["right"], 5)
    await eventually(lambda: values == [["right"]])
    await fault(first)
    assert await first.closed() == CloseCode.PROTOCOL_ERROR

    second = await peer.accept()
    connect = await second.welcome()
    assert connect.newest_ts is None, "it continues from no instant"
    query = await second.expect_query("list")
    assert query.digest == digest(values[-1]), "what is held is confirmed or replaced, with everything else at once"
    assert values[-1] in (["right"], "twice")
    await second.give("list", ["resynchronised"], 9)
    await eventually(lambda: values[-1] == ["resynchronised"])
    assert "after the lost one" not in values
    assert "?" not in values
    watching.cancel()


# --- what servers send that they should not


async def text_frame(connection: PeerConnection) -> None:
    await connection.send("hello")


async def not_msgpack(connection: PeerConnection) -> None:
    await connection.send(b"\x95\x21")


async def unknown_message(connection: PeerConnection) -> None:
    await connection.send(b"\x91\x7e")


async def second_welcome(connection: PeerConnection) -> None:
    await connection.send(encode(m.Welcome(1, 1 << 20, 30.0)))


async def answer_to_nothing(connection: PeerConnection) -> None:
    await connection.send(encode(m.MutationResponse(77, 5)))


@pytest.mark.parametrize("fault", [text_frame, not_msgpack, unknown_message, second_welcome, answer_to_nothing])
async def test_a_server_that_breaks_the_protocol_is_left_and_tried_again(
    client: Client, peer: Peer, fault: Callable[[PeerConnection], Any]
) -> None:
    asked = asyncio.create_task(client.mutation("m"))
    first = await peer.welcome()
    await first.expect(m.Mutation)
    await fault(first)
    assert await first.closed() == CloseCode.PROTOCOL_ERROR
    second = await peer.welcome()
    mutation = await second.expect(m.Mutation)
    assert mutation.retry
    await second.answer(mutation, "done")
    assert await asked == "done"


async def test_a_server_of_another_version_ends_it(client: Client, peer: Peer) -> None:
    connection = await peer.accept()
    await connection.expect(m.Connect)
    await connection.send(encode(m.Welcome(2, 1 << 20, 30.0)))
    with pytest.raises(ConnectionFailed) as caught:
        await client.connected()
    assert caught.value.code == "unsupported_version"
    assert client.state is ConnectionState.FAILED


async def test_a_fatal_error_ends_everything(client: Client, peer: Peer) -> None:
    waiting: list[asyncio.Future[Any]] = [
        asyncio.create_task(client.mutation("m")),
        asyncio.create_task(client.action("a")),
        asyncio.create_task(client.query("q")),
        asyncio.ensure_future(anext(aiter(client.subscribe("s")))),
    ]
    connection = await peer.welcome()
    await connection.expect_query("s")
    waiting.append(asyncio.create_task(client.authenticate("t")))
    while not isinstance(await connection.next(), m.Authenticate):
        pass
    await connection.dismiss(ErrorInfo("too_large", "no more of you", {"x": 1}))
    errors = list(await asyncio.gather(*waiting, return_exceptions=True))
    for error in errors:
        assert isinstance(error, ConnectionFailed)
        assert (error.code, error.message, error.data) == ("too_large", "no more of you", {"x": 1})
    assert len({id(error) for error in errors}) == len(errors), "each has an exception of its own"
    assert client.state == "failed"
    assert [state async for state in client.states()] == ["failed"]
    with pytest.raises(ConnectionFailed):
        await client.query("q")
    assert peer.handshakes == 1
    await client.close()
    assert client.state == "closed"


async def test_a_fatal_error_with_a_time_is_waited_for(client: Client, peer: Peer, clock: ManualClock) -> None:
    asked = asyncio.create_task(client.mutation("m"))
    first = await peer.welcome()
    await first.expect(m.Mutation)
    await first.dismiss(ErrorInfo("stopping", "back soon"), retry_after=7)
    await clock.awaited(7)
    assert clock.waits[-1] == 7
    assert client.state is ConnectionState.RECONNECTING
    assert "back soon" in (client.trouble or "")
    clock.advance(6.9)
    assert peer.handshakes == 1
    clock.advance(0.1)
    second = await peer.welcome()
    await second.answer(await second.expect(m.Mutation), "done")
    assert await asked == "done"


# --- staying alive


async def test_pings_keep_the_connection(client: Client, peer: Peer, clock: ManualClock) -> None:
    connection = await peer.welcome()
    nonces = set()
    for _ in range(3):
        await clock.awaited(10)
        clock.advance(10)
        ping = await connection.expect_ping()
        nonces.add(ping.nonce)
        await connection.send(connection.session.send(m.Pong(ping.nonce)))
    await clock.awaited(10)
    assert len(nonces) == 3
    assert peer.handshakes == 1


async def test_pings_come_well_below_the_idle_timeout_of_the_server(
    client: Client, peer: Peer, clock: ManualClock
) -> None:
    connection = await peer.accept()
    await connection.welcome(idle_timeout=6)
    await clock.awaited(2)
    assert clock.waits[-1] == 2
    clock.advance(2)
    await connection.expect_ping()


async def test_a_dead_connection_is_noticed_and_replaced(client: Client, peer: Peer, clock: ManualClock) -> None:
    first = await peer.welcome()
    await clock.awaited(10)
    clock.advance(10)
    await first.expect_ping()
    await clock.awaited(7)
    clock.advance(7)
    assert await first.closed() == 1006
    second = await peer.welcome()
    await client.connected()
    assert not second.websocket.transport.is_closing()


async def test_anything_the_server_says_is_a_sign_of_life(client: Client, peer: Peer, clock: ManualClock) -> None:
    asked = asyncio.create_task(client.query("list"))
    connection = await peer.welcome()
    await connection.expect_query("list")
    await clock.awaited(10)
    clock.advance(10)
    await connection.expect_ping()
    await connection.transition(5, m.QueryValue(connection.queries["list"].query_id, 1))
    assert await asked == 1
    await connection.expect(m.ModifyQuerySet)
    await clock.awaited(10)
    clock.advance(10)
    await connection.expect_ping()
    assert peer.handshakes == 1


async def test_a_socket_that_takes_nothing_is_left(client: Client, peer: Peer, clock: ManualClock) -> None:
    first = await peer.welcome()
    await client.connected()
    first.websocket.transport.pause_reading()
    text = "x" * 900_000
    asked = [asyncio.create_task(client.mutation("m", {"n": n, "text": text}, timeout=None)) for n in range(20)]
    second = None
    async with asyncio.timeout(PATIENCE):
        while second is None:
            clock.advance(10)
            accepting = asyncio.create_task(peer.accept())
            await asyncio.wait([accepting], timeout=0.05)
            if accepting.done():
                second = accepting.result()
            else:
                accepting.cancel()
    await second.welcome()
    mutation = await second.expect(m.Mutation)
    assert mutation.args["n"] == 0
    for task in asked:
        task.cancel()


# --- waiting before the next attempt


async def test_the_waits_grow_with_full_jitter(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    await peer.stop()
    draws = iter([0.5, 0.25, 1.0, 0.5, 0.1] + [0.0] * 10_000)
    async with make(random=lambda: next(draws), backoff=Backoff(initial=1, maximum=5, factor=2)):
        for wait in (0.5, 0.5, 4.0, 2.5, 0.5):
            await clock.awaited(wait)
            clock.advance(wait)
        assert clock.waits[:5] == [0.5, 0.5, 4.0, 2.5, 0.5]


async def test_a_stable_connection_starts_the_waits_over(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    async with make(random=lambda: 0.5, backoff=Backoff(initial=1, stable_after=5)):
        waits = []
        for lasted in (0, 0, 5, 0):
            connection = await peer.welcome()
            await clock.awaited(10)  # the heartbeat: so the welcome has arrived
            clock.advance(lasted)
            connection.cut()
            await eventually(lambda: clock.waits[-1] < 10)
            waits.append(clock.waits[-1])
            await clock.awaited(waits[-1])
            clock.advance(waits[-1])
        assert waits == [0.5, 1.0, 0.5, 1.0]


def test_the_bound_of_the_waits() -> None:
    backoff = Backoff(initial=0.5, maximum=30, factor=2)
    assert [backoff.bound(n) for n in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.bound(10**9) == 30
