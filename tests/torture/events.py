"""``python -m torture.events --pictures 5000``: buyers, scanners and a batch of pictures of apps/events, on real hubs.

Not one ticket more is sold than there is, each pass is admitted once, and of each attendee there is one picture, though
every hub is killed on the way; meanwhile mutations and mails go on, and a batch that is cancelled stops.
Exit code 1 if that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.events_scene import APPLICATION, Concert, concert
from helpers.forked_commands import SYNOVIA
from helpers.mongod import ReplicaSet, free_port
from synovia_client import Client, FunctionError
from torture.calls import BACKOFF, TIMEOUTS
from torture.processes import HubProcess, running_hubs
from torture.replicas import running_members
from torture.run import fresh_database

MORE = '''
"""What the trial asks beyond the application."""

from datetime import timedelta

from events.schema import DpBatch, GeneratedDp, Order, Pass, TicketTier
from synovia import ActionContext, Id, MutationContext, QueryContext, ScheduledCall, Table, action, may_read, mutation, query


class Letter(Table, name="letters"):
    late: int


@may_read(Letter)
async def everybody(ctx) -> bool:
    return True


@mutation(public=True)
async def fill(ctx: MutationContext, tier_id: Id[TicketTier], first: int, count: int) -> None:
    db = ctx.as_application().db
    tier = await db.get(tier_id)
    assert tier is not None
    of = {"workspace_id": tier.workspace_id, "event_id": tier.event_id, "auth_id": "nobody", "email": ""}
    order = Order(tier_id=tier.id, holder="All", quantity=1, amount=0, status="paid", hour=0, expires_at=0, **of)
    order_id = await db.insert(order)
    await db.insert_many(
        Pass(order_id=order_id, holder=f"Guest {n}", code=f"{tier.id}{n}", **of) for n in range(first, first + count)
    )


@query(public=True)
async def made(ctx: QueryContext, batch_id: str) -> list[list[int]]:
    rows = ctx.as_application().db.query(GeneratedDp).using("by_status", batch_id=Id[DpBatch](batch_id), status="done")
    return [[row.number, 0 if row.picture is None else row.picture.size] for row in await rows.collect()]


@query(public=True)
async def drawing(ctx: QueryContext) -> int:
    calls = ctx.as_application().db.query(ScheduledCall)
    running = await calls.using("by_status", status="running").collect()
    return sum(call.path.startswith("pictures:") for call in running)


@mutation(public=True)
async def write_letter(ctx: MutationContext) -> None:
    await ctx.scheduler.run_after(timedelta(), post, ctx.now)


@action(internal=True)
async def post(ctx: ActionContext, planned: int) -> None:
    await ctx.mail.send("guest@guests.example", "News", "All is well.")
    await ctx.run_mutation(posted, planned)


@mutation(internal=True)
async def posted(ctx: MutationContext, planned: int) -> None:
    await ctx.db.insert(Letter(late=ctx.now - planned))


@query(public=True)
async def letters(ctx: QueryContext) -> list[int]:
    return [letter.late for letter in await ctx.db.query(Letter).collect()]
'''


SECONDS_EACH = 8.0
"""So long mutations are timed beside a batch, and without one, in each round."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    pictures: int
    buyers: int
    tickets: int
    scans: int
    passes: int
    rounds: int


class DevelopmentHub(HubProcess):
    """A hub at which anybody signs in by an address."""

    def _command(self) -> tuple[str, list[str]]:
        where = ["--store", self._store, "--port", str(self.port)]
        return SYNOVIA, ["dev", "--no-reload", str(self._application), *where, "--log-level", "warning"]


@contextmanager
def _service(directory: Path) -> Iterator[str]:
    port, folder = free_port(), str(APPLICATION.parent)
    command = [
        "-m",
        "uvicorn",
        "--app-dir",
        folder,
        "events.service.main:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    with (directory / "service.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *command], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def _clients(hubs: list[DevelopmentHub], names: list[str]) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        clients = [
            Client(
                hubs[n % len(hubs)].url,
                token=f"dev:{name}@events.example",
                proxy=None,
                timeouts=TIMEOUTS,
                backoff=BACKOFF,
            )
            for n, name in enumerate(names)
        ]
        for first in range(0, len(clients), 20):
            await asyncio.gather(*(stack.enter_async_context(each) for each in clients[first : first + 20]))
        yield clients


# --- buyers


async def _buy(client: Client, tier: str) -> str:
    try:
        await client.mutation("orders:reserve", {"tierId": tier})
    except FunctionError as error:
        return error.code
    return "sold"


