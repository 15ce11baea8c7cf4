"""``python -m torture.large_reports``: learning's page for a tenant with 100,000 enrolments, by socket, on both stores.

What the page asks first, each for the first time: the report by course and status, and the list in every order and with
every filter; page after page; and then how soon a change is in both. Exit code 1 if something takes too long.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bson import ObjectId

from helpers.running_hub import running_hub
from synovia.store.base import Batch, Store, Write
from synovia_client import Client
from torture.replicas import running_members
from torture.run import fresh_database

LEARNING = Path(__file__).resolve().parents[2] / "apps" / "learning"
COURSES = 100
AT_ONCE = 2_000
STATUSES = ("enrolled", "completed", "dropped")
NOW = 1_764_000_000_000
LONGEST_SECONDS = {"report": 10.0, "page": 2.0, "change": 5.0}
"""On a machine with other work; the hub itself gives a query up after 8 seconds."""


async def fill(store: Store, enrolments: int) -> str:
    """Write a tenant with so many enrolments, each member's in 100 courses; give the id of a member."""
    times = {"createdAt": NOW, "updatedAt": NOW}
    of = {"tenantId": "big", **times}
    courses = [{"_id": ObjectId(), **of, "title": f"Course {number}", "places": 100_000} for number in range(COURSES)]
    users, members = list[dict[str, Any]](), list[dict[str, Any]]()
    for number in range(max(1, enrolments // COURSES)):
        role = "admin" if number == 0 else "member"
        users.append({"_id": ObjectId(), **of, "email": f"person{number}@big.example", "role": role})
        members.append({"_id": ObjectId(), **of, "userId": users[-1]["_id"], "name": f"Person {number}"})
    await store.commit(Batch([Write("tenants", "big", None, {"_id": "big", "name": "Big", **times})]))
    for table, rows in (("users", users), ("memberProfiles", members), ("courses", courses)):
        await store.commit(Batch([Write(table, row["_id"], None, row) for row in rows]))
    pairs = [(member["_id"], course["_id"]) for course in courses for member in members]
    for first in range(0, len(pairs), AT_ONCE):
        rows = [
            {
                "_id": ObjectId(), "tenantId": "big", "memberId": member, "courseId": course,
                "status": STATUSES[number % 7 % 3], "createdAt": NOW + number, "updatedAt": NOW + number * 7_919 % 100_003,
            }
            for number, (member, course) in enumerate(pairs[first : first + AT_ONCE], first)
        ]  # fmt: skip
        await store.commit(Batch([Write("courseEnrollments", row["_id"], None, row) for row in rows]))
    return str(members[-1]["_id"])


class Times:
    """How long things took, of three kinds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[str] = []

    async def of(self, kind: str, what: str, work: Awaitable[Any]) -> Any:
        """Wait for something, and note how long it took."""
        began = time.monotonic()
        found = await work
        self.note(kind, what, time.monotonic() - began)
        return found

    def note(self, kind: str, what: str, seconds: float) -> None:
        """Note what took how long."""
        print(f"{self.name}: {what}: {seconds:.3f} s", flush=True)
        if seconds > LONGEST_SECONDS[kind]:
            self.faults.append(f"{self.name}: {what} took {seconds:.1f} s")


async def trial(name: str, address: str, enrolments: int) -> list[str]:
    """Make the trial on a store; tell what took too long."""
    async with running_hub(address, LEARNING) as hub:
        member = await fill(hub.app.store, enrolments)
    times = Times(name)
    async with running_hub(address, LEARNING) as hub, AsyncExitStack() as stack:
        token = "dev:person0@big.example?tenantId=big"
        client = await stack.enter_async_context(Client(f"ws://127.0.0.1:{hub.port}", token=token))
        courses = await client.query("courses:list")
        report = client.subscribe("reports:enrolments")
        counts = await times.of("report", "the report", anext(aiter(report)))
        assert sum(each["count"] for each in counts) == enrolments // COURSES * COURSES
        asks: dict[str, dict[str, Any]] = {
            "last changed first": {}, "longest unchanged first": {"order": "asc"}, "newest first": {"sort": "made"},
            "a course": {"courseId": courses[7]["_id"]}, "dropped": {"status": "dropped"}, "a member": {"memberId": member},
            "dropped ones of a member": {"memberId": member, "status": "dropped", "sort": "made", "order": "asc"},
            "a member's of a course": {"memberId": member, "courseId": courses[7]["_id"]},
        }  # fmt: skip
        for what, ask in asks.items():
            page = await times.of("page", f"a page, {what}", client.query("courses:enrolments", {**ask, "limit": 25}))
            print(f"    {len(page['items'])} rows", flush=True)
        await pages(times, client)
        page = await client.query("courses:enrolments", {"limit": 25})
        await changes(times, client, page["items"])
    return times.faults


async def pages(times: Times, client: Client) -> None:
    """Read forty pages, one after the other."""
    took, cursor = list[float](), None
    for _ in range(40):
        began = time.monotonic()
        page = await client.query("courses:enrolments", {"cursor": cursor, "limit": 25})
        took.append(time.monotonic() - began)
        cursor = page["nextCursor"]
    times.note("page", "the slowest of 40 pages", max(took))


async def changes(times: Times, client: Client, rows: list[Any]) -> None:
    """Change rows while the report and the list are watched."""
    async with client.subscribe("reports:enrolments") as report, client.subscribe("courses:enrolments", {}) as shown:
        before = await anext(aiter(report))
        await anext(aiter(shown))
        took = list[float]()
        for each in rows:
            status = STATUSES[(STATUSES.index(each["row"]["status"]) + 1) % 3]
            began = time.monotonic()
            await client.mutation("courses:setStatus", {"enrollmentId": each["row"]["_id"], "status": status})
            while (after := await anext(aiter(report))) == before:
                pass
            while (await anext(aiter(shown)))["items"][0]["row"]["_id"] != each["row"]["_id"]:
                pass
            before = after
            took.append(time.monotonic() - began)
        times.note("change", "a change in the report and in the list, at most", max(took))
        times.note("change", "at the median", sorted(took)[len(took) // 2])


async def main(enrolments: int, only: str | None) -> int:
    """Make the trial on both stores, or one; give the exit code."""
    faults = list[str]()
    if only in (None, "sqlite"):
        with tempfile.TemporaryDirectory(prefix="synovia-reports-") as folder:
            faults += await trial("SQLite", f"sqlite:///{folder}/reports.db", enrolments)
    if only in (None, "mongodb"):
        with running_members(1) as replica_set:
            async with fresh_database(replica_set) as address:
                faults += await trial("MongoDB", address, enrolments)
    print("\n".join(faults) or "all soon enough")
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--enrolments", type=int, default=100_000)
    parser.add_argument("--only", choices=["sqlite", "mongodb"])
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.enrolments, given.only)))
