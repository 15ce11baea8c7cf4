"""``ctx.shared``: the shared documents of rows, in queries and mutations.

Whoever may read a row may read its shared documents, and whoever may write it may change them: the rules of the table say
so, and a caller who may not is told what ``ctx.db`` would tell.
"""

from __future__ import annotations

import logging
from random import Random
from typing import Any, Final

from synovia.errors import Forbidden, FunctionError, InvalidArguments, NotFound
from synovia.functions.audit import APPLICATION
from synovia.functions.awaiting import awaited
from synovia.functions.database import DatabaseWriter, SystemWriter
from synovia.functions.database_reader import DatabaseReader
from synovia.functions.shared_tables import (
    KEPT_SEGMENTS,
    SharedChanges,
    SharedDifference,
    SharedHead,
    SharedState,
    SharedUpdate,
    SharedVersion,
    SharedVersionState,
)
from synovia.schema import Id, Table
from synovia.schema.shared import SharedDoc
from synovia.shared_docs import isolated
from synovia.shared_docs.library import NOTHING, merging
from synovia.shared_docs.segments import falls_due, to_be_merged
from synovia.shared_docs.structure import InvalidUpdate, only_deletes, walk
from synovia.turns import Turns

INVALID_UPDATE: Final = "invalid_update"
TOO_LARGE: Final = "shared_doc_too_large"
MOST_VERSIONS: Final = 1000
_LONGEST_NAME: Final = 200

logger = logging.getLogger(__name__)


class SharedReader:
    """Shared documents in queries."""

    def __init__(self, db: DatabaseReader) -> None:
        self._db = db
        self._system = db.for_application()

    @awaited("ctx.shared.changes")
    async def changes(self, doc: SharedDoc, id_: Id[Any], since: int | None = None) -> SharedChanges:
        """Give what a provider asks for; a query of the application returns it as it is.

        Args:
            doc: As the table declares it: ``Plan.text``.
            id_: Of the row.
            since: The segment whose updates are wanted; None: the whole document, too.

        Raises:
            NotFound: There is no such row, or the caller may not see it.
        """
        document = await self._readable(doc, id_)
        head = await self._head(document)
        if since is None:
            states = [each.data for each in await self._states(document)]
            return SharedChanges(
                segment=head.segment, states=states, updates=await self._updates(document, head.segment)
            )
        if not head.oldest <= since <= head.segment:
            return SharedChanges(segment=since, gone=True)
        following = since + 1 if since < head.segment else None
        return SharedChanges(segment=since, updates=await self._updates(document, since), next=following)

    @awaited("ctx.shared.state")
    async def state(self, doc: SharedDoc, id_: Id[Any], version: str | None = None) -> bytes:
        """Give a document as one update of Yjs: as it is, or as it was in a version.

        Raises:
            NotFound: There is no such row or version, or the caller may not see it.
        """
        document = await self._readable(doc, id_)
        return await self._state(document) if version is None else (await self._version(document, version)).data

    @awaited("ctx.shared.texts")
    async def texts(self, doc: SharedDoc, id_: Id[Any], version: str | None = None) -> dict[str, str]:
        """Give what each root of a document says, as plain text; a map or a list as JSON.

        Raises:
            NotFound: There is no such row or version, or the caller may not see it.
            FunctionError: ``unreadable_shared_doc``: an update in it is made to harm.
        """
        return dict(await isolated.run("texts", await self.state(doc, id_, version)))

    @awaited("ctx.shared.versions")
    async def versions(self, doc: SharedDoc, id_: Id[Any]) -> list[SharedVersion]:
        """List the versions that were kept, the newest first.

        Raises:
            NotFound: There is no such row, or the caller may not see it.
        """
        return [_shown(each) for each in await self._kept(await self._readable(doc, id_))]

    @awaited("ctx.shared.compare")
    async def compare(
        self, doc: SharedDoc, id_: Id[Any], before: str, after: str | None = None
    ) -> list[SharedDifference]:
        """Tell how the plain texts of two versions differ, word by word (of long ones, line by line).

        Args:
            before: The id of a version.
            after: Of another one; None: the document as it is.

        Raises:
            NotFound: There is no such row or version, or the caller may not see it.
            FunctionError: ``unreadable_shared_doc``: an update in it is made to harm.
        """
        states = await self.state(doc, id_, before), await self.state(doc, id_, after)
        found = await isolated.run("compare", *states)
        return [SharedDifference(root=root, kind=kind, text=text) for root, kind, text in found]

    async def _readable(self, doc: SharedDoc, id_: Id[Any]) -> str:
        await self._row(doc, id_)
        return doc.key(str(id_))

    async def _row(self, doc: SharedDoc, id_: Id[Any]) -> Table:
        if doc.table is None:
            raise TypeError("name a shared document by its table, as Plan.text")
        row: Table | None = await self._db.get(doc.table, id_)
        if row is None:
            raise NotFound(f"{doc.table.spec.name} has no document {id_}")
        return row

    async def _head(self, document: str) -> SharedHead:
        id_ = Id[SharedHead](document)
        return await self._system.get(SharedHead, id_) or SharedHead(id=id_, segment=0, oldest=0, size=0)

    async def _states(self, document: str) -> list[SharedState]:
        query = self._system.query(SharedState).using("by_document", document=document, kept=False)
        return await query.collect()

    async def _updates(self, document: str, segment: int) -> dict[str, bytes]:
        query = self._system.query(SharedUpdate).using("by_document", document=document, segment=segment)
        return {str(each.id): each.data for each in await query.collect()}

    async def _state(self, document: str) -> bytes:
        head = await self._head(document)
        parts = [each.data for each in await self._states(document)]
        updates = await self._updates(document, head.segment)
        return await merging(*parts, *updates.values()) if parts or updates else NOTHING

    async def _kept(self, document: str) -> list[SharedVersionState]:
        query = self._system.query(SharedVersionState).using("by_document", document=document)
        return await query.order("desc").collect()

    async def _version(self, document: str, version: str) -> SharedState:
        found = await self._version_or_none(document, version)
        state = None if found is None else await self._system.get(SharedState, found.state)
        if state is None:
            raise NotFound(f"there is no version {version!r:.80} of this document")
        return state

    async def _version_or_none(self, document: str, version: str) -> SharedVersionState | None:
        found = await self._system.get(SharedVersionState, Id[SharedVersionState](version))
        return found if found is not None and found.document == document else None


