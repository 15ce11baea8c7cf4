from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from helpers.patience import PATIENCE
from helpers.sync_server import client_of
from helpers.waiting import until
from synovia_protocol.client_session import ClientSession
from synovia_protocol.messages import QueryAdd

pytestmark = pytest.mark.slow

APPLICATION = """
from synovia import MutationContext, QueryContext, Table, mutation, query

class Word(Table, name="words"):
    text: str

@query(public=True)
async def words(ctx: QueryContext) -> list[str]:
    return [word.text{change} for word in await ctx.db.query(Word).collect()]

@mutation(public=True)
async def say(ctx: MutationContext, text: str) -> None:
    await ctx.db.insert(Word(text=text))
"""


@asynccontextmanager
async def development(path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "synovia.cli", "dev", str(path), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        url = await said(process, r"ws://127\.0\.0\.1:\d+")
        yield process, SimpleNamespace(url=url + "/sync")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Start processes as a script starts them in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def said(process: asyncio.subprocess.Process, pattern: str) -> str:
    """Read the output until something matches, and give it."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while line := (await process.stdout.readline()).decode():
            if found := re.search(pattern, line):
                return found[0]
    raise AssertionError(f"the server ended without saying {pattern}")


async def test_a_change_restarts_the_server_and_clients_come_back_to_the_new_functions(tmp_path: Path) -> None:
    path = tmp_path / "spoken.py"
    path.write_text(APPLICATION.format(change=""))
    async with development(path) as (process, running):
        async with client_of(running) as client:
            await client.mutate("spoken:say", {"text": "hello"})
            assert await client.subscribe(1, "spoken:words") == ["hello"]
            path.write_text(APPLICATION.format(change=".upper()"))
            fatal, closed_with = await client.end()
            assert (fatal.error.code, closed_with) == ("stopping", 1001)
            assert (fatal.retry_after or 0) <= 0.3, "somebody waits to see the change"
        async with client_of(running, client.session.resume()) as client:
            await client.send(client.session.modify([QueryAdd(1, "spoken:words", {})]))
            assert await client.result(1) == ["HELLO"]
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_a_change_that_does_not_work_is_told_and_the_next_one_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "hasty.py"
    path.write_text(APPLICATION.format(change=""))
    async with development(path) as (process, running):
        path.write_text("def broken(:\n")
        assert await said(process, "hasty.py, line 1: SyntaxError")
        await said(process, "waiting for a change")
        address = running.url.replace("ws:", "http:").removesuffix("/sync")
        async with httpx2.AsyncClient(timeout=PATIENCE) as visitor:
            answers = await asyncio.gather(*(visitor.get(f"{address}/health") for _ in range(3)))
        assert {(each.status_code, each.headers["retry-after"]) for each in answers} == {(503, "1")}
        assert "the application does not start" in answers[0].json()["error"]["message"]
        path.write_text(APPLICATION.format(change=""))
        await said(process, "ws://")
        async with client_of(running, ClientSession(bytes(16))) as client:
            assert await client.subscribe(1, "hasty:words") == []


async def test_it_ends_when_it_is_told_to_also_in_the_background_of_a_script(tmp_path: Path) -> None:
    path = tmp_path / "quiet.py"
    path.write_text(APPLICATION.format(change=""))
    with ignoring_interrupts():
        async with development(path) as (process, _):
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                assert await process.wait() == 0


async def test_a_change_in_a_folder_restarts_the_server_too(tmp_path: Path) -> None:
    path = tmp_path / "nested" / "queries" / "deep" / "spoken.py"
    path.parent.mkdir(parents=True)
    path.write_text(APPLICATION.format(change=""))
    async with development(tmp_path / "nested") as (process, running):
        path.with_name("more.py").write_text(APPLICATION.format(change=".upper()").partition("@mutation")[0])
        assert await said(process, "two tables are named 'words'")
        path.with_name("more.py").unlink()
        await said(process, "ws://")
        async with client_of(running, ClientSession(bytes(16))) as client:
            assert await client.subscribe(1, "queries/deep/spoken:words") == []


async def test_an_interrupt_amid_the_start_prints_no_traceback(tmp_path: Path) -> None:
    path, begun = tmp_path / "words_4.py", tmp_path / "begun"
    path.write_text(APPLICATION.format(change=""))
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(
        "import pathlib, sys, time\n"
        f"if '--fd' in sys.orig_argv:\n    pathlib.Path({str(begun)!r}).touch()\n    time.sleep(1000)\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "synovia.cli", "dev", str(path), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "start")},
        start_new_session=True,  # so that it is interrupted as a terminal does it: all of its group
    )
    await until(begun.exists)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = await process.communicate()
    assert (process.returncode, printed.decode()) == (0, "")
