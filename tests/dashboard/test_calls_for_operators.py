"""What operators see of calls, and how they call functions themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from apps import tally, tally_crons
from dashboard.operating import Operator, operating
from helpers.http_server import APPS
from helpers.sync_server import client_of
from helpers.waiting import until
from synovia.dashboard.call_log import (
    MINUTE,
    MOST_CALLS,
    MOST_KINDS,
    MOST_LINE_CHARACTERS,
    OTHERS,
    CallLog,
)  # fmt: skip
from synovia.engine.observing import EndedCall
from synovia.engine.outcomes import Outcome
from synovia.functions.log_lines import LogLine
from synovia.functions.registry import collect
from synovia.testing import TestApp


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


@pytest.mark.slow
async def test_what_crons_run_is_called_by_the_application_and_what_they_schedule_once() -> None:
    async with TestApp(collect("tally_crons", [tally, tally_crons])) as app:
        log = app.engine.observer = CallLog()
        await app.advance(timedelta(days=1), raise_failures=False)
        crons = {(each.kind, each.path, each.inside) for each in log if each.path.startswith("tally_crons:")}
        assert crons == {
            ("mutation", "tally_crons:tick", True),
            ("mutation", "tally_crons:failing_noon", True),
            ("action", "tally_crons:nightly", True),
        }
        await app.caller().query("tally:tallies")
        assert next((each.path, each.inside) for each in log) == ("tally:tallies", False)


async def test_the_log_is_live(operator: Operator) -> None:
    assert await operator.client.subscribe(1, "_system/logs:recent", {"limit": 5}) == []
    await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    assert [each["path"] for each in await operator.client.result(1)] == ["notes:on_board"]


def ended(path: str, number: int = 0, word: str = "ok", lines: int = 0) -> EndedCall:
    outcome = Outcome(log_lines=(LogLine(20, "x" * 10_000),) * lines)
    return EndedCall(number, None, "query", path, None, word, 0.002, outcome)


def test_of_one_function_so_many_calls_are_kept_in_a_second_and_the_others_counted() -> None:
    now = [100.0]
    log = CallLog(lambda: now[0])
    for number in range(500):
        log.call_ended(ended("notes:busy", number))
    log.call_ended(ended("notes:busy", 500, "forbidden"))
    log.call_ended(ended("notes:rare", 501))
    kept = [(each.path, each.word, each.more) for each in log]
    assert kept[:3] == [("notes:rare", "ok", 0), ("notes:busy", "forbidden", 0), ("notes:busy", "ok", 450)]
    assert (len(kept), log.seen, log.left_out) == (52, 502, 450)
    now[0] += 1
    log.call_ended(ended("notes:busy", 502))
    assert (len(log), next(iter(log)).more) == (53, 0)
    sums = log.summary()
    assert (sums["query", "notes:busy", "ok"].calls, sums["query", "notes:rare", "ok"].calls) == (501, 1)
    now[0] += MINUTE
    assert log.summary() == {}


def test_the_log_of_calls_is_bounded_whatever_is_called_and_logged() -> None:
    now = [100.0]
    log = CallLog(lambda: now[0])
    for number in range(3 * MOST_CALLS):
        now[0] += 0.02
        log.call_ended(ended(f"notes:{number % 7}", number, lines=1))
    assert len(log) == MOST_CALLS
    kept = [len(line.text) for each in log for line in each.lines]
    assert MOST_LINE_CHARACTERS - 10_000 <= sum(kept) <= MOST_LINE_CHARACTERS
    assert next(iter(log)).lines
    for number in range(3 * MOST_KINDS):
        log.call_ended(ended(f"invented:{number}"))
    assert len(log.summary()) <= MOST_KINDS + 1 + 7
    assert log.summary()[OTHERS].calls > MOST_KINDS


async def test_what_functions_log_and_print_is_shown_where_people_work_too() -> None:
    async with operating(application=APPS / "talkative.py") as operator:
        assert not operator.running.app._development
        await operator.call_as_client("mutation", "talkative:say", {"text": "well"})
        await operator.call_as_client("query", "talkative:ask", {})
        asked, said = await operator.ask("logs:recent")
        lines = [(each["level"], each["text"]) for each in said["lines"]]
        assert lines == [("print", "I say well"), ("warning", "well was said"), ("print", "no line's end")]
        assert [each["text"] for each in asked["lines"]] == ["asked"]
        assert [each["path"] for each in await operator.ask("logs:recent", {"text": "was SAID"})] == ["talkative:say"]


async def test_a_live_query_shows_what_its_run_has_printed() -> None:
    async with operating(application=APPS / "talkative.py") as operator, client_of(operator.running) as client:
        await client.subscribe(1, "talkative:ask")
        [told] = (await operator.ask("live:list"))["queries"]
        assert [each["text"] for each in (await operator.ask("live:get", {"number": told["number"]}))["lines"]] == [
            "asked"
        ]


async def test_calls_are_summed_up_by_function(operator: Operator) -> None:
    for _ in range(3):
        await operator.call_as_client("query", "notes:on_board", {"board": "a"})
    await operator.call_as_client("query", "notes:on_board", {"board": 5})
    [told] = await operator.ask("logs:summary")
    assert (told["kind"], told["path"], told["calls"], told["failures"]) == ("query", "notes:on_board", 4, 1)
    assert told["slowest"] >= told["average"] > 0


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
        last = next(each for each in log if each.path == "chained:note")
        told = await operator.ask("logs:call", {"number": last.number})
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
    assert told["milliseconds"] > 0
    failed = await operator.do("action", "functions:run", {"path": "notes:broken"})
    assert (failed["code"], failed["milliseconds"] > 0) == ("server_error", True)
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
    first = await operator.client.subscribe(1, "_system/functions:watch", args)
    assert (first["result"], first.get("milliseconds")) == ("[]", None)  # else each run would change the answer
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
