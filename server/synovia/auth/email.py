"""Sign in by e-mail: a code to type in, or a link to follow, each good once and for minutes.

Asking gives a *challenge*, which stays with the program that asked; a code is worth something only together with it. So
nobody can guess at a code that somebody else is waiting for. The link carries a secret of its own.

Per address one document keeps what is outstanding, when mail went out and for whom, and how many guesses were wrong, so that
limits hold across hubs and restarts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from synovia import keys
from synovia.auth.accounts import normal_email
from synovia.auth.records import Records
from synovia.auth.tokens import LONGEST, Clock, refused
from synovia.identity import Identity
from synovia.keys import IndexSpec
from synovia.limits.addresses import network_of
from synovia.limits.rate import LimitReached, Rates
from synovia.mail.smtp import Mailer, RecipientRefused, is_address, message_to
from synovia.schema import Document, TableSpec
from synovia.store.base import Store

logger = logging.getLogger("synovia.auth")

ISSUER = "email"
CODE_PREFIX, LINK_PREFIX = "email-code:", "email-link:"
BY_IDLE = IndexSpec("by_idle", ("idleAt",))
CODES = TableSpec("_emailCodes", (BY_IDLE,))

_DIGITS = 8
_ATTEMPTS = 5
_MANY_WRONG = 10
"""Guesses within a day after which codes get longer: guessing becomes hopeless, and nobody is locked out."""
_MORE_DIGITS = 12
_NETWORKS = 4
"""So many networks have to ask for mail to one address before others get none."""
_WINDOW = 3_600_000
_DAY = 24 * _WINDOW
_LEEWAY = 60_000
"""Milliseconds by which the clocks of two hubs may differ, and their settings in this."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class EmailTimes:
    """What is let through.

    Attributes:
        lifetime: Seconds for which a code and a link are good.
        per_address: Mails to one address in an hour that one network asks for; all may have ``_NETWORKS`` times that.
        per_client: Mails that one network may ask for in an hour, of this hub.
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
        monotonic: Callable[[], float] = time.monotonic,
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
        self._clients = Rates(self.times.per_client, _WINDOW / 1000, monotonic)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    # --- asking

    async def ask(self, address: str, client: str = "") -> Challenge:
        """Send a code to an address, whether or not anybody is known there.

        Args:
            client: The network address of who asks.

        Raises:
            ValueError: It is not an e-mail address.
            LimitReached: Too many mails.
            SignInUnavailable: The mail cannot be sent.
        """
        email = normal_email(address)
        if not is_address(email):
            raise ValueError("that is not an e-mail address")
        network = network_of(client)
        self._clients.take(network)
        challenge, link = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
        id_ = _document_id(email)

        def asked(found: Document | None) -> tuple[Document, str]:
            code = _random_code(_MORE_DIGITS if self._wrong(found) >= _MANY_WRONG else _DIGITS)
            before = found or {"_id": id_, "email": email}
            return self._asked(before, _by(email, network), self._entry(challenge, code, link)), code

        code = await self._records.change(id_, asked)
        await self._send(message_to(email, self._sender, f"Sign in to {self._name}", self._text(code, id_, link)))
        return Challenge(f"{id_}.{challenge}", int(self.times.lifetime))

    async def _send(self, message: EmailMessage) -> None:
        """Send it; a mailbox that there is not is nothing that who asks is told: it would tell whose there are."""
        try:
            await self._mailer.send(message)
        except RecipientRefused as error:
            logger.info("a code could not be delivered: %s", error)

    def _entry(self, challenge: str, code: str, link: str) -> Document:
        return {
            "challenge": _hash(challenge),
            "code": _hash(challenge, code),
            "link": _hash(link),
            "digits": len(code),
            "attempts": 0,
            "expiresAt": self._now() + int(self.times.lifetime * 1000),
        }

    def _asked(self, found: Document, by: str, entry: Document) -> Document:
        now = self._now()
        asked = [each for each in found.get("asked", ()) if now - _WINDOW < each["at"] <= now]
        theirs = [each for each in asked if each["by"] == by]
        most = self.times.per_address
        if len(theirs) >= most or len(asked) >= most * _NETWORKS:
            first = theirs[0] if len(theirs) >= most else asked[0]
            raise LimitReached((first["at"] + _WINDOW - now) / 1000)
        pending = [*self._outstanding(found), entry]
        kept: Document = {name: found[name] for name in ("_id", "email", "wrong", "wrongAt") if name in found}
        idle_at = max(now + _WINDOW, self._forgets_wrong_at(found))
        return {**kept, "asked": [*asked, {"at": now, "by": by}], "pending": pending, "idleAt": idle_at}

    def _outstanding(self, found: Document) -> list[Document]:
        """Give what is still good; what a clock that was ahead has made is not."""
        now = self._now()
        latest = now + int(self.times.lifetime * 1000) + _LEEWAY
        return [each for each in found.get("pending", ()) if now < each["expiresAt"] <= latest]

    def _wrong(self, found: Document | None) -> int:
        """Tell how many guesses at codes for an address were wrong of late, since its owner signed in last."""
        if found is None or not 0 <= self._now() - found.get("wrongAt", 0) < _DAY:
            return 0
        return int(found.get("wrong", 0))

    def _forgets_wrong_at(self, found: Document) -> int:
        return int(found["wrongAt"]) + _DAY if self._wrong(found) else 0

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
        pending, email, wrong, before = [], None, 0, self._wrong(found)
        for entry in self._outstanding(found):
            most = _attempts(entry, before)
            if "challenge" in answer and not _same(entry["challenge"], answer["challenge"]):
                pending.append(entry)
            elif entry["attempts"] >= most and "code" in answer:
                continue  # it was sent before there were many wrong guesses, and has had its one
            elif _same(entry["code" if "code" in answer else "link"], answer.get("code", answer.get("link", b""))):
                email = str(found["email"])
            elif "link" in answer:
                pending.append(entry)
            else:
                wrong += 1
                if entry["attempts"] + 1 < most:
                    pending.append(entry | {"attempts": entry["attempts"] + 1})
        return self._counted(found | {"pending": pending}, wrong, forgiven=email is not None), email

    def _counted(self, found: Document, wrong: int, *, forgiven: bool) -> Document:
        """Count wrong guesses; none any more once the owner has signed in."""
        if forgiven:
            return {name: value for name, value in found.items() if name not in ("wrong", "wrongAt")}
        if not wrong:
            return found
        now = self._now()
        counted = self._wrong(found) + wrong
        return found | {"wrong": counted, "wrongAt": now, "idleAt": max(found["idleAt"], now + _DAY)}

    async def tidy(self) -> None:
        """Delete what has had no mail for an hour and no wrong guess for a day, and what a clock has made that was ahead."""
        now = self._now()
        for idle in keys.between((), None, (now, True)), keys.between((), (now + _DAY + _LEEWAY, False), None):
            await self._records.delete(await self._records.find(BY_IDLE, idle, _PAGE))


def _attempts(entry: Document, wrong: int) -> int:
    """Tell how often a code may be guessed at: a short one only once when many guesses at the account were wrong."""
    return _ATTEMPTS if wrong < _MANY_WRONG or entry.get("digits", _DIGITS) > _DIGITS else 1


def _random_code(digits: int) -> str:
    return f"{secrets.randbelow(10**digits):0{digits}}"


def _by(email: str, network: str) -> str:
    """Name a network that asks for mail to an address, so that it is known again for an hour, and no other use is easy."""
    return hashlib.sha256(f"{email}\0{network}".encode()).hexdigest()[:16]


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
