"""Sign in by e-mail: a code to type in, or a link to follow, each good once and for minutes.

Asking gives a *challenge*, which stays with the program that asked; a code is worth something only together with it. So
nobody can guess at a code that somebody else is waiting for. The link carries a secret of its own.

Per address one document keeps what is outstanding and when mail went out, so that limits hold across hubs and restarts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from synovia import keys
from synovia.auth.accounts import normal_email
from synovia.auth.records import Records
from synovia.auth.tokens import LONGEST, Clock, refused
from synovia.identity import Identity
from synovia.keys import IndexSpec
from synovia.limits.rate import RateLimited, Rates
from synovia.mail.smtp import Mailer, is_address, message_to
from synovia.schema import Document, TableSpec
from synovia.store.base import Store

ISSUER = "email"
CODE_PREFIX, LINK_PREFIX = "email-code:", "email-link:"
BY_IDLE = IndexSpec("by_idle", ("idleAt",))
CODES = TableSpec("_emailCodes", (BY_IDLE,))

_DIGITS = 8
_ATTEMPTS = 5
_WINDOW = 3_600_000
_PAGE = 500


@dataclass(frozen=True, slots=True)
class EmailTimes:
    """What is let through.

    Attributes:
        lifetime: Seconds for which a code and a link are good.
        per_address: Mails to one address in an hour.
        per_client: Mails that one network address may ask for in an hour, of this hub.
    """

    lifetime: float = 600.0
    per_address: int = 5
    per_client: int = 20


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the program that asked keeps. ``expires_in`` is in seconds."""

    challenge: str
    expires_in: int


class EmailSignIn:
    """Sends codes and links, and takes them.

    Args:
        sender: The From address.
        link: Where the link leads, with ``{token}`` in it, best after a ``#``: what follows it is not sent to servers, so it
            is in no log. None: only codes.
        name: The application, as the mail names it.
    """

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        *,
        sender: str,
        name: str = "Synovia",
        link: str | None = None,
        times: EmailTimes | None = None,
        clock: Clock = time.time,
    ) -> None:
        if link is not None and "{token}" not in link:
            raise ValueError("the link needs {token} where the token goes")
        self.times = times or EmailTimes()
        self._records = Records(store, CODES.name)
        self._mailer = mailer
        self._sender = sender
        self._name = name
        self._link = link
        self._clock = clock
        self._clients = Rates(self.times.per_client, _WINDOW / 1000, clock)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    # --- asking

    async def ask(self, address: str, client: str = "") -> Challenge:
        """Send a code to an address, whether or not anybody is known there.

        Args:
            client: The network address of who asks.

        Raises:
            ValueError: It is not an e-mail address.
            RateLimited: Too many mails.
            SignInUnavailable: The mail cannot be sent.
        """
        email = normal_email(address)
        if not is_address(email):
            raise ValueError("that is not an e-mail address")
        self._clients.take(client)
        challenge, code, link = secrets.token_urlsafe(24), _random_code(), secrets.token_urlsafe(32)
        id_ = _document_id(email)
        entry = {
            "challenge": _hash(challenge),
            "code": _hash(challenge, code),
            "link": _hash(link),
            "attempts": 0,
            "expiresAt": self._now() + int(self.times.lifetime * 1000),
        }
        await self._records.change(id_, lambda found: (self._asked(found, id_, email, entry), None))
        await self._mailer.send(
            message_to(email, self._sender, f"Sign in to {self._name}", self._text(code, id_, link))
        )
        return Challenge(f"{id_}.{challenge}", int(self.times.lifetime))

    def _asked(self, found: Document | None, id_: str, email: str, entry: Document) -> Document:
        now = self._now()
        sent = [each for each in (found or {}).get("sent", ()) if now - _WINDOW < each <= now]
        if len(sent) >= self.times.per_address:
            raise RateLimited((sent[0] + _WINDOW - now) / 1000)
        pending = [*self._outstanding(found), entry]
        return {"_id": id_, "email": email, "sent": [*sent, now], "pending": pending, "idleAt": now + _WINDOW}

    def _outstanding(self, found: Document | None) -> list[Document]:
        return [each for each in (found or {}).get("pending", ()) if each["expiresAt"] > self._now()]

    def _text(self, code: str, id_: str, link: str) -> str:
        minutes = max(1, round(self.times.lifetime / 60))
        lines = [f"Your code for signing in to {self._name}:", "", f"    {code}", ""]
        if self._link is not None:
            token = base64.urlsafe_b64encode(f"{id_}.{link}".encode()).decode().rstrip("=")
            lines += ["or follow this link:", "", self._link.replace("{token}", LINK_PREFIX + token), ""]
        lines += [
            f"It is good once, for {minutes} minutes. If you have not asked for it, do nothing;",
            "tell it to nobody.",
        ]
        return "\n".join(lines) + "\n"

    # --- answering

    async def authenticate(self, token: str) -> Identity:
        """Take ``email-code:CHALLENGE:CODE`` or ``email-link:TOKEN``; each works once.

        Raises:
            InvalidToken: It is not accepted.
        """
        if len(token) > LONGEST:
            raise refused("too long")
        if token.startswith(CODE_PREFIX):
            challenge, _, code = token[len(CODE_PREFIX) :].partition(":")
            id_, _, secret = challenge.partition(".")
            return await self._take(id_, {"challenge": _hash(secret), "code": _hash(secret, "".join(code.split()))})
        id_, _, secret = _unpacked(token.removeprefix(LINK_PREFIX)).partition(".")
        return await self._take(id_, {"link": _hash(secret)})

    async def _take(self, id_: str, answer: dict[str, bytes]) -> Identity:
        if re.fullmatch(r"e_[0-9a-f]{32}", id_) is None:
            raise refused("no such challenge")
        email = await self._records.change(id_, lambda found: self._taken(found, answer))
        if email is None:
            raise refused("a wrong code, a used one or an expired one")
        return Identity(ISSUER, email, email)

    def _taken(self, found: Document | None, answer: dict[str, bytes]) -> tuple[Document | None, str | None]:
        """Compare the answer with what is outstanding; the attempt is counted in the same write that tells the outcome."""
        if found is None:
            return None, None
        pending, email = [], None
        for entry in self._outstanding(found):
            if "challenge" in answer and not _same(entry["challenge"], answer["challenge"]):
                pending.append(entry)
            elif _same(entry["code" if "code" in answer else "link"], answer.get("code", answer.get("link", b""))):
                email = str(found["email"])
            elif "link" in answer:
                pending.append(entry)
            elif entry["attempts"] + 1 < _ATTEMPTS:
                pending.append(entry | {"attempts": entry["attempts"] + 1})
        return found | {"pending": pending}, email

    async def tidy(self) -> None:
        """Delete what has had no mail for an hour."""
        idle = keys.between((), None, (self._now(), True))
        await self._records.delete(await self._records.find(BY_IDLE, idle, _PAGE))


def _random_code() -> str:
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"


def _document_id(email: str) -> str:
    return "e_" + hashlib.sha256(email.encode()).hexdigest()[:32]


def _hash(*parts: str) -> bytes:
    """Hash a secret; with a short code goes its challenge, 192 random bits that are nowhere at rest."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _same(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(bytes(one), other)


def _unpacked(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
