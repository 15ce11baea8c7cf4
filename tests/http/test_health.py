from __future__ import annotations

import asyncio
import os
from typing import Any

from helpers.health import health_of
from helpers.sync_server import Running, client_of, serving, until
from synovia.store.base import StoreUnavailable


async def get(running: Running) -> tuple[int, Any]:
    return await health_of(running.port)


async def test_health_tells_of_store_log_and_load() -> None:
    async with serving() as running, client_of(running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        status, report = await get(running)
        assert status == 200
        assert 0 <= report.pop("logAge") < 10
        assert report == {
            "status": "ok",
            "store": "ok",
            "log": "ok",
            "gaps": 0,
            "lastGap": None,
            "backlog": 0,
            "process": os.getpid(),
            "head": running.app.engine.head,
            "connections": 1,
            "liveQueries": 1,
            "scheduler": "ok",
            "scheduledCalls": 0,
            "failedCalls": 0,
            "lastFailedCall": None,
            "unreadableDocuments": 0,
            "swept": {"arrays": 0, "chunks": 0, "bytes": 0},
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
        assert (await get(running))[0] == 200


async def test_health_fails_when_the_log_is_not_followed() -> None:
    async with serving() as running:
        await running.app.engine.stop()
        status, report = await get(running)
        assert (status, report["log"]) == (503, "not followed")


async def test_a_log_that_stands_still_while_the_database_moves_is_no_health() -> None:
    async with serving(log_timeout=0.01) as running, client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        head = running.app.engine.head
        log = running.app.engine._log
        held: list[Any] = []
        deliver = log._deliver
        log._deliver = held.append  # type: ignore[method-assign, assignment]
        _, frame = client.mutation("notes:post", {"board": "a", "text": "y"})
        await client.send(frame)
        await until(lambda: bool(held))
        log.advanced_at -= 1
        status, report = await get(running)
        assert (status, report["status"], report["log"], report["head"]) == (503, "failing", "standing still", head)
        assert report["logAge"] >= 1
        for commit in held:  # the scheduler may have written its crons too
            deliver(commit)
        log._deliver = deliver  # type: ignore[method-assign]
        log.advanced_at -= 1
        assert (await get(running))[1]["log"] == "ok", "a database that nobody writes to is silent"


async def test_health_says_that_the_server_is_stopping() -> None:
    async with serving() as running:
        await running.hub.stop()
        status, report = await get(running)
        assert (status, report["status"]) == (503, "stopping")
