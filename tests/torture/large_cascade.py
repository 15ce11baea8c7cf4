"""``python -m torture.large_cascade``: an organization of planner with 100,000 schedules is deleted while others work.

On each store: from the commit on nobody sees anything of it; another organization writes and reads all the time, and waits
no longer than a second for anything; in the end nothing of it is left. Exit code 1 if something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from helpers.mongod import running_mongod
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


async def founded(hub: RunningHub, stack: AsyncExitStack, name: str) -> Client:
    """Connect the admin of an organization that is set up by this."""
    token = f"dev:{name}@example.org?organizationId=org_{name}"
    client = await stack.enter_async_context(Client(f"ws://127.0.0.1:{hub.port}", token=token))
    await client.mutation("mutations/organizations:create", {"name": name, "slug": name})
    return client


async def plan(client: Client, number: int) -> float:
    """Make so many schedules; give the seconds that it took."""
    began = time.monotonic()
    plans = [{"title": f"plan {each}", "startDate": each * DAY, "endDate": (each + 3) * DAY} for each in range(number)]
    await client.mutation("mutations/schedules:create", {"plans": plans})
    return time.monotonic() - began


async def trial(name: str, address: str, schedules: int) -> list[str]:
    """Delete the large organization; tell what was not as it has to be."""
    async with running_hub(address, PLANNER) as hub, AsyncExitStack() as stack, garbage.tuned():
        store = hub.app.store
        large, small = await founded(hub, stack, "large"), await founded(hub, stack, "small")
        for _ in range(schedules // BATCH):
            await plan(large, BATCH)
        await plan(small, 20)
        faults, waits = list[str](), list[float]()
        ask = {"organizationId": "org_small", "start": 0, "end": 40 * DAY}
        async with small.subscribe("queries/schedules:calendar", ask):
            began = time.monotonic()
            await large.mutation("mutations/organizations:remove", {"organizationId": "org_large"})
            deleted = time.monotonic() - began
            while await left(store):
                waits += [await plan(small, 1), await asked(small)]
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


async def main(schedules: int, only: str | None) -> int:
    """Make the trial on both stores, or one; give the exit code."""
    faults = list[str]()
    if only != "mongodb":
        with tempfile.TemporaryDirectory(prefix="synovia-cascade-") as folder:
            faults += await trial("SQLite", f"sqlite:///{folder}/hub.db", schedules)
    if only != "sqlite":
        with running_mongod() as uri:
            base, _, options = uri.partition("/?")
            faults += await trial("MongoDB", f"{base}/cascade_{uuid4().hex[:8]}?{options}", schedules)
    print("\n".join(faults) or "all as it has to be")
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--only", choices=["sqlite", "mongodb"])
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.schedules, given.only)))
