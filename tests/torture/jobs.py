"""``python -m torture.jobs --documents 20000``: a job, and workflows, while the hubs that run them are killed.

Each document is handed over in exactly one step that is kept, and each step of a workflow is run once.
Exit code 1 if that is not so.
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
from dataclasses import dataclass, replace
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


async def workflows_trial(plan: Plan, store: str, directory: Path) -> list[str]:
    """The same with workflows of six steps, as many as ``plan.documents``."""
    hubs = [HubProcess(store, directory / f"w{number}.log", None, CLOCKWORK) for number in range(plan.hubs)]
    began, chance = time.monotonic(), random.Random(plan.seed)
    async with running_hubs(*hubs), connected(hubs[0]) as client, asyncio.timeout(LONGEST_SECONDS):
        await client.mutation("beats:begin_workflows", {"count": plan.documents})
        calls = plan.documents * 7  # the workflow is one, too
        for done in sorted(chance.randrange(calls) for _ in range(plan.kills)):
            await _done(client, done)
            hub = chance.choice(hubs)
            hub.kill()
            await hub.start()
        await _done(client, calls)
        ran = await runs_of(client)
    wanted = [f"workflow {number:06} {step}" for number in range(plan.documents) for step in range(6)]
    faults = [f"{name} ran {ran[name]} times" for name in wanted if ran[name] != 1]
    where = store.partition(":")[0]
    print(
        f"{where}: {plan.documents} workflows of 6 steps, {plan.kills} hubs killed, {time.monotonic() - began:.0f} s; "
        f"faults {len(faults)}",
        flush=True,
    )
    return faults


async def _done(client: Client, calls: int) -> None:
    """Wait until so many calls are done."""
    async for found in client.subscribe("beats:done"):
        if found >= calls:
            return


async def _reached(client: Client, call_id: str, done: int) -> None:
    """Wait until so many documents are behind a job, or it is over."""
    async for status, behind in client.subscribe("beats:progress", {"callId": call_id}):
        if behind >= done or status == "done":
            return
        if status not in ("pending", "running"):
            raise AssertionError(f"the job is {status}")


def _others(ran: Counter[str], wanted: list[str]) -> list[str]:
    """List what else the job has left; it goes over what the cron had left before it began, too."""
    others = ran.keys() - {*wanted, "again tick"}
    return sorted(name for name in others if name.startswith("again"))


async def both(documents: int, kills: int, seed: int, replica_set: ReplicaSet | None) -> list[str]:
    """Try one hub on SQLite, and two on MongoDB if there is one."""
    with tempfile.TemporaryDirectory(prefix="synovia-jobs-") as folder:
        directory = Path(folder)
        job, workflows = Plan(documents, kills, 1, seed), Plan(documents // 50, kills, 1, seed)
        faults = await trial(job, f"sqlite:///{directory / 'jobs.sqlite'}", directory)
        faults += await workflows_trial(workflows, f"sqlite:///{directory / 'workflows.sqlite'}", directory)
        if replica_set is not None:
            async with fresh_database(replica_set) as store:
                faults += await trial(replace(job, hubs=2), store, directory)
            async with fresh_database(replica_set) as store:
                faults += await workflows_trial(replace(workflows, hubs=2), store, directory)
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
