from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import synovia
from helpers.http_server import Served, fresh_ledger, serving
from helpers.patience import PATIENCE
from helpers.waiting import until
from synovia.http.errors import STATUS, status_of
from synovia.identity import SignIn, SignInUnavailable
from synovia.limits.settings import HubLimits
from synovia_client import Client
from synovia_protocol.errors import ErrorCode

ALICE = "dev:alice@example.org"
KEY = {"Idempotency-Key": "0123456789abcdef"}


@pytest.fixture
async def ledger() -> AsyncIterator[Served]:
    async with serving() as served:
        fresh_ledger()
        yield served


# --- the functions, as over the socket ----------------------------------------------------------------------------------


async def test_a_mutation_is_committed_and_the_next_query_sees_it(ledger: Served) -> None:
    opened = await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    assert (opened.status, len(opened.json["result"])) == (200, 24)
    for cents in range(1, 20):
        paid = await ledger.call("mutation", "ledger:pay_in", {"name": "alice", "cents": cents})
        told = await ledger.call("query", "ledger:balance", {"name": "alice"})
        assert told.json == paid.json == {"result": sum(range(cents + 1))}
        assert int(told.headers["synovia-ts"]) >= int(paid.headers["synovia-ts"])


async def test_an_action_runs(ledger: Served) -> None:
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    assert (await ledger.call("action", "ledger:pay_twice", {"name": "alice", "cents": 4})).json == {"result": 8}


async def test_a_function_has_an_address_of_its_own(ledger: Served) -> None:
    assert (await ledger.post("/api/run/ledger/open_account", {"name": "alice"})).status == 200
    assert (await ledger.post("/api/run/ledger/balance", {"name": "alice"})).json == {"result": 0}
    assert (await ledger.post("/api/run/ledger/pay_twice", {"name": "alice", "cents": 1})).json == {"result": 2}
    for path in ("ledger/hidden", "ledger/nothing", "other/balance"):
        answer = await ledger.post(f"/api/run/{path}", {})
        assert (answer.status, answer.code) == (404, "unknown_function")


async def test_errors_are_those_of_the_socket(ledger: Served) -> None:
    """Each wrong call, over HTTP and over a socket: one and the same error."""
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("query", "ledger:balance", {"name": "nobody"}),
        ("query", "ledger:balance", {"name": 5}),
        ("query", "ledger:balance", {}),
        ("query", "ledger:accounts", {"limit": 0, "other": 1}),
        ("query", "ledger:nothing", {}),
        ("query", "ledger:pay_in", {}),
        ("query", "ledger:whoami", {}),
        ("mutation", "ledger:hidden", {}),
        ("mutation", "ledger:pay_in", {"name": "nobody", "cents": 1}),
        ("mutation", "ledger:pay_in", {"name": "nobody", "cents": -1}),
        ("action", "ledger:pay_twice", {"name": "nobody", "cents": 1}),
    ]
    async with Client(f"ws://127.0.0.1:{ledger.port}") as client:
        for kind, path, args in wrong:
            answer = await ledger.call(kind, path, args)
            with pytest.raises(Exception) as caught:  # noqa: PT011 (compared below)
                await getattr(client, kind)(path, args)
            error: Any = caught.value
            assert answer.json == {"error": {"code": error.code, "message": error.message, "data": error.data}}
            assert answer.status == status_of(error.code) >= 400


async def test_an_error_of_the_application_brings_its_data(ledger: Served) -> None:
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    answer = await ledger.call("mutation", "ledger:pay_in", {"name": "alice", "cents": 2_000_000})
    data = {"most": 1_000_000, "raw": {"$binary": {"base64": "AA==", "subType": "00"}}}
    assert answer.status == 422
    assert answer.json == {"error": {"code": "too_rich", "message": "nobody has that much", "data": data}}


async def test_exceptions_are_told_by_a_reference_only(ledger: Served, caplog: pytest.LogCaptureFixture) -> None:
    answer = await ledger.call("query", "ledger:broken")
    assert (answer.status, answer.code) == (500, "server_error")
    assert b"secret" not in answer.body
    assert answer.json["error"]["data"]["id"] in caplog.text
    assert "the secret of the query" in caplog.text


async def test_a_unique_key_that_is_taken_is_a_conflict(ledger: Served) -> None:
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    answer = await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    assert (answer.status, answer.code, answer.json["error"]["data"]) == (409, "unique_violation", {"index": "by_name"})


_RAISED = re.compile(r'FunctionError\(\s*"([a-z_]+)"')


