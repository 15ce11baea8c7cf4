"""What operators see of calls, and how they call functions themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dashboard.operating import Operator, operating
from helpers.http_server import APPS
from helpers.sync_server import until


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    async with operating() as operator:
        yield operator


async def test_calls_are_kept_with_what_came_of_them(operator: Operator) -> None:
    await operator.call_as_client("mutation", "notes:post", {"board": "a", "text": "x"}, "dev:ada@example.org")
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    await operator.call_as_client("query", "notes:invented", {})
    await operator.call_as_client("mutation", "notes:post", {"board": 5})
    refused, queried, posted = await operator.ask("logs:recent")
    assert (posted["kind"], posted["path"], posted["outcome"], posted["written"]) == ("mutation", "notes:post", "ok", 1)
    assert (posted["caller"], posted["callerName"]) == ("dev|ada@example.org", "ada@example.org")
    assert (queried["read"], queried["bytes"] > 20, queried["milliseconds"] > 0) == (1, True, True)
    assert refused["outcome"] == "invalid_arguments"


async def test_what_fails_is_found_with_its_traceback(operator: Operator) -> None:
    answer = await operator.call_as_client("query", "notes:broken", {})
    [call] = await operator.ask("logs:recent", {"failed": True})
    assert call["reference"] == answer.json["error"]["data"]["id"]
    told = await operator.ask("logs:call", {"number": call["number"]})
    assert "RuntimeError: the secret of the query" in told["traceback"]
    assert (await operator.call("query", "logs:call", {"number": 10**9})).code == "not_found"


async def test_the_log_is_filtered(operator: Operator) -> None:
    await operator.call_as_client("mutation", "notes:post", {"board": "a", "text": "x"}, "dev:ada@example.org")
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})

    async def paths(**wanted: Any) -> list[str]:
        return [each["path"] for each in await operator.ask("logs:recent", wanted)]

    assert await paths(kind="query") == ["notes:on_board"]
    assert await paths(path="post") == ["notes:post"]
    assert await paths(caller="ada@") == ["notes:post"]
    assert await paths(text="ADA@EXAMPLE") == ["notes:post"]
    assert await paths(slowerThan=60_000) == []
    assert await paths(limit=1) == ["notes:on_board"]
    newest = (await operator.ask("logs:recent"))[0]["number"]
    assert await paths(after=newest) == []


async def test_the_log_is_live_and_bounded(operator: Operator) -> None:
    assert await operator.client.subscribe(1, "_system/logs:recent", {"limit": 5}) == []
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    assert [each["path"] for each in await operator.client.result(1)] == ["notes:on_board"]
    log = operator.running.app.system.log
    for _ in range(2_100):
        await operator.running.app.query("notes:on_board", {"board": "a"})
    assert len(log) == 2_000


async def test_nothing_is_run_again_while_nobody_looks(operator: Operator) -> None:
    log = operator.running.app.system.log
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    assert log.signal._timer is None
    await operator.client.subscribe(1, "_system/logs:recent")
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    assert log.signal._timer is not None
    await operator.client.send(operator.client.session.modify([], [1]))
    await until(lambda: not log.signal.is_followed)
    await until(lambda: log.signal._timer is None)
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    assert log.signal._timer is None


async def test_a_result_that_is_kept_for_who_may_come_back_is_found_anew_then(operator: Operator) -> None:
    hub, path = operator.running.app, "_system/logs:recent"
    signal = hub.system.log.signal
    await operator.client.subscribe(1, path, {"limit": 1})
    await operator.client.send(operator.client.session.modify([], [1]))
    await until(lambda: not signal.is_followed)
    [kept] = hub.engine.live.index.at(signal._point)
    assert kept.dirty_at is None
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    await until(lambda: kept.dirty_at is not None)


async def test_a_request_is_followed_to_the_calls_that_it_has_scheduled() -> None:
    async with operating(application=APPS / "chained.py") as operator:
        for name in ("a", "b"):
            assert (await operator.call_as_client("mutation", "chained:begin", {"name": name})).status == 200
        log = operator.running.app.system.log
        await until(lambda: len(log) == 8)
        last = next(each for each in log if each.call.path == "chained:note")
        told = await operator.ask("logs:call", {"number": last.call.number})
        related = [each["path"] for each in told["related"]]
        assert related == ["chained:begin", "chained:act", "chained:note", "chained:note"]
        causes = [each.get("cause") for each in told["related"]]
        assert causes == [None, *(each["number"] for each in told["related"][:-1])]


# --- functions --------------------------------------------------------------------------------------------------------


async def test_functions_are_listed_with_arguments_access_and_docs(operator: Operator) -> None:
    listed = {each["path"]: each for each in (await operator.ask("functions:list"))["functions"]}
    told = listed["notes:lines"]
    assert (told["kind"], told["access"]) == ("query", "everybody")
    assert told["docs"] == "As many lines as there are notes on a board."
    assert json.loads(told["argumentsSchema"])["required"] == ["board", "length"]
    assert listed["_arrays:sweep"]["cron"]
    assert not any(path.startswith("_system/") for path in listed)


async def test_a_mutation_is_run_as_somebody_and_audited(operator: Operator) -> None:
    args = {"path": "notes:post", "jsonText": '{"board": "a", "text": "x"}'}
    told = await operator.do("action", "functions:run", args)
    assert (told.get("code"), told["written"]) == (None, 1)
    entry = next(each for each in await operator.audited() if each["action"] == "operator.run")
    assert (entry["subject"], entry["data"]) == ("notes:post", {"by": "operator|ops", "as": "application"})


async def test_a_query_is_asked_as_somebody(operator: Operator) -> None:
    args: dict[str, Any] = {"path": "notes:who_am_i"}
    user = {"who": "user", "issuer": "x", "subject": "1", "email": "ada@example.org"}
    for path in ("functions:watch", "functions:run"):
        kind = "query" if path.endswith("watch") else "action"
        assert (await operator.do(kind, path, {**args, "caller": user}))["result"] == '"ada@example.org"'
        assert (await operator.do(kind, path, {**args, "caller": {"who": "nobody"}}))["result"] == "null"
    refused = await operator.do("query", "functions:watch", {**args, "caller": {"who": "user"}})
    assert refused["code"] == "invalid_arguments"


async def test_a_query_is_watched(operator: Operator) -> None:
    args = {"path": "notes:on_board", "jsonText": '{"board": "a"}'}
    assert (await operator.client.subscribe(1, "_system/functions:watch", args))["result"] == "[]"
    await operator.call_as_client("mutation", "notes:post", {"board": "a", "text": "seen"})
    assert json.loads((await operator.client.result(1))["result"])[0]["text"] == "seen"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"path": "notes:invented"}, "unknown_function"),
        ({"path": "notes:on_board"}, "invalid_arguments"),
        ({"path": "notes:on_board", "jsonText": "nonsense"}, "invalid_arguments"),
        ({"path": "notes:post"}, "wrong_kind"),
        ({"path": "notes:broken"}, "server_error"),
    ],
)
async def test_what_fails_is_told(operator: Operator, args: dict[str, Any], code: str) -> None:
    answer = await operator.call("query", "functions:watch", args)
    told = answer.json
    assert code in (told.get("error", {}).get("code"), told.get("result", {}).get("code"))
