"""Writing a batch: checks, versions, index entries and the log, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synovia.keys import after, encode_value
from synovia.schema.specs import Document, Reading
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
from synovia.store.sqlite.arrays import renew
from synovia.store.sqlite.catalog import Catalog, TableEntry
from synovia.store.sqlite.connection import ahead_of_a_commit, set_meta
from synovia.store.sqlite.documents import body_of, is_same, keys_of, load
from synovia.store.sqlite.history import History
from synovia.store.sqlite.position import Position
from synovia.store.sqlite.preparing import Prepared, Preparing, forget_at_once, insert, is_expected, take_in

MICROSECONDS = 1_000_000
CLOCK = "clock"
_BETWEEN_PAUSES = 32
"""So many documents are written before others may read."""

_FEW = 4
"""So many documents are written together ..."""
_MANY = 256
"""... and no more: others may read in between."""
_AT_ONCE = 0
"""The number of what is made ready within its transaction."""
_REQUESTS = "requests (session, number, created, result)"
_RECORD = "SELECT 1 FROM requests WHERE session = ? AND number = ?"
_KEEP = """
    INSERT INTO past_docs (tbl, id, since, until, body)
    SELECT tbl, id, since, ?, body FROM docs WHERE row = ?"""
_END_ENTRY = """
    INSERT INTO past_entries (until, idx, key, id, since)
    SELECT ?, idx, key, id, since FROM entries WHERE idx = ? AND key = ?"""
_HOLDER = "SELECT 1 FROM entries WHERE idx = ? AND key >= ? AND key < ? AND id <> ? LIMIT 1"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A key that a document now has in a unique index."""

    table: str
    index: str
    number: int
    values: bytes
    id: bytes


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
        prepared = self._prepared(batch)
        references = added_references(batch.writes) if prepared is None else prepared.references
        with ahead_of_a_commit(self.database):
            if now < self.position.at:
                self.history.follow_clock_back(now)
            self._record(batch.requests, now)
            fence = self._next_fence(batch.fence)
            if (missing := renew(self.database, references, now)) is not None:
                raise ArrayMissing(missing)
            clock = self._move_clock(batch.clock)
            writes, size = self._take_in(prepared, ts) if prepared else self._write(batch.writes, ts)
            commit = Commit(ts, writes, fence, clock, batch.token, size)
            self.database.execute("INSERT INTO commits (ts, fence, at) VALUES (?, ?, ?)", (ts, fence, now))
            horizon = self.history.prune(fence, now, len(batch.writes))
        self.position.horizon = horizon  # the versions before it are gone for those who read meanwhile, too
        self.sync()
        self.position.move(ts, fence, now, horizon, clock)
        return commit

    def _move_clock(self, reading: Reading) -> Reading:
        if reading <= self.position.clock:
            return self.position.clock
        set_meta(self.database, CLOCK, reading)
        return reading

    def _record(self, requests: Sequence[RequestRecord], now: float) -> None:
        rows = [(request.session, request.number, now, request.result) for request in requests]
        try:
            insert(self.database, _REQUESTS, rows)
        except sqlite3.IntegrityError as error:
            session, number = self._recorded(rows)
            raise DuplicateRequest(session, number) from error

    def _recorded(self, rows: Sequence[tuple[bytes, int, float, bytes]]) -> tuple[bytes, int]:
        """Find the first of some records that is there already, or comes twice; the transaction is over then."""
        self.database.execute("ROLLBACK")  # some of them have been inserted
        known = set[tuple[bytes, int]]()
        for session, number, *_ in rows:
            request = session, number
            if request in known or self.database.execute(_RECORD, request).fetchone():
                return request
            known.add(request)
        raise AssertionError("one of them was refused")

    def _next_fence(self, expected: int | None) -> int:
        present = self.position.fence
        if expected is not None and expected != present:
            raise Conflict(f"the fence is {present}, not {expected}")
        return present + 1

    def _prepared(self, batch: Batch) -> Prepared | None:
        """Give what is ready of a batch, if it still fits what is stored."""
        prepared = batch.prepared
        if not isinstance(prepared, Prepared) or prepared.revision != self.catalog.revision:
            return None
        return prepared if is_expected(self.database, prepared) else None

    def _take_in(self, prepared: Prepared, ts: Ts) -> tuple[tuple[Write, ...], int]:
        take_in(self.database, prepared, ts, self.pause)
        return tuple(prepared.done), prepared.size

    def _write(self, writes: Sequence[Write], ts: Ts) -> tuple[tuple[Write, ...], int]:
        """Give the writes with the documents as they are stored, and the bytes of these.

        Several whose documents are encoded are written together, by a few statements: Python's lock is let go and waited for
        at each. If something else is stored than they say, they are written one by one, which says what is wrong.
        """
        if not _FEW <= len(writes) <= _MANY or any(write.bodies is None for write in writes):
            return self._write_all(writes, ts)
        prepared = Prepared(_AT_ONCE, self.catalog.revision, _kept)
        Preparing(prepared, writes).finish(self.database, self.catalog)
        as_expected = is_expected(self.database, prepared)
        if as_expected:
            take_in(self.database, prepared, ts, self.pause)
        forget_at_once(self.database, prepared)
        return (tuple(prepared.done), prepared.size) if as_expected else self._write_all(writes, ts)

    def _write_all(self, writes: Sequence[Write], ts: Ts) -> tuple[tuple[Write, ...], int]:
        """Give the writes with the documents as they are stored, and the bytes of these."""
        done: list[Write] = []
        size = 0
        claims: list[_Claim] = []
        for seq, write in enumerate(writes):
            if write.before is None and write.after is None:
                continue
            entry = self.catalog.table(write.table)
            id_ = encode_value(write.id)
            old, new = self._write_document(entry, id_, write, ts)
            if write.bodies is not None and old in (write.bodies[0], None):
                before, after_ = write.before, write.after
            else:
                before, after_ = _loaded(old), _loaded(new)
            size += len(old or b"") + len(new or b"")
            if entry.indexes:
                claims += self._write_entries(entry, id_, write.table, before, after_, ts)
            self.database.execute("INSERT INTO log VALUES (?, ?, ?, ?)", (ts, seq, entry.number, id_))
            done.append(Write(write.table, write.id, before, after_, None, id_))
            if seq % _BETWEEN_PAUSES == _BETWEEN_PAUSES - 1:
                self.pause()
        for claim in claims:
            self._check_unique(claim)
        return tuple(done), size

    def _write_document(self, entry: TableEntry, id_: bytes, write: Write, ts: Ts) -> tuple[bytes | None, bytes | None]:
        """Put the new version in place of the old; give both as they are stored."""
        found = self.database.execute(
            "SELECT row, body FROM docs WHERE tbl = ? AND id = ?", (entry.number, id_)
        ).fetchone()
        row, old = found or (None, None)
        if write.bodies is None or write.bodies[0] != old:
            _check_before(write, old)
        new = None if write.after is None else body_of(id_, write.after, write.bodies)
        if row is None:
            self.database.execute(
                "INSERT INTO docs (tbl, id, since, body) VALUES (?, ?, ?, ?)", (entry.number, id_, ts, new)
            )
        else:
            self.database.execute(_KEEP, (ts, row))
            if new is None:
                self.database.execute("DELETE FROM docs WHERE row = ?", (row,))
            else:
                self.database.execute("UPDATE docs SET since = ?, body = ? WHERE row = ?", (ts, new, row))
        return old, new

    def _write_entries(
        self, entry: TableEntry, id_: bytes, table: str, before: Document | None, after_: Document | None, ts: Ts
    ) -> list[_Claim]:
        """Bring every index up to date; give the keys newly taken in unique ones."""
        claims = []
        for index, number in entry.indexes.items():
            old, new = keys_of(index, before), keys_of(index, after_)
            for key in sorted(old - new):
                self.database.execute(_END_ENTRY, (ts, number, key))
                self.database.execute("DELETE FROM entries WHERE idx = ? AND key = ?", (number, key))
            begun = sorted(new - old)
            for key in begun:
                self.database.execute(
                    "INSERT INTO entries (idx, key, id, since) VALUES (?, ?, ?, ?)", (number, key, id_, ts)
                )
            if index.unique:
                claims += [_Claim(table, index.name, number, key[: -len(id_)], id_) for key in begun]
        return claims

    def _check_unique(self, claim: _Claim) -> None:
        found = self.database.execute(_HOLDER, (claim.number, claim.values, after(claim.values), claim.id)).fetchone()
        if found:
            raise UniqueViolation(claim.table, claim.index)


def _kept(number: int, part: int) -> None:
    """Forget nothing: it was forgotten in its transaction."""


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
