"""``ctx.mail``: messages over the mailer of sign-in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import EmailMessage

from synovia.errors import FunctionError, InvalidArguments
from synovia.functions.attachments import Attachment
from synovia.functions.awaiting import awaited
from synovia.identity import SignInUnavailable
from synovia.mail.smtp import Mailer, is_address, message_to

_LONGEST_SUBJECT, _LONGEST_TEXT, _LONGEST_NAME = 500, 256 * 1024, 200
_MOST_RECIPIENTS, _MOST_ATTACHMENTS, _MOST_ATTACHED_BYTES = 50, 20, 10 * 1024 * 1024
_MEDIA_TYPE = re.compile(r"(?!multipart/|message/)[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]{0,126}")
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
    async def send(
        self,
        to: str | Sequence[str],
        subject: str,
        text: str,
        *,
        html: str | None = None,
        attachments: Sequence[Attachment] = (),
        reply_to: str | None = None,
    ) -> None:
        """Send a message; see ``synovia.functions.services.Mail``."""
        recipients = _recipients(to)
        if reply_to is not None and not (isinstance(reply_to, str) and is_address(reply_to)):
            raise InvalidArguments("answers cannot go to what is not an e-mail address")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or _CONTROL.search(subject):
            raise InvalidArguments(f"a subject is one line of at most {_LONGEST_SUBJECT} characters")
        for body in (text, "" if html is None else html):
            if not isinstance(body, str) or len(body) > _LONGEST_TEXT:
                raise InvalidArguments(f"a message has at most {_LONGEST_TEXT} characters")
        _check_attachments(attachments)
        if self._mailer is None:
            raise FunctionError("mail_unavailable", "no mail server is configured (SYNOVIA_AUTH_SMTP_HOST)")
        try:
            message = message_to(", ".join(recipients), self._sender, subject, text)
            _complete(message, html, attachments, reply_to)
            await self._mailer.send(message)
        except SignInUnavailable as error:
            raise FunctionError("mail_unavailable", str(error)) from error
        except (UnicodeError, ValueError) as error:
            raise InvalidArguments(f"this message cannot be sent: {error}") from error


def _recipients(to: object) -> list[str]:
    addresses = [to] if isinstance(to, str) else list(to) if isinstance(to, Sequence) else []
    if not 0 < len(addresses) <= _MOST_RECIPIENTS:
        raise InvalidArguments(f"a message goes to 1 to {_MOST_RECIPIENTS} addresses")
    for address in addresses:
        if not isinstance(address, str) or not is_address(address):
            raise InvalidArguments("that is not an e-mail address")
    return addresses


def _check_attachments(attachments: Sequence[Attachment]) -> None:
    if len(attachments) > _MOST_ATTACHMENTS or sum(len(each.data) for each in attachments) > _MOST_ATTACHED_BYTES:
        limit = f"{_MOST_ATTACHMENTS} files and {_MOST_ATTACHED_BYTES} bytes"
        raise InvalidArguments(f"a message carries at most {limit}")
    for each in attachments:
        if not 0 < len(each.name) <= _LONGEST_NAME or _CONTROL.search(each.name) or "/" in each.name:
            raise InvalidArguments("the name of an attachment is a plain file name")
        if _MEDIA_TYPE.fullmatch(each.media_type) is None:
            raise InvalidArguments(f"{each.media_type[:80]!r} is not a media type")


def _complete(message: EmailMessage, html: str | None, attachments: Sequence[Attachment], reply_to: str | None) -> None:
    if reply_to is not None:
        message["Reply-To"] = reply_to
    if html is not None:
        message.add_alternative(html, subtype="html")
    for each in attachments:
        kind, _, subkind = each.media_type.partition("/")
        message.add_attachment(bytes(each.data), maintype=kind, subtype=subkind, filename=each.name)
