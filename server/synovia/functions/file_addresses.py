"""Addresses under which files can be read over HTTP for some time, by whoever has them.

An address holds what is to be sent and until when, and an HMAC over both: it cannot be guessed or changed, and nothing is
kept of it. Each is good from half of its time to all of it, and the same is given for half of that time: a query whose
result holds one does not change with every run, and is run again before it expires.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

from synovia.schema.files import File
from synovia_protocol import codec
from synovia_protocol.errors import ProtocolError

PREFIX: Final = "/api/files"
KEY_BYTES: Final = 32
LEAST: Final = timedelta(minutes=1)
MOST: Final = timedelta(days=7)

_MAC_BYTES: Final = 24
_VERSION: Final = 1
_MOST_TOKEN: Final = 2048
_MARK: Final = b"synovia file address\n"


@dataclass(frozen=True, slots=True)
class FileAddress:
    """What an address says.

    Attributes:
        digest: Which content.
        name, type: What to call it.
        uploaded_at, expires_at: In milliseconds since 1970.
        download: It is to be saved, not shown.
    """

    digest: bytes
    name: str
    type: str
    uploaded_at: int
    expires_at: int
    download: bool


class FileAddresses:
    """Makes addresses and reads them.

    Args:
        key: 32 random bytes, the same at all hubs of a database.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, file: File, *, now: int, lifetime: timedelta, download: bool = False) -> tuple[str, int]:
        """Give an address, without scheme and host, and when a fresh one would be given, in milliseconds since 1970.

        Args:
            now: In milliseconds since 1970.
            lifetime: How long it is good at most, and half of that at least.

        Raises:
            ValueError: That is less than a minute or more than a week.
        """
        if not LEAST <= lifetime <= MOST:
            raise ValueError(f"an address is good for {LEAST} to {MOST}, not for {lifetime}")
        half = lifetime // timedelta(milliseconds=2)
        renewed_at = (now // half + 1) * half
        address = [_VERSION, file.digest, file.name, file.type, file.uploaded_at, renewed_at + half, download]
        said = codec.pack(address)
        token = base64.urlsafe_b64encode(self._mac(said) + said).rstrip(b"=").decode()
        return f"{PREFIX}/{token}/{quote(file.name, safe='')}", renewed_at

    def read(self, token: str, now: int) -> FileAddress | None:
        """Read the token of an address; None if it is none of this key, or has expired."""
        if len(token) > _MOST_TOKEN or not token.isascii():
            return None
        try:
            given = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        mac, said = given[:_MAC_BYTES], given[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        try:
            version, digest, name, kind, uploaded_at, expires_at, download = codec.unpack(said)
        except (ProtocolError, ValueError, TypeError):
            return None
        if version != _VERSION or expires_at <= now:
            return None
        return FileAddress(digest, name, kind, uploaded_at, expires_at, download)

    def _mac(self, said: bytes) -> bytes:
        return hmac.new(self._key, _MARK + said, hashlib.sha256).digest()[:_MAC_BYTES]
