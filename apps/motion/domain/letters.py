"""The mail that an invite sends, and the secret in its link."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

from motion.domain.people import one_line
from motion.schema import Invite, User
from synovia import Model

_LONGEST = 80


class Letter(Model):
    """What the mail of an invite says, but for its link: only whoever sends it knows that."""

    to: str
    name: str
    email: str
    expires_at: int

    @property
    def subject(self) -> str:
        return f"{self.name} would like to be in touch with you"

    def text(self, link: str) -> str:
        """Write the whole mail."""
        until = datetime.fromtimestamp(self.expires_at / 1000, UTC)
        return _TEXT.format(name=self.name, email=self.email, link=link, until=f"{until:%d %B %Y}".lstrip("0"))


def letter_of(invite: Invite, sender: User) -> Letter:
    """Make the mail of an invite."""
    return Letter(to=invite.to_email, name=_signature(sender), email=sender.email, expires_at=invite.expires_at)


def _signature(sender: User) -> str:
    """Name the sender; a name is everybody's own choice, and this server's mail is no place for their links."""
    name = one_line(sender.name)
    if not name or len(name) > _LONGEST or any(mark in name.lower() for mark in ("://", "www.", "@", "/")):
        return sender.email
    return name


def fresh_token() -> str:
    """Make a token of 256 random bits that nobody can guess, whatever else they have seen of this server."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """Give what is kept of a token. It has too many bits to be found from this, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(home: str, token: str) -> str:
    """Give the link that shows an invite in the web page; browsers send what is behind ``#`` to nobody."""
    return f"{home}/#/invite/{token}"


_TEXT = """\
Hello,

{name} ({email}) uses Synovia Motion to record how knees move, and would like you to be a contact there.

If you agree, open this link and sign in. If you are new, that also makes you an account, as a patient:

    {link}

It is good until {until}.

As contacts you see each other's name and e-mail address. Nobody sees a recording unless the person who made it shares it
or measured you, and you can end the contact whenever you like.

If you do not know {name}, or would rather not, you need not do anything: without your consent nothing happens.

Synovia Motion
"""
