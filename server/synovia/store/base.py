"""The contract between the engine and a database.

A store keeps tables of BSON documents with declared indexes and offers three things: a snapshot at a timestamp, an atomic
commit, and the ordered stream of every commit. Everything else the server knows is built on these.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from synovia.aggregates.tally import Summary, Tally
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema.specs import Document, Reading, TableSpec
from synovia.store.filters import Filter

Ts = int
"""A commit timestamp: a 63-bit integer that grows with every commit (MongoDB: ``seconds << 32 | increment``)."""

REQUEST_TTL = 7 * 86_400
"""How many seconds the record of a mutation is kept if nothing else is said."""


Bodies = tuple[bytes, bytes]
"""A document before and after a write as BSON; empty where there is none."""


@dataclass(slots=True)  # frozen ones take five times as long to make, and there are many for each mutation
class Write:
    """What one commit did to one document. ``before`` is None for an insertion, ``after`` for a deletion.

    ``bodies`` are both as BSON, if somebody has encoded them already; ``after`` is then just what reading the second gives.
    ``id_key`` is the encoded id, likewise.
    """

    table: str
    id: Any
    before: Document | None
    after: Document | None
    bodies: Bodies | None = field(default=None, compare=False, repr=False)
    id_key: bytes | None = field(default=None, compare=False, repr=False)


def joined(earlier: Bodies | None, later: Bodies | None) -> Bodies | None:
    """Give the bodies of two writes of one document as those of a single one."""
    return None if earlier is None or later is None else (earlier[0], later[1])


@dataclass(frozen=True, slots=True)
class Commit:
    """What one transaction changed, at one timestamp. Without writes it only says that time has advanced to ``ts``.

    ``fence`` is the number of Synovia transactions up to and with this one; None for another program's transaction.
    ``clock`` is the newest reading from which a document's id was made, up to and with this one, as far as it tells.
    ``token`` is that of its batch, by which a hub knows its own commits again; empty if the store does not know it any more.
    ``size`` is about how many bytes its documents have, before and after; 0 if the store would have to encode them to tell.
    """

    ts: Ts
    writes: tuple[Write, ...] = ()
    fence: int | None = None
    clock: Reading = 0
    token: bytes = b""
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """The log's position was lost: commits up to ``ts`` are unknown, so everything has to be recomputed from there.

    ``fence`` is the number of Synovia transactions as of ``ts``, and ``clock`` the newest reading of the clock of ids.
    """

    ts: Ts
    reason: str
    fence: int
    clock: Reading = 0


@dataclass(slots=True)  # frozen ones take five times as long to make, and there are many for each mutation
class RequestRecord:
    """The proof that a mutation ran: its packed result, found again by (session, number) when a client retries."""

    session: bytes
    number: int
    result: bytes


class PreparedWrites(Protocol):
    """Writes that a store has made ready to be committed."""

    def discard(self) -> None:
        """Forget them: they have been committed, or will never be."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Writes and request records that are committed together or not at all.

    ``fence`` is the number of Synovia transactions the committer has seen; None commits without looking.
    ``clock`` is the newest reading of the clock of ids in these writes and in all that the committer has seen.
    ``token`` comes back in the ``Commit``: it tells this attempt from all others, also from those of other hubs.
    ``prepared`` is what the store's ``prepare`` has given for these writes, if it was asked.
    No two writes of a batch name the same document.
    """

    writes: Sequence[Write] = ()
    requests: Sequence[RequestRecord] = ()
    fence: int | None = None
    clock: Reading = 0
    token: bytes = b""
    prepared: PreparedWrites | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ArrayManifest:
    """The list of an array's chunks; see ``synovia_protocol.arrays`` for the chunk size and the digests."""

    digest: bytes
    dtype: str
    length: int
    chunks: tuple[bytes, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """An index as the database knows it; ``name`` is the database's own."""

    table: str
    name: str
    fields: tuple[str, ...]
    unique: bool


class StoreError(Exception):
    """A store could not do what was asked; subclasses say who is to blame.

    Attributes:
        passing: Whether the same may succeed when it is tried again. Everything that tries again asks this, and nothing
            else; ``store/mongo/errors`` and ``store/sqlite/errors`` say what a driver's errors are.
    """

    passing: ClassVar[bool] = False


class Conflict(StoreError):
    """The database refused the commit because something it depends on has changed: validate again and resubmit."""

    passing = True


class UniqueViolation(StoreError):
    """A unique index already holds a key of this commit."""

    def __init__(self, table: str, index: str) -> None:
        super().__init__(f"{table}: another document has the same key in the unique index {index!r}")
        self.table = table
        self.index = index


class DuplicateRequest(StoreError):
    """A request record of this batch exists already: the mutation has run before. Nothing of the batch was written."""

    def __init__(self, session: bytes, number: int) -> None:
        super().__init__(f"request {number} of session {session.hex()} has been committed before")
        self.session = session
        self.number = number


class ArrayMissing(StoreError):
    """A document would refer to an array that is not stored (any more). Nothing of the batch was written."""

    def __init__(self, digest: bytes) -> None:
        super().__init__(f"the array {digest.hex()} is not stored")
        self.digest = digest


class IndexMissing(StoreError):
    """A scan needs an index that the database does not have: it was not opened with it, or somebody has dropped it."""

    def __init__(self, table: str, index: str) -> None:
        super().__init__(f"the database has no index {index!r} of the table {table!r}; starting a hub makes it again")
        self.table = table
        self.index = index


class SnapshotTooOld(StoreError):
    """The database no longer keeps the versions of that timestamp; a newer one can be read."""

    passing = True


class StoreUnavailable(StoreError):
    """The database cannot be used now; the message says what mends it."""

    passing = True


class NothingWritten(StoreUnavailable):
    """The database could not be reached before anything was committed: of what was to be written nothing is there."""


class StoreFull(NothingWritten):
    """The database has no room for what is to be written."""


class StoreReadOnly(NothingWritten):
    """The files of the database can be read, and not be written."""


class ObjectsUnavailable(StoreUnavailable):
    """The object store in which the bytes of files are kept cannot be used now; the database can."""


class StoreUnusable(StoreUnavailable):
    """The database cannot be used until somebody mends what the message says: it is not one that Synovia can work with, is
    damaged or gone, or refuses this server. Nothing of what was asked was done."""

    passing = False


class Snapshot(Protocol):
    """The database as of one timestamp."""

    @property
    def ts(self) -> Ts: ...

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        """Read documents by ``_id``: one result for each id, in the same order.

        Of one that cannot be decoded it is ``Undecodable``.
        """
        ...

    async def scan(
        self,
        table: str,
        index: IndexSpec,
        interval: Interval,
        order: Order = Order.ASC,
        *,
        where: Filter | None = None,
        limit: int | None = None,
    ) -> list[Document]:
        """Read the documents with an index key inside ``interval`` that satisfy ``where``, ordered by that key.

        A document with several keys in the interval (an array field) appears once, at the first in scan order. One that
        cannot be decoded is ``Undecodable`` in a scan by ids, and left out of others: its keys are not known.
        """
        ...

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        """Count the documents that ``scan`` would give, without moving them.

        Args:
            limit: Count no further than that: of more documents, so many.
        """
        ...

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        """Tally the documents that ``scan`` would give.

        Raises:
            TooManyGroups: There are more groups than one answer may have.
        """
        ...


class ArraySource(Protocol):
    """Where chunks and manifests are read."""

    async def get_chunk(self, digest: bytes) -> bytes | None: ...

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None: ...


class ArraySink(Protocol):
    """Where chunks and manifests are stored.

    What was put is read from then on, and durable when a commit is that begins then: nothing that is durable refers to what
    is not, and whoever says that something was stored commits a document before that.
    """

    async def put_chunk(self, digest: bytes, data: bytes | memoryview) -> None:
        """Store one chunk; storing the same chunk again renews its mark."""
        ...

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        """Store a manifest whose chunks are stored already; storing the same again renews its mark."""
        ...


class ArrayStore(ArraySource, ArraySink, Protocol):
    """Content-addressed chunks and manifests, apart from documents.

    Each carries a mark that says when it was last stored, or when a commit last added a reference to it; ``store.sweep``
    deletes by these.
    """

    async def manifests(self, after: bytes, limit: int) -> list[ArrayManifest]:
        """Read manifests in the order of their digests, beginning after one."""
        ...

    async def idle_arrays(self, after: bytes, before: float, limit: int) -> list[bytes]:
        """List arrays whose marks are older than ``before`` (seconds since 1970), in the order of their digests."""
        ...

    async def idle_chunks(self, after: bytes, before: float, limit: int) -> list[bytes]:
        """List chunks in the same way."""
        ...

    async def delete_arrays(self, digests: Sequence[bytes], before: float) -> int:
        """Delete the manifests of those arrays whose marks are still older than ``before``; tell how many."""
        ...

    async def delete_chunks(self, digests: Sequence[bytes], before: float) -> tuple[int, int]:
        """Delete those chunks whose marks are still older than ``before``; tell how many, and their bytes."""
        ...


class Store(Protocol):
    """A database behind Synovia."""

    @property
    def arrays(self) -> ArrayStore: ...

    @property
    def shared(self) -> bool:
        """Tell whether other processes may commit to the same database."""
        ...

    @property
    def request_ttl(self) -> float:
        """Tell for how many seconds at least a request record is kept."""
        ...

    async def open(self, tables: Sequence[TableSpec]) -> None:
        """Connect, and create what is missing of the collections and indexes of ``tables``.

        No index is taken away: a hub of another version may need it. See ``unused_indexes``.

        Raises:
            StoreUnavailable: No such database; StoreUnusable, which is one too: one that cannot serve, or documents that
                violate a unique index (the message says what mends it).
        """
        ...

    async def tables(self) -> Sequence[str]:
        """Name all tables that the database holds, declared or not, without those that are the store's own.

        By their ids, documents of any of them can be read.
        """
        ...

    async def missing_indexes(self, tables: Sequence[TableSpec] | None = None) -> Sequence[StoredIndex]:
        """List the indexes of tables that the database does not have (any more), and opening it with them would make.

        Args:
            tables: None: those it was opened with.
        """
        ...

    async def unused_indexes(self, tables: Sequence[TableSpec] | None = None) -> Sequence[StoredIndex]:
        """List the indexes that other versions have made on tables, and these do not declare.

        Args:
            tables: None: those it was opened with.
        """
        ...

    async def drop_index(self, index: StoredIndex) -> None:
        """Take away an unused index; nothing happens if it is gone, or declared by the tables it was opened with."""
        ...

    async def close(self) -> None: ...

    async def ping(self) -> None:
        """Make a round trip to the database.

        Raises:
            StoreUnusable: It cannot be used until somebody mends it.
            StoreUnavailable: It does not answer.
        """
        ...

    async def newest(self) -> tuple[Ts, int]:
        """Tell the timestamp of the newest durable commit, and the fence number as of it."""
        ...

    async def clock(self) -> Reading:
        """Tell the newest reading of the clock of ids that has been committed."""
        ...

    def snapshot(self, ts: Ts) -> Snapshot: ...

    async def commit(self, batch: Batch) -> Ts:
        """Write a batch, all or nothing, durable when this returns; tell its timestamp.

        Marks of arrays to which it adds references are renewed in the same transaction.

        Raises:
            Conflict: The fence is not ``batch.fence``, or a document is no longer as the ``before`` of its write says.
            UniqueViolation: A unique index forbids it.
            DuplicateRequest: One of the request records exists.
            ArrayMissing: A document would refer to an array that is not stored.
            NothingWritten: It could not be asked to commit; the same batch may be submitted again.
            StoreUnavailable: The outcome is unknown; the same batch may be submitted again, its request records and its
                fence keep it from running twice.
        """
        ...

    def changes(self, after: Ts) -> AsyncIterator[Commit | Gap]:
        """Follow every commit after ``after``: whole, in order, once; those of other programs too.

        Ends only with an exception or when the iterator is closed. When nothing is written it gives an empty commit from
        time to time, so that the clock advances.
        """
        ...

    def documents(self) -> AsyncIterator[bytes]:
        """Read every document that can refer to an array, also those of other programs, as BSON, several one after the
        other in each piece. There is no common instant, but a document that is there all the while is among them."""
        ...

    async def find_request(self, session: bytes, number: int) -> RequestRecord | None: ...


@runtime_checkable
class PreparingStore(Protocol):
    """What a store may do besides, if its large commits would hold up all others for long."""

    async def prepare(self, writes: Sequence[Write]) -> PreparedWrites:
        """Do beforehand what can be done of a large commit, while others commit.

        Raises:
            StoreError: It will be refused, or cannot be prepared.
        """
        ...
