"""``python -m torture.large_cascade``: an organization of planner with 100,000 schedules is deleted while others work.

On each store: from the commit on nobody sees anything of it; another organization writes and reads all the time, and waits
no longer than a second for anything; in the end nothing of it is left. Exit code 1 if something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from helpers.mongod import Mongod, ReplicaSet, free_port
from helpers.running_hub import RunningHub, running_hub
from synovia.cli import garbage
from synovia.functions.cascades import CASCADES
from synovia.store.base import Store
from synovia.store.contents import all_documents
from synovia_client import Client, FunctionError

PLANNER = Path(__file__).resolve().parents[2] / "apps" / "planner"
BATCH = 500
LONGEST_SECONDS = 1.0
DAY = 86_400_000


async def signed_in(hub: RunningHub, stack: AsyncExitStack, name: str) -> Client:
    """Connect the admin of an organization."""
    token = f"dev:{name}@example.org?organizationId=org_{name}"
    return await stack.enter_async_context(Client(f"ws://127.0.0.1:{hub.port}", token=token))


async def founded(hub: RunningHub, stack: AsyncExitStack, name: str) -> Client:
    """Connect the admin of an organization that is set up by this."""
    client = await signed_in(hub, stack, name)
    await client.mutation("mutations/organizations:create", {"name": name, "slug": name})
    return client


async def plan(client: Client, number: int) -> float:
    """Make so many schedules; give the seconds that it took."""
    began = time.monotonic()
    plans = [{"title": f"plan {each}", "startDate": each * DAY, "endDate": (each + 3) * DAY} for each in range(number)]
    await client.mutation("mutations/schedules:create", {"plans": plans})
    return time.monotonic() - began


async def prepare(address: str, schedules: int) -> None:
    """Found a large organization and a small one, as users would."""
    async with running_hub(address, PLANNER) as hub, AsyncExitStack() as stack:
        large, small = await founded(hub, stack, "large"), await founded(hub, stack, "small")
        for first in range(0, schedules, BATCH):
            await plan(large, min(BATCH, schedules - first))
        await plan(small, 20)


async def trial(name: str, address: str, schedules: int) -> list[str]:
    """Delete the large organization of a store that is prepared; tell what was not as it has to be."""
    async with running_hub(address, PLANNER) as hub, AsyncExitStack() as stack, garbage.tuned():
        store = hub.app.store
        large, small = await signed_in(hub, stack, "large"), await signed_in(hub, stack, "small")
        faults, waits = list[str](), list[float]()
        ask = {"organizationId": "org_small", "start": 0, "end": 40 * DAY}
        async with small.subscribe("queries/schedules:calendar", ask):
            began = time.monotonic()
            await large.mutation("mutations/organizations:remove", {"organizationId": "org_large"})
            deleted = time.monotonic() - began
            while await left(store):
                waits += [await plan(small, 1), await asked(small)]
                if max(waits[-2:]) > LONGEST_SECONDS:
                    print(
                        f"  after {time.monotonic() - began:.0f} s: {waits[-2]:.2f} s to write, {waits[-1]:.2f} s to read",
                        flush=True,
                    )
                if await shown(hub, large):
                    faults.append(f"{name}: something of the deleted one was shown")
            ended = time.monotonic() - began
        rest = [each for each in await all_documents(store, "schedules") if each["organizationId"] == "org_large"]
        users = [each for each in await all_documents(store, "users") if each["organizationId"] == "org_large"]
        if rest or users:
            faults.append(f"{name}: {len(rest)} schedules and {len(users)} users are left")
        if max(waits) > LONGEST_SECONDS:
            faults.append(f"{name}: somebody waited {max(waits):.2f} s")
        print(
            f"{name}, {schedules:,} schedules: gone for everybody in {deleted:.2f} s, deleted after {ended:.0f} s;"
            f" others called {len(waits):,} times meanwhile, and waited {max(waits):.2f} s at most,"
            f" {sorted(waits)[len(waits) // 2]:.3f} s at the median; faults {len(faults)}",
            flush=True,
        )
    return faults


async def left(store: Store) -> bool:
    return bool(await all_documents(store, CASCADES.name))


async def asked(client: Client) -> float:
    began = time.monotonic()
    await client.query("queries/schedules:active", {"organizationId": "org_small"})
    return time.monotonic() - began


async def shown(hub: RunningHub, large: Client) -> bool:
    """Tell whether the one who has deleted it, or the application itself, is shown anything of it."""
    try:
        if await large.query("queries/organizations:me") is not None:
            return True
        await large.query("queries/schedules:getByOrganization", {"organizationId": "org_large"})
    except FunctionError as error:
        return error.code != "forbidden"
    return True


@contextmanager
def mongod_on(folder: Path, port: int) -> Iterator[str]:
    """Run a replica set of one on files of its own; give the address of the database in it."""
    is_new = not folder.exists()
    process = Mongod(folder, port)
    process.start()
    try:
        replica_set = ReplicaSet([process])
        if is_new:
            replica_set.initiate()
        base, _, options = replica_set.uri.partition("/?")
        yield f"{base}/cascade?{options}"
    finally:
        process.stop()


async def on_sqlite(kept: Path, folder: Path, schedules: int, *, measure: bool) -> list[str]:
    """Make what is to be deleted if nobody has yet, and delete a copy of it."""
    file = kept / f"{schedules}.db"
    if not file.exists():
        await prepare(f"sqlite:///{folder}/new.db", schedules)
        shutil.move(folder / "new.db", file)  # closed: there is nothing beside it
    if not measure:
        return []
    shutil.copy(file, folder / "hub.db")
    return await trial("SQLite", f"sqlite:///{folder}/hub.db", schedules)


async def on_mongodb(kept: Path, folder: Path, schedules: int, *, measure: bool) -> list[str]:
    """Do the same on MongoDB; its members know each other by address, so the copy listens where the original did."""
    original, noted = kept / f"mongod-{schedules}", kept / f"mongod-{schedules}.port"
    if not original.exists():
        port = free_port()
        with mongod_on(folder / "new", port) as address:
            await prepare(address, schedules)
        shutil.move(folder / "new", original)
        noted.write_text(str(port))
    if not measure:
        return []
    shutil.copytree(original, folder / "copy")
    with mongod_on(folder / "copy", int(noted.read_text())) as address:
        return await trial("MongoDB", address, schedules)


async def main(schedules: int, only: str | None, keep: Path | None, *, measure: bool) -> int:
    """Make the trial on both stores, or one; give the exit code."""
    faults = list[str]()
    with tempfile.TemporaryDirectory(prefix="synovia-cascade-") as folder:
        kept = keep or Path(folder) / "kept"
        kept.mkdir(parents=True, exist_ok=True)
        for name, on_store in (("sqlite", on_sqlite), ("mongodb", on_mongodb)):
            if only in (None, name):
                (Path(folder) / name).mkdir()
                faults += await on_store(kept, Path(folder) / name, schedules, measure=measure)
    print("\n".join(faults) or ("all as it has to be" if measure else f"prepared in {keep}"))
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--only", choices=["sqlite", "mongodb"])
    parser.add_argument("--keep", type=Path, help="a folder for what is made before, for the next trial")
    parser.add_argument("--prepare", action="store_true", help="only make that")
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.schedules, given.only, given.keep, measure=not given.prepare)))
