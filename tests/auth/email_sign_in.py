"""Sign in by mail over a real SMTP server on this machine."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from helpers.mail_server import MailServer
from helpers.token_issuing import MovedClock
from synovia.auth.email import EmailSignIn, EmailTimes
from synovia.auth.tokens import REFUSAL
from synovia.identity import InvalidToken
from synovia.mail.smtp import SmtpMailer
from synovia.store.base import Store

LINK = "https://app.example.org/sign-in#token={token}"


def sign_in_with(store: Store, mail_server: MailServer, clock: MovedClock, **times: int) -> EmailSignIn:
    mailer = SmtpMailer("127.0.0.1", mail_server.port, starttls=False, seconds=5)
    return EmailSignIn(
        store,
        mailer,
        sender="Motion <no-reply@example.org>",
        name="Motion",
        link=LINK,
        times=EmailTimes(**times),
        clock=clock.time,
        monotonic=clock.monotonic,
    )


def newest(mail_server: MailServer) -> tuple[str, str]:
    """Give code and link token of the newest mail."""
    text = mail_server.received[-1][1].get_content().replace("\r\n", "\n")
    code, link = re.search(r"^ +(\d{8}|\d{12})$", text, re.M), re.search(r"^https://\S+$", text, re.M)
    assert code is not None
    assert link is not None
    return code[1], urlsplit(link[0]).fragment.removeprefix("token=")


async def is_refused(email: EmailSignIn, token: str) -> None:
    with pytest.raises(InvalidToken, match=REFUSAL):
        await email.authenticate(token)
