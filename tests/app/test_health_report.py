"""A report of health does not take as long as all its parts together."""

from __future__ import annotations

import asyncio

from synovia.health import Health, Level, PartHealth


async def test_parts_are_asked_at_once_after_the_first() -> None:
    """Whoever asks waits for the slowest, not for all: a database that is slow has several of them wait."""
    order: list[str] = []
    meeting = asyncio.Barrier(2)

    async def store() -> PartHealth:
        order.append("store")
        return PartHealth(figures={"head": 1})

    async def slow() -> PartHealth:
        order.append("slow")
        await meeting.wait()  # each waits for the other one
        return PartHealth()

    async def hangs() -> PartHealth:
        await asyncio.Event().wait()
        raise AssertionError("never")

    health = Health(timeout=5.0)
    for name, part in (("store", store), ("log", slow), ("indexes", slow)):
        health.add(name, part)
    report = await health.report()
    assert (report["status"], report["log"], report["indexes"]) == ("ok", "ok", "ok")
    assert order[0] == "store"
    assert list(report) == ["status", "faults", "store", "head", "log", "indexes"]

    quick = Health(timeout=0.01)
    quick.add("store", store)
    quick.add("log", hangs)
    report = await quick.report()
    assert (report["status"], report["log"]) == (Level.FAILING.name.lower(), "no answer within 0.01 s")
