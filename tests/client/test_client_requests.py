"""Mutations run exactly once and actions at most once, wherever the connection breaks."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, eventually
from synovia_client import Client, ClientClosed, ConnectionLost, FunctionError, RequestTimeout
from synovia_protocol.arrays import ref_of
from synovia_protocol.codec import Limits, pack
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Action, ActionResponse, ModifyQuerySet, Mutation, MutationResponse


async def test_a_mutation_gives_its_result(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.mutation("notes:add", {"text": "hi"}))
    connection = await peer.welcome()
    mutation = await connection.expect(Mutation)
    assert mutation == Mutation(1, "notes:add", {"text": "hi"}, retry=False)
    await connection.answer(mutation, {"id": "a" * 24})
    assert await asked == {"id": "a" * 24}


async def test_a_failed_mutation_raises(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.mutation("notes:add"))
    connection = await peer.welcome()
    mutation = await connection.expect(Mutation)
    await connection.send(
        connection.session.send(MutationResponse(mutation.request_id, None, error=ErrorInfo("taken", "no", [1])))
    )
    with pytest.raises(FunctionError) as caught:
        await asked
    assert (caught.value.code, caught.value.data) == ("taken", [1])


async def test_the_effects_of_a_mutation_are_there_when_it_returns(client: Client, peer: Peer) -> None:
    async def add() -> tuple[Any, Any]:
        async with client.subscribe("list") as subscription:
            before = subscription.value
            await client.mutation("notes:add")
            return before, subscription.value

    adding = asyncio.create_task(add())
    connection = await peer.welcome()
    await connection.give("list", [1], 5)
    mutation = await connection.expect(Mutation)
    await connection.patch("list", [1], [1, 2], 6)
    await connection.answer(mutation, None, 6)
    assert await adding == ([1], [1, 2])


async def test_mutations_go_out_in_the_order_of_the_calls(client: Client, peer: Peer) -> None:
    asked = [asyncio.create_task(client.mutation("m", {"n": n})) for n in range(20)]
    connection = await peer.welcome()
    mutations = [await connection.expect(Mutation) for _ in range(20)]
    assert [mutation.args["n"] for mutation in mutations] == list(range(20))
    for mutation in reversed(mutations):
        await connection.answer(mutation, mutation.args["n"])
    assert list(await asyncio.gather(*asked)) == list(range(20))


# --- the connection breaks


async def test_cut_before_the_mutation_was_sent(client: Client, peer: Peer) -> None:
    first = await peer.accept()  # no welcome: requests wait for it
    asked = asyncio.create_task(client.mutation("m", {"n": 1}))
    await first.next()
    first.cut()
    second = await peer.welcome()
    mutation = await second.expect(Mutation)
    assert not mutation.retry
    assert second.session.connect is not None
    assert first.session.connect is not None
    assert second.session.connect.session == first.session.connect.session == client.session_id
    await second.answer(mutation, "done")
    assert await asked == "done"


async def test_cut_after_the_mutation_was_sent_and_before_it_was_read(client: Client, peer: Peer) -> None:
    first = await peer.welcome()
    await client.connected()
    asked = asyncio.create_task(client.mutation("m", {"n": 1}))
    await eventually(lambda: first.unread() == 1)
    first.cut()
    second = await peer.welcome()
    mutation = await second.expect(Mutation)
    assert mutation == Mutation(1, "m", {"n": 1}, retry=True)
    await second.answer(mutation, "done")
    assert await asked == "done"


async def test_cut_before_the_answer_twice(client: Client, peer: Peer) -> None:
    asked = [asyncio.create_task(client.mutation("m", {"n": n})) for n in range(3)]
    for attempt in range(3):
        connection = await peer.welcome()
        mutations = [await connection.expect(Mutation) for _ in range(3)]
        assert [(m.request_id, m.args["n"], m.retry) for m in mutations] == [
            (1, 0, attempt > 0),
            (2, 1, attempt > 0),
            (3, 2, attempt > 0),
        ]
        if attempt < 2:
            connection.cut()
    await connection.answer(mutations[1], "b")
    await connection.answer(mutations[0], "a")
    await connection.answer(mutations[2], "c")
    assert list(await asyncio.gather(*asked)) == ["a", "b", "c"]


async def test_a_retry_says_when_it_was_first_sent_by_the_servers_clock(
    client: Client, peer: Peer, clock: ManualClock
) -> None:
    first = await peer.accept()
    await first.welcome(server_time=5_000_000)
    await client.connected()
    clock.advance(3)
    asked = asyncio.create_task(client.mutation("m"))
    assert (await first.expect(Mutation)).issued_at is None, "the first time is now"
    clock.advance(4)
    first.cut()
    second = await peer.accept()
    await second.welcome(server_time=99_000_000)
    again = await second.expect(Mutation)
    assert (again.retry, again.issued_at) == (True, 5_003_000)
    await second.answer(again)
    await asked


async def test_an_answered_mutation_is_not_sent_again(client: Client, peer: Peer) -> None:
    one, two = (asyncio.create_task(client.mutation("m", {"n": n})) for n in range(2))
    first = await peer.welcome()
    mutations = [await first.expect(Mutation) for _ in range(2)]
    await first.answer(mutations[0], "one")
    assert await one == "one"
    first.cut()
    second = await peer.welcome()
    again = await second.expect(Mutation)
    assert (again.request_id, again.retry) == (2, True)
    await second.answer(again, "two")
    assert await two == "two"
    await second.silence()


async def test_a_cut_in_the_middle_of_the_answer(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.mutation("m"))
    first = await peer.welcome()
    mutation = await first.expect(Mutation)
    frame = first.session.send_mutation_result(mutation.request_id, 1, pack("x" * 1000))
    header = bytes([0x82, 126]) + len(frame).to_bytes(2, "big")
    first.websocket.transport.write(header + frame[:500])
    first.websocket.transport.close()
    second = await peer.welcome()
    again = await second.expect(Mutation)
    assert again.retry
    await second.answer(again, "whole")
    assert await asked == "whole"


async def test_new_mutations_follow_the_retried_ones(client: Client, peer: Peer) -> None:
    asked = [asyncio.create_task(client.mutation("old", {"n": n})) for n in range(2)]
    first = await peer.welcome()
    for _ in range(2):
        await first.expect(Mutation)
    await peer.stop()
    await eventually(lambda: client.state == "reconnecting")
    asked.append(asyncio.create_task(client.mutation("new")))
    await peer.listen(peer.port)
    second = await peer.welcome()
    mutations = [await second.expect(Mutation) for _ in range(3)]
    assert [(m.request_id, m.path, m.retry) for m in mutations] == [
        (1, "old", True),
        (2, "old", True),
        (3, "new", False),
    ]
    for mutation in mutations:
        await second.answer(mutation)
    await asyncio.gather(*asked)


async def test_an_action_in_flight_fails_and_is_not_sent_again(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.action("mail:send", {"to": "x"}))
    first = await peer.welcome()
    assert await first.expect(Action) == Action(1, "mail:send", {"to": "x"})
    first.cut()
    with pytest.raises(ConnectionLost, match="mail:send"):
        await asked
    second = await peer.welcome()
    await second.silence()


async def test_an_action_that_was_not_sent_yet_waits_for_the_next_connection(client: Client, peer: Peer) -> None:
    first = await peer.accept()
    asked = asyncio.create_task(client.action("mail:send"))
    await first.next()
    first.cut()
    second = await peer.welcome()
    action = await second.expect(Action)
    await second.send(second.session.send_action_result(action.request_id, pack("sent")))
    assert await asked == "sent"


async def test_an_action_can_fail(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.action("mail:send"))
    connection = await peer.welcome()
    action = await connection.expect(Action)
    await connection.send(
        connection.session.send(ActionResponse(action.request_id, error=ErrorInfo("no_route", "nowhere")))
    )
    with pytest.raises(FunctionError, match="nowhere"):
        await asked


async def test_a_mutation_larger_than_the_server_takes_fails_alone(client: Client, peer: Peer) -> None:
    connection = await peer.accept()
    connection.session.limits = Limits(max_message_bytes=1000)
    await connection.welcome()
    await client.connected()
    large = asyncio.create_task(client.mutation("large", {"text": "x" * 1000}))
    small = asyncio.create_task(client.mutation("small"))
    mutation = await connection.expect(Mutation)
    assert mutation.path == "small"
    await connection.answer(mutation, "done")
    assert await small == "done"
    with pytest.raises(FunctionError) as caught:
        await large
    assert caught.value.code == "too_large"
    connection.cut()
    await (await peer.welcome()).silence()


# --- the caller gives up


async def test_a_mutation_times_out_and_the_client_goes_on(client: Client, peer: Peer, clock: ManualClock) -> None:
    asked = asyncio.create_task(client.mutation("slow", timeout=3))
    connection = await peer.welcome()
    slow = await connection.expect(Mutation)
    clock.advance(3)
    with pytest.raises(RequestTimeout, match="slow"):
        await asked
    await connection.answer(slow, "late")
    other = asyncio.create_task(client.mutation("quick"))
    await connection.answer(await connection.expect(Mutation), "in time")
    assert await other == "in time"
    connection.cut()
    await (await peer.welcome()).silence()


async def test_without_a_connection_a_request_times_out_too(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    await peer.stop()
    async with make(random=lambda: 0.5) as client:
        asked = asyncio.create_task(client.mutation("m", timeout=0.2))
        await clock.awaited(0.25)
        clock.advance(0.2)
        with pytest.raises(RequestTimeout, match="cannot be reached"):
            await asked


async def test_a_cancelled_mutation_is_not_sent_again(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.mutation("m"))
    first = await peer.welcome()
    await first.expect(Mutation)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    first.cut()
    second = await peer.welcome()
    await second.silence()


async def test_a_mutation_cancelled_before_it_was_sent_is_never_sent(client: Client, peer: Peer) -> None:
    connection = await peer.accept()
    asked = asyncio.create_task(client.mutation("m"))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await connection.welcome()
    await client.connected()
    await connection.silence()


async def test_closing_fails_everything_that_waits(make: MakeClient, peer: Peer) -> None:
    async with make() as client:
        waiting = [
            asyncio.create_task(client.mutation("m")),
            asyncio.create_task(client.action("a")),
            asyncio.create_task(client.query("q")),
            asyncio.ensure_future(anext(aiter(client.subscribe("s")))),
        ]
        connection = await peer.welcome()
        await connection.expect_query("s")
    for error in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(error, ClientClosed)
    with pytest.raises(ClientClosed):
        await client.query("q")
    with pytest.raises(ClientClosed):
        await client.open()
    assert await connection.closed() == 1000


async def test_a_client_must_be_opened(make: MakeClient) -> None:
    client = make()
    with pytest.raises(ClientClosed, match="not open"):
        await client.mutation("m")
    await client.close()


# --- referring to arrays that queries show


async def test_a_request_that_refers_to_a_shown_array_waits_for_the_query_that_shows_it(
    client: Client, peer: Peer
) -> None:
    ref = ref_of(np.arange(3.0))
    asked = asyncio.create_task(client.query("list"))
    first = await peer.welcome()
    await first.give("list", [{"samples": ref}], 5)
    assert await asked == [{"samples": ref}]
    assert (await first.expect(ModifyQuerySet)).remove

    copied = asyncio.create_task(client.mutation("copy", {"samples": ref}))
    await first.expect_query("list")
    await first.silence()
    await first.give("list", [{"samples": ref}], 5)
    mutation = await first.expect(Mutation)
    assert mutation.args == {"samples": ref}
    first.cut()
    second = await peer.welcome()
    await second.expect_query("list")
    await second.silence()
    await second.give("list", [{"samples": ref}], 6)
    again = await second.expect(Mutation)
    assert again.retry
    await second.answer(again, None, 6)
    await copied
    assert (await second.expect(ModifyQuerySet)).remove
