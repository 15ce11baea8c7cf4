"""``ctx.mail``: plain messages over the mailer of sign-in."""

from __future__ import annotations

import re

from synovia.errors import FunctionError, InvalidArguments
from synovia.functions.awaiting import awaited
from synovia.identity import SignInUnavailable
from synovia.mail.smtp import Mailer, is_address, message_to

_LONGEST_SUBJECT, _LONGEST_TEXT = 500, 256 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class MailService:
    """Writes messages and hands them to a mailer.

    Args:
        mailer: None: there is no mail server.
        sender: The From address.
        home: Where people reach this server, for links.
    """

    def __init__(self, mailer: Mailer | None, sender: str, home: str) -> None:
        self._mailer = mailer
        self._sender = sender
        self.home = home

    @awaited("ctx.mail.send")
    async def send(self, to: str, subject: str, text: str) -> None:
        """Send a message; see ``synovia.services.Mail``."""
        if not isinstance(to, str) or not is_address(to):
            raise InvalidArguments("that is not an e-mail address")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or _CONTROL.search(subject):
            raise InvalidArguments(f"a subject is one line of at most {_LONGEST_SUBJECT} characters")
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            raise InvalidArguments(f"a message has at most {_LONGEST_TEXT} characters")
        if self._mailer is None:
            raise FunctionError("mail_unavailable", "no mail server is configured (SYNOVIA_AUTH_SMTP_HOST)")
        try:
            await self._mailer.send(message_to(to, self._sender, subject, text))
        except SignInUnavailable as error:
            raise FunctionError("mail_unavailable", str(error)) from error
        except (UnicodeError, ValueError) as error:
            raise InvalidArguments(f"this message cannot be sent: {error}") from error
