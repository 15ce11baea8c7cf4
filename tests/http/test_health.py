from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

from sync.serving import Running, client_of, serving
from synovia.store.base import StoreUnavailable


async def get(running: Running, path: str = "/health") -> tuple[int, Any]:
    def fetch() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.port}{path}", timeout=5) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    return await asyncio.to_thread(fetch)


async def test_health_tells_of_store_log_and_load() -> None:
    async with serving() as running, client_of(running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        status, report = await get(running)
        assert status == 200
        assert report == {
            "status": "ok",
            "store": "ok",
            "log": "ok",
            "head": running.app.engine.head,
            "connections": 1,
            "liveQueries": 1,
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


async def test_health_says_that_the_server_is_stopping() -> None:
    async with serving() as running:
        await running.hub.stop()
        status, report = await get(running)
        assert (status, report["status"]) == (503, "stopping")
