"""The peers of ``transfer`` in Python: what ``transfer.mjs`` does, by hand on ``sqlite3`` and on PyMongo.

Each takes lines "SOURCE TARGET AMOUNT" of any number of TCP connections and answers "1" or, if the transaction could not be
made, "0". No record of requests is kept, and nobody is told of what has changed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from benchmarks.bank import BALANCE
from benchmarks.processes import Pipe, answer_all, child

_TRIES = 10
_HOST = "127.0.0.1"

Transfer = Callable[[int, int, int], Awaitable[bool]]


@asynccontextmanager
async def by_hand(kind: str, place: str, accounts: int) -> AsyncIterator[int]:
    """Run one on ``sqlite3`` (``place`` is a file) or ``PyMongo`` (an address with the database); give its port."""
    async with child(f"Python + {kind}", _main, kind, place, accounts) as process:
        yield int(await process.ask("port"))


def _main(pipe: Pipe, kind: str, place: str, accounts: int) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe, kind, place, accounts))


async def _serve(pipe: Pipe, kind: str, place: str, accounts: int) -> None:
    opened = _on_sqlite(place, accounts) if kind == "sqlite3" else _on_mongodb(place, accounts)
    async with opened as transfer:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                source, target, amount = map(int, line.split())
                writer.write(b"1\n" if await transfer(source, target, amount) else b"0\n")
            writer.close()

        async with await asyncio.start_server(serve, _HOST, 0) as server:
            port = server.sockets[0].getsockname()[1]

            async def where() -> int:
                return int(port)

            await answer_all(pipe, {"port": where})


@asynccontextmanager
async def _on_sqlite(file: str, accounts: int) -> AsyncIterator[Transfer]:
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)")
    rows = [(number, BALANCE) for number in range(accounts)]
    database.execute("BEGIN")
    database.executemany("INSERT INTO accounts VALUES (?, ?)", rows)
    database.execute("COMMIT")
    read, write = "SELECT balance FROM accounts WHERE id = ?", "UPDATE accounts SET balance = ? WHERE id = ?"

    async def transfer(source: int, target: int, amount: int) -> bool:
        database.execute("BEGIN IMMEDIATE")
        (giver,), (taker,) = (database.execute(read, (each,)).fetchone() for each in (source, target))
        database.execute(write, (giver - amount, source))
        database.execute(write, (taker + amount, target))
        database.execute("COMMIT")
        return True

    try:
        yield transfer
    finally:
        database.close()


@asynccontextmanager
async def _on_mongodb(address: str, accounts: int) -> AsyncIterator[Transfer]:
    async with AsyncMongoClient[dict[str, Any]](address) as client:
        held = client.get_default_database().accounts
        await held.insert_many({"_id": number, "balance": BALANCE} for number in range(accounts))

        async def once(source: int, target: int, amount: int) -> None:
            async with client.start_session() as session:
                durable = WriteConcern("majority", j=True)
                async with await session.start_transaction(ReadConcern("snapshot"), durable):
                    found = [await held.find_one({"_id": each}, session=session) for each in (source, target)]
                    for document, change in zip(found, (-amount, amount), strict=True):
                        assert document is not None
                        balance = {"$set": {"balance": document["balance"] + change}}
                        await held.update_one({"_id": document["_id"]}, balance, session=session)

        async def transfer(source: int, target: int, amount: int) -> bool:
            for _ in range(_TRIES):
                try:
                    await once(source, target, amount)
                except OperationFailure as error:
                    if not error.has_error_label("TransientTransactionError"):
                        raise
                else:
                    return True
            return False

        yield transfer