def test_every_code_of_synovia_that_a_call_can_give_has_a_status() -> None:
    of_sockets = {
        "bad_frame", "bad_message", "unknown_message", "unexpected_message", "text_frame", "unsupported_version",
        "bad_array_frame", "array_misordered", "array_digest_mismatch", "out_of_sync", "too_slow",
    }  # fmt: skip
    assert {code.value for code in ErrorCode} - of_sockets <= set(STATUS)
    raised = {
        code for path in Path(synovia.__file__).parent.rglob("*.py") for code in _RAISED.findall(path.read_text())
    }
    assert {"still_referenced", "too_much_text"} <= raised
    assert raised - {"not_in_a_workflow"} <= set(STATUS), "a code of Synovia's own has a status"
    assert status_of("an_application's_own") == 422


# --- values -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        [1, 1.5, -0.0, "é", True, {"a": []}],
        {"$numberLong": "9007199254740993"},
        {"$numberDouble": "NaN"},
        {"$binary": {"base64": "AP8=", "subType": "00"}},
        {"$date": "2026-11-21T08:00:00.000Z"},
        {"$map": {"$set": {"$numberDouble": "-Infinity"}}},
    ],
)
async def test_values_go_through_unchanged(ledger: Served, value: Any) -> None:
    answer = await ledger.call("query", "ledger:everything", {"value": value})
    assert json.dumps(answer.json) == json.dumps({"result": value})


async def test_typed_values_are_taken(ledger: Served) -> None:
    moment, raw = {"$date": "2026-11-21T08:00:00.000Z"}, {"$binary": {"base64": "AP8=", "subType": "00"}}
    assert (await ledger.call("query", "ledger:at", {"moment": moment, "raw": raw})).json == {"result": [moment, raw]}
    refused = await ledger.call("query", "ledger:at", {"moment": "2026-11-21T08:00:00Z", "raw": raw})
    assert (refused.status, refused.code) == (400, "invalid_arguments")


async def test_a_list_of_numbers_becomes_an_array(ledger: Served) -> None:
    samples = [1, 2.5, {"$numberDouble": "NaN"}, {"$numberDouble": "-Infinity"}, -0.0]
    opened = await ledger.call("mutation", "ledger:open_account", {"name": "alice", "samples": samples})
    assert opened.status == 200, opened.body
    (account,) = (await ledger.call("query", "ledger:accounts")).json["result"]
    assert account["samples"]["$array"]["dtype"] == "float64"
    assert account["samples"]["$array"]["shape"] == [5]
    async with Client(f"ws://127.0.0.1:{ledger.port}") as client, client.subscribe("ledger:accounts") as live:
        stored = await client.array(live.value[0]["samples"])
    assert stored.tobytes().hex() == "000000000000f03f0000000000000440000000000000f87f000000000000f0ff0000000000000080"


async def test_arrays_are_found_inside_models_and_lists(ledger: Served) -> None:
    series = {"label": "a", "samples": [[1, 2, 3], [10.0, 20.0]]}
    answer = await ledger.call("query", "ledger:mean", {"series": series})
    assert answer.json == {"result": [2.0, 15.0]}


@pytest.mark.parametrize("samples", [[1, "2"], [1, None], [True], [[1, 2], [3]], "AAAA", {"a": 1}, 5])
async def test_what_is_no_array_is_refused(ledger: Served, samples: Any) -> None:
    answer = await ledger.call("mutation", "ledger:open_account", {"name": "alice", "samples": samples})
    assert (answer.status, answer.code) == (400, "invalid_arguments")
    assert (await ledger.call("query", "ledger:accounts")).json == {"result": []}


async def test_nobody_gets_at_an_array_by_naming_it(ledger: Served) -> None:
    """A reference is no proof of having seen the array, in whatever clothes it comes."""
    await ledger.call("mutation", "ledger:open_account", {"name": "alice", "samples": [1.0, 2.0]})
    ref = (await ledger.call("query", "ledger:accounts")).json["result"][0]["samples"]
    digest = {"$binary": {"base64": base64.b64encode(bytes.fromhex(ref["$array"]["digest"])).decode()}}
    for stolen in (ref, {"digest": digest, "dtype": "float64", "shape": [2]}):
        answer = await ledger.call("mutation", "ledger:open_account", {"name": "mallory", "samples": stolen})
        assert (answer.status, answer.code) == (400, "invalid_arguments"), answer.body
    assert len((await ledger.call("query", "ledger:accounts")).json["result"]) == 1


