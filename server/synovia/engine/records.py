"""What the record of a request keeps of its outcome: sealed as a whole where there are keys, as it may hold anything."""

from __future__ import annotations

from typing import Final

from synovia.errors import FunctionError
from synovia.sealing.keyring import Keyring, Unopened, place_of

UNREADABLE_RECORD: Final = "unreadable_record"
_SEALED: Final = b"\xc1\xc1sealed"
"""Begins a sealed record. The byte 0xc1 begins nothing in msgpack, and two of them no record of a failure."""


def kept(result: bytes, session: bytes, number: int, keyring: Keyring | None) -> bytes:
    """Give what is stored of an outcome."""
    if keyring is None:
        return result
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
