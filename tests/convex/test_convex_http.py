from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from helpers.convex_wire import ts_of
from helpers.sync_server import Running, serving
from synovia.limits.refusal import Refusal
from synovia_protocol.errors import ErrorCode

pytestmark = pytest.mark.alike

NPM = {"Convex-Client": "npm-1.48.0"}


@pytest.fixture
async def web(running: Running) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        yield client


def call(path: str, args: Any = None, **more: Any) -> dict[str, Any]:
    return {"path": path, "args": args or {}, **more}


async def test_a_query_a_mutation_and_an_action(web: AsyncClient) -> None:
    sent = await web.post(
        "/api/mutation", json=call("messages:send", {"channel": "a", "author": "b", "body": "c"}), headers=NPM
    )
    listed = await web.post("/api/query", json=call("messages:list", [{"channel": "a"}]), headers=NPM)
    assert sent.json()["value"] == listed.json()["value"][0]["_id"]
    added = await web.post("/api/action", json=call("actions:add", {"a": 1, "b": 2}, format="json"))
    assert added.json() == {"status": "success", "value": 3.0}


@pytest.mark.parametrize(
    ("format", "value"),
    [
        ("convex_encoded_json", '[5.0,{"$integer":"BQAAAAAAAAA="},{"$float":"AAAAAAAA+H8="},{"$bytes":"AQ=="}]'),
        ("json", '[5.0,"5","NaN","AQ=="]'),
        ("export_json", '[5.0,5,{"$float":"AAAAAAAA+H8="},{"$bytes":"AQ=="}]'),
    ],
)
async def test_each_format(web: AsyncClient, format: str, value: str) -> None:
    given = json.loads('[5.0,{"$integer":"BQAAAAAAAAA="},{"$float":"AAAAAAAA+H8="},{"$bytes":"AQ=="}]')
    for headers in ({}, NPM):
        answer = await web.post(
            "/api/query", json=call("values:echo", {"value": given}, format=format), headers=headers
        )
        assert answer.text == f'{{"status":"success","value":{value}}}'


@pytest.mark.parametrize(
    ("client", "encoded"), [("npm-1.48.0", True), ("npm-1.2.0", False), ("python-0.8.1", True), ("rust-0.9.0", False)]
)
async def test_without_a_format_the_client_tells(web: AsyncClient, client: str, encoded: bool) -> None:
    body = call("values:echo", {"value": {"$integer": "BQAAAAAAAAA="}})
    answer = await web.post("/api/query", json=body, headers={"Convex-Client": client})
    assert answer.json()["value"] == ({"$integer": "BQAAAAAAAAA="} if encoded else "5")


async def test_an_unknown_format_is_refused(web: AsyncClient) -> None:
    answer = await web.post("/api/query", json=call("hello", format="xml"))
    assert (answer.status_code, answer.json()["code"]) == (400, "BadFormat")


async def test_an_error_of_a_function_is_an_answer(web: AsyncClient) -> None:
    failed = await web.post("/api/query", json=call("errors:failQuery", {"data": {"a": 5}}, format="json"))
    assert (failed.status_code, failed.json()["status"], failed.json()["errorData"]) == (200, "error", {"a": 5.0})
    for path in ("errors:crashQuery", "no:such", "messages:send"):
        answer = await web.post("/api/query", json=call(path, format="json"))
        assert (answer.status_code, answer.json()["status"]) == (200, "error")
        assert "Server Error" in answer.json()["errorMessage"]
        assert "errorData" not in answer.json()


async def test_a_token_that_is_refused(web: AsyncClient) -> None:
    for headers in ({}, NPM):
        answer = await web.post(
            "/api/query", json=call("users:me"), headers={**headers, "Authorization": "Bearer nonsense"}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "InvalidToken")
        assert isinstance(answer.json()["message"], str)
    for token in ("Convex key", "Bearer"):
        answer = await web.post("/api/query", json=call("users:me"), headers={**NPM, "Authorization": token})
        assert answer.status_code == 401


async def test_who_is_calling(web: AsyncClient) -> None:
    headers = {**NPM, "Authorization": "Bearer dev:ann@example.org"}
    answer = await web.post("/api/query", json=call("users:me"), headers=headers)
    assert answer.json()["value"]["subject"] == "ann@example.org"


