"""When two identities are one user: the rule, apart from any database.

An application keeps users with the key of the identity that they first signed in with, and their e-mail address, both
unique. A caller is, in this order:

1. the user who has the caller's ``Identity.key``;
2. else the user with the caller's verified address, compared as ``normal_email`` writes it;
3. else nobody yet.

``Identity.email`` is set only if the issuer vouches for it, so an address that somebody merely typed in links nothing. The
key goes first: who has an account keeps it. By the second step an address that is given to somebody new brings the account
along; an application that cannot live with that passes no ``by_email``.
"""

from __future__ import annotations

import unicodedata
from typing import TypeVar

from synovia.identity import Identity

U = TypeVar("U")


def normal_email(address: str) -> str:
    """Write an address the one way in which it is compared and stored: NFC, in lower case, without space around it.

    Nothing more is folded: dots and ``+tags`` mean the same at some providers only.
    """
    # Twice: some capitals have no composed form, but their small letters do.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", address).strip().lower())


def same_user(identity: Identity, *, by_key: U | None, by_email: U | None) -> U | None:
    """Choose the user who is calling.

    Args:
        by_key: The user who has ``identity.key``.
        by_email: The user whose address is ``identity.email``; not looked at when the identity has none.

    Returns:
        The user, or None if this is somebody new.
    """
    if by_key is not None:
        return by_key
    return by_email if identity.email is not None else None
