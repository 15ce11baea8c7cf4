"""Many attacks beside one healthy client, with an eye on the hub's memory."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.patience import PATIENCE
from synovia_client import Client, Subscription, Timeouts
from synovia_protocol.errors import CloseCode
from torture.fuzz.attack import Attack, NoAnswer, carry_out, make_attack
from torture.history import History
from torture.processes import HubProcess, running_hubs
from torture.workload import Scale, prepare

MIB = 1 << 20
PARTS = 4


@dataclass(slots=True)
class Outcome:
    """What came of a campaign.

    Attributes:
        codes: How often connections were closed with which code; 0: without one.
        faults: What the hub should not have done.
        memory: Resident bytes of the hub after each of four parts, while nobody attacks.
        ended: How many attacks have come to their end.
        overtaken: The most of them that did while the healthy client waited for one answer.
        slowest: The longest that it waited, in seconds; that depends on the machine.
    """

    seed: int
    frames: int = 0
    connections: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    answers: int = 0
    ended: int = 0
    overtaken: int = 0
    slowest: float = 0.0

    @property
    def growth(self) -> int:
        """How much the hub has grown since it was warm, in bytes: from the first part's end to the last one's."""
        return self.memory[-1] - self.memory[0]

    def __str__(self) -> str:
        codes = ", ".join(f"{code or 'none'} {count}" for code, count in sorted(self.codes.items()))
        memory = f"{self.memory[0] / MIB:.1f} to {self.memory[-1] / MIB:.1f} MiB" if self.memory else "unknown"
        return (
            f"seed {self.seed}: {self.frames} frames on {self.connections} connections, closed with: {codes}\n"
            f"  the hub's memory: {memory}; the healthy client: {self.answers} answers,"
            f" {self.overtaken} attacks beside one at most, the slowest {self.slowest:.2f} s\n"
            f"  faults = {len(self.faults)}" + "".join(f"\n    {fault}" for fault in self.faults[:10])
        )


class Campaign:
    """Attacks one hub from several sides at once."""

    def __init__(self, hub: HubProcess, seed: int, frames: int, *, attackers: int = 12) -> None:
        self._hub = hub
        self._frames = frames
        self._attackers = attackers
        self._next = seed << 32
        self.outcome = Outcome(seed)

    async def run(self) -> Outcome:
        """Attack until so many frames have been sent."""
        stopping = asyncio.Event()
        async with (
            Client(self._hub.url, timeouts=Timeouts(request=PATIENCE), proxy=None) as client,
            client.subscribe("counters:all_of_them") as subscription,
        ):
            healthy = asyncio.create_task(self._live_healthily(client, subscription, stopping))
            for part in range(1, PARTS + 1):
                async with asyncio.TaskGroup() as attackers:
                    for _ in range(self._attackers):
                        attackers.create_task(self._attack(self._frames * part // PARTS))
                self.outcome.memory.append(self._hub.memory())
            stopping.set()
            await healthy
        return self.outcome

    async def _attack(self, frames: int) -> None:
        outcome = self.outcome
        while outcome.frames < frames and len(outcome.faults) < 20:
            self._next += 1
            attack = make_attack(self._next)
            outcome.frames += attack.frames
            outcome.connections += 1
            await self._carry_out(attack, self._next)
            outcome.ended += 1

    async def _carry_out(self, attack: Attack, number: int) -> None:
        try:
            code = await carry_out(attack, self._hub.port)
        except (OSError, NoAnswer) as error:
            self.outcome.faults.append(f"attack {number}: {error!r}")
            return
        self.outcome.codes[code or 0] += 1
        if code == CloseCode.SERVER_ERROR or attack.expected not in (None, code):
            last = attack.told[-1][:60] if attack.told else b""
            self.outcome.faults.append(
                f"attack {number}: closed with {code}, not {attack.expected}; the last frame: {last!r}"
            )

    async def _live_healthily(self, client: Client, shown: Subscription[Any], stopping: asyncio.Event) -> None:
        """Do what users do; every answer has to come, be right and be shown, on the one connection."""
        link = None
        while not stopping.is_set():
            began, ended = time.monotonic(), self.outcome.ended
            value = await client.mutation("counters:increment", {"name": "healthy"})
            self.outcome.slowest = max(self.outcome.slowest, time.monotonic() - began)
            self.outcome.overtaken = max(self.outcome.overtaken, self.outcome.ended - ended)
            self.outcome.answers += 1
            held = shown.value["healthy"]
            if not value == held == self.outcome.answers:
                self.outcome.faults.append(f"the healthy client was told {value} and shown {held}")
            link = link or client._loop.link
            if client._loop.link is not link:
                self.outcome.faults.append(f"the healthy client lost its connection: {client.trouble}")
                link = client._loop.link
            await asyncio.sleep(0.02)


@asynccontextmanager
async def fuzzed_hub(directory: Path) -> AsyncIterator[HubProcess]:
    """Run a hub to attack, on a database in a file."""
    hub = HubProcess(f"sqlite:///{directory / 'fuzz.sqlite'}", directory / "hub.log", TORTURE_KEEP_LITTLE="1")
    async with running_hubs(hub):
        await prepare(hub.url, Scale(), History())
        yield hub
