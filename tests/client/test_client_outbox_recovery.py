"""What an outbox says of a mutation: whether it may have run. And what it holds that cannot be sent holds up nobody."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from client.options import MakeClient
from client.peer import Peer, PeerConnection, eventually
from synovia_client import Client, FunctionError, Outbox, Recovered
from synovia_client.outbox import Entry
from synovia_protocol.arrays import ref_of
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Authenticate, Authenticated, AuthError, Mutation, QueryValue

DAY = 24 * 3600 * 1000
NOW = 1_700_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


async def rows(file: Path) -> list[tuple[str, int | None]]:
    """Give path and time of sending of all that an outbox that nobody has open holds."""
    outbox = Outbox(file)
    found = [(entry.path, entry.sent_at) for entry in outbox.entries() if isinstance(entry, Entry)]
    await outbox.close()
    return found


async def welcome(peer: Peer, server_time: int = NOW) -> PeerConnection:
    connection = await peer.accept()
    await connection.welcome(server_time=server_time)
    return connection


async def offline(client: Client, peer: Peer) -> None:
    await peer.stop()
    await eventually(lambda: client.state == "reconnecting")


def unattended(call: asyncio.Task[Any]) -> None:
    call.add_done_callback(lambda done: done.cancelled() or done.exception())


async def kept(client: Client, path: str = "m", count: int = 1, **args: Any) -> None:
    """Call a mutation, and wait until the file holds so many."""
    unattended(asyncio.create_task(client.mutation(path, args, timeout=None)))
    await eventually(lambda: client.in_outbox == count)


# --- only what may have run can expire


async def test_what_was_never_sent_is_sent_as_new_however_late(make: MakeClient, peer: Peer, file: Path) -> None:
    async with make(outbox=file) as client:
        await welcome(peer)
        await client.connected()
        await offline(client, peer)
        await kept(client)
    assert await rows(file) == [("m", None)]
    await peer.listen(peer.port)
    async with make(outbox=file) as client:
        connection = await welcome(peer, NOW + 30 * DAY)
        mutation = await connection.expect(Mutation)
        assert (mutation.retry, mutation.issued_at) == (False, None)
        await connection.answer(mutation)
        await eventually(lambda: client.in_outbox == 0)


async def test_the_file_says_when_it_was_sent_by_the_servers_clock(make: MakeClient, peer: Peer, file: Path) -> None:
    async with make(outbox=file) as client:
        connection = await welcome(peer)
        await client.connected()
        await kept(client)
        await connection.expect(Mutation)
    assert await rows(file) == [("m", NOW)]
    async with make(outbox=file) as client:
        mutation = await (await welcome(peer, NOW + DAY)).expect(Mutation)
        assert (mutation.retry, mutation.issued_at) == (True, NOW)


async def test_what_waits_for_something_else_when_the_connection_breaks_has_not_been_sent(
    make: MakeClient, peer: Peer, file: Path
) -> None:
    samples = ref_of(np.zeros(10))
    async with make(outbox=file) as client:
        asked = asyncio.create_task(client.query("list"))
        connection = await welcome(peer)
        await connection.give("list", [samples], 5)
        assert await asked == [samples]
        await kept(client, samples=samples)  # its array is shown by a query, which the server has yet to answer
        await connection.expect_query("list")
        await offline(client, peer)
        await peer.listen(peer.port)
        again = await welcome(peer, NOW + 30 * DAY)
        await again.expect_query("list")
        await again.transition(6, QueryValue(again.queries["list"].query_id, [samples]))
        mutation = await again.expect(Mutation)
        assert (mutation.retry, mutation.issued_at) == (False, None)
    assert await rows(file) == [("m", NOW + 30 * DAY)]


async def test_what_has_not_been_sent_when_the_client_is_closed_may_not_have_run(
    make: MakeClient, peer: Peer, file: Path
) -> None:
    samples = ref_of(np.zeros(10))
    async with make(outbox=file) as client:
        asked = asyncio.create_task(client.query("list"))
        connection = await welcome(peer)
        await connection.give("list", [samples], 5)
        await asked
        await kept(client, samples=samples)
        await connection.expect_query("list")
    assert await rows(file) == [("m", None)]


async def test_a_mutation_called_long_before_it_was_first_sent_is_as_old_as_its_sending(
    make: MakeClient, peer: Peer
) -> None:
    async with make() as client:
        unattended(asyncio.create_task(client.mutation("m", timeout=None)))
        first = await welcome(peer, NOW + 6 * DAY)
        await first.expect(Mutation)
        first.cut()
        again = await (await welcome(peer, NOW + 6 * DAY + 1000)).expect(Mutation)
        assert (again.retry, again.issued_at) == (True, NOW + 6 * DAY)


# --- who it was called as


async def test_an_earlier_run_is_sent_as_somebody_if_it_was_called_so(make: MakeClient, peer: Peer, file: Path) -> None:
    async with make(outbox=file, token="t") as client:
        await peer.accept()
        await kept(client)
    async with make(outbox=file) as client:
        connection = await welcome(peer)
        await client.connected()
        await connection.silence()  # as nobody it is not run
        signing_in = asyncio.create_task(client.authenticate("t"))
        await connection.expect(Authenticate)
        await connection.send(connection.session.send(Authenticated()))
        await connection.answer(await connection.expect(Mutation))
        await signing_in
        await eventually(lambda: client.in_outbox == 0)


async def test_what_is_kept_waits_for_another_sign_in_when_a_token_is_refused(
    make: MakeClient, peer: Peer, file: Path
) -> None:
    async with make(outbox=file, token="expired") as client:
        mutation = asyncio.create_task(client.mutation("m"))
        connection = await welcome(peer)
        await connection.expect(Authenticate)
        await connection.send(connection.session.send(AuthError(ErrorInfo("invalid_token", "expired"))))
        await connection.silence()
        signing_in = asyncio.create_task(client.authenticate("fresh"))
        await connection.expect(Authenticate)
        await connection.send(connection.session.send(Authenticated()))
        await connection.answer(await connection.expect(Mutation), "done")
        await signing_in
        assert await mutation == "done"


# --- what cannot be sent


async def test_what_a_server_would_refuse_to_read_is_not_kept(make: MakeClient, peer: Peer, file: Path) -> None:
    async with make(outbox=file) as client:
        for args, code in (
            ({"text": "x" * (1 << 20)}, "too_large"),
            ({"items": [0] * 100_000}, "too_large"),
            ({"text": "\ud800"}, "invalid_arguments"),
        ):
            with pytest.raises(FunctionError) as caught:
                await client.mutation("m", args)
            assert caught.value.code == code
        with pytest.raises(FunctionError) as caught:
            await client.mutation("\ud800")
        assert caught.value.code == "invalid_arguments"
        assert client.in_outbox == 0
        assert client.next_request == 1


def damage(file: Path, number: int, column: str, value: bytes) -> None:
    database = sqlite3.connect(file)
    database.execute(f"UPDATE requests SET {column} = ? WHERE number = ?", (value, number))
    database.commit()
    database.close()


YEAR_10000 = msgpack.packb({"day": msgpack.Timestamp(253_402_300_800, 0)})


@pytest.mark.parametrize(
    ("column", "value"),
    [("args", b"\xc1"), ("args", YEAR_10000), ("args", b"\x90"), ("needs", b"\x93\x01\x02\x03"), ("needs", b"\xc1")],
)
async def test_a_bad_entry_of_an_earlier_run_is_told_and_holds_up_nobody(
    make: MakeClient, peer: Peer, file: Path, column: str, value: bytes
) -> None:
    outbox = Outbox(file)
    for number, path in enumerate(("bad", "good"), start=1):
        await outbox.add(Entry(number, path, {"n": number}))
    await outbox.close()
    damage(file, 1, column, value)
    outcomes = list[Recovered]()
    async with make(outbox=file, on_recovered=outcomes.append) as client:
        connection = await welcome(peer)
        mutation = await connection.expect(Mutation)
        assert mutation.path == "good"
        await connection.answer(mutation)
        await eventually(lambda: client.in_outbox == 0)
    assert [(outcome.path, outcome.error and outcome.error.code) for outcome in outcomes] == [
        ("bad", "invalid_arguments"),
        ("good", None),
    ]
    assert await rows(file) == []


async def test_the_entry_that_a_server_does_not_read_is_found_and_the_others_run(
    make: MakeClient, peer: Peer, file: Path
) -> None:
    """The server has limits of its own: what it refuses, it says by ending the connection."""
    outcomes = list[Recovered]()
    async with make(outbox=file, on_recovered=outcomes.append) as client:
        calls = [asyncio.create_task(client.mutation(path)) for path in ("first", "bad", "last")]
        connection = await welcome(peer)
        for _ in calls:
            await connection.expect(Mutation)
        await connection.dismiss(ErrorInfo("bad_message", "what is this"))
        connection = await welcome(peer)
        await connection.answer(await connection.expect(Mutation), "one")
        assert (await connection.expect(Mutation)).path == "bad"
        await connection.silence()  # one by one
        await connection.dismiss(ErrorInfo("bad_message", "what is this"))
        connection = await welcome(peer)
        await connection.answer(await connection.expect(Mutation), "three")
        first, bad, last = await asyncio.gather(*calls, return_exceptions=True)
        assert (first, last) == ("one", "three")
        assert isinstance(bad, FunctionError)
        assert bad.code == "bad_message"
        unattended(asyncio.create_task(client.mutation("a")))
        unattended(asyncio.create_task(client.mutation("b")))
        assert [(await connection.expect(Mutation)).path for _ in range(2)] == ["a", "b"]
        assert client.state == "connected"


async def test_an_outbox_of_the_first_version_is_read(make: MakeClient, peer: Peer, file: Path) -> None:
    database = sqlite3.connect(file)
    database.executescript(
        """
        CREATE TABLE client (session BLOB NOT NULL, following INTEGER NOT NULL);
        CREATE TABLE requests (
            number INTEGER PRIMARY KEY, path TEXT NOT NULL, args BLOB NOT NULL, needs BLOB NOT NULL, issued_at INTEGER);
        CREATE TABLE arrays (digest BLOB PRIMARY KEY, dtype TEXT NOT NULL, data BLOB NOT NULL);
        CREATE TABLE uploads (number INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (number, digest)) WITHOUT ROWID;
        INSERT INTO client VALUES (x'30313233343536373839616263646566', 8);
        INSERT INTO requests VALUES (7, 'm', x'80', x'90', 1700000000000);
        PRAGMA user_version = 1;
        """
    )
    database.close()
    async with make(outbox=file) as client:
        assert (client.session_id, client.next_request) == (b"0123456789abcdef", 8)
        mutation = await (await welcome(peer, NOW + DAY)).expect(Mutation)
        assert (mutation.request_id, mutation.retry, mutation.issued_at) == (7, True, NOW)
