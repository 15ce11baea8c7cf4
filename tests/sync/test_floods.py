"""Floods over real sockets: each is refused with its code or slowed down, memory stays bounded, and others are served."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from helpers.raw_requests import ask, request_upgrade
from helpers.sync_server import Client, Running, client_of, fresh_board, serving
from helpers.waiting import until
from synovia import charges
from synovia.limits.addresses import Address
from synovia.sync import frame_socket, output
from synovia_protocol.arrays import ref_of
from synovia_protocol.codec import encode
from synovia_protocol.errors import SessionError
from synovia_protocol.events import QueryErrored
from synovia_protocol.messages import ActionResponse, Authenticated, AuthError, Ping, Pong, QueryAdd

FLOODER = "127.0.0.2"
QUERY: tuple[str, dict[str, Any]] = ("notes:on_board", {"board": "a"})


@asynccontextmanager
async def flooded(**limits: Any) -> AsyncIterator[tuple[Running, Client, Client]]:
    """Serve a healthy client and one from another address; the first has to be served all the while."""
    async with (
        serving(**limits) as running,
        client_of(running) as healthy,
        client_of(running, local_addr=(FLOODER, 0)) as flooder,
    ):
        await still_works(healthy)
        yield running, healthy, flooder
        await still_works(healthy)


async def still_works(client: Client) -> None:
    """Check that a client is served: what it writes, and what it is shown."""
    response = await client.mutate("notes:post", {"board": "a", "text": "still here"})
    assert response.error is None
    shown = await client.subscribe(response.request_id, *QUERY)
    assert shown[-1]["text"] == "still here"
    await client.send(client.session.modify(remove=[response.request_id]))


async def pour(client: Client, frame: Callable[[], bytes]) -> None:
    """Send frame after frame until the server ends it."""
    try:
        while True:
            await client.socket.send(frame())
            await asyncio.sleep(0)  # the server runs on the same loop
    except (ConnectionClosed, SessionError):
        pass


async def events(client: Client, kind: type, count: int) -> list[Any]:
    """Wait for so many events of a kind."""
    found: list[Any] = []

    def enough(event: Any) -> bool:
        if isinstance(event, kind):
            found.append(event)
        return len(found) == count

    await client.until(enough)
    return found


def count_all_as_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all that a client is told charged to its address."""
    for module in (frame_socket, output):
        monkeypatch.setattr(module, "DEAR_SECONDS", -1.0)


async def test_messages_and_what_a_client_is_told_are_charged_to_its_address_whatever_comes_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count_all_as_dear(monkeypatch)
    spent, spend = Counter[Address](), Address.spend

    def note(address: Address, seconds: float) -> None:
        spent[address] += 1
        spend(address, seconds)

    monkeypatch.setattr(Address, "spend", note)
    async with flooded() as (running, _, flooder):
        address = running.hub.addresses.of(FLOODER)
        before = spent[address]
        await flooder.send(encode(Ping(1)))
        await flooder.until(lambda event: isinstance(event, Pong))
        assert spent[address] >= before + 2
        refused = await flooder.subscribe(1, "notes:on_board", {"board": [0.5] * 1_000})
        assert refused.code == "invalid_arguments"