async def test_the_hub_answers_its_own_clients_as_before(web: AsyncClient) -> None:
    answer = await web.post("/api/query", json=call("messages:count", {"channel": "a"}))
    assert answer.json() == {"result": 0}
    answer = await web.post("/api/run/messages/count", json={"channel": "a"})
    assert answer.json() == {"result": 0}
    answer = await web.post("/api/run/values/takes_args", json={"args": {"a": 1}})
    assert answer.json() == {"result": {"a": 1}}
    answer = await web.post("/api/query", json=call("no:such"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_function")


async def test_run_and_get(web: AsyncClient) -> None:
    for path in ("queries/deep/folder/answer", "queries/deep/folder:answer"):
        assert (await web.post(f"/api/run/{path}", json={"args": {}})).json() == {"status": "success", "value": 42.0}
    assert (await web.post("/api/run/hello", json={"args": {}})).json()["value"] == "hello, world"
    got = await web.get("/api/query", params={"path": "values:echo", "args": '{"value":"x"}', "format": "json"})
    assert got.json() == {"status": "success", "value": "x"}
    assert (await web.get("/api/query", params={"path": "hello", "args": "{"})).status_code == 400


async def test_a_consistent_query_is_as_of_its_instant(web: AsyncClient) -> None:
    async def increment() -> None:
        await web.post("/api/mutation", json=call("counter:increment", {"name": "n"}), headers=NPM)

    await increment()
    ts = (await web.post("/api/query_ts", json={})).json()["ts"]
    assert ts_of(ts) > 0
    await increment()
    asked = call("counter:get", {"name": "n"}, format="json")
    assert (await web.post("/api/query_at_ts", json={**asked, "ts": ts})).json()["value"] == 1.0
    assert (await web.post("/api/query", json=asked)).json()["value"] == 2.0
    for bad in (None, 5, "x"):
        assert (await web.post("/api/query_at_ts", json={**asked, "ts": bad})).status_code == 400


async def test_a_batch_of_queries(web: AsyncClient) -> None:
    queries = [call("counter:get", {"name": "n"}, format="json"), call("no:such"), call("hello")]
    results = (await web.post("/api/query_batch", json={"queries": queries})).json()["results"]
    assert [each["status"] for each in results] == ["success", "error", "success"]
    refused: list[Any] = [{}, {"queries": 5}, {"queries": [5]}, []]
    for bad in refused:
        assert (await web.post("/api/query_batch", json=bad)).status_code == 400


@pytest.mark.parametrize("body", [b"{nope", b"[]", b'{"path": 5}', b'"x"', b"\xff", b'{"path":"a:b","args":NaN}'])
async def test_what_is_no_request_is_refused(web: AsyncClient, body: bytes) -> None:
    for headers in ({}, NPM):
        answer = await web.post("/api/query", content=body, headers={"Content-Type": "application/json", **headers})
        assert answer.status_code == 400
        assert {"code", "message"} <= answer.json().keys()


async def test_pages_of_other_origins_may_send_the_header_of_the_client() -> None:
    settings = {"convex": True, "origins": ("https://app.example.org",)}
    async with serving(settings=settings) as running, AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as web:
        asked = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
        asked["Access-Control-Request-Headers"] = "authorization,content-type,convex-client"
        answer = await web.options("/api/query", headers=asked)
        assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
        assert "convex-client" in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("path", ["/instance_name", "/instance_version", "/version"])
async def test_what_a_deployment_tells_of_itself(web: AsyncClient, path: str) -> None:
    answer = await web.get(path)
    assert (answer.status_code, bool(answer.text)) == (200, True)


async def test_a_refusal_before_the_call_is_readable_too() -> None:
    refusal = Refusal(429, ErrorCode.RATE_LIMITED, "too much", 1.0)
    async with AsyncClient(transport=ASGITransport(refusal), base_url="http://hub") as web:
        told = (await web.post("/api/query", headers=NPM)).json()
        assert (told["code"], told["message"]) == ("rate_limited", "too much")
        assert (await web.post("/api/query")).json().keys() == {"error"}
