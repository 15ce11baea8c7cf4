"""What functions do with files: hand out their addresses, take uploads into documents, read and make contents in actions.

An upload is a document of ``UPLOADS`` from its beginning until a mutation accepts it, or it expires. Its id is chosen at
random and told to nobody but whoever uploads, so it is what proves that a file was theirs to give.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from synovia.errors import FunctionError, InvalidArguments
from synovia.functions.access import AccessContext
from synovia.functions.awaiting import awaited
from synovia.functions.database import DatabaseWriter, SystemWriter
from synovia.functions.file_addresses import FileAddresses
from synovia.functions.services import Result
from synovia.keys import IndexSpec
from synovia.schema import Document, File, TableSpec, Upload
from synovia.schema.files import clean_name, media_type_of
from synovia.store.base import ArrayStore
from synovia.store.content_writer import ContentWriter, stream_content
from synovia.transaction.readset import ReadSet

BY_OWNER: Final = IndexSpec("by_owner", ("owner",))
BY_EXPIRY: Final = IndexSpec("by_expiry", ("expiresAt",))
UPLOADS: Final = TableSpec("_uploads", (BY_OWNER, BY_EXPIRY))
UPLOAD_NOT_FOUND: Final = "upload_not_found"
APPLICATION_OWNER: Final = ""
"""Who owns what an action has made: whoever it hands the upload to may give it on."""

_Transact = Callable[[Callable[[Any], Awaitable[Any]]], Awaitable[Result]]

HOUR: Final = timedelta(hours=1)
_DAY_MS: Final = 86_400_000
_MOST_READ: Final = 64 * 1024 * 1024
MOST_IN_A_MUTATION: Final = 1024 * 1024


class Files:
    """Files in queries: their addresses. What there is to know of a file, the ``File`` itself says."""

    def __init__(self, addresses: FileAddresses, reads: ReadSet, now: int) -> None:
        self._addresses = addresses
        self._reads = reads
        self._instant = now

    def url(self, file: File, *, expires: timedelta = HOUR, download: bool = False) -> str:
        """Give an address under which a file can be read for some time, by whoever has the address: who is handed a
        result that holds it.

        It has neither scheme nor host: pages of the hub take it as it is, clients make it whole (``client.file_url``). A
        query whose result holds one gives a fresh one once half of the time has passed.

        Args:
            file: As a document has it.
            expires: How long the address is good at most, and half of that at least; a minute to a week.
            download: Have browsers save the file; without, they show images, sound, films and plain text, and save all else.
        """
        if not isinstance(file, File):
            raise TypeError(f"ctx.files.url takes a File of a document, not {file!r:.80}")
        address, renewed_at = self._addresses.make(file, now=self._instant, lifetime=expires, download=download)
        known = self._reads.renewed_at
        self._reads.renewed_at = renewed_at if known is None else min(known, renewed_at)
        return address


class MutationFiles(Files):
    """Files in mutations, which take uploads into documents."""

    def __init__(
        self,
        caller: AccessContext,
        db: DatabaseWriter,
        addresses: FileAddresses,
        reads: ReadSet,
        now: int,
        store: ArrayStore,
    ) -> None:
        super().__init__(addresses, reads, now)
        self._caller = caller
        self._db = db
        self._store = store

    @awaited("ctx.files.write")
    async def write(self, data: bytes, *, name: str, type: str) -> File:
        """Store the content of a small new file, as a seed's or a text that a mutation has made, and give it for a document.

        Args:
            data: All of it, 1 MiB at most: whoever writes next waits for a mutation.
            name: What to call it; a path before it, and what cannot be shown, is left out.
            type: Its media type, as ``text/csv``.

        Raises:
            InvalidArguments: ``type`` is none.
            FunctionError: ``file_too_large``.
        """
        if len(data) > MOST_IN_A_MUTATION:
            raise FunctionError("file_too_large", f"{name} has {len(data):,} bytes: let an action write it")
        return await _written(self._store, data, name, type, self._instant)

    @awaited("ctx.files.accept", is_write=True)
    async def accept(self, upload: Upload) -> File:
        """Take an upload, once, and give the file for a document; if this mutation fails, it is still there.

        Raises:
            FunctionError: ``upload_not_found``: there is none, it is not complete, somebody else began it, it was begun
                for another function, or it has been accepted or has expired.
        """
        writer = SystemWriter(self._db)
        found = await writer.read(UPLOADS.name, str(upload))
        file = None if found is None or not self._may_take(found) else File.from_bson(found.get("content"))
        if found is None or file is None:
            raise FunctionError(UPLOAD_NOT_FOUND, "there is no such upload for you here, or it is not complete")
        writer.change(UPLOADS.name, found, None)
        return file

    def _may_take(self, found: Document) -> bool:
        if found["expiresAt"] <= self._instant:
            return False
        access, owner = self._caller.access, found["owner"]
        if access.trusted or owner == APPLICATION_OWNER:
            return True
        if not access.origin.reaches_internal and found["path"] != access.path:
            return False
        identity = self._caller.identity
        return owner is None or (identity is not None and identity.key == owner)


class ActionFiles(Files):
    """Files in actions, which read and make contents."""

    def __init__(
        self, transact: _Transact, addresses: FileAddresses, reads: ReadSet, now: int, store: ArrayStore
    ) -> None:
        super().__init__(addresses, reads, now)
        self._transact = transact
        self._store = store

    @awaited("ctx.files.read")
    async def read(self, file: File) -> bytes:
        """Give the bytes of a file.

        Raises:
            FunctionError: ``too_large``: it has more than 64 MiB; ``stream`` gives those piece by piece.
            ArrayNotStored: Its content is gone: no document refers to it any more.
        """
        if file.size > _MOST_READ:
            raise FunctionError("too_large", f"{file.name} has {file.size:,} bytes: read it with ctx.files.stream")
        return b"".join([piece async for piece in self.stream(file)])

    def stream(self, file: File, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Give bytes ``[start, stop)`` of a file, 256 KiB at a time at most.

        Raises:
            ArrayNotStored: Its content is gone: no document refers to it any more.
        """
        return stream_content(self._store, file.digest, start, stop)

    @awaited("ctx.files.write")
    async def write(self, data: bytes | AsyncIterable[bytes], *, name: str, type: str) -> Upload:
        """Store the content of a new file, and give the upload that a mutation accepts; it is kept for a day.

        Args:
            data: All of it, or piece by piece.
            name: What to call it; a path before it, and what cannot be shown, is left out.
            type: Its media type, as ``text/csv``.

        Raises:
            InvalidArguments: ``type`` is none.
        """
        file = await _written(self._store, data, name, type, self._instant)
        document = new_upload(file, APPLICATION_OWNER, "", self._instant + _DAY_MS)
        document |= {"offset": file.size, "content": file.to_bson()}

        async def add(ctx: Any) -> None:
            SystemWriter(ctx.db).add(UPLOADS.name, dict(document))

        (await self._transact(add)).value()
        return Upload(document["_id"])


def new_upload(file: File, owner: str | None, path: str, expires_at: int) -> Document:
    """Make the document of an upload of which nothing has come yet.

    Args:
        file: What it is to be, of any content.
        owner: The ``key`` of whoever uploads; None: somebody who is not signed in.
        path: The function that it is for.
        expires_at: In milliseconds since 1970.
    """
    return {
        "_id": secrets.token_urlsafe(24), "owner": owner, "path": path, "name": file.name, "type": file.type,
        "size": file.size, "createdAt": file.uploaded_at, "expiresAt": expires_at, "offset": 0,
    }  # fmt: skip


async def _written(store: ArrayStore, data: bytes | AsyncIterable[bytes], name: str, type_: str, now: int) -> File:
    kind = media_type_of(type_)
    if kind is None:
        raise InvalidArguments(f"{type_!r:.80} is no media type, as text/csv")
    writer = ContentWriter(store)
    try:
        async for piece in _pieces(data):
            await writer.add(piece)
        content = await writer.end()
    finally:
        await writer.close()
    return File(content.digest, name=clean_name(name), type=kind, size=content.length, uploaded_at=now)


async def _pieces(data: Any) -> AsyncIterator[bytes]:
    if isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data)
        return
    async for piece in data:
        yield piece
