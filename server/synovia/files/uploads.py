"""Uploads on their way: begun for a function that takes one, carried on from where they are, given up, forgotten.

What has come is on disk and its manifest in the upload's document every ``STEP`` bytes, and whenever a request ends, however
it does. So whoever is cut off asks how much is there and sends the rest; several hubs can take parts of one upload in turn.
Each step is written only onto the one that it follows: of two requests that send the same part, one is told to look again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from bson import Binary

from synovia.auth.records import Records
from synovia.errors import FunctionError, InvalidArguments
from synovia.files.codes import DIGEST_MISMATCH, FILE_TOO_LARGE, FILE_TYPE_REFUSED, OFFSET_MISMATCH
from synovia.files.settings import FileSettings
from synovia.files.staged_records import StagedRecords, Transact
from synovia.functions.files import BY_OWNER, UPLOAD_NOT_FOUND, UPLOADS, new_upload
from synovia.functions.function import Function
from synovia.identity import Identity
from synovia.schema import Document, File, FileLimits
from synovia.schema.files import FILE_SUBTYPE, clean_name, media_type_of, upload_limits
from synovia.store.base import ArrayManifest, Store
from synovia.store.content_writer import ContentWriter
from synovia_protocol.errors import ErrorCode

STEP: Final = 16 * 1024 * 1024
"""After so many bytes of one request, what has come is noted."""

_NO_CONTENT: Final = bytes(32)
_MOST_OPEN: Final = 1_000


@dataclass(frozen=True, slots=True)
class WantedUpload:
    """What somebody wants to upload.

    Attributes:
        name, type: As the client calls it.
        size: In bytes.
        argument: Of the function, on the wire; None if it takes only one upload.
        digest: What the content's digest is to be, if the client says.
    """

    name: str
    type: str
    size: int
    argument: str | None = None
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class UploadState:
    """How far an upload is: its id, the bytes that are there, and all that are to come."""

    id: str
    offset: int
    size: int


class Uploads:
    """All uploads to one database.

    Args:
        store: Must be open when something is asked for.
        transact: That of the engine that runs on it.
        clock: Tells the time in seconds since 1970.
    """

    def __init__(self, store: Store, transact: Transact, settings: FileSettings, clock: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._records = StagedRecords(store, UPLOADS.name, transact)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    async def begin(self, function: Function, wanted: WantedUpload, identity: Identity | None) -> UploadState:
        """Begin an upload for a function that the caller may call.

        Raises:
            FunctionError: The function takes no such upload, or the caller has too much waiting.
        """
        file = self._checked(function, wanted)
        owner = None if identity is None else identity.key
        if owner is not None:
            await self._check_waiting(owner, file.size)
        document = new_upload(file, owner, function.path, self._now() + int(self._settings.upload_ttl * 1000))
        if wanted.digest is not None:
            document["expected"] = wanted.digest.hex()
        id_ = document["_id"]
        if not file.size:
            document = await self._completed(document, await ContentWriter(self._store.arrays).end())
        await self._records.change(id_, lambda _: (document, None))
        return UploadState(id_, 0, file.size)

    def _checked(self, function: Function, wanted: WantedUpload) -> File:
        kind = media_type_of(wanted.type)
        if kind is None:
            raise InvalidArguments(f"{wanted.type!r:.80} is no media type, as image/png")
        limits, most = _limits_of(function, wanted.argument), self._settings.max_bytes
        most = most if limits.max_bytes is None else min(most, limits.max_bytes)
        if wanted.size > most:
            text = f"a file of {wanted.size:,} bytes is too large for {function.path}: {most:,} are allowed"
            raise FunctionError(FILE_TOO_LARGE, text, {"limit": most})
        if not limits.takes(kind):
            text = f"{function.path} does not take {kind}, but {', '.join(limits.types)}"
            raise FunctionError(FILE_TYPE_REFUSED, text, {"types": list(limits.types)})
        return File(_NO_CONTENT, name=clean_name(wanted.name), type=kind, size=wanted.size, uploaded_at=self._now())

    async def _check_waiting(self, owner: str, size: int) -> None:
        found = await self._records.find_equal(BY_OWNER, owner, limit=_MOST_OPEN)
        waiting = sum(each["size"] for each in found if each["expiresAt"] > self._now())
        if len(found) >= _MOST_OPEN or waiting + size > self._settings.max_waiting_bytes:
            text = f"{waiting:,} bytes of yours wait to be used; {self._settings.max_waiting_bytes:,} may"
            raise FunctionError(ErrorCode.LIMIT_EXCEEDED, text)

    async def state(self, id_: str, identity: Identity | None) -> UploadState:
        """Tell how far an upload of the caller's is.

        Raises:
            FunctionError: ``upload_not_found``: there is none; one of somebody else's is none.
        """
        found = await self._find(id_, identity)
        return UploadState(id_, found["offset"], found["size"])

    async def cancel(self, id_: str, identity: Identity | None) -> None:
        """Give an upload of the caller's up; errors as for ``state``."""
        await self._find(id_, identity)
        await self._records.change(id_, lambda _: (None, None))

    async def append(
        self, id_: str, identity: Identity | None, offset: int, pieces: AsyncIterator[bytes]
    ) -> UploadState:
        """Take the next bytes of an upload; what has come is kept when ``pieces`` raises, whole chunks of it.

        Args:
            offset: Where they belong: how far the upload is.
            pieces: No more than are to come.

        Raises:
            FunctionError: ``upload_not_found``; ``upload_offset_mismatch``: it is not that far, or further;
                ``file_digest_mismatch``: all has come, and is not what was announced. The upload is gone then.
        """
        found = await self._find(id_, identity)
        if found["offset"] != offset or found["offset"] == found["size"]:
            raise _elsewhere(found["offset"])
        taking = _Taking(self._store, self._records, found)
        try:
            await taking.begin()
            await self._take(taking, pieces)
        finally:
            await taking.close()
        return UploadState(id_, taking.found["offset"], found["size"])

    async def _take(self, taking: _Taking, pieces: AsyncIterator[bytes]) -> None:
        try:
            async for piece in pieces:
                await taking.writer.add(piece)
                if taking.writer.whole - taking.found["offset"] >= STEP:
                    await taking.note()
        except Exception:
            await taking.note()
            raise
        if taking.writer.size < taking.found["size"]:
            await taking.note()
        else:
            content = await taking.writer.end()
            await taking.replace(await self._completed(taking.found, content))

    async def _completed(self, found: Document, content: ArrayManifest) -> Document:
        expected = found.get("expected")
        if expected is not None and expected != content.digest.hex():
            await self._records.change(found["_id"], lambda _: (None, None))
            text = "the bytes that have come are not those whose digest was announced; begin again"
            raise FunctionError(DIGEST_MISMATCH, text, {"digest": content.digest.hex()})
        file = File(
            content.digest, name=found["name"], type=found["type"], size=content.length, uploaded_at=found["createdAt"]
        )
        rest = {name: value for name, value in found.items() if name != "begun"}
        return {**rest, "offset": content.length, "content": file.to_bson()}

    async def _find(self, id_: str, identity: Identity | None) -> Document:
        found = await self._records.get(id_)
        owner = None if identity is None else identity.key
        if found is None or found["owner"] != owner or found["expiresAt"] <= self._now():
            raise FunctionError(UPLOAD_NOT_FOUND, "there is no such upload; it may have been used, or have expired")
        return found


