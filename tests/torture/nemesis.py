"""What goes wrong, drawn from a seed: processes are killed and paused, sockets cut and stalled, primaries deposed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from helpers.mongod import Mongod, ReplicaSet
from torture.history import History
from torture.processes import HubProcess
from torture.proxy import Direction, Proxy

Fault = Callable[[], Awaitable[None]]
_PATIENCE = 40.0


class Nemesis:
    """Makes one fault after the other, and mends everything in the end.

    Args:
        replica_set: None for a store without processes of its own.
        faults: The kinds to choose from; all that apply by default.
        troubled: The hubs' commits go wrong, see ``trouble``: then they can be killed amid them, too.
    """

    def __init__(
        self,
        history: History,
        hubs: Sequence[HubProcess],
        proxies: Sequence[Proxy],
        replica_set: ReplicaSet | None,
        seed: int,
        faults: Sequence[str] | None = None,
        *,
        troubled: bool = False,
    ) -> None:
        self._history = history
        self._hubs = hubs
        self._proxies = proxies
        self._replica_set = replica_set
        self._random = random.Random(seed)
        every: dict[str, Fault] = {
            "hub killed": self._kill_hub,
            "all hubs killed": self._kill_hubs,
            "hub restarted": self._restart_hub,
            "hub paused": self._pause_hub,
            "socket cut in a frame": self._cut,
            "all sockets cut in a frame": self._cut_all,
            "socket stalled": self._stall,
        }
        if troubled:
            every["hub killed amid a commit"] = self._kill_amid_commit
        if replica_set is not None:
            every |= {
                "primary killed": self._kill_primary,
                "primary stepped down": self._step_down,
                "mongod paused": self._pause_mongod,
                "database frozen": self._freeze_database,
            }
        self._faults = {kind: every[kind] for kind in (faults or every)}
        self.made_each = asyncio.Event()

    async def rage(self, stopping: asyncio.Event) -> None:
        """Make each kind of fault once, and then any of them until it is time to stop."""
        kinds = list(self._faults)
        self._random.shuffle(kinds)
        while not stopping.is_set():
            kind = kinds.pop() if kinds else self._random.choice(list(self._faults))
            await self._faults[kind]()
            self._history.faults[kind] += 1
            if not kinds:
                self.made_each.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._random.uniform(0.2, 1.0))

    async def mend(self) -> None:
        """Bring everything back, and wait until it works."""
        for proxy in self._proxies:
            proxy.resume()
        for hub in self._hubs:
            hub.resume()
        for member in self._replica_set.members if self._replica_set else ():
            if member.process is None:
                await asyncio.to_thread(member.start)
            else:
                member.process.send_signal(signal.SIGCONT)
        if self._replica_set is not None:
            await self._primary()
        await asyncio.gather(*(hub.start() for hub in self._hubs))

    # --- hubs and sockets

    async def _kill_hub(self) -> None:
        hub = self._random.choice(self._hubs)
        hub.kill()
        await self._wait(0.0, 1.0)
        await hub.start()

    async def _kill_amid_commit(self) -> None:
        hub = self._random.choice(self._hubs)
        await asyncio.to_thread(hub.kill_amid_commit, 3.0)
        await hub.start()

    async def _kill_hubs(self) -> None:
        for hub in self._hubs:
            hub.kill()
        await asyncio.gather(*(hub.start() for hub in self._hubs))

    async def _restart_hub(self) -> None:
        hub = self._random.choice(self._hubs)
        await asyncio.to_thread(hub.stop)
        await hub.start()

    async def _pause_hub(self) -> None:
        hub = self._random.choice(self._hubs)
        hub.pause()
        await self._wait(0.2, 3.0)
        hub.resume()

    async def _cut(self) -> None:
        for proxy in self._random.sample(list(self._proxies), max(1, len(self._proxies) // 3)):
            proxy.cut(self._random.choice(list(Direction)))

    async def _cut_all(self) -> None:
        for proxy in self._proxies:
            proxy.cut(Direction.DOWN)

    async def _stall(self) -> None:
        stalled = self._random.sample(list(self._proxies), max(1, len(self._proxies) // 3))
        for proxy in stalled:
            proxy.stall()
        await self._wait(0.2, 3.0)
        for proxy in stalled:
            proxy.resume()

    # --- the database

    async def _kill_primary(self) -> None:
        primary = await self._primary()
        await asyncio.to_thread(primary.stop, kill=True)
        await self._wait(0.0, 2.0)
        await asyncio.to_thread(primary.start)

    async def _step_down(self) -> None:
        primary = await self._primary()
        command = {"replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 2, "force": True}
        with contextlib.suppress(PyMongoError):  # another election may be under way already
            await asyncio.to_thread(admin, primary, command)

    async def _pause_mongod(self) -> None:
        assert self._replica_set is not None
        member = self._random.choice(self._replica_set.members)
        if member.process is not None:
            member.process.send_signal(signal.SIGSTOP)
            await self._wait(0.2, 4.0)
            member.process.send_signal(signal.SIGCONT)

    async def _freeze_database(self) -> None:
        """Stop all members with their sockets open, until every hub has said that it is not well, and a while longer; then
        every hub has to become well again, and people act for a moment."""
        assert self._replica_set is not None
        frozen = [member.process for member in self._replica_set.members if member.process is not None]
        for process in frozen:
            process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.gather(*map(_until_it_complains, self._hubs))
            await self._wait(0.0, 5.0)
        finally:
            for process in frozen:
                process.send_signal(signal.SIGCONT)
        await asyncio.gather(*(hub.start() for hub in self._hubs))
        await self._wait(1.0, 3.0)

    async def _primary(self) -> Mongod:
        assert self._replica_set is not None
        return await primary_of(self._replica_set)

    async def _wait(self, least: float, most: float) -> None:
        await asyncio.sleep(self._random.uniform(least, most))


async def _until_it_complains(hub: HubProcess) -> None:
    """Wait until the health of a hub is not that of one with a database."""
    async with asyncio.timeout(_PATIENCE):
        while (health := await hub.health()) is not None and health["status"] == "ok":  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def admin(member: Mongod, command: dict[str, Any]) -> dict[str, Any]:
    """Run a command on one member, whatever its state."""
    options: dict[str, Any] = {"directConnection": True, "serverSelectionTimeoutMS": 1000, "socketTimeoutMS": 5000}
    with MongoClient[dict[str, Any]](member.address, **options) as client:
        return dict(client.admin.command(command))


async def primary_of(replica_set: ReplicaSet) -> Mongod:
    """Wait until there is a primary, and give it."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            for member in replica_set.members:
                with contextlib.suppress(PyMongoError):
                    if (await asyncio.to_thread(admin, member, {"hello": 1})).get("isWritablePrimary"):
                        return member
            await asyncio.sleep(0.1)
