"""Mutations that outlive the program, against a real hub: programs are killed, files are torn, requests expire."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.mongod import free_port
from helpers.sync_server import Running, fresh_board, serving
from helpers.waiting import until
from synovia.cli.server import listen
from synovia.config import Settings
from synovia_client import Backoff, Client, FunctionError, OutboxError, Recovered, RequestTimeout
from synovia_client.outbox import Entry, Outbox

PROGRAM = Path(__file__).parent / "outbox_program.py"
BOARD = {"board": "a"}


@contextmanager
def program(url: str, file: Path, path: str, args: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(PROGRAM), url, str(file), path, json.dumps(args)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return (await asyncio.to_thread(process.stdout.readline)).strip()


def client_of(url: str, file: Path, **options: Any) -> Client:
    return Client(url, outbox=file, proxy=None, backoff=Backoff(0.05, 0.2), **options)


def client_of_outbox(running: Running, outbox: Outbox) -> Client:
    return Client(url_of(running), outbox=outbox, proxy=None, backoff=Backoff(0.05, 0.2))


def url_of(running: Running) -> str:
    return f"ws://127.0.0.1:{running.port}"


async def emptied(client: Client) -> None:
    await until(lambda: client.in_outbox == 0)


async def texts_of(client: Client) -> list[str]:
    return sorted(note["text"] for note in await client.query("notes:on_board", BOARD))


async def test_a_program_killed_between_sending_and_answer_has_one_effect(tmp_path: Path) -> None:
    file, outcomes = tmp_path / "outbox.db", list[Recovered]()
    async with serving() as running:
        notes = fresh_board()
        with program(url_of(running), file, "notes:post_when_open", {**BOARD, "text": "once"}) as process:
            await until(lambda: notes.started == ["once"])  # the hub runs it, nobody has been answered
            process.kill()
            process.wait()
        notes.gate.set()
        async with client_of(url_of(running), file, on_recovered=outcomes.append) as client:
            assert client.in_outbox == 1
            await emptied(client)
            assert await texts_of(client) == ["once"]
            (note,) = await client.query("notes:on_board", BOARD)
        assert [(outcome.path, outcome.result) for outcome in outcomes] == [("notes:post_when_open", note["_id"])]
        async with client_of(url_of(running), file, on_recovered=outcomes.append) as client:
            assert client.in_outbox == 0
            await client.mutation("notes:post", {**BOARD, "text": "another"})
            assert await texts_of(client) == ["another", "once"], "its number is new"
    assert len(outcomes) == 1


@pytest.mark.slow
async def test_what_was_called_without_a_connection_is_sent_by_the_next_run_with_its_arrays(tmp_path: Path) -> None:
    file, port = tmp_path / "outbox.db", free_port()
    with program(f"ws://127.0.0.1:{port}", file, "notes:plot", {**BOARD, "samples": 100_000}) as process:
        assert await line_of(process) == "kept"
        process.kill()
        process.wait()
    async with serving() as running, client_of(url_of(running), file) as client:
        assert client.in_outbox == 1
        await emptied(client)
        (note,) = await client.query("notes:on_board", BOARD)
        assert np.array_equal(await client.array(note["samples"]), np.arange(100_000, dtype=np.float64))


@pytest.mark.slow
async def test_many_kills_have_one_effect_each(tmp_path: Path) -> None:
    """Killed at any moment: before the file, between file and hub, after the hub, after the answer."""
    file, rounds = tmp_path / "outbox.db", 8
    kept = set()
    async with serving() as running:
        for number in range(rounds):
            with program(url_of(running), file, "notes:post", {**BOARD, "text": str(number)}) as process:
                if await line_of(process) == "kept":
                    kept.add(str(number))
                if number % 2:
                    await line_of(process)
                process.kill()
                process.wait()
        async with client_of(url_of(running), file) as client:
            await emptied(client)
            assert await texts_of(client) == sorted(kept)
    assert len(kept) == rounds


async def test_an_answer_empties_the_file_and_a_failure_is_not_run_again(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    async with serving() as running:
        async with client_of(url_of(running), file) as client:
            await asyncio.gather(
                *(client.mutation("notes:post", {**BOARD, "text": str(number)}) for number in range(20))
            )
            assert client.in_outbox == 0
            with pytest.raises(FunctionError):
                await client.mutation("notes:fail")
            assert client.in_outbox == 0
            next_request = client.next_request
        async with client_of(url_of(running), file) as client:
            assert client.next_request == next_request
            assert len(await texts_of(client)) == 20


async def test_a_function_that_is_not_there_any_more_holds_up_nobody(tmp_path: Path) -> None:
    file, outcomes = tmp_path / "outbox.db", list[Recovered]()
    outbox = Outbox(file)
    for number, path in enumerate(("notes:renamed_since", "notes:post"), start=1):
        await outbox.add(Entry(number, path, {**BOARD, "text": "here"}))
    await outbox.close()
    async with serving() as running, client_of(url_of(running), file, on_recovered=outcomes.append) as client:
        fresh_board()
        await emptied(client)
        assert await texts_of(client) == ["here"]
    assert [outcome.error and outcome.error.code for outcome in outcomes] == ["unknown_function", None]


async def test_who_gives_up_leaves_the_mutation_in_line_and_its_outcome_is_told(tmp_path: Path) -> None:
    outcomes = list[Recovered]()
    async with serving() as running:
        notes = fresh_board()
        async with client_of(url_of(running), tmp_path / "outbox.db", on_recovered=outcomes.append) as client:
            with pytest.raises(RequestTimeout):
                await client.mutation("notes:post_when_open", {**BOARD, "text": "late"}, timeout=0.3)
            assert client.in_outbox == 1
            notes.gate.set()
            await emptied(client)
            await until(lambda: bool(outcomes))
            assert await texts_of(client) == ["late"]
            assert [outcome.args["text"] for outcome in outcomes] == ["late"]


async def test_a_request_that_has_expired_is_told_dropped_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, outcomes = tmp_path / "outbox.db", list[Recovered]()
    async with serving() as running:
        outbox = Outbox(file)
        week = round(running.app.engine._executor.now() - Settings().request_ttl * 1000)
        await outbox.add(Entry(1, "notes:post", {**BOARD, "text": "long ago"}, sent_at=week))
        await outbox.close()
        for _ in range(2):
            async with client_of(url_of(running), file, on_recovered=outcomes.append) as client:
                await emptied(client)
                assert await texts_of(client) == []
    (outcome,) = outcomes
    assert outcome.error is not None
    assert outcome.error.code == "request_expired"
    assert (outcome.number, outcome.args["text"]) == (1, "long ago")


async def test_the_time_of_issue_is_by_the_servers_clock(tmp_path: Path) -> None:
    """What was called without a connection gets it once there is one, before it is sent."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    file = tmp_path / "outbox.db"
    async with client_of(f"ws://127.0.0.1:{port}", file) as client:
        with pytest.raises(RequestTimeout):
            await client.mutation("notes:post", {**BOARD, "text": "x"}, timeout=0.2)
        assert client.in_outbox == 1
    outbox = Outbox(file)
    (entry,) = entries_of(outbox)
    assert entry.sent_at is None, "it has not been sent"
    await outbox.close()
    async with serving() as running:
        notes = fresh_board()
        async with client_of(url_of(running), file) as client:
            await emptied(client)
            call = asyncio.create_task(client.mutation("notes:post_when_open", {**BOARD, "text": "y"}))
            await until(lambda: "y" in notes.started)
        with pytest.raises(Exception, match="closed"):
            await call
        outbox = Outbox(file)
        (entry,) = entries_of(outbox)
        assert entry.sent_at is not None
        assert abs(entry.sent_at - running.app.engine._executor.now()) < 5_000
        await outbox.close()
        notes.gate.set()


