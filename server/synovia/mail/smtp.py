"""Sending mail: by SMTP, or printed for development."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Protocol

from synovia.identity import SignInUnavailable

logger = logging.getLogger("synovia")

_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f<>(),;:\\\"\[\]]{1,64}@[^@\s\x00-\x1f\x7f<>(),;:\\\"\[\]]{1,253}")
_LONGEST_ADDRESS = 254
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Categories of characters that show nothing, or turn what stands beside them around: one address could pass for another."""


def is_address(text: str) -> bool:
    """Tell whether a text is one bare e-mail address, all of which can be seen."""
    if len(text) > _LONGEST_ADDRESS or _ADDRESS.fullmatch(text) is None:
        return False
    return text.isascii() or not any(unicodedata.category(each) in _UNSEEN for each in text)


class RecipientRefused(SignInUnavailable):
    """The mail server says for good that there is no such mailbox, or that nothing may be sent to it."""


class Mailer(Protocol):
    """Sends one message."""

    async def send(self, message: EmailMessage) -> None:
        """Send it, or raise SignInUnavailable (RecipientRefused if it never can be)."""
        ...


class ConsoleMailer:
    """Prints what would be sent; for development only, as whoever reads it can sign in."""

    def __init__(self, show: Callable[[str], object] = print) -> None:
        self._show = show

    async def send(self, message: EmailMessage) -> None:
        """Print the message."""
        body = message.get_body(("plain",))
        files = "".join(f"\n[{each.get_filename()}]" for each in message.iter_attachments())
        text = "" if body is None else body.get_content()
        self._show(f"mail to {message['To']}: {message['Subject']}\n\n{text}{files}")


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Hands messages to a mail server.

    Attributes:
        starttls: None: if the server offers it; True: only so; False: never.
        tls: From the first byte on, as on port 465.
        seconds: For the whole delivery.
    """

    host: str
    port: int = 587
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: bool | None = True
    tls: bool = False
    seconds: float = 10.0

    async def send(self, message: EmailMessage) -> None:
        """Send the message."""
        import aiosmtplib  # most hubs send none

        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                start_tls=False if self.tls else self.starttls,
                use_tls=self.tls,
                timeout=self.seconds,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(each.code >= 500 for each in error.recipients):
                raise RecipientRefused("the mail server does not take mail for that address") from error
            codes = ", ".join(sorted({str(each.code) for each in error.recipients}))
            raise self._unavailable(f"it takes no mail for that address now ({codes})") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise self._unavailable(f"{type(error).__name__}: {error}") from error

    def _unavailable(self, why: str) -> SignInUnavailable:
        """Tell the log why, and give the error, which people see who can do nothing about that."""
        logger.warning("the mail server %s:%d has not taken a message: %s", self.host, self.port, why)
        return SignInUnavailable("the mail cannot be sent at the moment; try again later")


def message_to(address: str, sender: str, subject: str, text: str) -> EmailMessage:
    """Write a plain message; the library refuses line breaks in what becomes a header."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, address, subject
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip("> ") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message
