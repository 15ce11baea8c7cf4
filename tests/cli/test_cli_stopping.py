"""A stop by a signal, of a real process: what runs is finished, everybody is sent away, and it ends in time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from cli.command_line import Server, server
from helpers.forked_commands import SYNOVIA
from helpers.mongod import free_port
from helpers.patience import PATIENCE
from helpers.sync_server import Client, socket_to
from synovia_client import Backoff
from synovia_client import Client as FullClient
from synovia_protocol.client_session import ClientSession

POSTS = Path(__file__).parents[1] / "apps" / "posts.py"


@contextmanager
def server_of(store: Path, port: int = 0, program: str = SYNOVIA, **limits: float) -> Iterator[tuple[Server, str]]:
    """Run a server; give the process and its address."""
    named = {f"SYNOVIA_LIMITS_{name.upper()}": str(value) for name, value in limits.items()}
    address = {"SYNOVIA_STORE": f"sqlite:///{store}"}
    with server("serve", str(POSTS), "--port", str(port), program=program, **named, **address) as process:
        try:
            yield process, process.url()
        finally:
            process.kill()


STILL_RUNNING = 0.5
"""So many seconds a mutation goes on after the server has begun to stop; it waits half as long for what is on its way."""


async def begun_to_stop(url: str, note: Path) -> None:
    """Wait until a server takes nobody any more, however long its signal needs, and then let go on what waits for that."""
    port = urlsplit(url).port
    with suppress(ConnectionRefusedError, ConnectionResetError):  # the latter if it stops at this very moment
        while True:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await asyncio.sleep(0.01)
    await asyncio.to_thread(note.touch)


async def ended(process: Server, seconds: float) -> int:
    return await asyncio.to_thread(process.wait, seconds)


async def test_a_signal_finishes_what_runs_and_spreads_the_clients_over_time(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        process, url = stack.enter_context(server_of(tmp_path / "x.db", retry_spread=4.0))
        clients = []
        for _ in range(8):
            socket = await stack.enter_async_context(socket_to(f"{url}/sync"))
            client = Client(socket, ClientSession(np.random.default_rng().bytes(16)))
            await client.send(client.session.connect("test"))
            await client.subscribe(1, "posts:texts", {"wall": "a"})
            clients.append(client)
        writer = clients[0]
        slow = {"wall": "a", "text": "running", "seconds": STILL_RUNNING, "after": str(tmp_path / "stopping")}
        running, frame = writer.mutation("posts:post_slowly", slow)
        waiting, next_frame = writer.mutation("posts:post", {"wall": "a", "text": "waiting"})
        await writer.send(frame, next_frame)
        await writer.subscribe(2, "posts:process")  # answered, so the mutation before it has begun
        process.send_signal(signal.SIGTERM)
        await begun_to_stop(url, tmp_path / "stopping")
        assert (await writer.response(running)).error is None
        assert writer.session.held[1].value == ["running"]
        waits: list[float] = []
        for client in clients:
            fatal, closed_with = await client.end()
            assert (fatal.error.code, closed_with) == ("stopping", 1001)
            waits.append(fatal.retry_after or 0.0)
        assert len(set(waits)) == len(waits)
        assert all(0.2 <= wait <= 4.2 for wait in waits)
        assert max(waits) - min(waits) > 0.3, "eight draws from four seconds"
        assert not any(getattr(event, "request_id", None) == waiting for event in writer.events)
        assert await ended(process, 5) == 0


async def test_a_terminal_that_goes_stops_a_server_cleanly(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        process, url = stack.enter_context(server_of(tmp_path / "x.db"))
        socket = await stack.enter_async_context(socket_to(f"{url}/sync"))
        client = Client(socket, ClientSession(np.random.default_rng().bytes(16)))
        await client.send(client.session.connect("test"))
        await client.subscribe(1, "posts:texts", {"wall": "a"})
        process.send_signal(signal.SIGHUP)
        fatal, closed_with = await client.end()
        assert (fatal.error.code, closed_with) == ("stopping", 1001)
        assert await ended(process, 5) == 0


@pytest.mark.slow
async def test_a_client_goes_on_at_the_next_server_as_if_nothing_had_happened(tmp_path: Path) -> None:
    port = free_port()
    async with asyncio.timeout(PATIENCE):
        with server_of(tmp_path / "x.db", port, retry_spread=0.1) as (process, url):
            client = FullClient(url, proxy=None, backoff=Backoff(0.05, 0.2))
            await client.open()
            slow = {"wall": "a", "seconds": STILL_RUNNING, "after": str(tmp_path / "stopping")}
            calls = [
                asyncio.create_task(client.mutation("posts:post", {"wall": "a", "text": "0"})),
                *(
                    asyncio.create_task(client.mutation("posts:post_slowly", {**slow, "text": str(number)}))
                    for number in range(1, 4)
                ),
            ]
            await calls[0]
            process.send_signal(signal.SIGTERM)
            await begun_to_stop(url, tmp_path / "stopping")
            assert await ended(process, 10) == 0
            assert not all(call.done() for call in calls), "those that had not begun are left to the next server"
        with server_of(tmp_path / "x.db", port):
            await asyncio.gather(*calls)
            assert sorted(await client.query("posts:texts", {"wall": "a"})) == [str(number) for number in range(4)]
            await client.close()


@pytest.mark.slow
async def test_a_function_that_holds_up_the_process_does_not_hold_up_its_end(tmp_path: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        with server_of(tmp_path / "x.db", program="cli.impatient", drain_timeout=0.5, farewell_timeout=0.5) as (
            process,
            url,
        ):
            async with socket_to(f"{url}/sync") as socket:
                client = Client(socket, ClientSession(np.random.default_rng().bytes(16)))
                await client.send(client.session.connect("test"))
                await client.subscribe(1, "posts:texts", {"wall": "a"})
                _, frame = client.mutation("posts:block", {"seconds": 600.0, "begun": str(tmp_path / "begun")})
                await client.send(frame)
                while not (tmp_path / "begun").exists():  # noqa: ASYNC110 (nothing else tells of it)
                    await asyncio.sleep(0.01)
                process.send_signal(signal.SIGTERM)
                assert await ended(process, PATIENCE) == 1
