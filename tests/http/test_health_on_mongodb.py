"""What ``/health`` says of the log's bad days, and that nobody who is subscribed is told wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from helpers.health import health_of
from helpers.mongod import Mongod, NoMongod, ReplicaSet
from helpers.patience import PATIENCE
from helpers.sync_server import Client, Running, client_of, serving
from helpers.waiting import until
from synovia.engine.health import IndexHealth
from synovia.tasks import keep_running

pytestmark = pytest.mark.mongodb

Outside = AsyncDatabase[dict[str, Any]]


@asynccontextmanager
async def hub_and_outside(uri: str, name: str, **limits: Any) -> AsyncIterator[tuple[Running, Outside]]:
    address = urlsplit(uri)._replace(path=f"/{name}").geturl()
    async with AsyncMongoClient[dict[str, Any]](uri) as outside, serving(store=address, **limits) as running:
        yield running, outside[name]


async def texts(client: Client, wanted: list[str]) -> None:
    """Wait until the board shows these."""
    async with asyncio.timeout(PATIENCE):
        while [note["text"] for note in client.session.held[1].value] != wanted:
            await client.result(1)


@pytest.mark.parametrize("how", ["drop", "rename"])
async def test_a_table_that_goes_is_a_gap_that_is_told_and_survived(
    how: str, mongodb_uri: str, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with hub_and_outside(mongodb_uri, database_name) as (running, outside), client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "lost"})
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        await texts(client, ["lost"])
        _, before = await health_of(running.port)
        assert (before["gaps"], before["lastGap"]) == (0, None)
        with caplog.at_level(logging.WARNING, "synovia"):
            await (outside.notes.drop() if how == "drop" else outside.notes.rename("elsewhere"))
            await texts(client, [])
        status, after = await health_of(running.port)
        assert (status, after["status"], after["log"], after["gaps"]) == (200, "ok", "ok", 1)
        assert after["head"] > before["head"]
        assert after["lastGap"] > 1.7e12
        assert "'notes' was dropped or renamed" in caplog.text
        assert (await client.mutate("notes:post", {"board": "a", "text": "new"})).error is None
        await texts(client, ["new"])


async def test_a_backlog_of_commits_shows(mongodb_uri: str, database_name: str) -> None:
    """Another program holds the fence as a hub does that has been stopped amid a commit."""
    async with hub_and_outside(mongodb_uri, database_name) as (running, outside), client_of(running) as client:
        await until(lambda: list(running.app.engine.live) != [])  # it follows its schedule: its own commits are made
        async with outside.client.start_session() as session:
            await session.start_transaction()
            await outside["_fence"].update_one({}, {"$set": {"held": 1}}, session=session)
            requests = [client.mutation("notes:post", {"board": "a", "text": "x"}) for _ in range(3)]
            await client.send(*(frame for _, frame in requests))
            async with asyncio.timeout(PATIENCE):
                while (await health_of(running.port))[1]["backlog"] != 1:  # a client's mutations go one by one
                    pass
            await session.abort_transaction()
        for number, _ in requests:
            assert (await client.response(number)).error is None
        assert (await health_of(running.port))[1]["backlog"] == 0


async def test_an_index_that_somebody_has_dropped_is_told_and_the_hub_still_takes_clients(
    mongodb_uri: str, database_name: str
) -> None:
    async with hub_and_outside(mongodb_uri, database_name) as (running, outside):
        assert (await health_of(running.port))[1]["indexes"] == "ok"
        await outside.notes.drop_index("synovia_by_board")
        running.app.health.add("indexes", IndexHealth(running.app.store))  # one that has not looked a moment ago
        status, report = await health_of(running.port)
        assert (status, report["status"]) == (200, "degraded")
        assert report["indexes"].startswith("missing: notes.by_board; queries that need them fail")
        assert report["faults"] == [{"part": "indexes", "fault": report["indexes"], "permanent": True}]
        await running.app.store.open(running.app.registry.tables)  # as a hub does that starts
        running.app.health.add("indexes", IndexHealth(running.app.store))
        assert (await health_of(running.port))[1]["status"] == "ok"


async def test_a_log_that_others_leave_behind_is_seen_though_nobody_asks(
    mongodb_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_and_outside(mongodb_uri, database_name, log_timeout=0.5) as (running, outside):
        lag, log, held = running.app.engine._lag, running.app.engine._log, list[Any]()
        deliver = log._deliver
        monkeypatch.setattr(log, "_deliver", held.append)
        await outside.notes.insert_many([{"board": "a", "text": str(number)} for number in range(100)])
        await until(lambda: lag.seconds(log.head) > 0.5)
        status, report = await health_of(running.port)
        assert (status, report["log"]) == (503, "standing still")
        assert report["logLag"] >= 0.5
        for change in held:
            deliver(change)
        monkeypatch.setattr(log, "_deliver", deliver)
        await until(lambda: lag.seconds(log.head) < 0.5)
        assert (await health_of(running.port))[0] == 200


async def test_a_change_stream_that_stands_is_told_and_nothing_is_lost_or_answered_before_it_goes_on(
    mongodb_uri: str, database_name: str
) -> None:
    """mongod commits and answers, but what it is asked for next by the change stream stays out."""
    async with (
        hub_and_outside(mongodb_uri, database_name, log_timeout=0.5) as (running, outside),
        client_of(running) as client,
    ):
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        standing = {"failCommands": ["getMore"], "blockConnection": True, "blockTimeMS": 3_000}
        data = standing | {"appName": f"synovia {database_name}"}
        await outside.client.admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})
        try:
            await outside.notes.insert_one({"board": "a", "text": "another program's"})
            number, frame = client.mutation("notes:post", {"board": "a", "text": "own"})
            await client.send(frame)
            async with asyncio.timeout(PATIENCE):
                while (report := await health_of(running.port))[1]["log"] != "standing still":
                    pass
            assert (report[0], report[1]["store"]) == (503, "ok")
        finally:
            await outside.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        assert (await client.response(number)).error is None
        assert sorted(note["text"] for note in client.session.held[1].value) == ["another program's", "own"]
        await until(lambda: running.app.engine.lag_seconds < 0.5)
        assert (await health_of(running.port))[0] == 200


async def test_a_database_that_refuses_access_is_a_permanent_fault(mongodb_uri: str, database_name: str) -> None:
    async with hub_and_outside(mongodb_uri, database_name) as (running, outside), client_of(running) as client:
        failing = {"failCommands": ["ping", "commitTransaction", "insert", "update"], "errorCode": 13}
        data = failing | {"appName": f"synovia {database_name}"}
        await outside.client.admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})
        try:
            status, report = await health_of(running.port)
            assert (status, report["store"].split(":")[0]) == (503, "StoreUnusable")
            assert "readWrite" in report["store"]
            assert report["faults"][0]["permanent"] is True
            response = await client.mutate("notes:post", {"board": "a", "text": "x"})
        finally:
            await outside.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        assert response.error is not None
        assert response.error.code == "server_error", "trying again later does not help"
        assert (await client.mutate("notes:post", {"board": "a", "text": "y"})).error is None
        assert (await health_of(running.port))[1]["status"] == "ok"


async def _roll_over(outside: Outside) -> None:
    """Write until the oplog no longer holds what it holds now; mongod cuts it about once a minute, after a checkpoint."""
    local = outside.client.local["oplog.rs"]
    newest = (await local.find_one(sort=[("$natural", -1)]) or {})["ts"]
    async with asyncio.timeout(150):
        while (await local.find_one(sort=[("$natural", 1)]) or {})["ts"] <= newest:
            await outside.other.insert_many([{"ballast": b"x" * 50_000} for _ in range(40)])
            await asyncio.sleep(1)


@pytest.mark.torture
async def test_an_oplog_that_has_rolled_over_is_a_gap(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The hub stands still for longer than the oplog reaches back; clients are then told what is, not what was."""
    if "torture" not in request.config.option.markexpr:
        pytest.skip("takes minutes: pytest -m torture")
    member = Mongod(tmp_path / "db", oplog_megabytes=1)
    replica_set = ReplicaSet([member])
    try:
        await asyncio.to_thread(member.start)
    except NoMongod as error:
        pytest.skip(str(error))
    try:
        await asyncio.to_thread(replica_set.initiate)
        uri = replica_set.uri
        async with hub_and_outside(uri, "rolled", idle_timeout=600) as (running, outside), client_of(running) as client:
            await client.mutate("notes:post", {"board": "a", "text": "before"})
            await client.subscribe(1, "notes:on_board", {"board": "a"})
            await texts(client, ["before"])
            log = next(task for task in running.app.engine._tasks if task.get_name() == "log")
            log.cancel()  # as if this hub had been paused
            await asyncio.wait([log])
            await outside.notes.update_one({"text": "before"}, {"$set": {"text": "missed"}})
            await _roll_over(outside)
            assert (await health_of(running.port))[1]["log"] == "not followed"
            engine = running.app.engine
            engine._tasks.append(keep_running(engine._follow, "log"))
            await texts(client, ["missed"])
            status, report = await health_of(running.port)
            assert (status, report["gaps"]) == (200, 1)
            assert (await client.mutate("notes:post", {"board": "a", "text": "after"})).error is None
            await texts(client, ["missed", "after"])
    finally:
        await asyncio.to_thread(member.stop, kill=True)
