"""Writing a batch: checks, versions, index entries and the log, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from synovia.keys import encode_value
from synovia.schema.specs import Document
from synovia.store.base import (
    ArrayMissing,
    Batch,
    Commit,
    Conflict,
    DuplicateRequest,
    RequestRecord,
    Ts,
    UniqueViolation,
    Write,
)
from synovia.store.references import added_references
from synovia.store.sqlite.arrays import reference
from synovia.store.sqlite.catalog import Catalog, TableEntry
from synovia.store.sqlite.connection import ahead_of_a_commit
from synovia.store.sqlite.documents import body_of, is_same, keys_of, load
from synovia.store.sqlite.history import History
from synovia.store.sqlite.position import Position
from synovia.store.sqlite.preparing import Finding, Prepared, claim, document_step, take_in
from synovia.store.sqlite.steps import Step, StepRow, most_rows, take

MICROSECONDS = 1_000_000
CLOCK = "clock"
_BETWEEN_PAUSES = 32
"""So many documents are written before others may read."""

Written = tuple[tuple[Write, ...], int]
"""The writes with the documents as they are stored, and the bytes of these."""

_MANY = 256
"""So many documents are written together at most: others may read in between."""
_RECORD = "SELECT 1 FROM requests WHERE session = ? AND number = ?"


@dataclass(frozen=True, slots=True)
class Writer:
    """Commits to one database; runs in the database's thread.

    Attributes:
        pause: Called again and again amid a commit: others may read.
        sync: Waits until the disk has what was written; others may read meanwhile.
    """

    database: sqlite3.Connection
    catalog: Catalog
    position: Position
    history: History
    pause: Callable[[], None]
    sync: Callable[[], None]

    def commit(self, batch: Batch, now: float) -> Commit:
        """Write a batch, all or nothing.

        Args:
            batch: What to write.
            now: The time in seconds.

        Raises:
            Conflict: The fence or a before-image is not the present one.
            UniqueViolation: A unique index forbids it.
            DuplicateRequest: One of its request records exists.
            ArrayMissing: A reference that it adds leads nowhere.
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
        ends: list[StepRow] = [(Step.COMMIT, fence, now)]
        if batch.clock > self.position.clock:
            ends.append((Step.CLOCK, batch.clock))
        if (pruning := self.history.pruning(fence, now, len(batch.writes))) is not None:
            ends.append(pruning)
        writes, size = self._at_once(batch, ts, now, ends) or self._in_transaction(batch, ts, now, ends)
        self.history.grow(len(batch.writes), pruned=pruning is not None)
        self.sync()
        clock = max(batch.clock, self.position.clock)
        self.position.move(ts, fence, now, self.position.horizon, clock)
        return Commit(ts, writes, fence, clock, batch.token, size)

    def _at_once(self, batch: Batch, ts: Ts, now: float, ends: Sequence[StepRow]) -> Written | None:
        """Write a usual batch by one statement.

        Returns:
            None if it is not usual, or something forbids it; nothing is written then.
        """
        if not self._is_usual(batch, now):
            return None
        finding = Finding(batch.writes, self.catalog)
        for _ in finding.find():
            pass
        references = [(Step.REFERENCE, digest, now) for digest in finding.references]
        steps = [*references, *finding.steps, *_records(batch.requests, now), *ends]
        if len(steps) > most_rows(self.database):
            return None
        try:
            take(self.database, ts, steps)
        except sqlite3.IntegrityError:
            return None
        return tuple(finding.done), finding.size

    def _is_usual(self, batch: Batch, now: float) -> bool:
        return (
            batch.prepared is None
            and batch.fence in (None, self.position.fence)
            and now >= self.position.at
            and len(batch.writes) <= _MANY
            and all(write.bodies is not None for write in batch.writes)
        )

    def _in_transaction(self, batch: Batch, ts: Ts, now: float, ends: Sequence[StepRow]) -> Written:
        """Write any batch: as it was made ready, or document by document, which says what is wrong."""
        prepared = batch.prepared
        if isinstance(prepared, Prepared) and prepared.revision == self.catalog.revision:
            with suppress(sqlite3.IntegrityError), self._transaction(batch, prepared.references, ts, now, ends):
                take_in(self.database, prepared, ts, self.pause)
                return tuple(prepared.done), prepared.size
        with self._transaction(batch, added_references(batch.writes), ts, now, ends):
            return self._write_all(batch.writes, ts)

    @contextmanager
    def _transaction(
        self, batch: Batch, references: set[bytes], ts: Ts, now: float, ends: Sequence[StepRow]
    ) -> Iterator[None]:
        """Write what comes before the documents of a batch and behind them; all or nothing."""
        with ahead_of_a_commit(self.database):
            if now < self.position.at:
                self.history.follow_clock_back(now)
            self._record(batch.requests, ts, now)
            if batch.fence not in (None, self.position.fence):
                raise Conflict(f"the fence is {self.position.fence}, not {batch.fence}")
            if (missing := reference(self.database, references, now)) is not None:
                raise ArrayMissing(missing)
            yield
            take(self.database, ts, ends)

    def _record(self, requests: Sequence[RequestRecord], ts: Ts, now: float) -> None:
        steps = _records(requests, now)
        try:
            self._take_some_at_a_time(ts, steps)
        except sqlite3.IntegrityError as error:
            session, number = self._recorded(requests)
            raise DuplicateRequest(session, number) from error

    def _take_some_at_a_time(self, ts: Ts, steps: Sequence[StepRow]) -> None:
        most = most_rows(self.database)
        for begin in range(0, len(steps), most):
            take(self.database, ts, steps[begin : begin + most])

    def _recorded(self, requests: Sequence[RequestRecord]) -> tuple[bytes, int]:
        """Find the first of some records that is there already, or comes twice; the transaction is over then."""
        self.database.execute("ROLLBACK")  # some of them may have been inserted
        known = set[tuple[bytes, int]]()
        for record in requests:
            request = record.session, record.number
            if request in known or self.database.execute(_RECORD, request).fetchone():
                return request
            known.add(request)
        raise AssertionError("one of them was refused")

    def _write_all(self, writes: Sequence[Write], ts: Ts) -> Written:
        """Give the writes with the documents as they are stored, and the bytes of these."""
        done: list[Write] = []
        size = 0
        claims: list[tuple[StepRow, UniqueViolation]] = []
        for seq, write in enumerate(writes):
            if write.before is None and write.after is None:
                continue
            entry = self.catalog.table(write.table)
            id_ = encode_value(write.id)
            old, new = self._versions(entry, id_, write)
            if write.bodies is not None and old in (write.bodies[0], None):
                before, after = write.before, write.after
            else:
                before, after = _loaded(old), _loaded(new)
            size += len(old or b"") + len(new or b"")
            steps = [document_step(entry.number, id_, seq, old, new)]
            for index, number in entry.indexes.items():
                ended, begun = keys_of(index, before), keys_of(index, after)
                steps += [(Step.END_KEY, number, key) for key in sorted(ended - begun)]
                steps += [(Step.BEGIN_KEY, number, key, id_) for key in sorted(begun - ended)]
                if index.unique:
                    violation = UniqueViolation(write.table, index.name)
                    claims += [(claim(number, key, id_), violation) for key in sorted(begun - ended)]
            self._take_some_at_a_time(ts, steps)
            done.append(Write(write.table, write.id, before, after, None, id_))
            if seq % _BETWEEN_PAUSES == _BETWEEN_PAUSES - 1:
                self.pause()
        for step, violation in claims:
            try:
                take(self.database, ts, [step])
            except sqlite3.IntegrityError as error:
                raise violation from error
        return tuple(done), size

    def _versions(self, entry: TableEntry, id_: bytes, write: Write) -> tuple[bytes | None, bytes | None]:
        """Give a document as it is stored, and as it will be.

        Raises:
            Conflict: It is not stored as the write says.
            StoreError: It cannot be stored.
        """
        row = self.database.execute("SELECT body FROM docs WHERE tbl = ? AND id = ?", (entry.number, id_)).fetchone()
        old = None if row is None else row[0]
        if write.bodies is None or write.bodies[0] != old:
            _check_before(write, old)
        return old, None if write.after is None else body_of(id_, write.after, write.bodies)


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
