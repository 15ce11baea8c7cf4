from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from sync.serving import client_of, fresh_board, serving, socket_to, until
from synovia_protocol.messages import FatalError


async def test_running_mutations_finish_and_are_answered_before_everybody_is_sent_away() -> None:
    async with serving(retry_spread=4.0) as running, client_of(running) as worker, client_of(running) as idle:
        notes = fresh_board()
        await worker.subscribe(1, "notes:on_board", {"board": "a"})
        first, frame = worker.mutation("notes:post_when_open", {"board": "a", "text": "first"})
        second, next_frame = worker.mutation("notes:post", {"board": "a", "text": "second"})
        await worker.send(frame, next_frame)
        await until(lambda: notes.started == ["first"])
        stopping = asyncio.create_task(running.hub.stop())
        await until(lambda: running.hub.stopping)
        notes.gate.set()
        assert (await worker.response(first)).error is None
        assert [note["text"] for note in worker.session.held[1].value] == ["first"]
        fatal, closed_with = await worker.end()
        assert (fatal.error.code, closed_with) == ("stopping", 1001)
        assert fatal.retry_after is not None
        assert 0.2 <= fatal.retry_after <= 4.2
        assert (await idle.end())[1] == 1001
        await stopping
        assert notes.started == ["first"], "what had not begun is left to the next server"
        assert not any(getattr(event, "request_id", None) == second for event in worker.events)


async def test_a_request_that_does_not_finish_is_given_up() -> None:
    async with serving(drain_timeout=0.2) as running, client_of(running) as client:
        notes = fresh_board()
        _, frame = client.mutation("notes:post_when_open", {"board": "a", "text": "never"})
        await client.send(frame)
        await until(lambda: notes.started == ["never"])
        stopping = asyncio.create_task(running.hub.stop())
        fatal, _ = await client.end()
        await stopping
        assert fatal.error.code == "stopping"


async def test_a_client_that_takes_nothing_does_not_hold_the_stop_up() -> None:
    async with serving(farewell_timeout=0.2) as running, client_of(running, reads_ahead=False) as stalled:
        await stalled.subscribe(1, "notes:on_board", {"board": "a"})
        async with client_of(running) as writer:
            note_id = (await writer.mutate("notes:post", {"board": "a", "text": "first"})).result
            for number in range(60):
                text = f"{number:04d}" * 75_000
                await writer.mutate("notes:edit", {"noteId": note_id, "text": text})
        async with asyncio.timeout(5):
            await running.hub.stop()
        assert len(running.hub) == 0
        assert await stalled.until(lambda event: isinstance(event, FatalError))


async def test_a_server_that_is_stopping_takes_nobody_on() -> None:
    async with serving() as running:
        await running.hub.stop()
        with pytest.raises(InvalidStatus) as refused:
            async with socket_to(running.url):
                pass
        assert refused.value.response.status_code == 503


async def test_a_signal_sends_everybody_away_with_a_time_to_come_back() -> None:
    async with serving() as running, client_of(running) as client:
        running.server.should_exit = True
        fatal, closed_with = await client.end()
        assert (fatal.error.code, closed_with) == ("stopping", 1001)
