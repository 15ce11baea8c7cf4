"""A server that is wrong, or means harm: no word of it keeps the client busy, waiting for years, or growing."""

from __future__ import annotations

import asyncio
import math

import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, PeerConnection
from synovia_client import Backoff, Client
from synovia_client.reconnection import LEAST_WAIT, LONGEST_WAIT, Reconnection
from synovia_client.server_time import ServerTime
from synovia_client.throttle import seconds_to_wait
from synovia_protocol.codec import encode
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import (
    Authenticate,
    Authenticated,
    AuthError,
    Mutation,
    MutationResponse,
)

LONGEST_TIME = 2**63 - 1


def longest() -> float:
    return 1.0


# --- when to come back


def test_a_server_that_stops_again_and_again_is_not_asked_without_a_pause() -> None:
    reconnection = Reconnection(Backoff(), longest)
    assert [reconnection.after_stop(now, 0.0) for now in range(3)] == [LEAST_WAIT] * 3
    assert reconnection.after_failure(20.0, None, 1e-9) == LEAST_WAIT


def test_a_server_that_asks_for_years_is_asked_again_sooner() -> None:
    reconnection = Reconnection(Backoff(), longest)
    assert reconnection.after_stop(0.0, 1e300) == LONGEST_WAIT
    assert reconnection.after_failure(1.0, 0.5, 1e300) == LONGEST_WAIT
    assert reconnection.after_failure(1.0, None, math.inf) == LONGEST_WAIT


def test_tokens_that_a_server_gives_and_refuses_are_tried_later_and_later() -> None:
    reconnection = Reconnection(Backoff(), longest)
    waits = [reconnection.after_refused_token(1.0, 0.9) for _ in range(7)]
    assert waits == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 2.0]
    reconnection.after_failure(100.0, 1.0)
    assert reconnection.after_refused_token(101.0, 100.9) == 0.0, "it was connected for long meanwhile"


async def test_a_server_that_refuses_each_token_that_it_gives(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    async with make(token="theirs", random=longest):
        for _ in range(5):
            connection = await peer.welcome()
            await connection.expect(Authenticate)
            await connection.send(encode(Authenticated("new", "another", LONGEST_TIME)))
            await connection.send(encode(AuthError(ErrorInfo("invalid_token", "no"))))
        await clock.awaited(0.5)
        assert peer.handshakes == 5


# --- how often to say something


@pytest.mark.parametrize("idle_timeout", [1e-9, 0.001])
async def test_an_idle_timeout_of_nothing(client: Client, peer: Peer, clock: ManualClock, idle_timeout: float) -> None:
    connection = await peer.accept()
    await connection.welcome(idle_timeout=idle_timeout)
    await clock.awaited(0.05)
    clock.advance(0.05)
    await connection.expect_ping()


async def test_a_token_that_expires_as_soon_as_it_is_given(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    async with make(token="theirs"):
        connection = await peer.accept()
        await connection.welcome(server_time=1_000_000)
        await connection.expect(Authenticate)
        await connection.send(encode(Authenticated("new", "another", 1_000_003)))
        await clock.awaited(1.0)
        await connection.silence()
        clock.advance(1.0)
        assert (await connection.expect(Authenticate)).token == "another"


def test_a_limit_that_asks_for_no_wait() -> None:
    assert seconds_to_wait(ErrorInfo("rate_limited", "too often", {"retryAfter": 0})) == 0.02
    assert seconds_to_wait(ErrorInfo("rate_limited", "too often", {"retryAfter": math.nan})) is None


async def test_a_mutation_that_is_refused_as_nobodys_again_and_again(
    client: Client, peer: Peer, clock: ManualClock
) -> None:
    connection = await peer.welcome()
    calling = asyncio.create_task(client.mutation("add", timeout=None))
    for wait in (None, 0.08, 0.16, 0.32):
        await refuse_as_nobodys(connection, await connection.expect(Mutation))
        if wait is not None:
            await clock.awaited(wait)
            await connection.silence()
            clock.advance(wait)
    await connection.answer(await connection.expect(Mutation), "done")
    assert await calling == "done"


async def refuse_as_nobodys(connection: PeerConnection, mutation: Mutation) -> None:
    error = ErrorInfo("unauthenticated", "you are nobody", {"signedOut": True})
    await connection.send(connection.session.send(MutationResponse(mutation.request_id, None, None, error)))


# --- clocks


def test_a_clock_that_shows_no_time_is_not_believed(clock: ManualClock) -> None:
    time = ServerTime(clock)
    time.learn(253_402_300_799_999)
    assert time.now() == 253_402_300_799_999
    time.learn(LONGEST_TIME)
    assert time.now() is None