# --- the file


def entries_of(outbox: Outbox) -> list[Entry]:
    """Give what waits, all of which can be read."""
    found = outbox.entries()
    assert all(isinstance(each, Entry) for each in found)
    return [each for each in found if isinstance(each, Entry)]


def entry(number: int) -> Entry:
    return Entry(number, "notes:post", {"text": f"{number:04d}" * 100}, sent_at=number)


@pytest.mark.parametrize("damage", ["cut", "garbage", "overwritten"])
async def test_a_torn_tail_costs_only_what_was_torn(tmp_path: Path, damage: str) -> None:
    """As after a power failure: the last write is there in part, or as something else."""
    whole = tmp_path / "whole.db"
    outbox = Outbox(whole)
    sizes = []
    for number in range(1, 6):
        await outbox.add(entry(number))
        sizes.append((tmp_path / "whole.db-wal").stat().st_size)
    log = (tmp_path / "whole.db-wal").read_bytes()
    main = whole.read_bytes()
    await outbox.close()
    torn = {
        "cut": log[: sizes[-2] + (sizes[-1] - sizes[-2]) // 2],
        "garbage": log[: sizes[-2]] + b"\xa5" * 5000,
        "overwritten": log[: sizes[-2]] + bytes(sizes[-1] - sizes[-2]),
    }[damage]
    (tmp_path / "torn.db").write_bytes(main)
    (tmp_path / "torn.db-wal").write_bytes(torn)
    again = Outbox(tmp_path / "torn.db")
    assert [each.number for each in again.entries()] == [1, 2, 3, 4]
    assert again.session_id == outbox.session_id
    assert again.following == 5
    await again.add(entry(5))
    assert entries_of(again)[-1].args == entry(5).args
    await again.close()


async def test_one_process_at_a_time_holds_the_file(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = Outbox(file)
    with pytest.raises(OutboxError, match="another process has it open"):
        Outbox(file)
    opening = [sys.executable, "-c", f"from synovia_client.outbox import Outbox; Outbox({str(file)!r})"]
    other = await asyncio.create_subprocess_exec(*opening, stderr=subprocess.PIPE)
    _, said = await other.communicate()
    assert b"another process has it open" in said
    assert other.returncode != 0
    assert file.stat().st_mode & 0o777 == 0o600
    await outbox.close()
    await Outbox(file).close()


async def test_what_cannot_be_written_is_told_and_not_sent(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    async with serving() as running, client_of_outbox(running, outbox) as client:
        await client.mutation("notes:post", {**BOARD, "text": "before"})
        outbox._database.execute("PRAGMA query_only = ON")  # as a disk that has become read-only
        with pytest.raises(OutboxError, match="cannot be written"):
            await client.mutation("notes:post", {**BOARD, "text": "lost"})
        outbox._database.execute("PRAGMA query_only = OFF")
        await client.mutation("notes:post", {**BOARD, "text": "after"})
        assert await texts_of(client) == ["after", "before"]


async def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match="No such file"):
        Outbox(tmp_path / "nowhere" / "outbox.db")


async def test_a_file_that_is_none_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    file.write_bytes(b"my diary " * 1000)
    with pytest.raises(OutboxError, match="not a database"):
        Outbox(file)
    assert file.read_bytes() == b"my diary " * 1000


async def test_a_full_outbox_refuses_what_is_then_not_sent(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=1_000_000)
    async with serving() as running, client_of_outbox(running, outbox) as client:
        with pytest.raises(OutboxError, match="full"):
            await client.mutation("notes:plot", {**BOARD, "samples": np.zeros(200_000)})
        assert client.in_outbox == 0
        await client.mutation("notes:plot", {**BOARD, "samples": np.zeros(100_000)})
        await client.mutation("notes:plot", {**BOARD, "samples": np.zeros(100_000)})
        assert client.in_outbox == 0, "what is answered makes room, its samples too"
        assert len(await texts_of(client)) == 2


def test_an_outbox_has_its_own_session(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="session_id"):
        Client("ws://127.0.0.1", outbox=tmp_path / "x.db", session_id=b"s" * 16)
