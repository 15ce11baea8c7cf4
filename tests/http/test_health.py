from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from helpers.health import health_of
from helpers.patience import PATIENCE
from helpers.sync_server import Client, Running, client_of, serving
from helpers.waiting import until
from synovia.health import PartHealth
from synovia.store.base import StoreUnavailable


async def get(running: Running) -> tuple[int, Any]:
    return await health_of(running.port)


async def test_health_tells_of_store_log_and_load() -> None:
    async with serving() as running, client_of(running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        status, report = await get(running)
        assert status == 200
        assert 0 <= report.pop("logLag") < 10
        assert report.pop("schemaCheck") in ("pending", "running", "done")
        assert report.pop("checkedDocuments") >= 0
        assert report == {
            "status": "ok",
            "faults": [],
            "store": "ok",
            "log": "ok",
            "indexes": "ok",
            "engine": "ok",
            "hub": "ok",
            "gaps": 0,
            "lastGap": None,
            "backlog": 0,
            "forwardedMutations": 0,
            "process": os.getpid(),
            "head": running.app.engine.head,
            "connections": 1,
            "liveQueries": 1,
            "scheduler": "ok",
            "scheduledCalls": 0,
            "scheduledLate": 0.0,
            "failedCalls": 0,
            "lastFailedCall": None,
            "unreadableDocuments": 0,
            "schema": "ok",
            "pendingMigrations": 0,
            "search": "ok",
            "indexedTexts": 0,
            "searchIndexes": "complete",
            "aggregatedDocuments": 0,
            "aggregatedChanges": 0,
            "aggregates": "complete",
            "swept": {"arrays": 0, "chunks": 0, "bytes": 0},
            "loop": "ok",
            "loopHeld": 0,
            "loopHeldLongest": 0.0,
            "loopHeldBy": None,
        }


async def test_health_fails_when_the_store_does_not_answer() -> None:
    async with serving(health_timeout=0.1) as running:
        ping = running.app.store.ping

        async def hang() -> None:
            await asyncio.Event().wait()

        async def fail() -> None:
            raise StoreUnavailable("no primary")

        for broken, said in ((hang, "no answer within 0.1 s"), (fail, "StoreUnavailable: no primary")):
            running.app.store.ping = broken  # type: ignore[method-assign]
            status, report = await get(running)
            assert (status, report["status"], report["store"]) == (503, "failing", said)
        running.app.store.ping = ping  # type: ignore[method-assign]
        async with asyncio.timeout(PATIENCE):
            while (await get(running))[0] != 200:  # on a busy machine any store may be late
                pass


async def test_health_fails_when_the_log_is_not_followed() -> None:
    async with serving() as running:
        await running.app.engine.stop()
        status, report = await get(running)
        assert (status, report["log"]) == (503, "not followed")


@asynccontextmanager
async def held_log(running: Running, client: Client) -> AsyncIterator[None]:
    """Let the log bring nothing of what is committed, until the block ends."""
    log = running.app.engine._log
    deliver, held = log._deliver, list[Any]()
    log._deliver = held.append  # type: ignore[method-assign, assignment]
    _, frame = client.mutation("notes:post", {"board": "a", "text": "y"})
    await client.send(frame)
    await until(lambda: bool(held))
    try:
        yield
    finally:
        for commit in held:  # the scheduler may have written its crons too
            deliver(commit)
        log._deliver = deliver  # type: ignore[method-assign]


def pass_time(monkeypatch: pytest.MonkeyPatch, running: Running, seconds: float) -> None:
    """Let what the hub knows of the database's progress be older."""
    lag = running.app.engine._lag
    monkeypatch.setattr(lag, "_ahead", deque((ts, at - seconds) for ts, at in lag._ahead))


async def test_a_log_that_is_behind_the_database_is_no_health(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(log_timeout=30) as running, client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        running.app.engine._log.advanced_at -= 3600
        assert (await get(running))[1]["log"] == "ok", "a database that nobody writes to is silent"
        head = running.app.engine.head
        async with held_log(running, client):
            _, report = await get(running)
            assert (report["log"], report["head"]) == ("ok", head), "it may be a little behind"
            pass_time(monkeypatch, running, 31)
            running.app.engine._log.advanced_at = time.monotonic() - 3600  # what came late has moved it
            status, report = await get(running)
            assert (status, report["status"], report["log"]) == (503, "failing", "standing still")
            assert report["logLag"] >= 31
            assert report["faults"] == [{"part": "log", "fault": "standing still", "permanent": False}]
            running.app.engine._log.advanced_at = time.monotonic()
            assert (await get(running))[1]["log"] == "behind", "it brings something, but not the newest"
        status, report = await get(running)
        assert (status, report["log"], report["logLag"]) == (200, "ok", 0.0)


async def test_a_commit_that_fails_is_told_until_one_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as running, client_of(running) as client:
        committer, commit = running.app.engine.committer, running.app.store.commit
        committer._patience = 0

        async def full(batch: Any) -> Any:
            raise StoreUnavailable("database or disk is full")

        monkeypatch.setattr(running.app.store, "commit", full)
        outcome = await running.app.engine.mutate("notes:post", {"board": "a", "text": "x"}, None)
        assert outcome.error is not None
        status, report = await get(running)
        assert (status, report["engine"]) == (503, "commits fail: database or disk is full")
        monkeypatch.setattr(running.app.store, "commit", commit)
        assert (await client.mutate("notes:post", {"board": "a", "text": "x"})).error is None
        assert (await get(running))[0] == 200


async def test_a_part_that_cannot_be_asked_is_a_fault() -> None:
    async with serving() as running:

        async def broken() -> PartHealth:
            raise RuntimeError("no idea")

        running.app.health.add("extra", broken)
        status, report = await get(running)
        assert (status, report["extra"]) == (503, "RuntimeError: no idea")


async def test_health_says_that_the_server_is_stopping() -> None:
    async with serving() as running:
        await running.hub.stop()
        status, report = await get(running)
        assert (status, report["status"]) == (503, "stopping")
