"""When the client comes back: at once after an orderly stop, later and later after failures."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus

import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, eventually
from synovia_client import Backoff, Client, ConnectionState
from synovia_client.link import Link
from synovia_client.reconnection import RESTART_SECONDS, Reconnection
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Mutation
from synovia_protocol.sessions import ClientState

STOPPING = ErrorInfo("stopping", "this server is stopping")


def always_longest() -> float:
    return 1.0 - 1e-9


def test_stops_do_not_add_up() -> None:
    reconnection = Reconnection(Backoff(), always_longest)
    for now in range(10):
        assert reconnection.after_stop(now, 0.3) == 0.3
    assert reconnection.after_failure(20.0, welcomed_at=19.0) == pytest.approx(0.5), "this is the first failure"


def test_a_server_that_is_starting_is_tried_again_soon() -> None:
    reconnection = Reconnection(Backoff(), always_longest)
    now = 100.0
    reconnection.after_stop(now, 0.3)
    while now < 100.0 + RESTART_SECONDS:
        wait = reconnection.after_failure(now, welcomed_at=None)
        assert wait == pytest.approx(0.5)
        now += wait
    assert reconnection.after_failure(now, welcomed_at=None) == pytest.approx(0.5)
    assert reconnection.after_failure(now, welcomed_at=None) == pytest.approx(1.0), (
        "it does not come: as after any failure"
    )


def test_a_large_server_spreads_its_clients_while_it_starts() -> None:
    reconnection = Reconnection(Backoff(), always_longest)
    reconnection.after_stop(0.0, 3.0)
    assert reconnection.after_failure(1.0, welcomed_at=None) == pytest.approx(3.0)


def test_a_server_that_breaks_right_after_its_start_has_failed() -> None:
    reconnection = Reconnection(Backoff(), always_longest)
    reconnection.after_stop(0.0, 0.3)
    waits = [reconnection.after_failure(1.0, welcomed_at=0.9) for _ in range(4)]
    assert waits == pytest.approx([0.5, 1.0, 2.0, 4.0])


def test_who_is_not_let_in_comes_back_when_the_server_says_however_often() -> None:
    reconnection = Reconnection(Backoff(), always_longest)
    assert [reconnection.after_failure(now, None, 2.0) for now in range(8)] == [2.0] * 8
    assert reconnection.after_failure(20.0, welcomed_at=19.0) == pytest.approx(0.5), "these were no failures"


async def test_many_reloads_in_a_row_are_followed_at_once(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    async with make(random=always_longest):
        for _ in range(6):
            connection = await peer.welcome()
            await connection.silence()
            await connection.dismiss(STOPPING, retry_after=0.2)
            await clock.awaited(0.2)
            clock.advance(0.2)
        await peer.welcome()
        assert clock.waits.count(0.2) == 6


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE])
async def test_a_refused_handshake_says_how_long_to_wait(
    make: MakeClient, peer: Peer, clock: ManualClock, status: HTTPStatus
) -> None:
    peer.refuse, peer.retry_after = status, "7"
    async with make() as client:
        await clock.awaited(7)
        assert client.state == "connecting"
        peer.refuse = None
        clock.advance(7)
        await peer.welcome()
        await client.connected()


async def test_a_heartbeat_that_meets_a_connection_at_its_end_is_no_failure(
    client: Client, peer: Peer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The reader has found the end, and other tasks have their turn before they are ended."""
    caplog.set_level(logging.ERROR)
    connection = await peer.welcome()
    await client.connected()
    await clock.awaited(10)
    link = client._loop.link
    assert link is not None
    link.session.close()
    clock.advance(10)
    link.sign_in()
    await connection.silence()
    assert link.session.state is ClientState.CLOSED
    connection.cut()
    again = await peer.welcome()
    mutation = asyncio.create_task(client.mutation("m"))
    await again.answer(await again.expect(Mutation), "done")
    assert await mutation == "done"
    assert not caplog.records


async def test_a_client_is_closed_though_one_of_its_tasks_fails_at_that(
    client: Client, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(link: Link) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            raise RuntimeError("at the worst moment")

    monkeypatch.setattr(Link, "_renew_tokens", fail)
    await peer.welcome()
    await client.connected()
    await client.close()
    assert client.state == "closed"
    await eventually(lambda: not [task for task in asyncio.all_tasks() if task.get_name() == "synovia-client"])
    assert peer.handshakes == 1


async def test_who_does_not_want_to_wait_connects_at_once(make: MakeClient, peer: Peer) -> None:
    async with make(random=lambda: 1.0) as client:
        client.connect_now()  # there is nothing to hurry
        connection = await peer.welcome()
        await eventually(lambda: client.state is ConnectionState.CONNECTED)
        connection.cut()
        await eventually(lambda: client.state is ConnectionState.RECONNECTING)

        def hurries() -> bool:
            client.connect_now()
            return peer.handshakes == 2

        await eventually(hurries)  # nobody moves the clock
        await peer.welcome()
        await eventually(lambda: client.state is ConnectionState.CONNECTED)
