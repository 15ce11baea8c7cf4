"""``python -m torture.jobs --documents 20000``: a job, while the hubs that take its steps are killed one after the other.

Each document is handed over in exactly one step that is kept. Exit code 1 if that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from helpers.mongod import ReplicaSet
from synovia_client import Client
from torture.calls import AT_ONCE, CLOCKWORK, connected, runs_of
from torture.processes import HubProcess, running_hubs
from torture.replicas import running_members
from torture.run import fresh_database

LONGEST_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A job over so many documents, and the hubs that run it; they are killed at so many places on the way."""

    documents: int
    kills: int
    hubs: int
    seed: int = 1


async def trial(plan: Plan, store: str, directory: Path) -> list[str]:
    """Begin, kill, wait; tell which documents were not handed over once."""
    hubs = [HubProcess(store, directory / f"hub{number}.log", None, CLOCKWORK) for number in range(plan.hubs)]
    began, chance = time.monotonic(), random.Random(plan.seed)
    async with running_hubs(*hubs), connected(hubs[0]) as client, asyncio.timeout(LONGEST_SECONDS):
        for first in range(0, plan.documents, AT_ONCE):
            await client.mutation("beats:note_many", {"first": first, "count": min(AT_ONCE, plan.documents - first)})
        call_id = await client.mutation("beats:begin_again")
        for done in sorted(chance.randrange(plan.documents) for _ in range(plan.kills)):
            await _reached(client, call_id, done)
            hub = chance.choice(hubs)
            hub.kill()
            await hub.start()
        await _reached(client, call_id, plan.documents + 1)
        ran = await runs_of(client)
    wanted = [f"again beat {number:06}" for number in range(plan.documents)]
    faults = [f"{name} was left {ran[name]} times" for name in wanted if ran[name] != 1]
    faults += [f"nobody wanted {name}" for name in _others(ran, wanted)]
    where = store.partition(":")[0]
    print(
        f"{where}: a job over {plan.documents} documents, {plan.kills} hubs killed, {time.monotonic() - began:.0f} s; "
        f"faults {len(faults)}",
        flush=True,
    )
    return faults


async def _reached(client: Client, call_id: str, done: int) -> None:
    """Wait until so many documents are behind a job, or it is over."""
    async for status, behind in client.subscribe("beats:progress", {"callId": call_id}):
        if behind >= done or status == "done":
            return
        if status not in ("pending", "running"):
            raise AssertionError(f"the job is {status}")


def _others(ran: Counter[str], wanted: list[str]) -> list[str]:
    return sorted(name for name in ran.keys() - set(wanted) if name.startswith("again"))


async def both(documents: int, kills: int, seed: int, replica_set: ReplicaSet | None) -> list[str]:
    """Try one hub on SQLite, and two on MongoDB if there is one."""
    with tempfile.TemporaryDirectory(prefix="synovia-jobs-") as folder:
        directory = Path(folder)
        faults = await trial(Plan(documents, kills, 1, seed), f"sqlite:///{directory / 'jobs.sqlite'}", directory)
        if replica_set is not None:
            async with fresh_database(replica_set) as store:
                faults += await trial(Plan(documents, kills, 2, seed), store, directory)
    return faults


def main() -> None:
    """Run it; exit with 1 if a document was handed over more or less than once."""
    parser = argparse.ArgumentParser(prog="python -m torture.jobs", description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["sqlite"])
    arguments = parser.parse_args()
    with ExitStack() as stack:
        replica_set = None if arguments.only else stack.enter_context(running_members(1))
        faults = asyncio.run(both(arguments.documents, arguments.kills, arguments.seed, replica_set))
    print("\n".join(faults[:50]))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
