"""A hundred clients that do not read while commits arrive for them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from synovia_client import Client, Timeouts
from synovia_protocol import codec
from synovia_protocol import messages as m
from synovia_protocol.client_session import ClientSession
from synovia_protocol.errors import CloseCode
from torture.fuzz.attack import CLOSE, HANDSHAKE, websocket_frame
from torture.hub import APP
from torture.processes import HubProcess, running_hubs

CLIENTS = 100
LENGTH = 20_000
COMMITS = 200
MIB = 1 << 20


class Sleeper:
    """A client that reads nothing until it wakes; its socket's buffer is small."""

    def __init__(self) -> None:
        self.session = ClientSession(bytes(16))
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)
        self.transitions = 0
        self.closed_with: int | None = None
        self._received = b""

    async def fall_asleep(self, port: int) -> None:
        """Subscribe, read the first result, and read no more."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", port))
        await loop.sock_sendall(self.socket, HANDSHAKE)
        while b"\r\n\r\n" not in self._received:
            self._received += await loop.sock_recv(self.socket, 1024)
        self._received = self._received.partition(b"\r\n\r\n")[2]
        frames = [self.session.connect(), self.session.modify([m.QueryAdd(1, "texts:of", {"name": "t"})])]
        await loop.sock_sendall(self.socket, b"".join(map(websocket_frame, frames)))
        while 1 not in self.session.held:
            await self._read()

    async def ping(self) -> None:
        """Show that it is there: it only does not read."""
        await asyncio.get_running_loop().sock_sendall(self.socket, websocket_frame(codec.encode(m.Ping(1))))

    async def wake(self, until: str | None) -> None:
        """Read until the text is ``until``, or until the hub's closing frame."""
        while self.closed_with is None and (until is None or self.text != until):
            await self._read()

    @property
    def text(self) -> Any:
        held = self.session.held.get(1)
        return None if held is None else held.value

    async def _read(self) -> None:
        received = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
        if not received:
            raise ConnectionError("the hub has gone")
        self._received += received
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == CLOSE:
                self.closed_with = int.from_bytes(payload[:2], "big")
                return
            before = self.session.ts
            self.session.receive(payload)
            self.transitions += self.session.ts != before

    def _next_frame(self) -> tuple[int, bytes] | None:
        data = self._received
        if len(data) < 2:
            return None
        size, start = data[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        self._received = data[start + size :]
        return data[0] & 0xF, data[start : start + size]


@asynccontextmanager
async def sleeping(hub: HubProcess) -> AsyncIterator[list[Sleeper]]:
    sleepers = [Sleeper() for _ in range(CLIENTS)]
    async with AsyncExitStack() as stack:
        for sleeper in sleepers:
            stack.callback(sleeper.socket.close)
        for sleeper in sleepers:
            await sleeper.fall_asleep(hub.port)
        yield sleepers


@asynccontextmanager
async def running(directory: Path, stall_timeout: float) -> AsyncIterator[HubProcess]:
    limits = {"SYNOVIA_LIMITS_STALL_TIMEOUT": str(stall_timeout), "SYNOVIA_LIMITS_IDLE_TIMEOUT": "60"}
    hub = HubProcess(f"sqlite:///{directory / 'stalled.sqlite'}", directory / "hub.log", None, APP, **limits)
    async with running_hubs(hub):
        yield hub


@asynccontextmanager
async def awake(hub: HubProcess) -> AsyncIterator[tuple[Client, Any]]:
    """A healthy client that holds the same text."""
    async with Client(hub.url, timeouts=Timeouts(request=20), proxy=None) as client:
        await client.mutation("texts:write", {"name": "t", "letter": "a", "length": LENGTH})
        async with client.subscribe("texts:of", {"name": "t"}) as shown:
            yield client, shown


async def write(client: Client, shown: Any, seconds: float, least: int = 0) -> tuple[int, str]:
    """Change the text again and again, and see each change on the healthy client; give how often, and the last text."""
    began, times = time.monotonic(), 0
    while times < least or time.monotonic() - began < seconds:
        letter = chr(ord("a") + times % 26)
        await client.mutation("texts:write", {"name": "t", "letter": letter, "length": LENGTH + times % 7})
        assert shown.value == letter * (LENGTH + times % 7)
        times += 1
    return times, shown.value


async def connections(hub: HubProcess) -> int:
    health = await hub.health()
    assert health is not None
    return int(health["connections"])


async def growth(hub: HubProcess, client: Client, shown: Any) -> int:
    """Tell by how many bytes so many commits make the hub grow: what it keeps of the log, and what waits for clients."""
    before = hub.memory()
    await write(client, shown, 0, least=COMMITS)
    return hub.memory() - before


async def end_of(sleeper: Sleeper) -> int | None:
    """Read to the end; give the code of the closing frame, or None if it was not read while the hub waited for that."""
    with suppress(ConnectionError):
        await sleeper.wake(None)
    return sleeper.closed_with


async def test_what_the_hub_holds_for_stalled_clients_is_little_and_it_lets_go_of_them(tmp_path: Path) -> None:
    async with running(tmp_path, stall_timeout=2.0) as hub, awake(hub) as (client, shown):
        without = await growth(hub, client, shown)
        async with sleeping(hub) as sleepers:
            with_them = await growth(hub, client, shown)
            print(
                f"\n{COMMITS} commits: the hub grew by {with_them / MIB:.1f} MiB, without them {without / MIB:.1f} MiB"
            )
            assert with_them - without < 24 * MIB  # what was not read is fifty times as much
            async with asyncio.timeout(30):
                while await connections(hub) > 1:
                    await write(client, shown, 0.2)
            async with asyncio.timeout(20):
                ends = await asyncio.gather(*(end_of(sleeper) for sleeper in sleepers))
            assert set(ends) <= {CloseCode.TOO_SLOW, None}
            await write(client, shown, 0.2)


async def test_who_reads_again_in_time_is_brought_to_the_newest_state_in_few_steps(tmp_path: Path) -> None:
    async with running(tmp_path, stall_timeout=30.0) as hub, awake(hub) as (client, shown), sleeping(hub) as sleepers:
        times, newest = await write(client, shown, 1.0, least=200)
        before = [sleeper.transitions for sleeper in sleepers]
        async with asyncio.timeout(20):
            await asyncio.gather(*(sleeper.wake(newest) for sleeper in sleepers))
        assert {sleeper.closed_with for sleeper in sleepers} == {None}
        steps = [sleeper.transitions - earlier for sleeper, earlier in zip(sleepers, before, strict=True)]
        print(f"\n{times} commits while {CLIENTS} clients slept; they were told of them in {max(steps)} steps at most")
        assert max(steps) < times / 2
