"""The steps of a commit, which SQLite takes by itself: one statement has all of a usual commit.

While SQLite runs a statement, Python's lock is free; before and after each the thread waits for it, for as long as the event
loop computes. So the steps are the rows that are inserted into a view, and triggers take them, in order. What one statement
does is done whole, or not at all (https://www.sqlite.org/lang_createtrigger.html).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Final

from synovia.store.base import Ts

Value = int | float | str | bytes | memoryview | None
StepRow = tuple[Value, ...]
"""A step and its parameters, in the order in which ``_STEPS`` names them: as the columns of tables (``connection``)."""


class Step:
    """What a row does: plain text, as for anything else sqlite3 looks for an adapter whenever it is bound."""

    INSERT: Final = "insert"  # a document; ``seq`` is its place among those of the commit
    CHANGE: Final = "change"  # a document that is stored as ``before``, byte for byte
    DELETE: Final = "delete"  # likewise
    END_KEY: Final = "end key"  # of a document in an index
    BEGIN_KEY: Final = "begin key"
    CLAIM: Final = "claim"  # of a unique index: no other document has a key from ``low`` to below ``high``
    REQUEST: Final = "request"  # is recorded, for the first time
    CHUNK: Final = "chunk"  # is stored, or was and is ``used`` again
    MANIFEST: Final = "manifest"  # likewise
    REFERENCE: Final = "reference"  # to an array that is stored, and ``used`` again
    CLOCK: Final = "clock"  # of ids: its newest reading
    COMMIT: Final = "commit"
    PRUNE: Final = "prune"  # what is not newer than ``fence``, ``at`` and ``created``; so many rows of each kind


_IS_STORED: Final = """
    SELECT RAISE (ABORT, 'another document is stored')
    WHERE NEW.before IS NOT (SELECT body FROM docs WHERE tbl = NEW.tbl AND id = NEW.id);"""
_KEEP: Final = """
    INSERT INTO past_docs (tbl, id, since, until, body)
    SELECT tbl, id, since, NEW.ts, body FROM docs WHERE tbl = NEW.tbl AND id = NEW.id;"""
_LOG: Final = "INSERT INTO log (ts, seq, tbl, id) VALUES (NEW.ts, NEW.seq, NEW.tbl, NEW.id);"
_USE: Final = "INSERT OR REPLACE INTO uses (kind, digest, used) VALUES ('{}', NEW.digest, NEW.used);"
_HORIZON: Final = "(SELECT value FROM meta WHERE name = 'horizon')"

_STEPS: Final = {
    Step.INSERT: (
        "tbl, id, seq, after",
        f"INSERT INTO docs (tbl, id, since, body) VALUES (NEW.tbl, NEW.id, NEW.ts, NEW.after); {_LOG}",
    ),
    Step.CHANGE: (
        "tbl, id, seq, after, before",
        f"""{_IS_STORED} {_KEEP}
        UPDATE docs SET since = NEW.ts, body = NEW.after WHERE tbl = NEW.tbl AND id = NEW.id; {_LOG}""",
    ),
    Step.DELETE: (
        "tbl, id, seq, before",
        f"{_IS_STORED} {_KEEP} DELETE FROM docs WHERE tbl = NEW.tbl AND id = NEW.id; {_LOG}",
    ),
    Step.END_KEY: (
        "idx, key",
        """INSERT INTO past_entries (until, idx, key, id, since)
            SELECT NEW.ts, idx, key, id, since FROM entries WHERE idx = NEW.idx AND key = NEW.key;
        DELETE FROM entries WHERE idx = NEW.idx AND key = NEW.key;""",
    ),
    Step.BEGIN_KEY: (
        "idx, key, id",
        "INSERT INTO entries (idx, key, id, since) VALUES (NEW.idx, NEW.key, NEW.id, NEW.ts);",
    ),
    Step.CLAIM: (
        "idx, id, low, high",
        """SELECT RAISE (ABORT, 'another document has the key') WHERE EXISTS (
            SELECT 1 FROM entries WHERE idx = NEW.idx AND key >= NEW.low AND key < NEW.high AND id <> NEW.id);""",
    ),
    Step.REQUEST: (
        "session, number, created, result",
        """INSERT INTO requests (session, number, created, result)
            VALUES (NEW.session, NEW.number, NEW.created, NEW.result);""",
    ),
    Step.CHUNK: (
        "digest, data, used",
        f"INSERT OR IGNORE INTO chunks (digest, data) VALUES (NEW.digest, NEW.data); {_USE.format('chunks')}",
    ),
    Step.MANIFEST: (
        "digest, dtype, length, chunks, used",
        f"""INSERT OR IGNORE INTO manifests (digest, dtype, length, chunks)
            VALUES (NEW.digest, NEW.dtype, NEW.length, NEW.chunks); {_USE.format("manifests")}""",
    ),
    Step.REFERENCE: (
        "digest, used",
        f"""SELECT RAISE (ABORT, 'the array is not stored')
            WHERE NOT EXISTS (SELECT 1 FROM manifests WHERE digest = NEW.digest); {_USE.format("manifests")}""",
    ),
    Step.CLOCK: ("reading", "INSERT OR REPLACE INTO meta (name, value) VALUES ('clock', NEW.reading);"),
    Step.COMMIT: ("fence, at", "INSERT INTO commits (ts, fence, at) VALUES (NEW.ts, NEW.fence, NEW.at);"),
    Step.PRUNE: (
        "fence, at, created, rows",
        f"""INSERT OR REPLACE INTO meta (name, value) SELECT 'horizon', ts
            FROM (SELECT ts, fence, at FROM commits WHERE ts > {_HORIZON} ORDER BY ts LIMIT NEW.rows)
            WHERE fence <= NEW.fence AND at <= NEW.at ORDER BY ts DESC LIMIT 1;
        DELETE FROM past_docs WHERE row IN (
            SELECT row FROM past_docs WHERE until <= {_HORIZON} ORDER BY until LIMIT NEW.rows);
        DELETE FROM past_entries WHERE (until, idx, key) IN (
            SELECT until, idx, key FROM past_entries WHERE until <= {_HORIZON} ORDER BY until LIMIT NEW.rows);
        DELETE FROM log WHERE (ts, seq) IN (SELECT ts, seq FROM log WHERE ts <= {_HORIZON} ORDER BY ts LIMIT NEW.rows);
        DELETE FROM commits WHERE ts IN (SELECT ts FROM commits WHERE ts <= {_HORIZON} ORDER BY ts LIMIT NEW.rows);
        DELETE FROM requests WHERE (session, number) IN (
            SELECT session, number FROM requests WHERE created <= NEW.created ORDER BY created LIMIT NEW.rows);""",
    ),
}
MOST_PARAMETERS: Final = max(parameters.count(",") + 1 for parameters, _ in _STEPS.values())

PADDING: Final = [(0,) * (MOST_PARAMETERS + 1 - length) for length in range(MOST_PARAMETERS + 2)]
"""The parameters that a step has not, by the length of its row; not None, for which sqlite3 looks for an adapter, too."""
_FEW: Final = 4, 8
"""A statement of few rows has so many; most commits that change one document are such ..."""
_MULTIPLE: Final = 16
"""... and one of more a multiple of these: there are few different ones to be kept."""
MOST_ROWS: Final = 1_024
"""No statement has more: others read in between."""
_KEPT_BYTES: Final = 256 * 1024
"""SQLite may keep so much of each statement, 17 MiB in all."""


def lay_out(database: sqlite3.Connection) -> None:
    """Make the view and its triggers, for one connection."""
    columns = ", ".join(f"NULL AS p{number}" for number in range(MOST_PARAMETERS))
    database.execute(f"CREATE TEMP VIEW steps AS SELECT NULL AS ts, NULL AS step, {columns}")
    for step, (parameters, body) in _STEPS.items():
        for number, name in enumerate(parameters.split(", ")):
            body = re.sub(rf"NEW\.{name}\b", f"NEW.p{number}", body)
        when = f"WHEN NEW.step = '{step}'"
        database.execute(f'CREATE TEMP TRIGGER "{step}" INSTEAD OF INSERT ON steps {when} BEGIN {body} END')


def most_rows(database: sqlite3.Connection) -> int:
    """Tell how many rows one statement may have; an SQLite older than 3.32 often takes no more than 999 parameters."""
    parameters = database.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return min(MOST_ROWS, parameters // (2 + MOST_PARAMETERS) // _MULTIPLE * _MULTIPLE)


def take(database: sqlite3.Connection, ts: Ts, rows: Sequence[StepRow], size: int | None = None) -> None:
    """Take steps by one statement.

    Args:
        ts: Of the commit; steps that store arrays have none, and are given 0.
        rows: As many as ``most_rows`` tells, at most.
        size: How many bytes they have, about; they are counted if it is not said.

    Raises:
        sqlite3.IntegrityError: Something else is stored than a step says, or a constraint forbids it: none is taken.
    """
    insert(database, "INSERT INTO steps {}", [(ts, *row, *PADDING[len(row)]) for row in rows], size)


def insert(database: sqlite3.Connection, text: str, rows: Sequence[StepRow], size: int | None = None) -> None:
    """Insert rows by one statement, and have SQLite forget them if they are long.

    It keeps what a statement was given until that is executed anew, and there is one for every number of rows that
    statements have: what was given much is executed anew with nothing but blanks.

    Args:
        text: The statement, with a place for its rows; one of zeros is left out.
        size: How many bytes they have, about; they are counted if it is not said.
    """
    blank = (0,) * len(rows[0])
    number = next((few for few in _FEW if len(rows) <= few), len(rows) + -len(rows) % _MULTIPLE)
    statement = _statement(text, len(blank), number)
    try:
        database.execute(statement, [*chain.from_iterable(rows), *blank * (number - len(rows))])
    finally:
        if (_size_of(rows) if size is None else size) > _KEPT_BYTES:
            with suppress(sqlite3.Error):  # it changes nothing, so nothing is lost
                database.execute(statement, blank * number)


@cache
def _statement(text: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return text.format(f"VALUES {', '.join([row] * rows)}")


def _size_of(rows: Iterable[StepRow]) -> int:
    return sum(len(each) for row in rows for each in row if type(each) is bytes)


def take_all(database: sqlite3.Connection, ts: Ts, rows: Sequence[StepRow], most: int) -> None:
    """Take any number of steps, amid a transaction.

    Args:
        most: So many are taken by one statement at most, see ``most_rows``.

    Raises:
        sqlite3.IntegrityError: As by ``take``; some of those before may have been taken.
    """
    for begin in range(0, len(rows), most):
        take(database, ts, rows[begin : begin + most])