async def buyers(plan: Plan, hubs: list[DevelopmentHub], ada: Client) -> list[str]:
    """Have many want one tier, and as many each another one."""
    faults, one, each = list[str](), list[float](), list[float]()
    async with _clients(hubs, [f"buyer{n}" for n in range(plan.buyers)]) as clients:
        for turn in range(plan.rounds):
            night = await concert(ada, plan.tickets, f"one-{turn}")
            own = [await _tier(ada, night, n) for n in range(plan.buyers)]
            for tiers, times in (([night.tier] * plan.buyers, one), (own, each)):
                began = time.monotonic()
                found = Counter(await asyncio.gather(*map(_buy, clients, tiers)))
                times.append(time.monotonic() - began)
                wanted = {"sold": plan.tickets, "sold_out": plan.buyers - plan.tickets}
                if found != (wanted if times is one else {"sold": plan.buyers}):
                    faults.append(f"buyers: {dict(found)}")
            if await night.left() != 0:
                faults.append(f"buyers: {await night.left()} are said to be left")
    _say(
        f"{plan.buyers} buyers of {plan.tickets} tickets: {statistics.median(one) * 1000:.0f} ms, of a tier each "
        f"{statistics.median(each) * 1000:.0f} ms, ratio {statistics.median(one) / statistics.median(each):.2f}"
    )
    return faults


async def _tier(ada: Client, night: Concert, number: int) -> str:
    tier = {"eventId": night.event, "name": f"Tier {number}", "price": 0, "stock": 5}
    return str(await ada.mutation("gatherings:add_tier", tier))


# --- scanners


async def scanners(plan: Plan, hubs: list[DevelopmentHub], ada: Client) -> list[str]:
    """Have each pass scanned many times."""
    night = await concert(ada, slug="door")
    await ada.mutation("trial:fill", {"tierId": night.tier, "first": 0, "count": plan.passes})
    async with _clients(hubs, ["ada"] * 20) as clients:
        began, found = time.monotonic(), Counter[str]()

        async def scan(scanner: int) -> None:
            for number in range(scanner, plan.scans, len(clients)):
                one = {
                    "scanId": str(number),
                    "code": f"{night.tier}{number * plan.passes // plan.scans}",
                    "scannedAt": number,
                }
                args = {"eventId": night.event, "scanner": f"door {scanner}", "scans": [one]}
                [verdict] = await clients[scanner].mutation("passes:check_in", args)
                found[verdict["outcome"]] += 1

        await asyncio.gather(*map(scan, range(len(clients))))
    _say(f"{plan.scans} scans of {plan.passes} passes: {time.monotonic() - began:.1f} s, {dict(found)}")
    wanted = {"admitted": plan.passes, "already": plan.scans - plan.passes}
    return [] if found == wanted else [f"scanners: {dict(found)}"]


# --- pictures


async def _beat(client: Client, times: list[float]) -> None:
    """Change something and have a mail written, again and again."""
    while True:
        began = time.monotonic()
        await client.mutation("users:arrive")
        times.append(time.monotonic() - began)
        await client.mutation("trial:write_letter")
        await asyncio.sleep(0.1)


