"""No log line holds a token, whatever is done with it and however much is logged."""

from __future__ import annotations

import logging

import pytest

from helpers.raw_requests import HANDSHAKE, ask
from helpers.sync_server import client_of, serving
from synovia_protocol.events import QueryUpdated
from synovia_protocol.messages import Authenticated, AuthError

GOOD, UNKNOWN, FORGED = "dev:secret-good@example.org", "secret-unknown", "secret.forged.token"
SECRETS = ("secret-good", "secret-unknown", "secret.forged", "secret-in-url", "secret-in-cookie", b"secret".hex(" "))


async def test_tokens_are_in_no_log_line_at_any_level(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(
        logging.getLogger("websockets.client"), "disabled", True
    )  # the test's own end writes its frames down
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    noisy = {"log_level": "debug", "access_log": True, "log_config": None}
    async with serving(development=True, debug=True, options=noisy) as running:
        url = running.url
        running.url += "?token=secret-in-url"
        async with client_of(running, additional_headers={"cookie": "token=secret-in-cookie"}) as client:
            await client.subscribe(1, "notes:who_am_i")
            await client.send(client.session.authenticate(GOOD))
            await client.until(lambda event: isinstance(event, Authenticated))
            await client.until(lambda event: isinstance(event, QueryUpdated))
            for token in (UNKNOWN, FORGED, f"email-link:{UNKNOWN}", "secret-unknown" * 2_000):
                await client.send(client.session.authenticate(token))
                await client.until(lambda event: isinstance(event, AuthError))
            await client.send(b"\x93secret-unknown")  # no message at all
            await client.closed()
        running.url = url
        for token in (GOOD, UNKNOWN, FORGED):
            sent = {"authorization": f"Bearer {token}", "content_type": "application/json"}
            await ask(running, "POST", "/auth/sign-out", **sent)
            await ask(running, "POST", "/api/query?token=secret-in-url", **sent)
            await ask(running, path="/sync?token=secret-in-url", **HANDSHAKE, **sent, origin="https://evil.example")
            await ask(running, path=f"/nowhere?token={token}", cookie="token=secret-in-cookie")
    lines = [record.getMessage() + str(record.exc_info or "") for record in caplog.records]
    assert any('"POST /auth/sign-out HTTP/1.1"' in line for line in lines), "the access log was not looked at"
    assert any(record.levelno == logging.DEBUG for record in caplog.records)
    printed = capfd.readouterr()
    for text in (*lines, printed.out, printed.err, caplog.text):
        assert not [secret for secret in SECRETS if secret in text]
