"""The steps of a commit are found, those of a large one ahead of it: they are laid into a temporary table.

What is left to do in the transaction, SQLite does by itself (``steps.py``): it is over in a tenth of the time, and does not
wait for Python's lock while the event loop computes. Everybody who writes waits for that alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from synovia.keys import IndexSpec, ParallelArrays, after, each_key, encode_value, most_keys
from synovia.schema.specs import Document
from synovia.store.base import StoreError, Ts, Write
from synovia.store.references import added_references
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.connection import ahead_of_a_commit
from synovia.store.sqlite.documents import body_of, dump, keys_of, load
from synovia.store.sqlite.steps import MOST_PARAMETERS, Step, StepRow, blank_after
from synovia.store.sqlite.worker import nobody_waits

_PARAMETERS: Final = ", ".join(f"p{number}" for number in range(MOST_PARAMETERS))
_TABLE: Final = f"""
    CREATE TEMP TABLE ready (
        batch INTEGER, part INTEGER, number INTEGER, step TEXT, {_PARAMETERS}, PRIMARY KEY (batch, part, number)
    ) WITHOUT ROWID"""
_TAKE_IN: Final = f"""
    INSERT INTO steps SELECT ?, step, {_PARAMETERS} FROM ready WHERE batch = ? AND part = ? ORDER BY number"""
_PART: Final = 1_024
"""So many steps are taken before others may read."""
_AT_ONCE: Final = 8
_KEYS_AT_ONCE: Final = 128
"""After so many documents, or keys of one, the clock is looked at."""
_ROWS_AT_ONCE: Final = 64
"""So many rows are inserted by one statement: Python's lock is let go and waited for once for all of them."""
_ROWS_A_STEP: Final = 256
_STEP_SECONDS: Final = 0.002


@dataclass(slots=True, eq=False)
class Prepared:
    """The writes of a batch as far as they are ready.

    Attributes:
        revision: That of the catalog by which their keys were made.
        done: The writes with the documents as they will be stored.
        parts: How many parts there are.
        size: The bytes of these.
        references: The arrays to which they add references.
    """

    number: int
    revision: int
    forget: Callable[[int, int], None]
    done: list[Write] = field(default_factory=list)
    parts: int = 0
    size: int = 0
    references: set[bytes] = field(default_factory=set)

    def discard(self) -> None:
        """Forget it: it has been committed, or will never be."""
        for part in range(self.parts):
            self.forget(self.number, part)


class Finding:
    """Finds the steps of some writes.

    Attributes:
        done: The writes with the documents as they will be stored.
        size: The bytes of these.
        references: The arrays to which they add references.
        steps: What has been found, and not taken away.
    """

    def __init__(self, writes: Sequence[Write], catalog: Catalog) -> None:
        self._writes = writes
        self._catalog = catalog
        self._claims: list[StepRow] = []
        self.done: list[Write] = []
        self.size = 0
        self.references = set[bytes]()
        self.steps: list[StepRow] = []

    def find(self) -> Iterator[None]:
        """Find all steps, with a stop now and then; claims come last, as a key may be given up by a later write.

        Raises:
            StoreError: A document cannot be stored.
        """
        for number, write in enumerate(self._writes):
            if write.before is not None or write.after is not None:
                yield from self._find(write)
            if number % _AT_ONCE == 0:
                yield
        for begin in range(0, len(self._claims), _KEYS_AT_ONCE):
            self.steps += self._claims[begin : begin + _KEYS_AT_ONCE]
            yield

    def _find(self, write: Write) -> Iterator[None]:
        entry, id_ = self._catalog.table(write.table), encode_value(write.id)
        new = None if write.after is None else body_of(id_, write.after, write.bodies)
        if write.bodies is None:
            old = None if write.before is None else dump(write.before)
            before, after_ = (None if body is None else load(body) for body in (old, new))
        else:
            old, before, after_ = write.bodies[0] or None, write.before, write.after
        self.steps.append(document_step(entry.number, id_, len(self.done), old, new))
        for index, number in entry.indexes.items():
            ended, begun = set[bytes](), set[bytes]()
            yield from _gather(ended, index, before)
            yield from _gather(begun, index, after_)
            for is_new, some in enumerate((ended - begun, begun - ended)):
                in_order = sorted(some)
                for first in range(0, len(in_order), _KEYS_AT_ONCE):
                    keys = in_order[first : first + _KEYS_AT_ONCE]
                    if is_new:
                        self.steps += [(Step.BEGIN_KEY, number, key, id_) for key in keys]
                        self._claims += [claim(number, key, id_) for key in keys if index.unique]
                    else:
                        self.steps += [(Step.END_KEY, number, key) for key in keys]
                    if len(keys) == _KEYS_AT_ONCE:
                        yield
        self.references |= added_references((write,))
        self.size += len(old or b"") + len(new or b"")
        self.done.append(Write(write.table, write.id, before, after_, None, id_))


