"""Messages that come signed: the secret may be a text, and a sender that signs otherwise is told what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from helpers.written_applications import write_application
from synovia import http
from synovia.testing import TestApp

SECRET, BODY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"number": 1}'
APPLICATION = f"""
from synovia import http
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

class Bounce(Model):
    number: int

@http.route("/bounces", methods=["POST"], public=True)
async def bounced(ctx: ActionContext, request: Request) -> Response:
    said = await http.signed_delivery(request, {SECRET!r}, Bounce)
    return PlainTextResponse(f"{{said.id}} {{said.content.number}}")
"""


async def test_a_secret_may_be_a_text(tmp_path: Path) -> None:
    headers = http.signed_headers(SECRET, "msg_1", BODY, at=1_000)
    assert headers == http.signed_headers(SecretStr(SECRET), "msg_1", BODY, at=1_000)
    async with TestApp(write_application(tmp_path, {"desk.py": APPLICATION})) as app:
        answer = await app.caller().http.post("/bounces", content=BODY, headers=http.signed_headers(SECRET, "m", BODY))
        assert (answer.status_code, answer.text) == (200, "m 1")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (None, "the message has no webhook-timestamp: it is not signed as Standard Webhooks says"),
        ("1000", "the message is not of these minutes: webhook-timestamp is in seconds since 1970, here it is 1"),
    ],
)
async def test_what_is_missing_is_told(tmp_path: Path, moment: str | None, words: str) -> None:
    headers = http.signed_headers(SECRET, "m", BODY, at=1_000)
    if moment is None:
        del headers["webhook-timestamp"]
    async with TestApp(write_application(tmp_path, {"desk.py": APPLICATION})) as app:
        answer = await app.caller().http.post("/bounces", content=BODY, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith(words)