async def pictures(plan: Plan, hubs: list[DevelopmentHub], ada: Client) -> list[str]:
    """Make a batch while others work and hubs are killed, and another one that is cancelled."""
    night = await concert(ada, slug="pictures")
    for first in range(0, plan.pictures, 250):
        args = {"tierId": night.tier, "first": first, "count": min(250, plan.pictures - first)}
        await ada.mutation("trial:fill", args)
    template = await ada.mutation("pictures:design", {"eventId": night.event, "headline": "I am there"})
    faults = await _cancelled(ada, template)
    await _compared(plan, hubs, ada, template)
    batch, began = await ada.mutation("pictures:start", {"templateId": template}), time.monotonic()
    await _reached(ada, batch, plan.pictures // 4)
    for number, hub in enumerate(hubs * (1 if len(hubs) > 1 else 2)):
        hub.kill()
        await hub.start()
        await _reached(ada, batch, plan.pictures * (number + 2) // 4)
    await _reached(ada, batch, plan.pictures)
    seconds = time.monotonic() - began
    made = Counter(number for number, size in await ada.query("trial:made", {"batchId": batch}) if size > 0)
    if made != Counter(range(plan.pictures)):
        faults.append(f"pictures: {len(made)} of {plan.pictures}, most often {made.most_common(1)}")
    _say(f"{plan.pictures} pictures: {seconds:.0f} s, 2 kills")
    return faults


async def _compared(plan: Plan, hubs: list[DevelopmentHub], ada: Client, template: str) -> None:
    """Say how long mutations take, and how late mails leave, beside a batch and without one, in turn."""
    quiet, busy, late = list[float](), list[float](), {True: list[int](), False: list[int]()}
    async with _clients(hubs, ["olga"]) as [olga]:
        for turn in range(2 * plan.rounds):
            is_beside = turn % 2 == 1
            before = len(await ada.query("trial:letters"))
            batch = {"batchId": await ada.mutation("pictures:start", {"templateId": template})} if is_beside else {}
            if is_beside:
                await _reached(ada, batch["batchId"], 10)
            await _during(olga, busy if is_beside else quiet, asyncio.sleep(SECONDS_EACH))
            if is_beside:
                await ada.mutation("pictures:cancel", batch)
            late[is_beside] += (await ada.query("trial:letters"))[before:]
    for part in (0.5, 0.95):
        mutations, mails = _at(busy, part) / _at(quiet, part), _at(late[True], part) / max(1, _at(late[False], part))
        _say(
            f"{part:.0%} beside a batch: a mutation {_at(busy, part) * 1000:.0f} ms, without {_at(quiet, part) * 1000:.0f}"
            f" (ratio {mutations:.1f}); a mail late {_at(late[True], part):.0f} ms, without {_at(late[False], part):.0f}"
            f" (ratio {mails:.1f}), of {len(busy)} and {len(quiet)}"
        )


async def _cancelled(ada: Client, template: str) -> list[str]:
    batch = {"batchId": await ada.mutation("pictures:start", {"templateId": template})}
    await _reached(ada, batch["batchId"], 10)
    began = time.monotonic()
    await ada.mutation("pictures:cancel", batch)
    answered = time.monotonic() - began
    kept = (await ada.query("pictures:progress", batch))["done"]
    async for running in ada.subscribe("trial:drawing"):
        if running == 0:
            break
    _say(
        f"cancelled: answered after {answered * 1000:.0f} ms, nothing ran after {(time.monotonic() - began) * 1000:.0f} ms"
    )
    await asyncio.sleep(2)
    after = (await ada.query("pictures:progress", batch))["done"]
    return [] if after == kept else [f"cancelled: {after - kept} pictures came after"]


async def _during(client: Client, times: list[float], work: Any) -> None:
    beating = asyncio.create_task(_beat(client, times))
    try:
        await work
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _reached(ada: Client, batch: str, count: int) -> None:
    async for progress in ada.subscribe("pictures:progress", {"batchId": batch}):
        if progress["done"] >= count:
            return
        if progress["status"] == "failed":
            raise RuntimeError(f"the batch has failed: {progress}")


def _at(times: Sequence[float], part: float) -> float:
    return sorted(times)[int(len(times) * part)]


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


# --- all of it


PARTS = {"buyers": buyers, "scanners": scanners, "pictures": pictures}


async def trial(plan: Plan, parts: list[str], store: str, count: int, directory: Path, service: str) -> list[str]:
    """Try what is chosen on one store; tell what is wrong."""
    application = directory / "events"
    if not application.exists():
        shutil.copytree(APPLICATION, application, ignore=shutil.ignore_patterns("__pycache__", "web", "service"))
        (application / "functions" / "trial.py").write_text(MORE)
    lease = {"SYNOVIA_SCHEDULER_LEASE": "5", "EVENTS_SERVICE_URL": service}
    hubs = [DevelopmentHub(store, directory / f"{count}-{n}.log", None, application, **lease) for n in range(count)]
    load = "/".join(f"{each:.0f}" for each in os.getloadavg())
    print(f"{store.partition(':')[0]}, hubs: {count}, load {load}", flush=True)
    async with running_hubs(*hubs), _clients(hubs, ["ada"]) as [ada]:
        return [fault for part in parts for fault in await PARTS[part](plan, hubs, ada)]


async def chosen(plan: Plan, parts: list[str], replica_set: ReplicaSet | None, *, embedded: bool) -> list[str]:
    """Try one hub on SQLite, and two on MongoDB if there is one."""
    faults = list[str]()
    with tempfile.TemporaryDirectory(prefix="synovia-events-") as folder:
        directory = Path(folder)
        with _service(directory) as service:
            if embedded:
                faults += await trial(plan, parts, f"sqlite:///{directory / 'events.sqlite'}", 1, directory, service)
            if replica_set is not None:
                async with fresh_database(replica_set) as store:
                    faults += await trial(plan, parts, store, 2, directory, service)
    return faults


def main() -> None:
    """Run it; exit with 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m torture.events", description=__doc__)
    for name, number in (
        ("pictures", 5_000),
        ("buyers", 200),
        ("tickets", 50),
        ("scans", 1_000),
        ("passes", 100),
        ("rounds", 2),  # four batches in all: as many pictures as a workspace may have in a day
    ):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--only", choices=["sqlite", "mongodb"])
    parser.add_argument("--parts", nargs="+", choices=[*PARTS], default=[*PARTS])
    given = vars(parser.parse_args())
    only, parts = given.pop("only"), given.pop("parts")
    with ExitStack() as stack:
        replica_set = None if only == "sqlite" else stack.enter_context(running_members(1))
        faults = asyncio.run(chosen(Plan(**given), parts, replica_set, embedded=only != "mongodb"))
    print("\n".join(faults) or "no faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
