"""What the record of a request keeps of its outcome: sealed as a whole where there are keys, as it may hold anything."""

from __future__ import annotations

import hashlib
from typing import Final

from synovia.errors import FunctionError
from synovia.identity import Identity
from synovia.sealing.keyring import Keyring, Unopened, place_of
from synovia_protocol import codec

UNREADABLE_RECORD: Final = "unreadable_record"
_SEALED: Final = b"\xc1\xc1sealed"
"""Begins a sealed record. The byte 0xc1 begins nothing in msgpack, and two of them no record of a failure."""


_CALLER: Final = b"\xc1\xc2"
"""Begins the record of a request that somebody has made who was signed in; no record begins so otherwise."""
_CALLER_BYTES: Final = 18


def caller_mark(identity: Identity | None) -> bytes:
    """Give the mark of a caller, with which the records of their requests begin; nothing for nobody."""
    if identity is None:
        return b""
    who = codec.pack([identity.issuer, identity.subject, identity.actor])
    return _CALLER + hashlib.sha256(who).digest()[: _CALLER_BYTES - len(_CALLER)]


def unmarked(result: bytes, mark: bytes) -> bytes | None:
    """Give the outcome in a record if it may be told to who asks with this mark; None: it is not theirs.

    Whoever knows the session is told what nobody has asked for who was signed in: they may have signed in since.
    """
    if mark and result.startswith(mark):
        return result[len(mark) :]
    is_callers = not mark or len(mark) == _CALLER_BYTES
    return result if is_callers and not result.startswith(_CALLER) else None


def kept(result: bytes, session: bytes, number: int, keyring: Keyring) -> bytes:
    """Give what is stored of an outcome where there are keys."""
    return _SEALED + keyring.seal(result, _place(session, number))


def opened(stored: bytes, session: bytes, number: int, keyring: Keyring | None) -> bytes:
    """Give the outcome of what is stored.

    Raises:
        FunctionError: It is sealed, and does not open: that it was committed is all that is known (``unreadable_record``).
    """
    if not stored.startswith(_SEALED):
        return stored
    try:
        if keyring is None:
            raise Unopened("there are no keys")
        return keyring.open(stored[len(_SEALED) :], _place(session, number))
    except Unopened as error:
        text = f"this request has been committed, and what came of it cannot be opened: {error}"
        raise FunctionError(UNREADABLE_RECORD, text) from None


def _place(session: bytes, number: int) -> bytes:
    return place_of(b"_requests", session, str(number).encode())
