from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest
import uvloop
from websockets.exceptions import InvalidStatus

from helpers.patience import PATIENCE
from helpers.sync_server import Running, client_of, fresh_board, serving, socket_to
from helpers.waiting import until
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
        await until(lambda: running.hub.requests.stopping)
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


@pytest.mark.slow
async def test_a_client_that_takes_nothing_does_not_hold_the_stop_up() -> None:
    async with (
        serving(farewell_timeout=0.2, stall_timeout=10 * PATIENCE) as running,  # nothing else lets it go
        client_of(running, reads_ahead=False) as stalled,
    ):
        await stalled.subscribe(1, "notes:on_board", {"board": "a"})
        async with client_of(running) as writer:
            note_id = (await writer.mutate("notes:post", {"board": "a", "text": "first"})).result
            for number in range(60):
                text = f"{number:04d}" * 75_000
                await writer.mutate("notes:edit", {"noteId": note_id, "text": text})
        async with asyncio.timeout(PATIENCE):
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


async def test_a_server_that_is_to_stop_says_so_to_load_balancers_and_serves_everybody_for_a_time() -> None:
    async with serving(shutdown_delay=600.0) as running:
        await until(lambda: running.server.started)
        running.server.should_exit = True
        await until(lambda: running.hub.draining)
        assert (await _answer(running, b"GET /health"))[0] == 503
        assert (await _answer(running, b"GET /health/live")) == (200, b"close")
        async with client_of(running) as client:
            running.server.handle_exit(signal.SIGINT, None)  # the second one: whoever sits there does not want to wait
            assert (await client.end())[0].error.code == "stopping"


async def test_what_a_proxy_sends_on_an_open_connection_as_the_server_stops_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synovia.cli.server._ARRIVAL_SECONDS", 600.0)
    async with serving() as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        await until(lambda: len(running.server._admission) == 1)
        running.server.should_exit = True
        await until(lambda: not any(each.is_serving() for each in running.server.servers))
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", running.port)
        assert await _asked(reader, writer, b"GET /health/live") == (200, b"close")


async def _answer(running: Running, request: bytes) -> tuple[int, bytes | None]:
    return await _asked(*await asyncio.open_connection("127.0.0.1", running.port), request)


async def _asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, bytes | None]:
    """Send a request, read to the end of the connection, and give the status and what the answer says of the connection."""
    writer.write(request + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        head, _, _ = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, *headers = head.split(b"\r\n")
    named = dict(line.lower().split(b": ", 1) for line in headers)
    return int(status.split()[1]), named.get(b"connection")


async def test_a_stop_is_noticed_at_once_and_not_at_the_next_look_at_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("_TICK_SECONDS", "_IDLE_SECONDS"):
        monkeypatch.setattr(f"synovia.cli.server.{seconds}", 3_600)
    async with serving() as running, client_of(running) as client:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()  # the loop waits for nothing but this
        assert (await client.end())[0].error.code == "stopping"


def test_who_went_unnoticed_is_neither_written_to_nor_in_the_way_of_a_stop(caplog: pytest.LogCaptureFixture) -> None:
    """The hub is busy with what a client has sent when the client goes; on uvloop, as it is served."""

    async def scene() -> None:
        serve = serving(max_messages_per_second=3, farewell_timeout=0.2)
        async with serve as running, client_of(running) as watching, client_of(running) as writer:
            await watching.subscribe(1, "notes:on_board", {"board": "a"})
            frames = [watching.mutation("notes:post", {"board": "b", "text": "x"})[1] for _ in range(30)]
            await watching.send(*frames)
            gone = next(each.socket for each in running.hub.conversations if each.connected)
            watching.socket.transport.abort()
            await until(lambda: gone._output.disconnected)
            assert len(running.hub) == 2, "the reader waits until it may go on, and does not know yet"
            await writer.mutate("notes:post", {"board": "a", "text": "is pushed to nobody"})
            await running.hub.stop()
            assert len(running.hub) == 0

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
