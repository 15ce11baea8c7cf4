"""The long run: rounds of everything, one after the other, until the time is over.

python -m torture --minutes 10 --seed 1        (from the folder tests, or with it on PYTHONPATH)
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
from pathlib import Path

from helpers.mongod import ReplicaSet
from torture.replicas import running_members
from torture.run import Report, Round, fresh_database, torture


async def one_round(seed: int, seconds: float, clients: int, replica_set: ReplicaSet | None) -> Report:
    """Run one round on MongoDB with two hubs, or on SQLite with one."""
    troubled = seed % 2 == 1
    if replica_set is not None:
        async with fresh_database(replica_set) as store:
            return await torture(Round(seed, seconds, clients, troubled=troubled), store, replica_set)
    with tempfile.TemporaryDirectory(prefix="synovia-torture-") as directory:
        plan = Round(seed, seconds, clients, hubs=1, troubled=troubled)
        return await torture(plan, f"sqlite:///{Path(directory) / 'torture.sqlite'}")


async def long_run(minutes: float, seed: int, seconds: float, clients: int, only: str | None) -> int:
    """Run rounds until the time is over; tell how many anomalies there were."""
    until = time.monotonic() + minutes * 60
    totals: Counter[str] = Counter()
    with ExitStack() as stack:
        replica_set = None if only == "sqlite" else stack.enter_context(running_members())
        while True:
            on_mongodb = replica_set is not None and (only == "mongodb" or totals["rounds"] % 3 < 2)
            report = await one_round(seed + totals["rounds"], seconds, clients, replica_set if on_mongodb else None)
            print(f"{'MongoDB' if on_mongodb else 'SQLite'}, {report}", flush=True)
            if report.anomalies:
                print(report.printed[-4000:], flush=True)
            totals["rounds"] += 1
            totals["operations"] += len(report.history.calls)
            totals["faults"] += report.history.faults.total()
            totals["retries"] += report.history.counts["retries"]
            totals["transitions checked"] += len(report.history.sights)
            totals["anomalies"] += len(report.anomalies)
            if time.monotonic() > until:
                break
    print("in all: " + ", ".join(f"{name} {count}" for name, count in totals.items()), flush=True)
    return totals["anomalies"]


def main() -> None:
    """Run for so many minutes; exit with 1 if there was an anomaly."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="to repeat a run; drawn at random by default")
    parser.add_argument("--round", type=float, default=30.0, help="seconds that the clients act in each round")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--only", choices=["mongodb", "sqlite"])
    arguments = parser.parse_args()
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    work = long_run(arguments.minutes, seed, arguments.round, arguments.clients, arguments.only)
    sys.exit(1 if asyncio.run(work) else 0)


if __name__ == "__main__":
    main()
