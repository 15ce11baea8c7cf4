"""``python -m torture.clocks``: the clock of the machine jumps by minutes and years under live hubs, and comes back.

Hubs are processes with libfaketime (``apt-get install libfaketime``); their steady clock stays true. After each jump
writes are acknowledged and seen, calls that are scheduled run exactly once, the cron goes on, and the hub says that it is
well. Exit code 1 if something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from helpers.mongod import ReplicaSet
from synovia_client import Client
from torture.calls import CLOCKWORK, connected
from torture.processes import PRELOAD, HubProcess, running_hubs
from torture.replicas import running_members
from torture.run import fresh_database

LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/*/faketime/libfaketimeMT.so.1")
MINUTES, YEAR = 300, 366 * 86_400
JUMPS = (MINUTES, 0, -MINUTES, 0, YEAR, 0, -YEAR, 0)
"""By how many seconds the clock is wrong, one after the other."""
SECONDS = 120.0
"""So long everything may take after a jump; a jump forward is doubted for 10 s before anything that it makes due is run."""


def library() -> str | None:
    """Find libfaketime."""
    found = sorted(str(each) for pattern in LIBRARIES for each in Path("/").glob(pattern.lstrip("/")))
    return found[0] if found else None


class Clock:
    """The clock of some processes: a file says by how much it is wrong."""

    def __init__(self, directory: Path, preload: str) -> None:
        self._file = directory / "clock"
        self._preload = preload
        self.set(0)

    def set(self, seconds: int) -> None:
        """Have it be wrong by so many seconds."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}")
        fresh.replace(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process that looks at it."""
        return {
            PRELOAD: self._preload,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


async def trial(store: str, hubs: int, directory: Path, preload: str) -> list[str]:
    """Let the clock jump, and tell what did not go on."""
    clock = Clock(directory, preload)
    processes = [
        HubProcess(store, directory / f"hub{number}.log", None, CLOCKWORK, **clock.environment)
        for number in range(hubs)
    ]
    faults: list[str] = []
    async with running_hubs(*processes), connected(processes[0]) as client:
        await _works(client, "at first", 0)
        for number, jump in enumerate(JUMPS):
            began = time.monotonic()
            scheduled = f"before {number}"
            await _schedule(client, scheduled, 2.0)  # runs only after the jump
            clock.set(jump)
            try:
                async with asyncio.timeout(SECONDS):
                    await _works(client, f"after {number}", number)
                    await _once(client, scheduled)
                    await _healthy(processes)
            except (TimeoutError, AssertionError) as error:
                health = [await each.health() for each in processes]
                faults.append(f"clock {jump:+d} s: {type(error).__name__} {error}; {health}")
            print(f"  {store.partition(':')[0]}, clock {jump:+d} s: {time.monotonic() - began:.0f} s", flush=True)
        faults += await _never_twice(client)
    for each in processes:
        faults += [line for line in each.printed().splitlines() if "Traceback" in line]
    return faults


async def _works(client: Client, name: str, number: int) -> None:
    """See that writes are acknowledged and shown, a call runs, and the cron ticks."""
    ticks = await client.query("beats:ran", {"name": "tick"})
    async with client.subscribe("beats:ran", {"name": f"note {name}"}) as shown:
        await client.mutation("beats:note", {"name": f"note {name}"})
        async for count in shown:
            if count == 1:
                break
    await _schedule(client, name, 1.0)
    await _once(client, name)
    while await client.query("beats:ran", {"name": "tick"}) <= ticks:  # noqa: ASYNC110 (a deadline stands around this)
        await asyncio.sleep(0.3)


async def _schedule(client: Client, group: str, seconds: float) -> None:
    for acting in (False, True):
        args = {"group": f"{'action' if acting else 'mutation'} {group}", "first": 0, "count": 3, "seconds": seconds}
        await client.mutation("beats:schedule", {**args, "acting": acting})


def _names(group: str) -> list[str]:
    return [f"{kind} {group} {number:06}" for kind in ("mutation", "action") for number in range(3)]


async def _once(client: Client, group: str) -> None:
    """Wait until each call of a group has run."""
    for name in _names(group):
        while not (ran := await client.query("beats:ran", {"name": name})):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.2)
        assert ran == 1, f"{name} ran {ran} times"


async def _healthy(hubs: Sequence[HubProcess]) -> None:
    for hub in hubs:
        while (await hub.health() or {}).get("status") != "ok":  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.3)


async def _never_twice(client: Client) -> list[str]:
    names = [f"before {number}" for number in range(len(JUMPS))] + [f"after {number}" for number in range(len(JUMPS))]
    counts = [(name, await client.query("beats:ran", {"name": name})) for group in names for name in _names(group)]
    return [f"{name} ran {count} times in the end" for name, count in counts if count != 1]


async def both(preload: str, only: str | None, replica_set: ReplicaSet | None) -> list[str]:
    """Try one hub on SQLite, and two on MongoDB if there is one."""
    with tempfile.TemporaryDirectory(prefix="synovia-clocks-") as folder:
        directory = Path(folder)
        faults: list[str] = []
        if only != "mongodb":
            faults += await trial(f"sqlite:///{directory / 'clocks.sqlite'}", 1, directory, preload)
        if replica_set is not None:
            async with fresh_database(replica_set) as store:
                faults += await trial(store, 2, directory, preload)
    return faults


def main() -> None:
    """Run it; exit with 1 if something did not go on, or ran twice."""
    parser = argparse.ArgumentParser(prog="python -m torture.clocks", description=__doc__)
    parser.add_argument("--only", choices=["sqlite", "mongodb"])
    arguments = parser.parse_args()
    preload = library()
    if preload is None:
        print("clocks: not tried, there is no libfaketime (apt-get install libfaketime)")
        return
    with ExitStack() as stack:
        replica_set = None if arguments.only == "sqlite" else stack.enter_context(running_members(1))
        faults = asyncio.run(both(preload, arguments.only, replica_set))
    print("\n".join(faults) or "clocks: everything went on, and nothing ran twice")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
