"""The embedded store's face: every call runs in the database's own thread, long reads in many steps."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from synovia.aggregates.tally import Summary, Tally
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema.specs import Document, Reading, TableSpec
from synovia.store.base import (
    Batch,
    Commit,
    Gap,
    RequestRecord,
    Snapshot,
    StoredIndex,
    StoreUnavailable,
    Ts,
    Write,
)
from synovia.store.filters import Filter
from synovia.store.objects import ObjectArrays
from synovia.store.sqlite.arrays import SQLiteArrays
from synovia.store.sqlite.connection import MEMORY
from synovia.store.sqlite.database import Database, bodies_after
from synovia.store.sqlite.disk_file import NotOnDisk
from synovia.store.sqlite.history import Retention
from synovia.store.sqlite.plan import Plan
from synovia.store.sqlite.preparing import Prepared, Preparing, forget
from synovia.store.sqlite.walk import Count, Scan, Tallying, Walk
from synovia.store.sqlite.worker import Urgency, Worker
from synovia.turns import awaited

Result = TypeVar("Result")

_TAIL = 256
"""So many of the newest commits followers find in memory, ..."""
_TAIL_BYTES = 4 * 1024 * 1024
"""... as long as they have written no more than so much, or are one: whoever writes in bulk does not fill it."""
_PAGE = 64
"""So many commits at a time are read from the file for a follower that is further behind."""


class SQLiteStore:
    """A database in one file or in memory, for one process.

    It has no other writers, so ``changes`` gives no empty commits: while nothing is written its newest timestamp stays
    the newest, and can be read for ever.
    """

    def __init__(
        self,
        path: str = MEMORY,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] | None = None,
        retention: Retention | None = None,
        lock_timeout: float = 2.0,
    ) -> None:
        """Name the database; ``open`` opens it.

        Args:
            path: A file, created if it is not there, or ``:memory:``.
            clock: Tells the time in seconds since 1970.
            steady: Tells seconds, and never jumps; by default that of the machine, or ``clock`` if that is another's.
            retention: How long the past is kept; by default 5 minutes and 1,000 commits.
            lock_timeout: How many seconds to wait for another process to let go of the file.
        """
        self._path = path
        self._clock = clock
        self._steady = steady or (time.monotonic if clock is time.time else clock)
        self._retention = retention or Retention()
        self._lock_timeout = lock_timeout
        self._worker: Worker | None = None
        self._database: Database | None = None
        self._tail: deque[Commit] = deque()
        self._tail_bytes = 0
        self._batches = itertools.count(1)
        self._tail_after: Ts = 0
        self._head: Ts = 0
        self._head_fence = 0
        self._moved = asyncio.Event()
        self._arrays = ObjectArrays(SQLiteArrays(self._run_arrays, clock))

    @property
    def arrays(self) -> ObjectArrays:
        return self._arrays

    @property
    def shared(self) -> bool:
        return False

    @property
    def request_ttl(self) -> float:
        """Tell for how many seconds at least a request record is kept."""
        return self._retention.requests

    async def open(self, tables: Sequence[TableSpec]) -> None:
        """Open the file for this process alone, and bring tables and indexes up to date.

        Raises:
            StoreUnavailable: Another process uses the file, it is no database of ours, or an index that is to be unique
                has several documents for one key.
        """
        if self._worker is not None:
            raise StoreUnavailable("the store is open already")
        worker = self._worker = Worker("synovia-sqlite")
        try:
            self._database = await worker.run(
                lambda: Database(
                    self._path, tables, self._clock, self._steady, self._retention, self._lock_timeout, worker
                )
            )
        except BaseException:
            await self._end_worker(lambda: None)
            raise
        self._tail.clear()
        self._tail_bytes = 0
        self._tail_after = self._head = self._database.position.ts
        self._head_fence = self._database.position.fence

    async def tables(self) -> list[str]:
        """Name all tables of the file, declared or not."""
        return await self._run(lambda database: database.catalog.names())

    async def missing_indexes(self, tables: Sequence[TableSpec] | None = None) -> list[StoredIndex]:
        """List the indexes that opening it with these tables would make."""
        return await self._run(lambda database: database.catalog.missing_indexes(tables))

    async def unused_indexes(self, tables: Sequence[TableSpec] | None = None) -> list[StoredIndex]:
        """List the indexes that other versions have made on these tables, and these do not declare."""
        return await self._run(lambda database: database.catalog.unused_indexes(tables))

    async def drop_index(self, index: StoredIndex) -> None:
        """Take away an unused index."""
        await self._run(lambda database: database.drop_index(index))

    async def close(self) -> None:
        """Close the file; who follows its changes finds it unavailable."""
        if (database := self._database) is None:
            return
        self._database = None
        try:
            await self._end_worker(database.close)
        finally:
            self._wake()

    async def _end_worker(self, work: Callable[[], None]) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end(work)

    async def ping(self) -> None:
        """Make a round trip to the database.

        Raises:
            StoreUnusable: The file was deleted or replaced, or has been found damaged.
            StoreUnavailable: The store is closed, or the file cannot be read.
        """
        await self._execute("SELECT 1", ())

    async def newest(self) -> tuple[Ts, int]:
        """Tell the timestamp of the newest durable commit, and its number."""
        return await self._run(lambda database: (database.position.ts, database.position.fence), Urgency.READ)

    async def clock(self) -> Reading:
        """Tell the newest reading of the clock of ids that has been committed."""
        return await self._run(lambda database: database.position.clock, Urgency.READ)

    def snapshot(self, ts: Ts) -> Snapshot:
        """Look at the database as of ``ts``; reading raises SnapshotTooOld once its versions are gone."""
        return SQLiteSnapshot(self, ts)

    async def prepare(self, writes: Sequence[Write]) -> Prepared:
        """Make the writes of a large batch ready, so that its commit is short.

        Raises:
            StoreError: A document cannot be stored, or the store is closed.
        """
        number = next(self._batches)
        catalog = await self._run(lambda database: database.catalog)
        prepared = Prepared(number, Plan(catalog), catalog.revision, self._forget)
        preparing = Preparing(prepared, writes, self._is_wanted)
        try:
            while not await self._run(lambda database: preparing.go_on(database.connection)):
                pass
        except BaseException:
            prepared.discard()
            raise
        return prepared

    def _forget(self, number: int, part: int) -> None:
        if (database := self._database) is not None and self._worker is not None:
            self._worker.leave(lambda: forget(database.connection, number, part))

    async def commit(self, batch: Batch) -> Ts:
        """Write a batch, all or nothing, durable when this returns; tell its timestamp.

        Raises:
            Conflict: The fence or a before-image is not the present one.
            UniqueViolation: A unique index forbids it.
            DuplicateRequest: One of the request records exists.
            ArrayMissing: A document would refer to an array that is not stored.
            StoreUnusable: The file was deleted or replaced, or is damaged.
            StoreUnavailable: The file cannot be written.
        """
        loop = asyncio.get_running_loop()

        def publish(commit: Commit) -> None:
            loop.call_soon_threadsafe(self._publish, commit)  # also when nobody waits for the result any more

        with awaited():
            commit = await self._run(lambda database: database.writer.commit(batch, self._clock()), then=publish)
        return commit.ts

    async def documents(self) -> AsyncIterator[bytes]:
        """Read every document there is, also of tables that are not declared, as BSON; no common instant."""
        row = 0
        while True:
            row, bodies = await self._run(partial(bodies_after, row))
            if not bodies:
                return
            yield b"".join(bodies)

    async def find_request(self, session: bytes, number: int) -> RequestRecord | None:
        """Find the record of a mutation that has run."""
        row = await self._execute("SELECT result FROM requests WHERE session = ? AND number = ?", (session, number))
        return RequestRecord(session, number, row[0]) if row else None

    # --- following ----------------------------------------------------------------------------------------------------

    async def changes(self, after: Ts) -> AsyncIterator[Commit | Gap]:
        """Follow every commit after ``after``; commits that are not kept any more are a Gap.

        Raises:
            StoreUnavailable: The store has been closed.
        """
        while True:
            if after == self._head and self._database is not None:
                await self._moved.wait()
                continue
            for item in await self._after(after):
                after = item.ts
                yield item

    async def _after(self, after: Ts) -> Sequence[Commit | Gap]:
        if self._database is not None and self._tail_after <= after <= self._head:
            return [commit for commit in self._tail if commit.ts > after]
        found = await self._run(lambda database: database.history.commits_after(after, _PAGE))
        if found is not None:
            return [commit for commit in found if commit.ts <= self._head]
        head = self._head
        row = await self._execute("SELECT fence FROM commits WHERE ts = ?", (head,))
        return [Gap(head, f"the commits after {after} are not kept", row[0] if row else 0)]

    def _publish(self, commit: Commit) -> None:
        self._tail.append(commit)
        self._tail_bytes += commit.size
        while len(self._tail) > _TAIL or (self._tail_bytes > _TAIL_BYTES and len(self._tail) > 1):
            oldest = self._tail.popleft()
            self._tail_bytes -= oldest.size
            self._tail_after = oldest.ts
        self._head, self._head_fence = commit.ts, self._head_fence + 1
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    # --- the thread ---------------------------------------------------------------------------------------------------

    async def _run(
        self,
        work: Callable[[Database], Result],
        urgency: Urgency = Urgency.WORK,
        then: Callable[[Result], None] = lambda result: None,
    ) -> Result:
        """Do some work in the thread, and ``then`` something with what counts."""
        if (database := self._database) is None or self._worker is None:
            raise StoreUnavailable("the store is closed")
        return await self._worker.run(lambda: _checked(database, work, then), urgency)

    def _is_wanted(self) -> bool:
        return self._worker is not None and self._worker.is_wanted

    async def _walk(self, walk: Walk) -> None:
        """Read to the end, a step at a time: others have their turn in between."""
        walk.is_wanted = self._is_wanted
        urgency = Urgency.SCAN
        while not await self._run(lambda database: walk.step(database.reader), urgency):
            urgency = Urgency.LONG_SCAN

    async def _run_arrays(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        return await self._run(lambda database: work(database.connection))

    async def _execute(self, statement: str, parameters: tuple[Any, ...]) -> Any:
        return await self._run(lambda database: database.connection.execute(statement, parameters).fetchone())


def _checked(database: Database, work: Callable[[Database], Result], then: Callable[[Result], None]) -> Result:
    """Do some work; it counts only if the database's files were there to its end."""
    database.files.check_unless_just_now()
    try:
        result = work(database)
    except (sqlite3.Error, NotOnDisk) as error:
        raise database.refusal(error) from error
    database.files.check()  # before anybody hears of it
    then(result)
    return result


@dataclass(frozen=True, slots=True)
class SQLiteSnapshot:
    """The database as of one timestamp."""

    _store: SQLiteStore
    ts: Ts

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        """Read documents by ``_id``: one result for each id, in the same order."""
        return await self._store._run(lambda database: database.reader.get(self.ts, table, ids), Urgency.READ)

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
        """Read the documents with a key inside ``interval`` that satisfy ``where``, ordered by that key."""
        scan = Scan(self.ts, table, index, interval, order, where, limit)
        await self._store._walk(scan)
        return scan.found

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        """Count the documents that ``scan`` would give."""
        count = Count(self.ts, table, index, interval, where, limit)
        await self._store._walk(count)
        return count.number

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        """Tally the documents that ``scan`` would give."""
        tallying = Tallying(self.ts, table, index, interval, where, summary)
        await self._store._walk(tallying)
        return tallying.tally
