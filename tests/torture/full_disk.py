"""``python -m torture.full_disk`` (as root): the disk of the database is full for a while, under SQLite and under mongod.

The disk is a small tmpfs of its own. While it is full mutations fail with a code in time, but for those of which nobody can
tell whether they were committed (at mongod, which ends for want of space: the one that it was about to commit), and the hub
says that it is not well; what was acknowledged is there, before and after; once there is space all goes on. A mongod that
ends is started again, as whoever runs it would. Exit code 1 if something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from helpers.mongod import Mongod, ReplicaSet
from synovia_client import Client, FunctionError, RequestTimeout
from torture.calls import CLOCKWORK, connected
from torture.processes import HubProcess, running_hubs

SQLITE_MEGABYTES, MONGOD_MEGABYTES = 48, 700
FULL_SECONDS = {"SQLite": 20.0, "mongod": 75.0}
"""So long the disk stays full."""
ANSWER_SECONDS = 35.0
"""So long a mutation waits for its answer: the hub gives up the database after 10 s, and each attempt takes as long."""
BACK_SECONDS = 180.0
"""So long it may take until all goes on, mongod's own start included."""
TEXT = "x" * 4_000


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a file system of so many megabytes.

    Raises:
        PermissionError: This user may not.
    """
    with tempfile.TemporaryDirectory(prefix="synovia-disk-") as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=False)
        if mounted.returncode:
            raise PermissionError("a file system can be mounted only by root")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> None:
    """Take all the space that is left."""
    with (disk / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(1 << 16))
    with (disk / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(256))


def free(disk: Path) -> None:
    """Give it back."""
    (disk / "ballast").unlink()


class Writer:
    """Writes one note after the other, and knows which have been acknowledged."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.acknowledged: list[str] = []
        self.codes: Counter[str] = Counter()
        self._number = 0

    async def write(self, seconds: float = 10.0) -> bool:
        """Write one; tell whether that was acknowledged in time."""
        self._number += 1
        name = f"note {self._number:06} "
        try:
            async with asyncio.timeout(seconds):
                await self._client.mutation("beats:note", {"name": name, "text": TEXT})
        except FunctionError as error:
            self.codes[error.code] += 1
        except (TimeoutError, RequestTimeout):
            self.codes["(no answer)"] += 1
        else:
            self.acknowledged.append(name + TEXT)
            return True
        return False


async def trial(
    name: str, hub: HubProcess, disk: Path, store_alive: Callable[[], bool], revive: Callable[[], None]
) -> list[str]:
    """Fill the disk under a hub, and free it; tell what was not as it has to be."""
    async with running_hubs(hub), connected(hub) as client:
        writer = Writer(client)
        for _ in range(50):
            assert await writer.write()
        fill(disk)
        status, told = await _while_full(writer, hub, FULL_SECONDS[name])
        end = "went on" if store_alive() else "ended, and was started again"
        free(disk)
        began = time.monotonic()
        if not store_alive():
            await asyncio.to_thread(revive)
        faults = await _goes_on(writer, hub) + await _all_there(client, writer)
        if not writer.codes["overloaded"] or writer.codes["(no answer)"] > 1:
            faults.append(f"{name}: mutations were answered {dict(writer.codes)}")
        if not told - {"ok"}:
            faults.append(f"{name}: health has said nothing")
        print(
            f"{name}, full for {FULL_SECONDS[name]:g} s: {dict(writer.codes)}, over HTTP {status}; "
            f"health said {sorted(told)}; the database {end}; {time.monotonic() - began:.0f} s until all was well; "
            f"{len(writer.acknowledged)} acknowledged; faults {len(faults)}",
            flush=True,
        )
    return faults


async def _while_full(writer: Writer, hub: HubProcess, seconds: float) -> tuple[str, set[str]]:
    """Go on writing; tell what a call over HTTP is answered, and what the hub says of itself."""
    told: set[str] = set()
    end = time.monotonic() + seconds
    status, content = await hub.post("/api/mutation", {"path": "beats:note", "args": {"name": "single", "text": TEXT}})
    code = "" if status < 400 else json.loads(content)["error"]["code"]
    while time.monotonic() < end:
        await writer.write(ANSWER_SECONDS)
        told |= _told(await hub.health())
    return f"{status} {code}", told


def _told(health: dict[str, Any] | None) -> set[str]:
    if health is None:
        return {"(no answer)"}
    return {f"{each['part']}: {each['fault']}"[:120] for each in health["faults"]} or {health["status"]}


async def _goes_on(writer: Writer, hub: HubProcess) -> list[str]:
    end = time.monotonic() + BACK_SECONDS
    while time.monotonic() < end:
        if await writer.write(20.0) and (await hub.health() or {}).get("status") == "ok":
            return []
        await asyncio.sleep(0.5)
    return [f"after {BACK_SECONDS:g} s: {await hub.health()}; {dict(writer.codes)}"]


async def _all_there(client: Client, writer: Writer) -> list[str]:
    there = [(name, await client.query("beats:ran", {"name": name})) for name in writer.acknowledged]
    return [f"{name[:12]} was acknowledged, and is there {found} times" for name, found in there if found != 1]


async def on_sqlite(directory: Path) -> list[str]:
    """Try it with a file."""
    with small_disk(SQLITE_MEGABYTES) as disk:
        hub = HubProcess(f"sqlite:///{disk / 'full.sqlite'}", directory / "sqlite.log", None, CLOCKWORK)
        return await trial("SQLite", hub, disk, lambda: True, lambda: None)


async def on_mongod(directory: Path) -> list[str]:
    """Try it with a mongod of its own."""
    with small_disk(MONGOD_MEGABYTES) as disk:
        member = Mongod(disk / "data", oplog_megabytes=50)
        try:
            await asyncio.to_thread(member.start)
            replica_set = ReplicaSet([member])
            await asyncio.to_thread(replica_set.initiate)
            address, _, options = replica_set.uri.partition("/?")
            hub = HubProcess(f"{address}/full?{options}", directory / "mongod.log", None, CLOCKWORK)
            alive = lambda: member.process is not None and member.process.poll() is None  # noqa: E731
            return await trial("mongod", hub, disk, alive, member.start)
        finally:
            member.stop(kill=True)


async def both(only: str | None) -> list[str]:
    """Try both."""
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="synovia-logs-") as folder:
        if only != "mongodb":
            faults += await on_sqlite(Path(folder))
        if only != "sqlite":
            faults += await on_mongod(Path(folder))
    return faults


def main() -> None:
    """Run it; exit with 1 if something was lost, or did not go on."""
    parser = argparse.ArgumentParser(prog="python -m torture.full_disk", description=__doc__)
    parser.add_argument("--only", choices=["sqlite", "mongodb"])
    try:
        faults = asyncio.run(both(parser.parse_args().only))
    except PermissionError as error:
        print(f"full disk: not tried, {error}")
        return
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