# --- who calls ----------------------------------------------------------------------------------------------------------


async def test_a_bearer_token_signs_in(ledger: Served) -> None:
    assert (await ledger.call("query", "ledger:whoami", token=ALICE)).json == {"result": "alice@example.org"}
    anonymous = await ledger.call("query", "ledger:whoami")
    assert (anonymous.status, anonymous.code) == (401, "unauthenticated")
    assert anonymous.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Bearer  ", "Basic YTpi", "dev:alice@example.org", ""])
async def test_a_bad_token_is_refused_also_where_none_is_needed(ledger: Served, header: str) -> None:
    answer = await ledger.call("query", "ledger:accounts", headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


class Unsure:
    """An authenticator that can tell nothing."""

    def __init__(self, trouble: BaseException | None) -> None:
        self.trouble = trouble

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        assert not exchange, "nothing is exchanged over HTTP"
        if self.trouble is not None:
            raise self.trouble
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize("trouble", [SignInUnavailable("no keys"), RuntimeError("the secret"), None])
async def test_a_token_that_cannot_be_verified_now_is_not_called_bad(trouble: BaseException | None) -> None:
    async with serving(authenticator=Unsure(trouble), limits=HubLimits(authenticate_timeout=0.05)) as served:
        answer = await served.call("query", "ledger:accounts", token="some token")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "server_error", "10")
        assert b"secret" not in answer.body
        assert (await served.call("query", "ledger:accounts")).status == 200


async def test_no_token_gets_into_the_log(ledger: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await ledger.call("query", "ledger:broken", token="dev:secret-token@example.org")
        await ledger.call("query", "ledger:broken", token="another-secret-token")
    assert "failed (error" in caplog.text
    assert "secret-token" not in caplog.text


# --- bad requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"\xff\xfe{\x00}\x00", 400, "bad_json"),
        (b'{"path":"ledger:accounts","path":"ledger:broken"}', 400, "bad_json"),
        (b'{"path":"ledger:accounts","args":{"limit":1' + b"0" * 5000 + b"}}", 400, "bad_json"),
        (b'{"path":"ledger:everything","args":{"value":NaN}}', 400, "bad_json"),
        (b'{"path":"ledger:everything","args":{"value":"\\ud800"}}', 400, "bad_json"),
        (b'{"path":"ledger:everything","args":{"value":{"$where":1}}}', 400, "bad_json"),
        (b'{"path":"ledger:everything","args":{"value":' + b"[" * 70 + b"]" * 70 + b"}}", 413, "too_large"),
        (b"[" * 1_000_000, 413, "too_large"),
        (b" " * (1 << 20) + b"{}", 413, "too_large"),
        (b"[]", 400, "invalid_arguments"),
        (b"null", 400, "invalid_arguments"),
        (b'{"args":{}}', 400, "invalid_arguments"),
        (b'{"path":5}', 400, "invalid_arguments"),
        (b'{"path":"ledger:accounts","args":[]}', 400, "invalid_arguments"),
        (b'{"path":"ledger:accounts","args":null}', 400, "invalid_arguments"),
        (b'{"path":"ledger:accounts","arguments":{}}', 400, "invalid_arguments"),
        (b'{"path":"../etc/passwd"}', 404, "unknown_function"),
    ],
)
async def test_bad_bodies_are_refused_with_their_codes(ledger: Served, body: bytes, status: int, code: str) -> None:
    answer = await ledger.post("/api/query", body)
    assert (answer.status, answer.code) == (status, code), answer.body
    assert (await ledger.call("query", "ledger:accounts")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_other_content_types_are_refused(ledger: Served, headers: dict[str, str]) -> None:
    answer = await ledger.ask("POST", "/api/query", b'{"path":"ledger:accounts"}', headers)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


async def test_other_methods_and_paths_are_refused(ledger: Served) -> None:
    answer = await ledger.ask("GET", "/api/query")
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "method_not_allowed", "POST")
    for path in ("/api", "/api/other", "/api/run/ledger", "/nothing", "/api/query/"):
        answer = await ledger.ask("POST", path)
        assert (answer.status, answer.code) == (404, "not_found"), path


async def test_a_body_without_a_length_is_cut_off_at_the_limit(ledger: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", ledger.port)
    writer.write(
        b"POST /api/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    part = b"%x\r\n%s\r\n" % (65_536, b" " * 65_536)
    for _ in range(17):
        writer.write(part)
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert b" 413 " in head.splitlines()[0]


async def test_a_body_that_does_not_come_is_given_up(ledger: Served) -> None:
    async with serving(body_timeout=0.05) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(
            b"POST /api/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
        )
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            body = json.loads(await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0])))
        writer.close()
        assert b" 408 " in head.splitlines()[0]
        assert body["error"]["code"] == "timeout"


