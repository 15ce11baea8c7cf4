"""The keys by which values are sealed, each known by an id that stands beside what it has sealed.

Values are sealed with AES-256-GCM (NIST SP 800-38D) under a random nonce of 96 bits, and bound to where they stand: moved
elsewhere they do not open. Tokens are HMAC-SHA-256 (RFC 2104) of a value and its place under a key of their own, cut to 128
bits: equal values of one field have equal tokens, which is all that is seen of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

logger = logging.getLogger("synovia")

KEY_BYTES: Final = 32
SEARCH: Final = "search"
"""The id of the key of which tokens are made; it seals nothing."""
TOKEN_BYTES: Final = 16
_VERSION: Final = 1
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_TOLD: Final = 1_000


class BadKeys(ValueError):
    """Keys that cannot be used; the text says why, and holds nothing of them."""


class Unsealable(Exception):
    """There is no key to seal with, or none to make tokens with."""


class Unopened(Exception):
    """A sealed value does not open; the text says why."""


class UnknownKey(Unopened):
    """The key that has sealed it is not there.

    Attributes:
        key_id: Its id.
    """

    def __init__(self, key_id: str) -> None:
        super().__init__(f"it is sealed by the key {key_id!r}, which this hub does not have")
        self.key_id = key_id


class Keyring:
    """Some keys: the first seals, all of them open.

    Args:
        keys: By their ids; that of tokens is ``search``.

    Raises:
        BadKeys: They cannot be used.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if len(set(keys.values())) != len(keys):
            raise BadKeys("one key stands under two ids")
        self._search = keys.get(SEARCH)
        self._keys = {id_: AESGCM(key) for id_, key in keys.items() if id_ != SEARCH}
        if not self._keys:
            raise BadKeys("there is no key to seal with")
        self._told: set[str] = set()

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    @property
    def ids(self) -> list[str]:
        """The ids of the keys that seal, that of the one in use first."""
        return list(self._keys)

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return next(iter(self._keys))

    @property
    def searches(self) -> bool:
        """Whether there is a key of which tokens are made."""
        return self._search is not None

    @property
    def fingerprint(self) -> str:
        """What stands for the key that seals, and that of tokens: another one for other keys."""
        if self._search is None:
            return self.newest
        return f"{self.newest}-{hmac.digest(self._search, b'fingerprint', hashlib.sha256)[:4].hex()}"

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Seal a value.

        Args:
            place: Where it stands, as ``place_of`` writes it: it opens nowhere else.
        """
        id_, nonce = self.newest, secrets.token_bytes(_NONCE_BYTES)
        head = bytes((_VERSION, len(id_))) + id_.encode()
        return head + nonce + self._keys[id_].encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Open a sealed value.

        Raises:
            Unopened: It is none, has been changed or moved, or its key is not there.
        """
        id_ = key_id_of(sealed)
        key = self._keys.get(id_)
        if key is None:
            raise UnknownKey(id_)
        at = 2 + sealed[1]
        try:
            return key.decrypt(sealed[at : at + _NONCE_BYTES], sealed[at + _NONCE_BYTES :], place)
        except InvalidTag:
            raise Unopened(
                f"it has been changed, or moved here from elsewhere, or the key {id_!r} is not the one that has sealed it"
            ) from None

    def token(self, plain: bytes, place: bytes) -> bytes:
        """Make the token by which a value is found.

        Raises:
            Unsealable: There is no key for it.
        """
        if self._search is None:
            raise Unsealable(f"there is no key {SEARCH!r}, of which the tokens of searchable fields are made")
        return hmac.digest(self._search, place_of(place, plain), hashlib.sha256)[:TOKEN_BYTES]

    def tell(self, what: str, reason: str) -> None:
        """Name in the log, once, what does not open."""
        text = f"{what}: {reason}"
        if text not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(text)
            logger.warning("%s", text)


def place_of(*parts: bytes) -> bytes:
    """Write where a value stands, so that no two places are written alike."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def key_id_of(sealed: bytes) -> str:
    """Tell the id of the key that has sealed a value.

    Raises:
        Unopened: It is no sealed value.
    """
    head = 2 + (sealed[1] if len(sealed) > 1 else 0)
    if len(sealed) < head + _NONCE_BYTES + _TAG_BYTES or sealed[0] != _VERSION:
        raise Unopened("it is no sealed value")
    return sealed[2:head].decode("ascii", errors="replace")


def read_keys(text: str) -> Keyring:
    """Read keys: ``ID:KEY``, the one that seals first, with spaces, commas or lines between them; a key is base64.

    Raises:
        BadKeys: It is not that.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(_entries(text), 1):
        id_, key = _read_entry(entry, f"entry {number}")
        if id_ in keys:
            raise BadKeys(f"entry {number}: another key has the same id")
        keys[id_] = key
    return Keyring(keys)


def _entries(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            yield from line.replace(",", " ").split()


def _read_entry(entry: str, what: str) -> tuple[str, bytes]:
    # An entry is never quoted: whoever has mixed up its two parts would find the key in the log.
    id_, colon, text = entry.partition(":")
    if not colon or _ID.fullmatch(id_) is None:
        raise BadKeys(f"{what} is no key: ID:KEY is, its id of 1 to 64 letters, digits, dots, underscores and hyphens")
    try:
        key = base64.b64decode(text, altchars=b"-_" if set(text) & {"-", "_"} else None, validate=True)
    except (binascii.Error, ValueError):
        raise BadKeys(f"{what}: a key is written as base64") from None
    if len(key) != KEY_BYTES:
        raise BadKeys(f"{what}: a key has {KEY_BYTES} bytes, this one {len(key)}")
    return id_, key


def new_entry(id_: str) -> str:
    """Make a key, and write it as ``read_keys`` reads it."""
    return f"{id_}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
