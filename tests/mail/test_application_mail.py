"""``ctx.mail``: over a real mail server, printed in development; what cannot be sent is told by a code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from apps import tally
from helpers.mail_server import MailServer
from synovia.app import Synovia
from synovia.config import Settings
from synovia.functions.access import CallOrigin
from synovia.functions.registry import Registry, collect
from synovia.testing import TestApp

MESSAGE = {"to": "anna@example.org", "subject": "Your appointment", "text": "At nine.\n.\nÜber Mittag.\n"}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally", [tally])


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def running(registry: Registry, *, development: bool = False, **auth: Any) -> AsyncIterator[Synovia]:
    app = Synovia(registry, settings=Settings(auth=auth), development=development)
    await app.start()
    try:
        yield app
    finally:
        await app.stop()


async def sent(app: Synovia | TestApp, **changes: Any) -> str | None:
    """Send a message by an action, and give the code of its error."""
    outcome = await app.engine.run_action("tally:send_mail", {**MESSAGE, **changes}, None, origin=CallOrigin.FUNCTION)
    return None if outcome.error is None else outcome.error.code


async def test_mail_goes_over_the_mail_server_of_sign_in(registry: Registry, mail_server: MailServer) -> None:
    auth: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": mail_server.port, "smtp_security": "none"}
    async with running(registry, email_from="Clinic <clinic@example.org>", **auth) as app:
        assert await sent(app) is None
        [(to, message)] = mail_server.received
        assert (to, message["From"]) == ("anna@example.org", "Clinic <clinic@example.org>")
        assert (message["To"], message["Subject"]) == ("anna@example.org", "Your appointment")
        assert message.get_content().replace("\r\n", "\n").replace("\n..\n", "\n.\n") == MESSAGE["text"]
        mail_server.refused = "nobody@example.org"
        assert await sent(app, to="nobody@example.org") == "mail_unavailable"
        assert await sent(app, subject="Again") is None
        await mail_server.stop()
    assert len(mail_server.received) == 2


async def test_why_a_mail_server_takes_nothing_is_in_the_log(
    registry: Registry, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    auth: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": mail_server.port, "smtp_security": "none"}
    async with running(registry, email_from="clinic@example.org", **auth) as app:
        await mail_server.stop()
        assert await sent(app) == "mail_unavailable"
    (said,) = [each.getMessage() for each in caplog.records if "mail server" in each.getMessage()]
    assert said.startswith(f"the mail server 127.0.0.1:{mail_server.port} has not taken a message: SMTPConnectError: ")
    assert "anna" not in said


async def test_without_a_mail_server_there_is_no_mail(registry: Registry) -> None:
    async with running(registry) as app:
        assert await sent(app) == "mail_unavailable"


async def test_in_development_mail_is_printed(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(registry, development=True) as app:
        assert await sent(app) is None
    printed = capsys.readouterr().out
    assert "mail to anna@example.org: Your appointment" in printed
    assert "Über Mittag." in printed


@pytest.mark.parametrize(
    "changes",
    [
        {"to": ""},
        {"to": "anna"},
        {"to": "anna@example.org, eve@example.org"},
        {"to": "anna@example.org\r\nBcc: eve@example.org"},
        {"to": "anna@example.org\nBcc: eve@example.org"},
        {"to": "Anna <anna@example.org>"},
        {"to": "a" * 300 + "@example.org"},
        {"subject": ""},
        {"subject": "Hello\r\nBcc: eve@example.org"},
        {"subject": "Hello\nBcc: eve@example.org"},
        {"subject": "Hello\r"},
        {"subject": "Hello\x00"},
        {"subject": "Hello\u2028Bcc: eve@example.org"},
        {"subject": "x" * 501},
        {"text": "x" * 300_000},
    ],
)
async def test_what_is_no_message_is_refused_and_nothing_is_sent(registry: Registry, changes: dict[str, str]) -> None:
    async with TestApp(registry) as app:
        assert await sent(app, **changes) == "invalid_arguments"
        assert app.mails == []
        assert await sent(app) is None
        assert [message["Subject"] for message in app.mails] == ["Your appointment"]


async def test_a_scheduled_action_sends_mail(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        await caller.mutation("tally:later", {"path": "tally:send_mail", "args": MESSAGE, "seconds": 5.0})
        await app.advance(4)
        assert app.mails == []
        await app.advance(1)
        [message] = app.mails
        assert (message["To"], message["From"]) == ("anna@example.org", "test@synovia.invalid")


async def test_html_files_and_several_recipients(registry: Registry, mail_server: MailServer) -> None:
    auth: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": mail_server.port, "smtp_security": "none"}
    async with running(registry, email_from="tickets@example.org", **auth) as app:
        args = {"to": ["anna@example.org", "ben@example.org"], "name": "Zürich 1.pdf"}
        assert (await app.engine.run_action("tally:send_ticket", args, None, origin=CallOrigin.FUNCTION)).error is None
    assert {to for to, _ in mail_server.received} == {"anna@example.org", "ben@example.org"}
    message = mail_server.received[0][1]
    assert (message["To"], message["Reply-To"]) == ("anna@example.org, ben@example.org", "box-office@example.org")
    html = message.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == "<p>It is <b>attached</b>.</p>"
    [ticket] = message.iter_attachments()
    assert (ticket.get_filename(), ticket.get_content_type()) == ("Zürich 1.pdf", "application/pdf")
    assert ticket.get_content() == b"%PDF-1.7\n"


@pytest.mark.parametrize(
    "args",
    [
        {"to": []},
        {"to": ["anna@example.org"] * 51},
        {"to": ["anna@example.org", "anna@example.org\r\nBcc: x@example.org"]},
        {"to": ["anna@example.org"], "size": 10 * 1024 * 1024 + 1},
        {"to": ["anna@example.org"], "name": "../../etc/passwd"},
        {"to": ["anna@example.org"], "name": "a\r\nX-Evil: 1"},
        {"to": ["anna@example.org"], "name": ""},
    ],
)
async def test_what_cannot_be_sent_is_refused(registry: Registry, args: dict[str, Any]) -> None:
    async with running(registry, development=True) as app:
        outcome = await app.engine.run_action("tally:send_ticket", args, None, origin=CallOrigin.FUNCTION)
    assert outcome.error is not None
    assert outcome.error.code == "invalid_arguments"
