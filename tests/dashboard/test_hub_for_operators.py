"""What operators see of a hub itself: its live queries, its clients, the calls to come, how it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from dashboard.operating import Operator, operating
from helpers.convex_wire import add, convex_wire
from helpers.http_server import APPS
from helpers.patience import PATIENCE
from helpers.raw_requests import request_upgrade
from helpers.sync_server import client_of
from helpers.waiting import until
from synovia import MutationContext, keys
from synovia.cli.call_listing import listing_of
from synovia.dashboard.words import words_of
from synovia.keys import IndexSpec, Interval
from synovia.store.filters import AllOf, Comparison, Not
from synovia.transaction.readset import RangeRead


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    async with operating() as operator:
        yield operator


# --- live queries -----------------------------------------------------------------------------------------------------


async def test_a_live_query_says_what_it_costs_and_why_it_ran_again(operator: Operator) -> None:
    async with client_of(operator.running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        for number in range(3):
            posted = {"board": "a", "text": str(number)}
            assert (await operator.call_as_client("mutation", "notes:post", posted)).status == 200
            await client.result(1)
        [told] = (await operator.ask("live:list"))["queries"]
        assert (told["path"], json.loads(told["arguments"]), told["subscribers"]) == (
            "notes:on_board",
            {"board": "a"},
            1,
        )
        assert (told["runs"], told["anew"] + told["rolledForward"], told["read"]) == (4, 4, 3)
        assert told["rolledForward"] >= 2
        assert told["pushed"] > 0
        assert told["size"] > 50
        details = await operator.ask("live:get", {"number": told["number"]})
    assert details["reads"] == ["notes by by_board: board = 'a'"]
    [why] = details["wokenBy"]
    assert why.startswith("added notes ")
    assert why.endswith("which is in notes by by_board: board = 'a'")
    assert [(each["path"], each.get("caller"), each["written"]) for each in details["calls"]] == [
        ("notes:post", None, 1)
    ]
    log = await operator.ask("logs:recent", {"kind": "mutation"})
    assert details["calls"][0]["number"] == log[0]["number"]
    assert "connection" in details["subscribers"][0]
    assert (await operator.call("query", "live:get", {"number": 10**6})).code == "not_found"


async def test_the_operators_own_queries_are_not_listed(operator: Operator) -> None:
    await operator.client.subscribe(1, "_system/live:list")
    assert await operator.ask("live:list") == {"count": 0, "queries": []}


TEXT = IndexSpec("by_board_and_text", ("board", "text"))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (keys.between(()), "everything"),
        (keys.prefix(("a",)), "board = 'a'"),
        (keys.prefix(("a", "b")), "board = 'a', text = 'b'"),
        (keys.between(("a",), ("b", True), ("d", False)), "board = 'a', text ≥ 'b', text < 'd'"),
        (keys.between(("a",), ("b", False), ("d", True)), "board = 'a', text > 'b', text ≤ 'd'"),
        (keys.between((), ("b", True), None), "board ≥ 'b'"),
        (Interval(b"", keys.after(keys.encode(("a", "x", 5)))), "(board, text, _id) ≤ ('a', 'x', 5)"),
        (keys.EMPTY, "nothing"),
    ],
)
def test_intervals_in_words(interval: Interval, words: str) -> None:
    assert words_of(RangeRead("notes", TEXT, interval)) == f"notes by by_board_and_text: {words}"


def test_conditions_in_words() -> None:
    where = AllOf((Comparison("text", "gt", "x"), Not(Comparison("board", "in", ("a", "b")))))
    told = words_of(RangeRead("notes", TEXT, keys.between(()), where))
    assert told.endswith("everything, where (text > 'x') and (not (board in ['a', 'b']))")


# --- clients ----------------------------------------------------------------------------------------------------------


async def test_clients_of_both_protocols_are_listed() -> None:
    async with operating(settings={"convex": True}) as operator, client_of(operator.running) as client:
        await client.send(client.session.authenticate("dev:ada@example.org"))
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        async with convex_wire(operator.running.port) as wire:
            await wire.follow(add(1, "notes:on_board", {"board": "a"}), add(2, "notes:on_board", {"board": "b"}))
            told = {each["protocol"]: each for each in await operator.ask("clients:list") if each["holds"]}
            details = {name: await operator.ask("clients:get", {"name": each["name"]}) for name, each in told.items()}
    assert (told["convex"]["holds"], told["convex"].get("caller")) == (2, None)
    assert (told["synovia"]["holds"], told["synovia"]["callerName"]) == (1, "ada@example.org")
    held = {name: [json.loads(each["arguments"]) for each in found["queries"]] for name, found in details.items()}
    assert held["synovia"] == [{"board": "a"}]
    assert sorted(each["board"] for each in held["convex"]) == ["a", "b"]
    assert details["synovia"]["asOf"] == details["synovia"]["head"]
    assert details["convex"].get("asOf") is None


async def test_a_connection_is_ended_and_that_is_audited(operator: Operator) -> None:
    async with client_of(operator.running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        name = next(each["name"] for each in await operator.ask("clients:list") if each["holds"])
        await operator.do("action", "clients:end", {"name": name})
        fatal, code = await client.end()
        assert (fatal.error.code, code, fatal.retry_after) == ("stopping", 1001, 1.0)
    assert (await operator.call("action", "clients:end", {"name": name})).code == "not_found"
    assert (await operator.call("query", "clients:get", {"name": name})).code == "not_found"
    [entry] = await operator.audited()
    assert (entry["action"], entry["subject"], entry["data"]) == ("operator.end_client", name, {"by": "operator|ops"})


# --- calls to come ----------------------------------------------------------------------------------------------------


async def schedule(operator: Operator, path: str, hours: float = 1, **args: Any) -> str:
    async def work(ctx: MutationContext) -> str:
        return await ctx.scheduler.run_after(timedelta(hours=hours), path, args)

    return str((await operator.running.app.engine.transact(work)).value())


async def test_calls_to_come_are_listed_and_cancelled() -> None:
    async with operating(application=APPS / "chained.py") as operator:
        id_ = await schedule(operator, "chained:note", name="later")
        [told] = await operator.ask("calls:list")
        assert (told["id"], told["path"], json.loads(told["arguments"])) == (id_, "chained:note", {"name": "later"})
        assert await operator.do("mutation", "calls:cancel", {"id": id_}) is True
        assert await operator.do("mutation", "calls:cancel", {"id": id_}) is False
        assert await operator.ask("calls:list") == []
        assert [each["id"] for each in await operator.ask("calls:list", {"status": "cancelled"})] == [id_]


async def test_how_far_a_workflow_is_that_runs_is_told_and_it_is_listed_and_called_by_nobody() -> None:
    async with operating(application=APPS / "trips.py") as operator:
        id_ = await schedule(operator, "trips:careful", hours=0, last="Rome")
        store = operator.running.app.store
        told: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE):
            while (told.get("done"), told.get("estimate")) != (3, 4):
                running = await operator.ask("calls:list", {"status": "running"})
                told = next((each for each in running if each["id"] == id_), {})
        assert told["unit"] == "steps"
        listing = await listing_of(store, {"statuses": ["running"], "limit": 10})
        assert any("3 of 4 steps begun" in line for line in listing.lines())
        listed = {each["path"]: each["kind"] for each in (await operator.ask("functions:list"))["functions"]}
        assert (listed["trips:careful"], listed["trips:over_all"]) == ("workflow", "job")
        answer = await operator.do("action", "functions:run", {"path": "trips:careful"})
        assert (answer["code"], "is a workflow" in answer["message"]) == ("unknown_function", True)


async def test_a_call_that_is_over_is_run_once_more() -> None:
    async with operating(application=APPS / "chained.py") as operator:
        waiting = await schedule(operator, "chained:note", name="again again")
        assert (await operator.call("mutation", "calls:retry", {"id": waiting})).code == "invalid_arguments"
        await operator.do("mutation", "calls:cancel", {"id": waiting})
        new = await operator.do("mutation", "calls:retry", {"id": waiting})
        log = operator.running.app.system.log
        await until(lambda: any(each.runs == new and each.word == "ok" for each in log))
        assert [each["id"] for each in await operator.ask("calls:list", {"status": "done"})] == [new]
        actions = [each["action"] for each in await operator.audited()]
        assert actions == ["operator.cancel", "operator.retry"]
    assert new != waiting


async def test_a_workflow_that_has_failed_goes_on_as_the_same_call() -> None:
    async with operating(application=APPS / "trips.py") as operator:
        id_ = await schedule(operator, "trips:careful", hours=0, last="full")
        for _ in range(2):
            failed: list[dict[str, Any]] = []
            async with asyncio.timeout(PATIENCE):
                while not failed:
                    failed = [
                        each for each in await operator.ask("calls:list", {"status": "failed"}) if each["id"] == id_
                    ]
            assert (failed[0]["isJob"], failed[0]["code"]) == (True, "full")
            assert await operator.do("mutation", "calls:retry", {"id": id_}) == id_


async def test_crons_are_listed(operator: Operator) -> None:
    crons = await operator.client.subscribe(1, "_system/calls:crons")
    while not crons:  # the hub adopts them after it has started
        crons = await operator.client.result(1)
    told = next(each for each in crons if each["path"] == "_arrays:sweep")
    assert told["nextRun"] > 0
    assert told["schedule"] == "30 3 * * * UTC"


async def test_how_the_hub_is(operator: Operator) -> None:
    await operator.call_as_client("mutation", "notes:post", {"board": "a", "text": "x"})
    told = await operator.ask("health:report")
    assert told["report"]["status"] == "ok"
    assert told["counters"]["calls"] == 1
    assert told["counters"]["committed"] >= 1
    assert told["gauges"]["connections"] == 1
    assert told["application"] == "notice_board"
    assert await operator.ask("health:hub") == {"hub": told["hub"], "shared": False}


async def test_limits_that_were_hit_are_told() -> None:
    async with operating(max_connections_per_address=2) as operator:
        async with client_of(operator.running):
            refused = await request_upgrade(operator.running)
            assert refused.status == 429
        told = await operator.ask("health:report")
    assert told["limits"] == {"connections of the hub or an address": 1}
    assert told["hub"].endswith(f":{told['process']}")