async def test_what_it_takes_to_parse_frames_is_charged_to_their_address(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, spent, spend = itertools.count(), defaultdict[Address, float](float), Address.spend
    monkeypatch.setattr("synovia.http.protocol.clock", lambda: 0.01 * next(ticks))
    for other in (charges, frame_socket, output):  # what else is charged takes no time here
        monkeypatch.setattr(other, "clock", lambda: 0.0)

    def note(address: Address, seconds: float) -> None:
        spent[address] += seconds
        spend(address, seconds)

    monkeypatch.setattr(Address, "spend", note)
    async with flooded() as (running, _, flooder):
        address = running.hub.addresses.of(FLOODER)
        await flooder.send(encode(Ping(1)))  # answered behind all that came before
        await flooder.until(lambda event: event == Pong(1))
        before = spent[address]
        await flooder.send(encode(Ping(2)))
        await flooder.until(lambda event: event == Pong(2))
        assert spent[address] - before == pytest.approx(0.01)


async def test_who_has_had_much_computed_is_brought_up_to_date_in_turn_and_misses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count_all_as_dear(monkeypatch)
    monkeypatch.setattr(Address, "has_much", property(lambda address: address.connections == 1))
    async with flooded() as (_, healthy, flooder):
        await flooder.subscribe(1, *QUERY)
        for number in range(5):
            await healthy.mutate("notes:post", {"board": "a", "text": f"note {number}"})
        assert (await flooder.mutate("notes:post", {"board": "a", "text": "its own"})).error is None
        assert flooder.session.held[1].value[-1]["text"] == "its own"


async def test_a_flood_of_messages_that_have_no_answer_ends_the_connection() -> None:
    async with flooded(max_messages_per_second=50) as (running, _, flooder):
        pouring = asyncio.create_task(pour(flooder, lambda: encode(Ping(1))))
        fatal, closed_with = await flooder.end()
        assert (fatal.error.code, closed_with) == ("rate_limited", 4429)
        assert fatal.retry_after is not None
        assert 0 < fatal.retry_after <= 10
        assert fatal.error.data == {"retryAfter": pytest.approx(fatal.retry_after, abs=0.001)}
        await pouring
        await until(lambda: len(running.hub) == 1)


async def test_calls_beyond_the_rate_are_refused_one_by_one_and_are_not_run() -> None:
    async with flooded(max_messages_per_second=20, max_actions=100) as (_, _, flooder):
        started = fresh_board().started
        calls = [await flooder.act("notes:long_text", {"length": 1}) for _ in range(60)]
        answers = await events(flooder, ActionResponse, len(calls))
        codes = Counter(None if each.error is None else each.error.code for each in answers)
        assert codes.keys() == {None, "rate_limited"}
        assert 35 <= codes[None] < 60
        refused = next(each for each in answers if each.error is not None)
        assert 0 < refused.error.data["retryAfter"] < 2
        assert started == []


async def test_mutations_beyond_the_rate_are_slowed_down_and_all_run_in_their_order() -> None:
    async with flooded(max_messages_per_second=300) as (_, _, flooder):
        started = fresh_board().started
        frames = [flooder.mutation("notes:post", {"board": "b", "text": str(number)}) for number in range(250)]
        await flooder.send(*[frame for _, frame in frames])
        for number, _ in frames:
            assert (await flooder.response(number)).error is None
        assert started == [str(number) for number in range(250)]


@pytest.mark.slow
async def test_a_flood_of_bytes_is_not_read_faster_than_it_may_come() -> None:
    async with flooded(max_bytes_per_second=200_000) as (running, _, flooder):
        text = "x" * 100_000
        frames = [flooder.mutation("notes:post", {"board": "b", "text": text}) for _ in range(8)]
        await flooder.send(*[frame for _, frame in frames])
        conversation = running.hub.conversations[1]
        for number, _ in frames:
            assert conversation.waiting_mutations <= 4
            assert (await flooder.response(number)).error is None
        numbers, args = itertools.count(100), {"length": 1, "junk": "x" * 400_000}
        call = lambda: flooder.session.action(next(numbers), "notes:long_text", args)  # noqa: E731
        pouring = asyncio.create_task(pour(flooder, call))
        fatal, closed_with = await flooder.end()
        assert (fatal.error.code, closed_with) == ("rate_limited", 4429)
        await pouring


async def test_subscriptions_are_limited_for_an_address_across_its_connections() -> None:
    async with flooded(max_subscriptions_per_address=3) as (running, _, flooder):
        async with client_of(running, local_addr=(FLOODER, 0)) as second:
            for client, numbers in ((flooder, (1, 2)), (second, (1,))):
                for number in numbers:
                    assert isinstance(await client.subscribe(number, *QUERY), list)
            assert (await second.subscribe(2, *QUERY)).code == "limit_exceeded"
            assert (await flooder.subscribe(3, *QUERY)).code == "limit_exceeded"
            await flooder.send(flooder.session.modify(remove=[1]))
            assert isinstance(await second.subscribe(3, *QUERY), list)
        await until(lambda: running.hub.addresses.of(FLOODER).subscriptions == 1)


async def test_a_subscription_with_large_arguments_counts_as_several() -> None:
    large = {"board": "x" * 81_000}  # counts as 20
    async with flooded(max_subscriptions=50) as (running, _, flooder):
        for number, board in enumerate(("a", "b"), 1):
            assert await flooder.subscribe(number, "notes:on_board", {"board": board + large["board"]}) == []
        assert (await flooder.subscribe(3, "notes:on_board", large)).code == "limit_exceeded"
        assert await flooder.subscribe(4, "notes:on_board", {"board": "small"}) == []
        assert running.hub.addresses.of(FLOODER).subscriptions == 41
        await flooder.send(flooder.session.modify(remove=[1]))
        assert await flooder.subscribe(5, "notes:on_board", large) == []


async def test_a_flood_of_subscriptions_is_refused_and_slowed_down() -> None:
    limits = {"max_subscriptions": 20, "max_messages_per_second": 200}
    async with flooded(**limits) as (running, _, flooder):
        adds = [QueryAdd(number, "notes:on_board", {"board": str(number)}) for number in range(1, 301)]
        await flooder.send(flooder.session.modify(adds), encode(Ping(1)))
        refused = await events(flooder, QueryErrored, 280)
        assert {each.error.code for each in refused} == {"limit_exceeded"}
        assert running.hub.addresses.of(FLOODER).subscriptions == 20


async def test_tokens_are_verified_so_often_and_no_oftener() -> None:
    async with flooded(max_authentications_per_minute=5) as (_, _, flooder):
        await flooder.send(*[flooder.session.authenticate(f"dev:a{number}@example.org") for number in range(8)])
        refused = await events(flooder, AuthError, 3)
        assert {each.error.code for each in refused} == {"rate_limited"}
        assert 0 < refused[0].error.data["retryAfter"] <= 12
        assert await flooder.subscribe(1, "notes:who_am_i") is None


async def test_tokens_to_verify_are_counted_for_an_address_too() -> None:
    async with flooded(max_authentications_per_minute_per_address=2) as (running, _, flooder):
        await flooder.send(*[flooder.session.authenticate("dev:a@example.org") for _ in range(2)])
        async with client_of(running, local_addr=(FLOODER, 0)) as second:
            await flooder.subscribe(1, "notes:who_am_i")
            await second.send(second.session.authenticate("dev:b@example.org"))
            refused = await second.until(lambda event: isinstance(event, AuthError))
            assert refused.error.code == "rate_limited"


async def test_running_functions_are_limited_for_an_address() -> None:
    async with flooded(max_running_per_address=2) as (running, healthy, flooder):
        notes = fresh_board()
        async with client_of(running, local_addr=(FLOODER, 0)) as second:
            waiting = [(each, await each.act("notes:wait")) for each in (flooder, second)]
            await until(lambda: len(notes.started) == 2)
            refused: ActionResponse = await second.response(await second.act("notes:wait"))
            assert refused.error is not None
            assert refused.error.code == "limit_exceeded"
            number, frame = second.mutation("notes:post", {"board": "b", "text": "waits"})
            await second.send(frame)
            await still_works(healthy)
            assert "waits" not in notes.started
            notes.gate.set()
            for client, call in waiting:
                assert (await client.response(call)).error is None
            assert (await second.response(number)).error is None


async def test_unfinished_uploads_are_limited_for_an_address() -> None:
    samples = np.random.default_rng(1).normal(size=100_000)
    async with flooded(max_upload_bytes_per_address=1_500_000) as (running, _, flooder):
        frames = list(flooder.session.upload(samples, ref_of(samples)))
        await flooder.send(*frames[:-1])
        address = running.hub.addresses.of(FLOODER)
        await until(lambda: address.upload_bytes == 256 * 1024 * 3)
        async with client_of(running, local_addr=(FLOODER, 0)) as second:
            other = samples + 1
            await second.send(*list(second.session.upload(other, ref_of(other)))[:-1])
            fatal, closed_with = await second.end()
            assert (fatal.error.code, closed_with) == ("limit_exceeded", 4413)
        await flooder.send(frames[-1])
        await until(lambda: address.upload_bytes == 0)


async def test_samples_without_signing_in_are_limited_for_an_address() -> None:
    samples = np.random.default_rng(1).normal(size=100_000)
    async with flooded(max_anonymous_upload_bytes_per_hour=1_000_000) as (running, _, flooder):
        await flooder.send(*flooder.session.upload(samples, ref_of(samples)))
        async with client_of(running, local_addr=(FLOODER, 0)) as second:
            await second.send(*second.session.upload(samples + 1, ref_of(samples + 1)))
            fatal, closed_with = await second.end()
            assert (fatal.error.code, closed_with) == ("limit_exceeded", 4413)
        async with client_of(running, local_addr=(FLOODER, 0)) as third:
            await third.send(third.session.authenticate("dev:anna@example.org"))
            await third.until(lambda event: isinstance(event, Authenticated))
            await third.send(*third.session.upload(samples + 2, ref_of(samples + 2)))
            assert isinstance(await third.subscribe(1, *QUERY), list)


async def test_connections_of_an_address_are_limited() -> None:
    async with flooded(max_connections_per_address=3) as (running, _, _), AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(client_of(running, local_addr=(FLOODER, 0)))
        refused = await request_upgrade(running, source=FLOODER)
        assert (refused.status, refused.headers["retry-after"]) == (429, "10")
        assert b"limit_exceeded" in refused.body
        await stack.aclose()
        await until(lambda: running.hub.addresses.of(FLOODER).connections == 1)
        assert (await request_upgrade(running, source=FLOODER)).status == 101


async def test_sockets_of_one_address_that_come_all_at_once_are_let_in_as_long_as_there_are_places() -> None:
    """A clinic behind one address after a restart: more than the HTTP connections an address may have."""
    async with serving() as running:
        clinic = [request_upgrade(running, source=FLOODER) for _ in range(200)]
        assert Counter(each.status for each in await asyncio.gather(*clinic)) == {101: 200}
        address = running.hub.addresses.of(FLOODER)
        await until(lambda: address.connections == address.visitors == 0)
    async with (
        serving(max_connections_per_address=20, max_requests_per_address=5) as running,
        AsyncExitStack() as stack,
    ):
        for _ in range(20):
            await stack.enter_async_context(client_of(running, local_addr=(FLOODER, 0)))
        assert (await request_upgrade(running, source=FLOODER)).status == 429, "and no longer"


async def test_handshakes_of_an_address_in_debt_wait_for_their_turn() -> None:
    async with flooded(max_messages_per_second_per_address=40) as (running, _, _):
        statuses = await asyncio.gather(*(request_upgrade(running, source=FLOODER) for _ in range(12)))
        assert {each.status for each in statuses} == {101}
        assert running.hub.addresses.of(FLOODER).arriving == 0


async def test_handshakes_and_requests_count_as_messages_do() -> None:
    async with flooded(max_messages_per_second_per_address=40) as (running, _, flooder):
        running.hub.addresses.of(FLOODER).meter.take(1_000, 0, time.monotonic())
        assert (await request_upgrade(running, source=FLOODER)).status == 429, "it would wait for too long"
        assert (await ask(running, source=FLOODER)).status == 429
        refused = await flooder.response(await flooder.act("notes:long_text", {"length": 1}))
        assert refused.error.code == "rate_limited"


@pytest.mark.slow
async def test_what_is_kept_of_addresses_is_bounded() -> None:
    async with flooded() as (running, _, flooder):
        kept = running.hub.addresses
        for number in range(12_000):
            digits = hashlib.sha256(str(number).encode()).hexdigest()
            kept.of(f"2001:db8:{digits[:4]}:{digits[4:8]}::{digits[8:12]}").meter.take(1e9, 0, 0)
        assert len(kept) <= 10_000
        assert kept.of(FLOODER).connections == 1
        assert isinstance(await flooder.subscribe(1, *QUERY), list)
