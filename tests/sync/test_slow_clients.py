from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from helpers.sync_server import Client, Running, client_of, serving
from helpers.waiting import until
from synovia.limits.addresses import Addresses
from synovia.limits.settings import HubLimits
from synovia.sync.backlog import Backlog
from synovia_protocol.errors import CloseCode
from synovia_protocol.events import TransitionApplied

TEXT = 300_000
EDITS = 60


async def edit_often(writer: Client) -> str:
    """Change a note by more than sockets can buffer; give its last text."""
    note_id = (await writer.mutate("notes:post", {"board": "a", "text": "first"})).result
    text = ""
    for number in range(EDITS):
        text = f"{number:04d}" * (TEXT // 4)
        assert (await writer.mutate("notes:edit", {"noteId": note_id, "text": text})).error is None
    return text


@pytest.mark.slow
async def test_a_slow_client_skips_to_the_newest_state_and_nobody_waits_for_it() -> None:
    async with (
        serving() as running,
        client_of(running) as writer,
        client_of(running) as reader,
        client_of(running, reads_ahead=False) as slow,
    ):
        for client in (reader, slow):
            await client.subscribe(1, "notes:on_board", {"board": "a"})
        following = asyncio.create_task(reader.until(is_at(reader, f"{EDITS - 1:04d}" * (TEXT // 4))))
        text = await edit_often(writer)
        await following
        assert waiting_bytes(running) == 0
        await slow.until(is_at(slow, text))
    assert len(transitions(reader)) > EDITS / 2
    assert 1 < len(transitions(slow)) < len(transitions(reader)) - 10


def is_at(client: Client, text: str) -> Callable[[object], bool]:
    def condition(event: object) -> bool:
        held = client.session.held.get(1)
        return held is not None and bool(held.value) and held.value[0]["text"] == text

    return condition


def transitions(client: Client) -> list[TransitionApplied]:
    return [event for event in client.events if isinstance(event, TransitionApplied)]


def waiting_bytes(running: Running) -> int:
    return sum(conversation.socket.outbox.waiting_bytes for conversation in running.hub.conversations)


@pytest.mark.slow
async def test_a_client_that_takes_nothing_is_let_go_and_told_so_when_it_wakes() -> None:
    async with serving(stall_timeout=0.4) as running, client_of(running) as writer:
        async with client_of(running, reads_ahead=False) as stalled:
            await stalled.subscribe(1, "notes:on_board", {"board": "a"})
            await edit_often(writer)
            await until(lambda: len(running.hub) == 1)
            fatal, closed_with = await stalled.end()
            assert (fatal.error.code, closed_with) == ("too_slow", CloseCode.TOO_SLOW)
            assert fatal.retry_after is not None
        assert (await writer.mutate("notes:post", {"board": "b", "text": "on"})).error is None


async def test_responses_that_nobody_takes_are_bounded() -> None:
    limits: dict[str, Any] = {"max_outbox_bytes": 500_000, "max_actions": 100}
    async with serving(**limits) as running, client_of(running, reads_ahead=False) as client:
        (conversation,) = running.hub.conversations
        outbox, most = conversation.socket.outbox, 0
        put = outbox.put

        def noting(frame: bytes) -> None:
            nonlocal most
            put(frame)
            most = max(most, outbox.waiting_bytes)

        outbox.put = noting
        for _ in range(60):
            await client.act("notes:long_text", {"length": 400_000})
        await until(lambda: conversation.socket.ending is not None)
        fatal, closed_with = await client.end()
    assert (fatal.error.code, closed_with) == ("too_slow", CloseCode.TOO_SLOW)
    assert 0 < most < 1_000_000


async def test_what_waits_for_all_clients_of_an_address_is_bounded_and_the_one_with_most_goes_first() -> None:
    limits: dict[str, Any] = {"max_outbox_bytes_per_address": 6_000_000, "max_actions": 100}
    async with serving(**limits) as running, client_of(running) as healthy, AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(client_of(running, reads_ahead=False)) for _ in range(6)]
        sockets = [conversation.socket for conversation in running.hub.conversations[1:]]
        backlog, most, too_much = running.hub.backlog, 0, 0
        note, let_go = backlog.note, backlog._let_go_largest

        def noting(*args: Any) -> None:
            nonlocal most
            note(*args)
            most = max(most, backlog.bytes)

        def letting_go(*args: Any) -> None:
            nonlocal too_much
            too_much = too_much or backlog.bytes
            let_go(*args)

        backlog.note, backlog._let_go_largest = noting, letting_go
        for client in slow[1:]:
            for _ in range(12):
                await client.act("notes:long_text", {"length": 400_000})
        for _ in range(40):
            await slow[0].act("notes:long_text", {"length": 400_000})
        await until(lambda: sockets[0].ending is not None)
        fatal, closed_with = await slow[0].end()
        assert (fatal.error.code, closed_with) == ("too_slow", CloseCode.TOO_SLOW)
        assert "this address" in fatal.error.message
        assert most <= 6_000_000 < too_much, "nobody is let go before that is too much, and then it is not any more"
        assert (await healthy.mutate("notes:post", {"board": "b", "text": "on"})).error is None
        for client in slow[1:]:
            client.socket.transport.abort()
        await until(lambda: backlog.bytes == 0)


def test_what_waits_at_one_hub_is_bounded_too() -> None:
    limits = HubLimits(max_outbox_bytes_of_all=10_000, max_outbox_bytes_per_address=8_000)
    addresses, backlog = Addresses(limits, lambda: 0.0), Backlog(limits)
    gone: list[str] = []

    class Waiting:
        def __init__(self, name: str) -> None:
            self.name = name

        def let_go(self, whose: str, most: int) -> None:
            gone.append(f"{self.name}: {most} of {whose}")

    here, there = addresses.of("10.0.0.1"), addresses.of("10.0.0.2")
    a, b, c = Waiting("a"), Waiting("b"), Waiting("c")
    backlog.note(a, here, 5_000)
    backlog.note(b, there, 4_000)
    backlog.note(a, here, 3_000)
    assert (gone, backlog.bytes_of(here), backlog.bytes) == ([], 3_000, 7_000)
    backlog.note(c, here, 4_500)
    assert gone == ["c: 10000 of this server"]
    backlog.note(c, here, 5_500)
    assert gone[1:] == ["c: 8000 of this address"]
    for each, where in ((a, here), (b, there), (c, here)):
        backlog.note(each, where, 0)
    assert backlog.bytes == 0
