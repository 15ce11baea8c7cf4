"""Live queries: values, patches, errors, sharing, and what happens to them when nobody looks."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from client.manual_clock import ManualClock
from client.peer import Peer, eventually
from helpers.patience import PATIENCE
from synovia_client import Client, FunctionError, RequestTimeout
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import ModifyQuerySet, QueryFailed, QueryValue


async def test_a_query_subscribes_gives_its_value_and_unsubscribes(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.query("users:me", {"verbose": True}))
    connection = await peer.welcome()
    added = await connection.expect_query("users:me")
    assert added.args == {"verbose": True}
    assert added.digest is None
    await connection.transition(5, QueryValue(added.query_id, {"name": "Ada"}))
    assert await asked == {"name": "Ada"}
    removal = await connection.expect(ModifyQuerySet)
    assert removal == ModifyQuerySet((), (added.query_id,))


async def test_a_failed_query_raises_what_the_server_says(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.query("users:me"))
    connection = await peer.welcome()
    added = await connection.expect_query("users:me")
    error = ErrorInfo("forbidden", "not yours", {"why": 7})
    await connection.transition(5, QueryFailed(added.query_id, error))
    with pytest.raises(FunctionError) as caught:
        await asked
    assert (caught.value.code, caught.value.message, caught.value.data) == ("forbidden", "not yours", {"why": 7})


async def test_iterating_gives_each_new_value(client: Client, peer: Peer) -> None:
    values: list[Any] = []

    async def watch() -> None:
        async for value in client.subscribe("list"):
            values.append(value)
            if len(values) == 2:
                return

    watching = asyncio.create_task(watch())
    connection = await peer.welcome()
    await connection.give("list", [1, 2, 3], 5)
    await eventually(lambda: values == [[1, 2, 3]])
    await connection.patch("list", [1, 2, 3], [1, 2, 3, 4], 6)
    await watching
    assert values == [[1, 2, 3], [1, 2, 3, 4]]
    assert (await connection.expect(ModifyQuerySet)).remove, "leaving the loop unsubscribes"


async def test_breaking_out_of_a_loop_unsubscribes(client: Client, peer: Peer) -> None:
    async def first() -> Any:
        async for value in client.subscribe("list"):
            return value
        return None

    asked = asyncio.create_task(first())
    connection = await peer.welcome()
    await connection.give("list", "v", 5)
    assert await asked == "v"
    gc.collect()
    assert (await connection.expect(ModifyQuerySet)).remove


async def test_a_context_has_the_value_on_entering_and_keeps_it_fresh(client: Client, peer: Peer) -> None:
    accepting = asyncio.create_task(peer.welcome())
    async with _entered(client, accepting, "list", 1) as (subscription, connection):
        assert subscription.value == 1
        async for value in subscription:
            assert value == 1
            break
        await connection.give("list", 2, 6)
        async for value in subscription:
            assert value == 2
            break
        await connection.give("list", 3, 7)
        await eventually(lambda: subscription.value == 3)
        await connection.silence()
    assert subscription.value is None
    assert (await connection.expect(ModifyQuerySet)).remove


async def test_a_slow_consumer_gets_the_newest_and_misses_the_rest(client: Client, peer: Peer) -> None:
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        connection_task = tasks.create_task(peer.welcome())
        async with _entered(client, connection_task, "list", 0) as (subscription, connection):
            values = aiter(subscription)
            assert await anext(values) == 0
            for ts in range(1, 100):
                await connection.give("list", ts, 10 + ts)
            await eventually(lambda: subscription.value == 99)
            assert await anext(values) == 99


class _entered:
    """Enter a subscription and give it its first value at the same time."""

    def __init__(self, client: Client, connection: asyncio.Task[Any], path: str, value: Any) -> None:
        self.subscription = client.subscribe(path)
        self.connection = connection
        self.path = path
        self.value = value

    async def __aenter__(self) -> tuple[Any, Any]:
        entering = asyncio.create_task(self.subscription.__aenter__())
        connection = await self.connection
        await connection.give(self.path, self.value, 5)
        await entering
        return self.subscription, connection

    async def __aexit__(self, *exception: object) -> None:
        await self.subscription.__aexit__(*exception)


async def test_two_subscriptions_to_the_same_share_one_query(client: Client, peer: Peer) -> None:
    one = asyncio.create_task(client.query("list", {"a": 1, "b": 2}))
    two = asyncio.create_task(client.query("list", {"b": 2, "a": 1}))
    other = asyncio.create_task(client.query("list", {"a": 1.0, "b": 2}))
    connection = await peer.welcome()
    modify = await connection.expect(ModifyQuerySet)
    assert [add.args for add in modify.add] == [{"a": 1, "b": 2}, {"a": 1.0, "b": 2}]
    await connection.transition(5, *(QueryValue(add.query_id, add.args) for add in modify.add))
    assert list(await asyncio.gather(one, two, other)) == [{"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 1.0, "b": 2}]


async def test_a_second_subscriber_gets_the_value_at_once(client: Client, peer: Peer) -> None:
    accepting = asyncio.create_task(peer.welcome())
    async with _entered(client, accepting, "list", "here") as (_, connection):
        async for value in client.subscribe("list"):
            assert value == "here"
            break
        await connection.silence()


async def test_a_query_is_asked_anew_though_a_subscription_holds_it(client: Client, peer: Peer) -> None:
    accepting = asyncio.create_task(peer.welcome())
    async with _entered(client, accepting, "list", "before") as (subscription, connection):
        held = connection.queries["list"]
        asking = asyncio.create_task(client.query("list"))
        (asked,) = (await connection.expect(ModifyQuerySet)).add
        assert (asked.path, asked.digest) == ("list", None)
        assert not asking.done()
        await connection.transition(6, QueryValue(held.query_id, "after"), QueryValue(asked.query_id, "after"))
        assert await asking == subscription.value == "after"
        assert (await connection.expect(ModifyQuerySet)).remove == (asked.query_id,)


async def test_a_query_is_asked_anew_right_after_its_answer(client: Client, peer: Peer) -> None:
    """The loop may have stood still in between: what came before that is not the answer."""
    answers: list[Any] = []

    async def ask_twice() -> None:
        answers.append(await client.query("list"))
        answers.append(await client.query("list"))

    asking = asyncio.create_task(ask_twice())
    connection = await peer.welcome()
    await connection.give("list", "before", 5)
    first = connection.queries["list"].query_id
    again = await connection.expect(ModifyQuerySet)
    assert (again.remove, len(again.add)) == ((first,), 1)
    await connection.transition(6, QueryValue(again.add[0].query_id, "after"))
    await asking
    assert answers == ["before", "after"]


async def test_queries_that_are_asked_at_once_are_one_question(client: Client, peer: Peer) -> None:
    asking = [asyncio.create_task(client.query("list")) for _ in range(3)]
    connection = await peer.welcome()
    (asked,) = (await connection.expect(ModifyQuerySet)).add
    late = asyncio.create_task(client.query("list"))
    (later,) = (await connection.expect(ModifyQuerySet)).add
    await connection.transition(5, QueryValue(asked.query_id, 1))
    assert await asyncio.gather(*asking) == [1, 1, 1]
    assert not late.done(), "what was on its way already may be older than this question"
    await connection.transition(6, QueryValue(later.query_id, 2))
    assert await late == 2


async def test_letting_go_and_taking_again_costs_nothing(client: Client, peer: Peer) -> None:
    accepting = asyncio.create_task(peer.welcome())
    first = _entered(client, accepting, "list", "here")
    await first.__aenter__()
    connection = accepting.result()
    await first.__aexit__()
    second = client.subscribe("list")
    await second.__aenter__()
    assert second.value == "here"
    await connection.silence()
    await second.__aexit__()
    assert (await connection.expect(ModifyQuerySet)).remove


async def test_subscribing_and_leaving_before_the_flush_sends_nothing(client: Client, peer: Peer) -> None:
    connection = await peer.welcome()
    await client.connected()
    iterator = client.subscribe("list").outcomes()
    step = asyncio.ensure_future(anext(iterator))
    await asyncio.sleep(0)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    await iterator.aclose()
    asked = asyncio.create_task(client.query("other"))
    modify = await connection.expect(ModifyQuerySet)
    if any(add.path == "list" for add in modify.add):  # the flush came in between: then it must be taken back
        modify = await connection.expect(ModifyQuerySet)
        assert modify.remove
    await connection.give("other", 1, 5)
    assert await asked == 1


async def test_an_error_is_raised_and_iterating_again_waits_for_the_recovery(client: Client, peer: Peer) -> None:
    accepting = asyncio.create_task(peer.welcome())
    async with _entered(client, accepting, "list", 1) as (subscription, connection):
        query_id = connection.queries["list"].query_id
        assert await anext(aiter(subscription)) == 1
        await connection.transition(6, QueryFailed(query_id, ErrorInfo("forbidden", "no more")))
        with pytest.raises(FunctionError, match="no more"):
            await anext(aiter(subscription))
        assert subscription.error is not None
        assert subscription.value == 1
        again = asyncio.ensure_future(anext(aiter(subscription)))
        await connection.transition(7, QueryValue(query_id, 2))
        assert await again == 2
        assert subscription.error is None


async def test_one_transition_is_seen_as_one_instant(client: Client, peer: Peer) -> None:
    accepting = asyncio.create_task(peer.welcome())
    async with _entered(client, accepting, "a", 0) as (one, connection), _also(client, connection, "b", 0) as two:
        pairs = []

        async def watch(subscription: Any) -> None:
            async for _ in subscription:
                pairs.append((one.value, two.value))
                if one.value == 20:
                    return

        watching = [asyncio.create_task(watch(one)), asyncio.create_task(watch(two))]
        for n in range(1, 21):
            await connection.transition(
                10 + n,
                QueryValue(connection.queries["a"].query_id, n),
                QueryValue(connection.queries["b"].query_id, n),
            )
        await asyncio.gather(*watching)
        assert pairs
        assert all(a == b for a, b in pairs)


class _also:
    """Enter one more subscription on a connection."""

    def __init__(self, client: Client, connection: Any, path: str, value: Any) -> None:
        self.subscription = client.subscribe(path)
        self.connection = connection
        self.path = path
        self.value = value

    async def __aenter__(self) -> Any:
        entering = asyncio.create_task(self.subscription.__aenter__())
        await self.connection.give(self.path, self.value, self.connection.session.ts)
        await entering
        return self.subscription

    async def __aexit__(self, *exception: object) -> None:
        await self.subscription.__aexit__(*exception)


async def test_a_query_that_is_not_answered_times_out_and_is_taken_back(
    client: Client, peer: Peer, clock: ManualClock
) -> None:
    asked = asyncio.create_task(client.query("slow", timeout=3))
    connection = await peer.welcome()
    added = await connection.expect_query("slow")
    clock.advance(3)
    with pytest.raises(RequestTimeout, match="slow"):
        await asked
    assert (await connection.expect(ModifyQuerySet)).remove == (added.query_id,)


async def test_a_context_without_a_first_value_times_out(client: Client, peer: Peer, clock: ManualClock) -> None:
    entering = asyncio.create_task(client.subscribe("slow").__aenter__())
    connection = await peer.welcome()
    await connection.expect_query("slow")
    clock.advance(60)
    with pytest.raises(RequestTimeout):
        await entering
    assert (await connection.expect(ModifyQuerySet)).remove


async def test_a_cancelled_query_is_taken_back(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.query("slow"))
    connection = await peer.welcome()
    await connection.expect_query("slow")
    asked.cancel()
    assert (await connection.expect(ModifyQuerySet)).remove
    with pytest.raises(asyncio.CancelledError):
        await asked


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"x": object()}, "invalid_arguments"),
        ({"x": 2**63}, "invalid_arguments"),
        ({1: "key"}, "invalid_arguments"),
        ([1], "invalid_arguments"),
        ({"x": {"y": {1, 2}}}, "invalid_arguments"),
        ({"x": [0] * 100_001}, "too_large"),
        ({"x": bytes(1 << 20)}, "too_large"),
    ],
)
async def test_arguments_that_cannot_travel_are_refused_here(client: Client, args: Any, code: str) -> None:
    for call in (client.query, client.mutation, client.action):
        with pytest.raises(FunctionError) as caught:
            await call("users:me", args)
        assert caught.value.code == code


async def test_arguments_that_contain_themselves_are_refused_here(client: Client) -> None:
    args: dict[str, Any] = {}
    args["self"] = args
    for call in (client.query, client.mutation, client.action):
        with pytest.raises(FunctionError) as caught:
            await call("users:me", args)
        assert caught.value.code == "invalid_arguments"


async def test_an_oversized_query_fails_alone(client: Client, peer: Peer) -> None:
    large = asyncio.create_task(client.query("large", {"text": "x" * ((1 << 20) - 20)}))
    small = asyncio.create_task(client.query("small"))
    connection = await peer.welcome()
    await connection.give("small", 1, 5)
    small_id = connection.queries["small"].query_id
    assert await small == 1
    with pytest.raises(FunctionError) as caught:
        await large
    assert caught.value.code == "too_large"
    assert (await connection.expect(ModifyQuerySet)).remove == (small_id,), "the server never heard of the large one"


async def test_what_is_used_without_async_says_how_it_is_used(client: Client) -> None:
    subscription = client.subscribe("list")
    with pytest.raises(TypeError, match=r"async for value in client\.subscribe\(.* asks once"):
        await subscription  # type: ignore[misc]
    with pytest.raises(TypeError, match="async for value in"):
        list(subscription)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="async for value in"), client.subscribe_pages("list", page_size=3):  # type: ignore[attr-defined]
        pass
    with pytest.raises(TypeError, match=r"opened by async with Client.* BlockingClient"), client:  # type: ignore[attr-defined]
        pass
