"""Calls that the server has refused because there were too many are made again when it says, not all at once."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, PeerConnection
from synovia_client import Client, FunctionError, RequestTimeout
from synovia_protocol.arrays import ref_of
from synovia_protocol.codec import encode
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Action, ActionResponse, ArrayResponse, FetchArray, Mutation, MutationResponse


def limited(seconds: float) -> ErrorInfo:
    return ErrorInfo("rate_limited", "too much at once; try again later", {"retryAfter": seconds})


async def refuse(connection: PeerConnection, action: Action, seconds: float = 2.5) -> None:
    await connection.send(encode(ActionResponse(action.request_id, error=limited(seconds))))


async def answer(connection: PeerConnection, action: Action, result: str) -> None:
    await connection.send(encode(ActionResponse(action.request_id, result)))


async def test_an_action_that_was_refused_is_sent_again_in_time(client: Client, peer: Peer, clock: ManualClock) -> None:
    call = asyncio.create_task(client.action("a", {"x": 1}))
    connection = await peer.welcome()
    first = await connection.expect(Action)
    await refuse(connection, first)
    await clock.awaited(2.5)
    await connection.silence()
    clock.advance(2.5)
    second = await connection.expect(Action)
    assert (second.path, second.args) == ("a", {"x": 1})
    assert second.request_id != first.request_id, "a number stands for one attempt of an action"
    await answer(connection, second, "done")
    assert await call == "done"


async def test_actions_go_one_by_one_after_a_refusal_and_then_more(
    client: Client, peer: Peer, clock: ManualClock
) -> None:
    calls = [asyncio.create_task(client.action(str(number))) for number in range(6)]
    connection = await peer.welcome()
    sent = [await connection.expect(Action) for _ in calls]
    for action in sent:
        await refuse(connection, action)
    await clock.awaited(2.5)
    clock.advance(2.5)
    waiting: list[Action] = []
    for at_once in (1, 2, 3):
        while len(waiting) < at_once:
            waiting.append(await connection.expect(Action))
        await connection.silence()
        for action in waiting:
            await answer(connection, action, action.path)
        waiting = []
    assert await asyncio.gather(*calls) == [str(number) for number in range(6)]


async def test_mutations_and_queries_are_not_held_back(client: Client, peer: Peer, clock: ManualClock) -> None:
    action = asyncio.create_task(client.action("a"))
    connection = await peer.welcome()
    await refuse(connection, await connection.expect(Action))
    await clock.awaited(2.5)
    asked = asyncio.create_task(client.query("q"))
    await connection.give("q", "here", 5)
    assert await asked == "here"
    action.cancel()


async def refuse_mutation(connection: PeerConnection, mutation: Mutation, seconds: float) -> None:
    await connection.send(encode(MutationResponse(mutation.request_id, None, error=limited(seconds))))


async def test_a_mutation_that_a_limit_has_refused_is_sent_again_in_time_and_holds_up_no_other(
    client: Client, peer: Peer, clock: ManualClock
) -> None:
    call = asyncio.create_task(client.mutation("add", {"x": 1}))
    connection = await peer.welcome()
    first = await connection.expect(Mutation)
    await refuse_mutation(connection, first, 10)
    await clock.awaited(10)
    other = asyncio.create_task(client.mutation("other"))
    await connection.send(
        encode(MutationResponse((await connection.expect(Mutation)).request_id, None, "others go on"))
    )
    assert await other == "others go on"
    await connection.silence()
    clock.advance(10)
    second = await connection.expect(Mutation)
    assert (second.path, second.args) == ("add", {"x": 1})
    assert second.request_id != first.request_id
    await connection.send(encode(MutationResponse(second.request_id, None, "done")))
    assert await call == "done"


async def test_a_mutations_limit_that_lasts_too_long_is_told_at_once(client: Client, peer: Peer) -> None:
    call = asyncio.create_task(client.mutation("add"))
    connection = await peer.welcome()
    await refuse_mutation(connection, await connection.expect(Mutation), 3_600)
    with pytest.raises(FunctionError, match="too much at once"):
        await call


async def test_a_limit_that_lasts_too_long_is_told_at_once(client: Client, peer: Peer) -> None:
    call = asyncio.create_task(client.action("a"))
    connection = await peer.welcome()
    await refuse(connection, await connection.expect(Action), 3600)
    with pytest.raises(FunctionError, match="too much"):
        await call


async def test_an_applications_own_code_without_a_time_is_the_callers(client: Client, peer: Peer) -> None:
    call = asyncio.create_task(client.action("a"))
    connection = await peer.welcome()
    action = await connection.expect(Action)
    await connection.send(
        encode(ActionResponse(action.request_id, error=ErrorInfo("rate_limited", "enough mail for today")))
    )
    with pytest.raises(FunctionError, match="enough mail"):
        await call


async def test_waiting_ends_with_the_time_limit_of_the_call(client: Client, peer: Peer, clock: ManualClock) -> None:
    call = asyncio.create_task(client.action("a", timeout=2))
    connection = await peer.welcome()
    await refuse(connection, await connection.expect(Action), 5)
    await clock.awaited(5)
    clock.advance(2)
    with pytest.raises(RequestTimeout):
        await call
    clock.advance(3)
    await connection.silence()


async def test_a_refused_action_survives_a_break(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    """It has not run, so it is not lost with the connection."""
    async with make() as client:
        call = asyncio.create_task(client.action("a"))
        first = await peer.welcome()
        await refuse(first, await first.expect(Action))
        await clock.awaited(2.5)
        first.cut()
        second = await peer.welcome()
        await second.silence()
        clock.advance(2.5)
        await answer(second, await second.expect(Action), "done")
        assert await call == "done"


async def test_a_download_that_was_refused_is_asked_for_again(client: Client, peer: Peer, clock: ManualClock) -> None:
    samples = np.arange(4.0)
    ref = ref_of(samples)
    asked = asyncio.create_task(client.query("list"))
    connection = await peer.welcome()
    await connection.give("list", [ref], 5)
    await asked
    await connection.next()
    fetching = asyncio.create_task(client.array(ref))
    await connection.give("list", [ref], 6)
    first = await connection.expect(FetchArray)
    await connection.send(encode(ArrayResponse(first.request_id, error=limited(1.5))))
    await clock.awaited(1.5)
    clock.advance(1.5)
    second = await connection.expect(FetchArray)
    assert second.request_id != first.request_id
    await connection.send_array(second, samples)
    assert np.array_equal(await fetching, samples)
