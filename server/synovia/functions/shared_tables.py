"""What the database holds of shared documents.

The updates of a document are in *segments*, numbered from 0. New ones go into the newest segment, whoever appends them: they
read the document's head and do not write it, so nobody waits for anybody. From time to time one closes the segment: what is
in it is merged into the document's states, and the head says that the next segment is the newest. The updates of the
last few segments that are closed stay for a while, so whoever follows the document goes from one to the next and is
never sent what they have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from synovia import keys
from synovia.schema import Document, Id, Index, Model, Table
from synovia.schema.encrypted import SealedIfKeys
from synovia.schema.shared import shared_docs_of
from synovia.transaction.transaction import Scan, Transaction

KEPT_SEGMENTS: Final = 3
"""So many closed segments stay."""


class SharedHead(Table, name="_sharedDocs", system=True, text_ids=True):
    """A shared document of which a segment was closed; its id is the document's name.

    Attributes:
        segment: The newest one.
        oldest: The oldest one whose updates are still there.
        size: The bytes of its states.
    """

    segment: int
    oldest: int
    size: int


class SharedUpdate(Table, name="_sharedUpdates", system=True, indexes=[Index("by_document", "document", "segment")]):
    """What somebody has changed at once.

    Attributes:
        document: The name of the document.
        data: An update of Yjs (encoding v1).
    """

    document: str
    segment: int
    data: SealedIfKeys[bytes]


class SharedState(Table, name="_sharedStates", system=True, indexes=[Index("by_document", "document", "kept")]):
    """A part of what the closed segments come to; or the whole of a version.

    Attributes:
        kept: Whether it is a version's.
        size: The bytes of ``data``.
    """

    document: str
    kept: bool = False
    size: int
    data: SealedIfKeys[bytes]


class SharedVersionState(Table, name="_sharedVersions", system=True, indexes=[Index("by_document", "document")]):
    """A version of a shared document that somebody has kept.

    Attributes:
        at: When, in milliseconds since 1970 (UTC).
        actor: Who: ``Identity.key``, or ``application``; None if nobody was signed in.
        size: In bytes.
        state: What it was.
    """

    document: str
    name: str
    at: int
    actor: str | None = None
    size: int
    state: Id[SharedState]


SHARED_TABLES: Final[tuple[type[Table], ...]] = (SharedHead, SharedUpdate, SharedState, SharedVersionState)


class SharedVersion(Model):
    """A version of a shared document.

    Attributes:
        name: As whoever kept it called it.
        at: When, in milliseconds since 1970 (UTC).
        actor: Who: ``Identity.key``, or ``application``; None if nobody was signed in.
        size: In bytes.
    """

    id: str
    name: str
    at: int
    actor: str | None = None
    size: int


class SharedChanges(Model):
    """What a provider of a shared document asks a query for.

    Attributes:
        segment: The one that this is about.
        states: Who asks for the whole gets what all segments before this one come to.
        updates: Those of the segment, by their ids.
        next: The segment is closed, and this one follows.
        gone: The updates of the segment are not there any more: ask for the whole.
    """

    segment: int
    states: list[bytes] | None = None
    updates: dict[str, bytes] = {}
    next: int | None = None
    gone: bool = False


class SharedDifference(Model):
    """A piece of a text that is compared.

    Attributes:
        root: In which of the document's roots it is.
        kind: Whether it is in both, has come, or has gone.
    """

    root: str
    kind: Literal["same", "added", "removed"]
    text: str


async def forget_documents(transaction: Transaction, table: type[Table], row: Document) -> None:
    """Delete the shared documents of a row that is deleted."""
    for declared in shared_docs_of(table):
        await _forget(transaction, declared.key(str(row["_id"])))


async def _forget(transaction: Transaction, document: str) -> None:
    for table in SHARED_TABLES:
        for each in await _all_of(transaction, table, document):
            transaction.write(table.spec.name, each["_id"], each, None)


async def _all_of(transaction: Transaction, table: type[Table], document: str) -> Iterable[Any]:
    if table is SharedHead:
        head = await transaction.get(table.spec.name, document)
        return [] if head is None else [head]
    return await transaction.scan(Scan(table.spec.name, table.spec.indexes[0], keys.prefix([document])))
