"""The file in which mutations wait that have no answer yet, so that they outlive the program.

An SQLite database in WAL mode with full synchronisation: what was written is on the disk before it counts, and a tail that
a power failure has torn is cut off when the file is opened. One process at a time holds it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synovia_client.errors import OutboxError
from synovia_client.uploads import Array
from synovia_protocol.arrays import raw_of, to_numpy
from synovia_protocol.codec import FROM_SERVER, pack, unpack
from synovia_protocol.errors import ProtocolError
from synovia_protocol.messages import ArrayRef

MAX_BYTES = 256 * 1024 * 1024

_VERSION = 2
_REQUESTS = """
CREATE TABLE requests (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL, args BLOB NOT NULL, needs BLOB NOT NULL, sent_at INTEGER,
    signed_in INTEGER NOT NULL);
"""
_SCHEMA = f"""{_REQUESTS}
CREATE TABLE client (session BLOB NOT NULL, following INTEGER NOT NULL);
CREATE TABLE arrays (digest BLOB PRIMARY KEY, dtype TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE uploads (number INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (number, digest)) WITHOUT ROWID;
"""
_FROM_VERSION_1 = f"""
ALTER TABLE requests RENAME TO old_requests;
{_REQUESTS}
INSERT INTO requests SELECT number, path, args, needs, issued_at, 0 FROM old_requests;
DROP TABLE old_requests;
"""
_SIZE = """SELECT (SELECT coalesce(sum(length(args) + length(needs) + 200), 0) FROM requests)
                + (SELECT coalesce(sum(length(data)), 0) FROM arrays)"""

Change = Callable[[sqlite3.Connection], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A mutation as it is kept.

    Attributes:
        needs: The queries, path and arguments, that show the arrays it only refers to.
        sent_at: When it may have been sent first, by the server's clock in ms; None: it has not been sent.
        signed_in: It was made as somebody.
    """

    number: int
    path: str
    args: dict[str, Any]
    arrays: Sequence[tuple[ArrayRef, Array]] = ()
    needs: Sequence[tuple[str, dict[str, Any]]] = ()
    sent_at: int | None = None
    signed_in: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mutation in the file that cannot be read."""

    number: int
    path: str
    reason: str


class Outbox:
    """An open outbox file.

    Args:
        path: Where it is; made if it is not there.
        max_bytes: How much may wait in it; one more mutation is refused.

    Attributes:
        session_id: Under which the server knows the mutations of this file.
        following: The number from which on the next requests are counted.
        held: How many mutations wait in it.

    Raises:
        OutboxError: Another process has it open, or it is no outbox, or it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> None:
        self.path = Path(path)
        self._max_bytes = max_bytes
        self._waiting: list[tuple[Change, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        try:
            self.path.touch(mode=0o600)  # it holds what the user entered
            self._database = sqlite3.connect(self.path, timeout=0.5, isolation_level=None, check_same_thread=False)
            try:
                self.session_id, self.following = self._open()
            except BaseException:
                self._database.close()
                raise
        except (sqlite3.Error, OSError) as error:
            held = "locked" in str(error)
            why = "another process has it open" if held else str(error)
            raise OutboxError(f"the outbox {self.path} cannot be used: {why}") from error
        self.held: int = self._database.execute("SELECT count(*) FROM requests").fetchone()[0]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="synovia-outbox")

    def _open(self) -> tuple[bytes, int]:
        database = self._database
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN IMMEDIATE")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._run(_SCHEMA)
            database.execute("INSERT INTO client VALUES (?, 1)", (os.urandom(16),))
        elif version == 1:
            self._run(_FROM_VERSION_1)
        elif version != _VERSION:
            raise OutboxError(f"{self.path} is not an outbox that this version can read")
        database.execute(f"PRAGMA user_version = {_VERSION}")
        database.execute("COMMIT")
        session, following = database.execute("SELECT session, following FROM client").fetchone()
        return bytes(session), int(following)

    def _run(self, script: str) -> None:
        for statement in script.split(";"):
            self._database.execute(statement)

    # --- reading

    def entries(self) -> list[Entry | Unreadable]:
        """Give what waits, oldest first."""
        columns = "number, path, args, needs, sent_at, signed_in"
        rows = self._database.execute(f"SELECT {columns} FROM requests ORDER BY number").fetchall()
        return [self._entry(*row) for row in rows]

    def _entry(
        self, number: int, path: str, args: bytes, needs: bytes, sent_at: int | None, signed_in: int
    ) -> Entry | Unreadable:
        try:
            arrays = self._arrays(number)
            return Entry(number, path, unpack(args, FROM_SERVER), arrays, _needs(needs), sent_at, bool(signed_in))
        except (ProtocolError, ValueError, TypeError, KeyError) as error:
            return Unreadable(number, str(path), str(error))

    def _arrays(self, number: int) -> list[tuple[ArrayRef, Array]]:
        rows = self._database.execute(
            "SELECT digest, dtype, data FROM arrays JOIN uploads USING (digest) WHERE number = ?", (number,)
        )
        found = []
        for digest, dtype, data in rows:
            array = to_numpy(data, dtype, (-1,))
            found.append((ArrayRef(digest, dtype, array.shape), array))
        return found

    # --- writing: everything that waits in one transaction, in the outbox's own thread

    async def add(self, entry: Entry) -> None:
        """Keep a mutation; it is on the disk when this returns.

        Raises:
            OutboxError: The outbox is full, or cannot be written.
        """

        def change(database: sqlite3.Connection) -> None:
            args, needs = pack(entry.args), pack([[path, args] for path, args in entry.needs])
            database.execute("UPDATE client SET following = max(following, ?)", (entry.number + 1,))
            database.execute(
                "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)",
                (entry.number, entry.path, args, needs, entry.sent_at, entry.signed_in),
            )
            for ref, array in entry.arrays:
                values = (ref.digest, ref.dtype, raw_of(array))
                database.execute("INSERT OR IGNORE INTO arrays VALUES (?, ?, ?)", values)
                database.execute("INSERT INTO uploads VALUES (?, ?)", (entry.number, ref.digest))
            if database.execute(_SIZE).fetchone()[0] > self._max_bytes:
                raise OutboxError(f"the outbox is full: more than {self._max_bytes} bytes wait for answers")

        await self._change(change)
        self.held += 1

    async def stamp(self, numbers: Sequence[int], sent_at: int | None) -> None:
        """Note that mutations may be sent from now on; None: that they have not been sent after all."""

        def change(database: sqlite3.Connection) -> None:
            rows = [(sent_at, number) for number in numbers]
            database.executemany("UPDATE requests SET sent_at = ? WHERE number = ?", rows)

        await self._change(change)

    async def remove(self, number: int) -> None:
        """Forget a mutation that has been answered, and arrays that no other one needs."""

        def change(database: sqlite3.Connection) -> None:
            database.execute("DELETE FROM requests WHERE number = ?", (number,))
            database.execute("DELETE FROM uploads WHERE number = ?", (number,))
            database.execute("DELETE FROM arrays WHERE digest NOT IN (SELECT digest FROM uploads)")

        await self._change(change)
        self.held -= 1

    async def _change(self, change: Change) -> None:
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="synovia-outbox")
        await asyncio.shield(done)

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                errors = await loop.run_in_executor(self._thread, self._write, [change for change, _ in batch])
                for (_, done), error in zip(batch, errors, strict=True):
                    if done.cancelled():
                        continue
                    if error is None:
                        done.set_result(None)
                    else:
                        done.set_exception(error)
                        done.exception()  # whoever waited may have been cancelled
        finally:
            self._writing = None

    def _write(self, changes: list[Change]) -> list[Exception | None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            errors = [self._try(change) for change in changes]
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            return [OutboxError(f"the outbox {self.path} cannot be written: {error}")] * len(changes)
        return errors

    def _try(self, change: Change) -> Exception | None:
        """Make one change; undo it alone if it is refused."""
        self._database.execute("SAVEPOINT one")
        try:
            change(self._database)
        except OutboxError as error:
            self._database.execute("ROLLBACK TO one")
            return error
        finally:
            self._database.execute("RELEASE one")
        return None

    async def close(self) -> None:
        """Finish writing, and let go of the file."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self.release()

    def release(self) -> None:
        """Let go of the file at once; for a client that has never been opened."""
        self._thread.shutdown()
        self._database.close()


def _needs(packed: bytes) -> list[tuple[str, dict[str, Any]]]:
    return [(path, args) for path, args in unpack(packed, FROM_SERVER)]