class _Taking:
    """One request that carries an upload on.

    Attributes:
        found: The upload's document as this request has written it last.
    """

    def __init__(self, store: Store, records: Records, found: Document) -> None:
        self._store = store
        self._records = records
        self.found = found
        self.writer = ContentWriter(store.arrays)

    async def begin(self) -> None:
        """Take up what is there."""
        begun = self.found.get("begun")
        if begun is not None:
            manifest = await self._store.arrays.get_manifest(bytes(begun["file"]))
            if manifest is None:
                raise FunctionError(UPLOAD_NOT_FOUND, "what has come of this upload is gone; begin again")
            self.writer = ContentWriter(self._store.arrays, manifest)

    async def note(self) -> None:
        """Note how much has come, in whole chunks."""
        if self.writer.whole == self.found["offset"]:
            return
        content = await self.writer.so_far()
        reference = {"file": Binary(content.digest, FILE_SUBTYPE)}
        await self.replace({**self.found, "offset": content.length, "begun": reference})

    async def replace(self, after: Document) -> None:
        """Write the upload's document, unless another request has.

        Raises:
            FunctionError: ``upload_offset_mismatch`` or ``upload_not_found``.
        """
        before = self.found

        def change(found: Document | None) -> tuple[Document | None, Document | None]:
            return (after, None) if found == before else (found, found or {})

        other = await self._records.change(before["_id"], change)
        if other is None:
            self.found = after
        elif other:
            raise _elsewhere(other["offset"])
        else:
            raise FunctionError(UPLOAD_NOT_FOUND, "this upload was given up")

    async def close(self) -> None:
        await asyncio.shield(self.writer.close())


def _limits_of(function: Function, argument: str | None) -> FileLimits:
    """Find which files a function takes.

    Raises:
        InvalidArguments: None, or not as this argument, or it takes several and none is named.
    """
    fields = function.arguments.model_fields
    found = {
        str(info.alias or name): limits
        for name, info in fields.items()
        for limits in upload_limits(info.annotation, tuple(info.metadata))
    }
    if argument is None and len(found) == 1:
        return next(iter(found.values()))
    limits = None if argument is None else found.get(argument)
    if limits is None:
        names = ", ".join(sorted(found)) or "no upload"
        raise InvalidArguments(f"{function.path} takes {names}: say which argument the file is for")
    return limits


def _elsewhere(offset: Any) -> FunctionError:
    text = f"{offset:,} bytes of this upload are there: carry on from that"
    return FunctionError(OFFSET_MISMATCH, text, {"offset": offset})
