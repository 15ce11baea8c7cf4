"""``synovia serve --workers``: real processes on a real MongoDB."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from helpers import forked_commands
from helpers.forked_commands import SYNOVIA, PipedCommand
from helpers.mongod import drop_database
from helpers.patience import PATIENCE
from synovia_client import Backoff, Client

pytestmark = [pytest.mark.slow, pytest.mark.same_tables]

TESTS = Path(__file__).parents[1]
POSTS = TESTS / "apps" / "posts.py"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("SYNOVIA_")} | {"COLUMNS": "200"}
QUICK = {"SYNOVIA_LIMITS_RETRY_SPREAD": "0.2", "SYNOVIA_LIMITS_DRAIN_TIMEOUT": "1"}


class Served:
    """A server of several processes."""

    def __init__(self, process: PipedCommand) -> None:
        self.process = process
        self.banner = self._banner()
        found = re.search(r"ws://127\.0\.0\.1:\d+", self.banner)
        assert found is not None, self.banner
        self.url = found[0]

    def _banner(self) -> str:
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("╰"):
                break
        return "".join(lines)

    def workers(self) -> set[int]:
        """Give the processes that the parent has started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, PATIENCE)


@contextmanager
def workers_of(uri: str, database: str, number: int, *, program: str = SYNOVIA, **environment: str) -> Iterator[Served]:
    arguments = ["serve", str(POSTS), "--port", "0", "--workers", str(number)]
    store = urlsplit(uri)._replace(path=f"/{database}").geturl()
    variables = {**ENVIRONMENT, **QUICK, **environment, "SYNOVIA_STORE": store, "PYTHONPATH": str(TESTS)}
    process = PipedCommand(program, arguments, variables)
    with process.stdout:
        try:
            yield Served(process)
        finally:
            process.terminate()
            process.stdout.read()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def two(mongodb_uri: str) -> Iterator[Served]:
    """Give a server of two processes, for tests after which it is as it was before."""
    database = f"test_{uuid4().hex[:12]}"
    with workers_of(mongodb_uri, database, 2) as served:
        yield served
    drop_database(mongodb_uri, database)


def client_of(served: Served) -> Client:
    return Client(served.url, proxy=None, backoff=Backoff(initial=0.05, maximum=0.5))


@asynccontextmanager
async def one_client_of_each(served: Served) -> AsyncIterator[dict[int, Client]]:
    """Connect until there is a client on every worker; the kernel chooses who gets which connection."""
    found: dict[int, Client] = {}
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        while len(found) < len(served.workers()):
            client = await stack.enter_async_context(client_of(served))
            found.setdefault(await client.query("posts:process"), client)
        yield found


@pytest.mark.mongodb
async def test_clients_of_different_workers_see_each_others_writes(two: Served) -> None:
    async with one_client_of_each(two) as clients, asyncio.timeout(PATIENCE):
        assert set(clients) == two.workers()
        assert len(clients) == 2
        for writer in clients.values():
            async with contextlib.AsyncExitStack() as stack:
                readers = [
                    await stack.enter_async_context(client.subscribe("posts:texts", {"wall": "seen"}))
                    for client in clients.values()
                ]
                text = f"from {id(writer)}"
                await writer.mutation("posts:post", {"wall": "seen", "text": text})
                for reader in readers:
                    async for texts in reader:
                        if text in texts:
                            break


@pytest.mark.mongodb
def test_an_address_that_others_share_is_refused(two: Served, mongodb_uri: str) -> None:
    port = two.url.rpartition(":")[2]
    ended = run(str(POSTS), "--store", f"{mongodb_uri}", "--workers", "2", "--port", port)
    assert ended.returncode == 3
    assert "another program listens" in ended.stderr


@pytest.mark.mongodb
async def test_killing_a_worker_loses_nothing_and_another_takes_its_place(two: Served) -> None:
    async with one_client_of_each(two) as clients, asyncio.timeout(PATIENCE):
        victim = min(two.workers())
        sent = {f"{pid} {number}" for pid in clients for number in range(40)}

        async def write(pid: int) -> None:
            for number in range(40):
                if number == 10 and pid == victim:
                    os.kill(victim, signal.SIGKILL)
                await clients[pid].mutation("posts:post", {"wall": "kept", "text": f"{pid} {number}"})

        await asyncio.gather(*map(write, clients))
        for client in clients.values():
            texts = await client.query("posts:texts", {"wall": "kept"})
            assert sorted(texts) == sorted(sent), "each exactly once"
        async with asyncio.timeout(PATIENCE):
            while victim in two.workers() or len(two.workers()) < 2:  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0.05)
        async with one_client_of_each(two) as later:
            assert victim not in later
            assert len(later) == 2


@pytest.mark.mongodb
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_all_and_running_mutations_are_finished(
    mongodb_uri: str, database_name: str, number: signal.Signals
) -> None:
    with workers_of(mongodb_uri, database_name, 2, SYNOVIA_LIMITS_DRAIN_TIMEOUT="10") as served:
        async with one_client_of_each(served) as clients, asyncio.timeout(PATIENCE):
            workers = served.workers()
            slow = [
                asyncio.create_task(
                    client.mutation("posts:post_slowly", {"wall": "a", "text": str(pid), "seconds": 1.0})
                )
                for pid, client in clients.items()
            ]
            for client in clients.values():
                await client.query("posts:texts", {"wall": "b"})  # answered after the mutation has begun
            served.process.send_signal(number)
            assert await served.ended() == 0
            assert not any(map(_runs, workers))
            assert all(isinstance(post_id, str) for post_id in await asyncio.gather(*slow))


@pytest.mark.mongodb
async def test_workers_do_not_outlive_their_parent(mongodb_uri: str, database_name: str) -> None:
    with workers_of(mongodb_uri, database_name, 2) as served:
        workers = served.workers()
        assert len(workers) == 2
        served.process.kill()
        async with asyncio.timeout(PATIENCE):
            while any(_runs(pid) for pid in workers):  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.mongodb
async def test_a_worker_that_hangs_is_ended_in_time(mongodb_uri: str, database_name: str) -> None:
    quick = {"SYNOVIA_LIMITS_DRAIN_TIMEOUT": "0.5", "SYNOVIA_LIMITS_FAREWELL_TIMEOUT": "0.5"}
    with workers_of(mongodb_uri, database_name, 2, program="cli.impatient", **quick) as served:
        os.kill(min(served.workers()), signal.SIGSTOP)
        served.process.send_signal(signal.SIGTERM)
        assert await served.ended() == 1


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return forked_commands.run(["serve", *arguments], ENVIRONMENT)


@pytest.mark.parametrize("store", ["sqlite://:memory:", "sqlite:///x.db"])
def test_an_embedded_store_is_refused(store: str) -> None:
    ended = run(str(POSTS), "--store", store, "--workers", "2")
    assert ended.returncode == 2
    assert "--workers needs MongoDB" in ended.stderr


def test_what_stops_one_from_starting_stops_all() -> None:
    away = "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=200&connectTimeoutMS=200"
    ended = run(str(POSTS), "--store", away, "--workers", "2", "--port", "0")
    assert ended.returncode == 4
    assert "error: the store:" in ended.stderr