async def test_a_caller_who_goes_amid_the_body_leaves_no_trace(
    ledger: Served, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", ledger.port)
    writer.write(
        b"POST /api/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
    )
    await writer.drain()
    writer.transport.abort()
    assert (await ledger.call("query", "ledger:accounts")).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# --- once ---------------------------------------------------------------------------------------------------------------


async def test_a_repeated_mutation_with_a_key_runs_once(ledger: Served) -> None:
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    pay = ("mutation", "ledger:pay_in", {"name": "alice", "cents": 5})
    first = await ledger.call(*pay, headers=KEY)
    again = [await ledger.call(*pay, headers=KEY) for _ in range(3)]
    reordered = await ledger.post(
        "/api/mutation", b'{"args":{"cents":5,"name":"alice"},"path":"ledger:pay_in"}', headers=KEY
    )
    assert [each.json for each in (first, *again, reordered)] == [{"result": 5}] * 5
    assert (await ledger.call(*pay)).json == {"result": 10}
    assert (await ledger.post("/api/run/ledger/pay_in", pay[2], headers=KEY)).json == {"result": 5}


async def test_repeats_at_the_same_time_run_once(ledger: Served) -> None:
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    asked = [ledger.call("mutation", "ledger:pay_in", {"name": "alice", "cents": 5}, headers=KEY) for _ in range(12)]
    assert {answer.body for answer in await asyncio.gather(*asked)} == {b'{"result":5}'}
    assert (await ledger.call("query", "ledger:balance", {"name": "alice"})).json == {"result": 5}


async def test_a_failure_is_remembered_too(ledger: Served) -> None:
    """Otherwise one and the same request could be told that it failed and then take place."""
    pay = ("mutation", "ledger:pay_in", {"name": "alice", "cents": 5})
    assert (await ledger.call(*pay, headers=KEY)).code == "not_found"
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    assert (await ledger.call(*pay, headers=KEY)).code == "not_found"
    assert (await ledger.call(*pay, headers={"Idempotency-Key": "another-key-0123"})).json == {"result": 5}


async def test_a_key_is_for_one_request(ledger: Served) -> None:
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"}, headers=KEY)
    for path, args in (("open_account", {"name": "bob"}), ("pay_in", {"name": "alice", "cents": 1})):
        answer = await ledger.call("mutation", f"ledger:{path}", args, headers=KEY)
        assert (answer.status, answer.code) == (422, "request_reused")
    assert len((await ledger.call("query", "ledger:accounts")).json["result"]) == 1


async def test_a_key_belongs_to_its_caller(ledger: Served) -> None:
    await ledger.call("mutation", "ledger:open_account", {"name": "alice"})
    pay = ("mutation", "ledger:pay_in", {"name": "alice", "cents": 5})
    answers = [await ledger.call(*pay, headers=KEY, token=f"dev:{name}@example.org") for name in ("a", "b", "a", "b")]
    assert [answer.json["result"] for answer in answers] == [5, 10, 5, 10]
    assert (await ledger.call(*pay, headers=KEY)).json == {"result": 15}


@pytest.mark.parametrize("key", ["", "short", "x" * 256, "with\ttab-0123456789", "café-0123456789abc"])
async def test_keys_that_are_none_are_refused(ledger: Served, key: str) -> None:
    answer = await ledger.call("mutation", "ledger:open_account", {"name": "a"}, headers={"Idempotency-Key": key})
    assert (answer.status, answer.code) == (400, "bad_header")


async def test_an_action_takes_no_key(ledger: Served) -> None:
    answer = await ledger.call("action", "ledger:pay_twice", {"name": "a", "cents": 1}, headers=KEY)
    assert (answer.status, answer.code) == (400, "bad_header")


async def test_a_repeat_after_a_restart_runs_once(tmp_path: Any) -> None:
    results = []
    for _ in range(2):
        async with serving(store=f"sqlite:///{tmp_path}/ledger.db") as served:
            opened = await served.call("mutation", "ledger:open_account", {"name": "alice"}, headers=KEY)
            results.append(opened.json["result"])
    assert results[0] == results[1]


# --- time ---------------------------------------------------------------------------------------------------------------


async def test_a_query_that_does_not_answer_is_given_up() -> None:
    async with serving(request_timeout=0.05) as served:
        fresh_ledger()
        answer = await served.call("query", "ledger:wait_for_gate")
        assert (answer.status, answer.code, answer.json["error"]["data"]) == (504, "timeout", None)


async def test_a_mutation_that_takes_too_long_goes_on_and_its_repeat_tells_what_came_of_it() -> None:
    async with serving(request_timeout=0.3) as served:
        ledger = fresh_ledger()
        slow = await served.call("mutation", "ledger:pay_at_gate", {"name": "late"}, headers=KEY)
        assert (slow.status, slow.code, slow.json["error"]["data"]) == (504, "timeout", {"unknown": True})
        ledger.gate.set()
        assert (await served.call("mutation", "ledger:pay_at_gate", {"name": "late"}, headers=KEY)).json == {
            "result": None
        }
        assert len((await served.call("query", "ledger:accounts")).json["result"]) == 1


async def test_a_mutation_whose_caller_goes_is_still_done(ledger: Served) -> None:
    module = fresh_ledger()
    body = b'{"path":"ledger:pay_at_gate","args":{"name":"left"}}'
    _, writer = await asyncio.open_connection("127.0.0.1", ledger.port)
    head = "POST /api/mutation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    writer.write((head % len(body)).encode() + body)
    await until(lambda: module.runs == ["gate left"])
    writer.transport.abort()
    module.gate.set()
    async with asyncio.timeout(PATIENCE):
        while not (await ledger.call("query", "ledger:accounts")).json["result"]:
            pass


async def test_a_query_waits_for_what_its_caller_has_seen_elsewhere() -> None:
    async with serving() as served:  # whose limit nobody waits for
        opened = await served.call("mutation", "ledger:open_account", {"name": "alice"})
        seen = {"Synovia-After": opened.headers["synovia-ts"]}
        assert (await served.call("query", "ledger:balance", {"name": "alice"}, headers=seen)).status == 200
        ahead = {"Synovia-After": str(2**62)}
        answer = await served.call("query", "ledger:accounts", headers=ahead)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "overloaded", "1")
        assert f"nothing is known of {2**62}: the newest instant" in answer.json["error"]["message"]
        for wrong in ("-1", "x", "1.5", "9" * 30, "²"):
            answer = await served.call("query", "ledger:accounts", headers={"Synovia-After": wrong})
            assert (answer.status, answer.code) == (400, "bad_header")


