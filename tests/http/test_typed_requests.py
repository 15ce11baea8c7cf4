"""A route reads bodies and addresses as models: what does not fit is refused as the arguments of functions are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.written_applications import write_application
from synovia.testing import TestApp

SOURCE = """
from datetime import datetime
from typing import Literal
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

class Ticket(Table, name="tickets"):
    title: str

class Line(Model):
    price_cents: int

class Order(Model):
    ticket_id: Id[Ticket]
    lines: list[Line]
    note: str | None = None
    weight: float = 1.0
    sent_at: datetime | None = None

class Wanted(Model):
    page_size: int = 20
    status: Literal["open", "closed"] = "open"
    only_mine: bool = False
    ticket_id: Id[Ticket] | None = None
    tags: list[str] = []
    least: float | None = None

@http.route("/orders", methods=["POST"], public=True, max_body_bytes=500)
async def order(ctx: ActionContext, request: Request) -> Response:
    return Response((await http.json_body(request, Order)).model_dump_json(exclude_none=True))

@http.route("/orders", methods=["GET"], public=True)
async def wanted(ctx: ActionContext, request: Request) -> Response:
    return Response(http.query_params(request, Wanted).model_dump_json(exclude_none=True))
"""
ORDER = {"ticketId": "a" * 24, "lines": [{"priceCents": 5}]}
READ = {"ticket_id": "a" * 24, "lines": [{"price_cents": 5}], "weight": 1.0}
TYPE = {"content-type": "application/json"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_application(tmp_path, "from synovia import http\n" + SOURCE)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, READ),
        ({"weight": 2, "note": None, "unknown": 1}, {**READ, "weight": 2.0}),
        ({"sentAt": {"$date": "2026-11-21T08:00:00.000Z"}}, {**READ, "sent_at": "2026-11-21T08:00:00Z"}),
    ],
)
async def test_a_body_that_fits(path: Path, more: dict[str, Any], expected: dict[str, Any]) -> None:
    async with TestApp(path) as app:
        answer = await app.caller().http.post("/orders", content=json.dumps({**ORDER, **more}), headers=TYPE)
    assert (answer.status_code, answer.json()) == (200, expected)


@pytest.mark.parametrize(
    ("body", "status", "code", "at"),
    [
        (b"", 400, "bad_json", None),
        (b"nonsense", 400, "bad_json", None),
        (b"\xff", 400, "bad_json", None),
        (b'{"ticketId": "a", "ticketId": "b"}', 400, "bad_json", None),
        (b'{"weight": NaN}', 400, "bad_json", None),
        (b'{"note": "\\ud800"}', 400, "bad_json", None),
        (b"[]", 400, "invalid_arguments", None),
        (b"{}", 400, "invalid_arguments", ["ticketId", "lines"]),
        (
            json.dumps({**ORDER, "lines": [{"priceCents": "5"}]}).encode(),
            400,
            "invalid_arguments",
            ["lines.0.priceCents"],
        ),
        (json.dumps({**ORDER, "ticketId": "no id"}).encode(), 400, "invalid_arguments", ["ticketId"]),
        (b"[" * 100, 400, "bad_json", None),
        (b"[" * 100 + b"]" * 100, 413, "too_large", None),
        (json.dumps({**ORDER, "note": "x" * 600}).encode(), 413, "too_large", None),
    ],
)
async def test_a_body_that_does_not_fit(path: Path, body: bytes, status: int, code: str, at: list[str] | None) -> None:
    async with TestApp(path) as app:
        answer = await app.caller().http.post("/orders", content=body, headers=TYPE)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert "codec" not in error["message"]
    assert at is None or [each["at"] for each in error["data"]] == at


async def test_a_body_that_is_said_to_be_something_else(path: Path) -> None:
    async with TestApp(path) as app:
        for headers in ({}, {"content-type": "text/plain"}, {**TYPE, "content-encoding": "gzip"}):
            answer = await app.caller().http.post("/orders", content=json.dumps(ORDER), headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", {}),
        ("?pageSize=5&onlyMine=true&least=1.5", {"page_size": 5, "only_mine": True, "least": 1.5}),
        ("?status=closed&onlyMine=0", {"status": "closed"}),
        (f"?tags=a&tags=b%20c&ticketId={'b' * 24}", {"tags": ["a", "b c"], "ticket_id": "b" * 24}),
        ("?tags=a&utm=x&utm=", {"tags": ["a"]}),
    ],
)
async def test_an_address_that_fits(path: Path, address: str, expected: dict[str, Any]) -> None:
    async with TestApp(path) as app:
        answer = await app.caller().http.get(f"/orders{address}")
    assert answer.status_code == 200
    assert answer.json() == {"page_size": 20, "status": "open", "only_mine": False, "tags": [], **expected}


@pytest.mark.parametrize(
    ("address", "at"),
    [
        ("?pageSize=", "pageSize"),
        ("?pageSize=5.5", "pageSize"),
        ("?pageSize=5&pageSize=6", "pageSize"),
        ("?status=lost", "status"),
        ("?onlyMine=maybe", "onlyMine"),
        ("?ticketId=no%20id", "ticketId"),
        ("?ticketId=", "ticketId"),
        ("?least=x", "least"),
    ],
)
async def test_an_address_that_does_not_fit(path: Path, address: str, at: str) -> None:
    async with TestApp(path) as app:
        answer = await app.caller().http.get(f"/orders{address}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], [each["at"] for each in error["data"]]) == (
        400,
        "invalid_arguments",
        [at],
    )
