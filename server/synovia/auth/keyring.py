"""The keys with which the server signs its own tokens: one at a time, replaced in time, known to every hub of a database."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from synovia import keys
from synovia.auth.records import Records
from synovia.auth.tokens import Clock
from synovia.keys import IndexSpec
from synovia.schema import Document, TableSpec
from synovia.store.base import Store

BY_CREATION = IndexSpec("by_creation", ("createdAt",))
KEYS = TableSpec("_keys", (BY_CREATION,))
LEAST_SECRET = 32
"""Characters of a secret."""
_KEY_ID = re.compile(r"k_[0-9a-f]{16}")
_REMEMBERED_SECONDS = 60.0
_MOST = 100


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key. ``created_at`` is in milliseconds since 1970."""

    id: str
    created_at: int
    key: bytes


class KeyRing:
    """Finds keys by id, and makes a new one when the newest has signed long enough.

    With secrets, the database holds only the ids of keys, and the keys are derived; whoever reads or writes the database can
    forge no token. Without, the keys are in the database.

    Args:
        secrets: The first makes new keys, the others only verify: those that are being replaced.
        signs: Seconds for which a key signs.
        lasts: Seconds after its making for which a key verifies.
    """

    def __init__(
        self, store: Store, secrets: Sequence[str] = (), *, signs: float, lasts: float, clock: Clock = time.time
    ) -> None:
        if any(len(each) < LEAST_SECRET for each in secrets):
            raise ValueError(f"a secret needs at least {LEAST_SECRET} characters")
        self._records = Records(store, KEYS.name)
        self._secrets = {_fingerprint(each): each.encode() for each in secrets}
        self._signs = signs * 1000
        self._lasts = lasts * 1000
        self._clock = clock
        self._signing: SigningKey | None = None
        self._making = asyncio.Lock()
        self._known: dict[str, tuple[float, SigningKey | None]] = {}

    async def signing(self) -> SigningKey:
        """Give the key to sign with."""
        async with self._making:
            now = self._clock() * 1000
            if self._signing is None or not 0 <= now - self._signing.created_at < self._signs:
                self._signing = await self._newest(now) or await self._make(now)
            return self._signing

    async def _newest(self, now: float) -> SigningKey | None:
        since = keys.between((), (int(now - self._signs), False), (int(now), True))
        found = await self._records.find(BY_CREATION, since, _MOST)
        usable = [key for document in found if self._makes_keys(document) and (key := self._key(document)) is not None]
        return usable[-1] if usable else None

    def _makes_keys(self, document: Document) -> bool:
        return not self._secrets or document.get("of") == next(iter(self._secrets))

    async def _make(self, now: float) -> SigningKey:
        document: Document = {"_id": f"k_{secrets.token_hex(8)}", "createdAt": int(now)}
        if self._secrets:
            document["of"] = next(iter(self._secrets))
        else:
            document["secret"] = secrets.token_bytes(32)
        await self._records.change(document["_id"], lambda _: (document, None))
        key = self._key(document)
        assert key is not None, "it has just been made"  # noqa: S101
        return key

    async def find(self, id_: str) -> SigningKey | None:
        """Give a key that still verifies; None if there is none of that id. A deletion is noticed within a minute."""
        if _KEY_ID.fullmatch(id_) is None:
            return None
        now = self._clock()
        read_at, key = self._known.get(id_, (-_REMEMBERED_SECONDS, None))
        if key is None or not 0 <= now - read_at < _REMEMBERED_SECONDS:
            document = await self._records.get(id_)
            key = None if document is None else self._key(document)
            self._remember(id_, now, key)
        return key if key is not None and now * 1000 < key.created_at + self._lasts else None

    def _remember(self, id_: str, now: float, key: SigningKey | None) -> None:
        self._known.pop(id_, None)
        if key is not None:
            self._known[id_] = now, key

    def _key(self, document: Document) -> SigningKey | None:
        if not self._secrets:
            stored = document.get("secret")
            return None if stored is None else SigningKey(document["_id"], document["createdAt"], bytes(stored))
        # A key that lies in the database is not believed once there are secrets: who can write there could have put it.
        secret = self._secrets.get(document.get("of", ""))
        return None if secret is None else SigningKey(document["_id"], document["createdAt"], _derive(secret, document))

    async def tidy(self) -> None:
        """Delete the keys whose last token has expired."""
        until = keys.between((), None, (int(self._clock() * 1000 - self._lasts), True))
        await self._records.delete(await self._records.find(BY_CREATION, until, _MOST))


def _derive(secret: bytes, document: Document) -> bytes:
    made = f"{document['_id']}/{document['createdAt']}"
    return hmac.digest(secret, b"synovia session key/" + made.encode(), hashlib.sha256)


def _fingerprint(secret: str) -> str:
    return hmac.digest(secret.encode(), b"synovia secret name", hashlib.sha256).hex()[:16]
