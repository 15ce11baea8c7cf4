"""Writing a batch, all or nothing: by one statement if it is a usual one, else in a transaction that says what is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from synovia.keys import encode_value
from synovia.schema.specs import Document
from synovia.store.base import (
    ArrayMissing,
    Batch,
    Commit,
    Conflict,
    DuplicateRequest,
    RequestRecord,
    StoreError,
    Ts,
    UniqueViolation,
    Write,
)
from synovia.store.references import added_references
from synovia.store.sqlite.arrays import first_missing
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.connection import ahead_of_a_commit
from synovia.store.sqlite.disk_file import NotOnDisk
from synovia.store.sqlite.documents import body_of, is_same, load
from synovia.store.sqlite.history import History
from synovia.store.sqlite.plan import Plan
from synovia.store.sqlite.position import Position
from synovia.store.sqlite.preparing import Prepared, take_in
from synovia.store.sqlite.steps import Step, StepRow, take, take_all
from synovia.turns import at_once

MICROSECONDS: Final = 1_000_000
_MOST_DOCUMENTS: Final = 256
"""So many are written by one statement at most: nobody reads meanwhile."""
_MOST_BYTES: Final = 2 * 1024 * 1024
"""The same of what it is given: SQLite copies all of that first."""
_BETWEEN_PAUSES: Final = 32
"""So many documents are written one by one before others may read."""
_IS_RECORDED: Final = "SELECT 1 FROM requests WHERE session = ? AND number = ?"


@dataclass(frozen=True, slots=True)
class Writer:
    """Commits to one database; runs in the database's thread.

    Attributes:
        most_rows: So many steps one statement may have.
        pause: Called again and again amid a commit: others may read.
        sync: Waits until the disk has what was written; others may read meanwhile.
    """

    database: sqlite3.Connection
    catalog: Catalog
    position: Position
    history: History
    most_rows: int
    pause: Callable[[], None]
    sync: Callable[[], None]

    def commit(self, batch: Batch, now: float) -> Commit:
        """Write a batch, all or nothing.

        What forbids it is looked for in an order of its own, whatever SQLite has met first: its records, which say that
        it has been written already; the fence; its arrays; its documents in order; and at last unique indexes, which
        forbid only what comes of all writes. Of several faults the first in this order is told, and of one kind the
        first in the batch.

        Args:
            batch: What to write.
            now: The time in seconds.

        Raises:
            DuplicateRequest: One of its request records exists.
            Conflict: The fence or a before-image is not the present one.
            ArrayMissing: A reference that it adds leads nowhere; of several it names the one with the least digest.
            StoreError: A document cannot be stored.
            UniqueViolation: A unique index forbids it.
            NotOnDisk: It may be durable, or not.
        """
        self.position.is_moving = True
        try:
            return self._commit(batch, now)
        finally:
            self.position.is_moving = False

    def _commit(self, batch: Batch, now: float) -> Commit:
        ts = max(self.position.ts + 1, int(now * MICROSECONDS))
        fence = self.position.fence + 1
        closing: list[StepRow] = [(Step.COMMIT, fence, now)]
        if batch.clock > self.position.clock:
            closing.append((Step.CLOCK, batch.clock))
        if (pruning := self.history.pruning(fence, now, len(batch.writes))) is not None:
            closing.append(pruning)
        plan = self._by_one_statement(batch, ts, now, closing) or self._in_transaction(batch, ts, now, closing)
        try:
            self.history.count(len(batch.writes), has_pruned=pruning is not None)
        except sqlite3.Error as error:  # it is written, so nothing may be told and written as if it were not
            raise NotOnDisk(f"after it: {error}") from error
        self.sync()
        clock = max(batch.clock, self.position.clock)
        self.position.move(ts, fence, now, clock)
        return Commit(ts, tuple(plan.done), fence, clock, batch.token, plan.size)

    def _by_one_statement(self, batch: Batch, ts: Ts, now: float, closing: Sequence[StepRow]) -> Plan | None:
        """Write a usual batch.

        Args:
            closing: The steps that come behind those of the documents.

        Returns:
            What it was; None if it is not usual, or something forbids it: nothing is written then.
        """
        if not self._is_usual(batch, now):
            return None
        plan = Plan(self.catalog)
        try:
            at_once(plan.add_all(batch.writes))
        except StoreError:  # a document cannot be stored; a record that is there already is told before
            return None
        references = [(Step.REFERENCE, digest, now) for digest in plan.references]
        steps = [*references, *plan.steps, *_records(batch.requests, now), *closing]
        size = plan.size + plan.key_bytes + sum(len(request.result) for request in batch.requests)
        if size > _MOST_BYTES or len(steps) > self.most_rows:
            return None
        try:
            take(self.database, ts, steps, size)
        except sqlite3.IntegrityError:
            return None
        return plan

    def _is_usual(self, batch: Batch, now: float) -> bool:
        return (
            batch.prepared is None
            and batch.fence in (None, self.position.fence)
            and now >= self.position.at
            and len(batch.writes) <= _MOST_DOCUMENTS
            and all(write.bodies is not None for write in batch.writes)
        )

    def _in_transaction(self, batch: Batch, ts: Ts, now: float, closing: Sequence[StepRow]) -> Plan:
        """Write any batch: as it was made ready, or document by document, which says what is wrong."""
        prepared = batch.prepared
        if isinstance(prepared, Prepared) and prepared.revision == self.catalog.revision:
            references = prepared.plan.references
            with suppress(sqlite3.IntegrityError), self._transaction(batch, references, ts, now, closing):
                take_in(self.database, prepared, ts, self.pause)
                return prepared.plan
        with self._transaction(batch, added_references(batch.writes), ts, now, closing):
            return self._one_by_one(batch.writes, ts)

    @contextmanager
    def _transaction(
        self, batch: Batch, references: set[bytes], ts: Ts, now: float, closing: Sequence[StepRow]
    ) -> Iterator[None]:
        """Write what comes before the documents of a batch and behind them; all or nothing.

        Raises:
            DuplicateRequest, Conflict, ArrayMissing: As by ``commit``.
        """
        with ahead_of_a_commit(self.database):
            if now < self.position.at:
                self.history.follow_clock_back(now)
            self._record(batch.requests, ts, now)
            if batch.fence not in (None, self.position.fence):
                raise Conflict(f"the fence is {self.position.fence}, not {batch.fence}")
            self._refer(references, now)
            yield
            self._take_all(ts, closing)

    def _refer(self, digests: set[bytes], now: float) -> None:
        try:
            self._take_all(0, [(Step.REFERENCE, digest, now) for digest in digests])
        except sqlite3.IntegrityError as error:
            raise ArrayMissing(first_missing(self.database, digests)) from error

    def _record(self, requests: Sequence[RequestRecord], ts: Ts, now: float) -> None:
        try:
            self._take_all(ts, _records(requests, now))
        except sqlite3.IntegrityError as error:
            session, number = self._recorded(requests)
            raise DuplicateRequest(session, number) from error

    def _recorded(self, requests: Sequence[RequestRecord]) -> tuple[bytes, int]:
        """Find the first of some records that is there already, or comes twice; the transaction is over then."""
        self.database.execute("ROLLBACK")  # some of them may have been inserted
        known = set[tuple[bytes, int]]()
        for record in requests:
            request = record.session, record.number
            if request in known or self.database.execute(_IS_RECORDED, request).fetchone():
                return request
            known.add(request)
        raise AssertionError("one of them was refused")

    def _one_by_one(self, writes: Sequence[Write], ts: Ts) -> Plan:
        """Write documents, each when the present version of it has been looked at.

        Raises:
            Conflict: One is not stored as its write says.
            UniqueViolation: A unique index forbids one.
            StoreError: One cannot be stored.
        """
        plan = Plan(self.catalog)
        for number, write in enumerate(writes, 1):
            at_once(plan.add(self._as_stored(write)))
            self._take_all(ts, plan.take_away())
            if number % _BETWEEN_PAUSES == 0:
                self.pause()
        for claim in plan.claims:
            try:
                take(self.database, ts, [claim])
            except sqlite3.IntegrityError as error:
                _, index, *_ = claim
                raise UniqueViolation(*self.catalog.index_name(index)) from error
        return plan

    def _take_all(self, ts: Ts, steps: Sequence[StepRow]) -> None:
        take_all(self.database, ts, steps, self.most_rows)

    def _as_stored(self, write: Write) -> Write:
        """Give a write with both versions of its document as they are stored, or will be.

        Raises:
            Conflict: It is not stored as the write says.
            StoreError: It cannot be stored.
        """
        if write.before is None and write.after is None:
            return write
        id_ = write.id_key or encode_value(write.id)
        place = self.catalog.table(write.table).number, id_
        (old,) = self.database.execute("SELECT body FROM docs WHERE tbl = ? AND id = ?", place).fetchone() or (None,)
        if write.bodies is not None and write.bodies[0] == (old or b""):
            return write
        _check_before(write, old)
        new = None if write.after is None else body_of(id_, write.after, write.bodies)
        return replace(write, before=_loaded(old), after=_loaded(new), bodies=(old or b"", new or b""), id_key=id_)


def _records(requests: Sequence[RequestRecord], now: float) -> list[StepRow]:
    return [(Step.REQUEST, each.session, each.number, now, each.result) for each in requests]


def _loaded(body: bytes | None) -> Document | None:
    return None if body is None else load(body)


def _check_before(write: Write, body: bytes | None) -> None:
    if write.before is None:
        if body is not None:
            raise Conflict(f"{write.table}: document {write.id!r} exists already")
    elif body is None:
        raise Conflict(f"{write.table}: document {write.id!r} does not exist")
    elif not is_same(body, write.before):
        raise Conflict(f"{write.table}: document {write.id!r} has changed")
