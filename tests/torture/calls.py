"""``python -m torture.calls --calls 10000``: scheduled calls, while the hubs that run them are killed one after the other.

A mutation runs exactly once, an action with retries at least once, and none never. Exit code 1 if that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from helpers.mongod import ReplicaSet
from synovia_client import Backoff, Client, Timeouts
from torture.processes import TESTS, HubProcess, running_hubs
from torture.replicas import running_members
from torture.run import fresh_database

CLOCKWORK = TESTS / "apps" / "clockwork"
TIMEOUTS = Timeouts(connect=30, welcome=30, request=600)
BACKOFF = Backoff(initial=0.05, maximum=0.5)
AT_ONCE = 500
LONGEST_SECONDS = 900.0
"""So long after the last kill everything has run, on a machine however busy."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many calls of mutations, a tenth as many of actions, and the hubs that run them."""

    calls: int
    kills: int
    hubs: int
    seed: int = 1


async def trial(plan: Plan, store: str, directory: Path) -> list[str]:
    """Schedule, kill, wait; tell what did not run as often as it has to."""
    hubs = [HubProcess(store, directory / f"hub{number}.log", None, CLOCKWORK) for number in range(plan.hubs)]
    began = time.monotonic()
    async with running_hubs(*hubs), connected(hubs[0]) as client:
        killing = asyncio.create_task(_kill(hubs, plan))
        for group, count in (("mutation", plan.calls), ("action", plan.calls // 10)):
            for first in range(0, count, AT_ONCE):
                args = {"group": group, "first": first, "count": min(AT_ONCE, count - first), "seconds": 1.0}
                await client.mutation("beats:schedule", {**args, "acting": group == "action"})
        await killing
        ran = await _all_run(client, plan)
    faults = _faults(ran, plan)
    print(
        f"{store.partition(':')[0]}: {plan.calls} mutations, {plan.calls // 10} actions, {plan.kills} hubs killed, "
        f"{time.monotonic() - began:.0f} s; actions that ran again {_again(ran)}; faults {len(faults)}",
        flush=True,
    )
    return faults


@asynccontextmanager
async def connected(hub: HubProcess) -> AsyncIterator[Client]:
    """Connect to a hub, for as long as it takes."""
    async with Client(hub.url, timeouts=TIMEOUTS, backoff=BACKOFF, proxy=None) as client:
        yield client


async def _kill(hubs: Sequence[HubProcess], plan: Plan) -> None:
    chance = random.Random(plan.seed)
    for _ in range(plan.kills):
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        hub = chance.choice(hubs)
        hub.kill()
        await hub.start()


async def _all_run(client: Client, plan: Plan) -> Counter[str]:
    """Wait until there is a run of every call, and count the runs of each."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while True:
            ran = await runs_of(client)
            if len(ran) >= plan.calls + plan.calls // 10:
                await asyncio.sleep(3)  # for a second run of one, if there is any
                return await runs_of(client)
            await asyncio.sleep(1)


async def runs_of(client: Client) -> Counter[str]:
    """Count the runs of each call that has been scheduled."""
    ran: Counter[str] = Counter()
    last = ""
    while names := await client.query("beats:names", {"after": last}):
        # A name that stands at the end of one page may go on at the next, which begins beyond it.
        whole = [name for name in names if name != names[-1]] or names
        ran.update(name for name in whole if not name.startswith(("tick", "note")))
        last = whole[-1]
        if len(names) < 1_000:
            ran.update(name for name in names if name not in set(whole) and not name.startswith(("tick", "note")))
            break
    return ran


def _faults(ran: Counter[str], plan: Plan) -> list[str]:
    wanted = [f"mutation {number:06}" for number in range(plan.calls)]
    faults = [f"{name} ran {ran[name]} times" for name in wanted if ran[name] != 1]
    acting = [f"action {number:06}" for number in range(plan.calls // 10)]
    return faults + [f"{name} never ran" for name in acting if not ran[name]]


def _again(ran: Counter[str]) -> int:
    return sum(count > 1 for name, count in ran.items() if name.startswith("action"))


async def both(calls: int, kills: int, seed: int, replica_set: ReplicaSet | None) -> list[str]:
    """Try one hub on SQLite, and two on MongoDB if there is one."""
    with tempfile.TemporaryDirectory(prefix="synovia-calls-") as folder:
        directory = Path(folder)
        faults = await trial(Plan(calls, kills, 1, seed), f"sqlite:///{directory / 'calls.sqlite'}", directory)
        if replica_set is not None:
            async with fresh_database(replica_set) as store:
                faults += await trial(Plan(calls, kills, 2, seed), store, directory)
    return faults


def main() -> None:
    """Run it; exit with 1 if a call has not run as often as it has to."""
    parser = argparse.ArgumentParser(prog="python -m torture.calls", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["sqlite"])
    arguments = parser.parse_args()
    with ExitStack() as stack:
        replica_set = None if arguments.only else stack.enter_context(running_members(1))
        faults = asyncio.run(both(arguments.calls, arguments.kills, arguments.seed, replica_set))
    print("\n".join(faults[:50]))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
