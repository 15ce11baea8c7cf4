"""Single queries over HTTP run in the places of live queries: fairly, with a deadline, and only while somebody waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.raw_requests import Answer, answer, head, line
from helpers.sync_server import Running, serving
from helpers.waiting import until

LOUD = "127.0.0.2"
APPLICATION = """
import asyncio
from synovia import ActionContext, QueryContext, Table, action, query


class Note(Table, name="notes"):
    text: str


@query(public=True)
async def never(ctx: QueryContext) -> int:
    await ctx.db.query(Note).collect()
    await asyncio.Event().wait()
    return 0


@query(public=True)
async def quick(ctx: QueryContext) -> int:
    return await ctx.db.query(Note).count()


@action(public=True)
async def ask(ctx: ActionContext) -> int:
    return await ctx.run_query("slow:never", {})
"""
OWN: Any = ("/api/query", {"path": "slow:never"}, {})
CONVEX: Any = ("/api/query", {"path": "slow:never", "format": "json"}, {"convex-client": "npm-1.30.0"})


@asynccontextmanager
async def slow_server(folder: Path, **limits: Any) -> AsyncIterator[Running]:
    (folder / "slow.py").write_text(APPLICATION)
    async with serving(application=folder, settings={"convex": True}, **limits) as running:
        yield running


def request(path: str, body: Any, headers: dict[str, str] | None = None) -> bytes:
    packed = json.dumps(body).encode()
    standard = {"host": "x", "content-type": "application/json", "content-length": str(len(packed))}
    return head("POST", path, standard | (headers or {})) + packed


async def call(running: Running, path: str, body: Any, source: str = "127.0.0.1") -> Answer:
    async with line(running, source=source) as (reader, writer):
        writer.write(request(path, body))
        return await answer(reader)


@pytest.mark.parametrize("asked", [OWN, CONVEX])
async def test_a_query_ends_when_nobody_waits_for_it_any_more(tmp_path: Path, asked: Any) -> None:
    async with slow_server(tmp_path) as running:
        places = running.app.engine.places
        async with line(running, source=LOUD) as (_, writer):
            writer.write(request(*asked))
            await until(lambda: places.running == 1)
        await until(lambda: places.running == 0)
        assert (await call(running, "/api/query", {"path": "slow:quick"})).status == 200


async def test_a_query_has_a_deadline_and_its_error_names_what_it_read(tmp_path: Path) -> None:
    async with slow_server(tmp_path, query_timeout=0.1) as running:
        for path, function in (("/api/query", "slow:never"), ("/api/action", "slow:ask")):
            error = json.loads((await call(running, path, {"path": function})).body)["error"]
            assert error["code"] == "timeout"
            assert error["data"]["read"] == [{"table": "notes", "index": "by_id", "documents": 0}]


async def test_one_address_leaves_places_for_others(tmp_path: Path) -> None:
    async with slow_server(
        tmp_path, max_running_queries=3, max_running_queries_per_address=2, drain_timeout=0.2
    ) as running:
        places = running.app.engine.places
        asking = [
            asyncio.create_task(call(running, path, {"path": function}, LOUD))
            for path, function in [("/api/query", "slow:never")] * 4 + [("/api/action", "slow:ask")]
        ]
        await until(lambda: places.waiting == 3)
        assert places.running == 2
        assert json.loads((await call(running, "/api/query", {"path": "slow:quick"})).body) == {"result": 0}
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