class SharedWriter(SharedReader):
    """Shared documents in mutations."""

    def __init__(self, db: DatabaseWriter, caller: Any) -> None:
        super().__init__(db)
        self._writer = SystemWriter(db)
        self._caller = caller

    @awaited("ctx.shared.append", is_write=True)
    async def append(self, doc: SharedDoc, id_: Id[Any], update: bytes) -> None:
        """Add what somebody has changed.

        Args:
            doc: As the table declares it: ``Plan.text``.
            id_: Of the row.
            update: An update of Yjs (encoding v1).

        Raises:
            NotFound: There is no such row, or the caller may not see it.
            Forbidden: The rules do not let the caller write the row.
            FunctionError: ``invalid_update``: it is none; ``shared_doc_too_large``: with it the document would have more
                than it may.
        """
        document = await self._writable(doc, id_)
        await self._append(doc, document, await checked_update(update))

    @awaited("ctx.shared.keep_version", is_write=True)
    async def keep_version(self, doc: SharedDoc, id_: Id[Any], name: str) -> str:
        """Keep a document as it is under a name, and give the version's id. It has at most 1,000 versions.

        Raises:
            NotFound: There is no such row, or the caller may not see it.
            Forbidden: The rules do not let the caller write the row.
            InvalidArguments: The name is empty, or longer than 200 characters.
            FunctionError: ``limit_exceeded``: there are too many versions.
        """
        if not 0 < len(name.strip()) <= _LONGEST_NAME:
            raise InvalidArguments(f"a version has a name of up to {_LONGEST_NAME} characters")
        document = await self._writable(doc, id_)
        if len(await self._kept(document)) >= MOST_VERSIONS:
            raise FunctionError("limit_exceeded", f"a shared document has at most {MOST_VERSIONS:,} versions")
        data = await self._state(document)
        kept = await self._writer.insert(SharedState(document=document, kept=True, size=len(data), data=data))
        version = SharedVersionState(
            document=document, name=name, at=self._caller.now, actor=self._actor(), size=len(data), state=kept
        )
        return str(await self._writer.insert(version))

    @awaited("ctx.shared.forget_version", is_write=True)
    async def forget_version(self, doc: SharedDoc, id_: Id[Any], version: str) -> None:
        """Delete a version; one that is not there is none.

        Raises:
            NotFound: There is no such row, or the caller may not see it.
            Forbidden: The rules do not let the caller write the row.
        """
        document = await self._writable(doc, id_)
        found = await self._version_or_none(document, version)
        if found is not None:
            await self._writer.delete(await self._version(document, version))
            await self._writer.delete(found)

    @awaited("ctx.shared.restore", is_write=True)
    async def restore(self, doc: SharedDoc, id_: Id[Any], version: str) -> None:
        """Make a document what it was in a version, by undoing what has come since; editors see that as any other change.

        Raises:
            NotFound: There is no such row or version, or the caller may not see it.
            Forbidden: The rules do not let the caller write the row.
            FunctionError: ``shared_doc_too_large``; ``unreadable_shared_doc``: an update in it is made to harm.
        """
        document = await self._writable(doc, id_)
        then = await self._version(document, version)
        await self._append(doc, document, await isolated.run("reverting", await self._state(document), then.data))

    async def _writable(self, doc: SharedDoc, id_: Id[Any]) -> str:
        if not await self._db.may_write(await self._row(doc, id_)):
            name = doc.table.spec.name
            raise Forbidden(f"the rules of {name} do not let you write this", {"table": name})
        return doc.key(str(id_))

    async def _append(self, doc: SharedDoc, document: str, update: bytes) -> None:
        if update == NOTHING:
            return
        head = await self._head(document)
        if head.size + len(update) > doc.max_bytes and not only_deletes(update):
            text = f"a {doc.name} has at most {doc.max_bytes:,} bytes, with what was deleted in it"
            raise FunctionError(TOO_LARGE, text, {"most": doc.max_bytes})
        await self._writer.insert(SharedUpdate(document=document, segment=head.segment, data=update))
        if falls_due(self._random, len(update)):
            await self._close_segment(head)

    async def _close_segment(self, head: SharedHead) -> None:
        """Merge the newest segment into the states, and begin the next; if that fails, it goes on as it is."""
        try:
            with self._writer.taken_back_on_error():
                await self._merge(head)
        except InvalidUpdate:
            logger.exception("the updates of the shared document %s cannot be merged", head.id)

    async def _merge(self, head: SharedHead) -> None:
        document = str(head.id)
        updates = await self._updates(document, head.segment)
        states, data = await self._states(document), await merging(*updates.values())
        number = to_be_merged([each.size for each in states], len(data))
        replaced = states[len(states) - number :]
        if replaced:
            data = await merging(*(each.data for each in replaced), data)
        for each in replaced:
            await self._writer.delete(each)
        await self._writer.insert(SharedState(document=document, size=len(data), data=data))
        size = len(data) + sum(each.size for each in states[: len(states) - number])
        oldest = max(head.oldest, head.segment + 1 - KEPT_SEGMENTS)
        after = {"segment": head.segment + 1, "oldest": oldest, "size": size}
        if head.segment == 0:
            await self._writer.insert(SharedHead(id=head.id, **after))
        else:
            await self._writer.patch(head, **after)
        for segment in range(head.oldest, oldest):
            await self._forget_segment(document, segment)

    async def _forget_segment(self, document: str, segment: int) -> None:
        await self._writer.delete_where(
            self._writer.query(SharedUpdate).using("by_document", document=document, segment=segment)
        )

    def _actor(self) -> str | None:
        identity = self._caller.identity
        return APPLICATION if self._caller.trusted else None if identity is None else str(identity.key)

    @property
    def _random(self) -> Random:
        random: Random = self._caller.random
        return random


async def checked_update(update: bytes) -> bytes:
    """Give an update as it is stored.

    Raises:
        FunctionError: ``invalid_update``: it is none.
    """
    try:
        turns = Turns()
        for _ in walk(update):
            await turns.step()
        return await merging(update)
    except InvalidUpdate as error:
        raise FunctionError(INVALID_UPDATE, f"this is no update of a shared document: {error}") from None


def _shown(version: SharedVersionState) -> SharedVersion:
    return SharedVersion(id=str(version.id), name=version.name, at=version.at, actor=version.actor, size=version.size)