async def test_an_address_runs_only_so_much_at_once() -> None:
    async with serving(limits=HubLimits(max_running_per_address=2)) as served:
        module = fresh_ledger()
        slow = [asyncio.create_task(served.call("mutation", "ledger:pay_at_gate", {"name": name})) for name in "ab"]
        await until(lambda: len(module.runs) == 2)
        refused = await served.call("query", "ledger:accounts")
        assert (refused.status, refused.code) == (429, "limit_exceeded")
        module.gate.set()
        assert [(await each).status for each in slow] == [200, 200]
        assert (await served.call("query", "ledger:accounts")).status == 200


async def test_bodies_come_no_faster_than_their_address_may_send() -> None:
    async with serving(limits=HubLimits(max_bytes_per_second_per_address=20_000)) as served:
        body = json.dumps({"path": "ledger:everything", "args": {"value": "x" * 45_000}}).encode()
        assert (await served.post("/api/query", body)).status == 200
        assert served.app.hub.addresses.of("127.0.0.1").meter.wait(time.monotonic(), 0.9) > 0


async def test_a_server_that_stops_takes_no_more_calls(ledger: Served) -> None:
    ledger.app.hub.requests.stopping = True
    answer = await ledger.call("query", "ledger:accounts")
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "stopping", "1")


async def test_a_stop_waits_for_what_runs(ledger: Served) -> None:
    module = fresh_ledger()
    slow = asyncio.create_task(ledger.call("mutation", "ledger:pay_at_gate", {"name": "late"}))
    await until(lambda: module.runs == ["gate late"])
    stop = asyncio.create_task(ledger.app.hub.stop())
    await until(lambda: ledger.app.hub.requests.stopping)
    module.gate.set()
    assert (await slow).json == {"result": None}
    await stop


async def test_liveness_does_not_depend_on_the_store(ledger: Served) -> None:
    await ledger.app.engine.stop()
    assert (await ledger.ask("GET", "/health")).status == 503
    answer = await ledger.ask("GET", "/health/live")
    assert (answer.status, answer.json) == (200, {"status": "ok"})