class Preparing:
    """Makes the writes of one batch ready, a step at a time.

    Args:
        is_wanted: Tells whether others wait for the thread, for whom a step ends.
    """

    def __init__(
        self,
        prepared: Prepared,
        writes: Sequence[Write],
        catalog: Catalog,
        is_wanted: Callable[[], bool] = nobody_waits,
    ) -> None:
        self.prepared = prepared
        self._is_wanted = is_wanted
        self._finding = Finding(writes, catalog)
        self._going_on = self._finding.find()
        self._in_part = 0

    def step(self, database: sqlite3.Connection) -> bool:
        """Go on for a moment; tell whether all is ready.

        Raises:
            StoreError: A document cannot be stored.
        """
        deadline = time.perf_counter() + _STEP_SECONDS
        is_ready = True
        for _ in self._going_on:
            if len(self._finding.steps) >= _ROWS_A_STEP or self._is_wanted() or time.perf_counter() > deadline:
                is_ready = False
                break
        with ahead_of_a_commit(database):
            self._lay_down(database)
        prepared, found = self.prepared, self._finding
        prepared.done, prepared.size, prepared.references = found.done, found.size, found.references
        return is_ready

    def _lay_down(self, database: sqlite3.Connection) -> None:
        steps, self._finding.steps = self._finding.steps, []
        while steps:
            if not self._in_part:
                self.prepared.parts += 1
            room = min(_PART - self._in_part, _ROWS_AT_ONCE)
            some, steps = steps[:room], steps[room:]
            place = self.prepared.number, self.prepared.parts - 1
            _insert(database, [(*place, self._in_part + n, *row, *blank_after(row)) for n, row in enumerate(some)])
            self._in_part = (self._in_part + len(some)) % _PART


def document_step(table: int, id_: bytes, seq: int, old: bytes | None, new: bytes | None) -> StepRow:
    """Give the step that puts one version of a document in place of another."""
    if old is None:
        return Step.INSERT, table, id_, seq, new
    if new is None:
        return Step.DELETE, table, id_, seq, old
    return Step.CHANGE, table, id_, seq, new, old


def claim(index: int, key: bytes, id_: bytes) -> StepRow:
    """Give the step that looks whether another document has a key of a unique index."""
    values = key[: -len(id_)]
    return Step.CLAIM, index, id_, values, after(values)


def _gather(found: set[bytes], index: IndexSpec, document: Document | None) -> Iterator[None]:
    """Find the keys of a document, with a stop now and then.

    Raises:
        StoreError: The index cannot hold it.
    """
    if document is None or most_keys(index, document) <= _KEYS_AT_ONCE:
        found |= keys_of(index, document)
        return
    try:
        for number, key in enumerate(each_key(index, document)):
            found.add(key)
            if number % _KEYS_AT_ONCE == 0:
                yield
    except ParallelArrays as error:
        raise StoreError(f"the index {index.name!r} cannot hold the document: {error}") from error


def _insert(database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    row = f"({', '.join('?' * len(rows[0]))})"
    database.execute(f"INSERT INTO ready VALUES {', '.join([row] * len(rows))}", list(chain.from_iterable(rows)))


def lay_out(database: sqlite3.Connection) -> None:
    """Make the temporary table of a connection."""
    database.execute("PRAGMA temp_store = MEMORY")
    database.execute(_TABLE)


def take_in(database: sqlite3.Connection, prepared: Prepared, ts: Ts, pause: Callable[[], None]) -> None:
    """Take the steps that are ready, as a part of a transaction.

    Args:
        pause: Called between two parts: others may read.

    Raises:
        sqlite3.IntegrityError: Something else is stored than they say, or a unique index forbids it.
    """
    for part in range(prepared.parts):
        if part:
            pause()
        database.execute(_TAKE_IN, (ts, prepared.number, part))


def forget(database: sqlite3.Connection, number: int, part: int) -> None:
    """Delete a part of what was made ready."""
    with ahead_of_a_commit(database):
        database.execute("DELETE FROM ready WHERE batch = ? AND part = ?", (number, part))
