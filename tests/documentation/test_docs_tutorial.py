"""The tutorial, followed step by step: its files, its programs, its requests, on the server that it starts."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.documentation_pages import page
from helpers.documentation_programs import write_files
from helpers.patience import PATIENCE

TUTORIAL = page("docs/tutorial.md")
PIPE = asyncio.subprocess.PIPE
ADDRESS = "127.0.0.1:8000"


@dataclass
class Program:
    """A program in a terminal of the reader."""

    process: asyncio.subprocess.Process

    async def shows(self, pattern: str) -> str:
        """Read what it prints until something matches, and give it."""
        assert self.process.stdout is not None
        read = ""
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                read += line
                if found := re.search(pattern, line):
                    return found[0]
        raise AssertionError(f"it ended without showing {pattern!r}:\n{read}")

    async def types(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            await self.process.communicate()


@asynccontextmanager
async def program(folder: Path, *command: str) -> AsyncIterator[Program]:
    """Run Python with a command until the block ends."""
    started = Program(
        await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=folder, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
        )
    )
    try:
        yield started
    finally:
        await started.stop()


def section(number: int) -> range:
    """Give the lines of a step."""
    starts = [line for line, text in TUTORIAL.prose if text.startswith("## ")] + [len(TUTORIAL.lines) + 1]
    assert TUTORIAL.lines[starts[number - 1] - 1].startswith(f"## {number}. ")
    return range(starts[number - 1], starts[number])


def do(number: int, folder: Path, port: str) -> None:
    """Do to the files what a step says."""
    for file in write_files(TUTORIAL, folder, section(number)):
        file.write_text(file.read_text().replace(ADDRESS, f"127.0.0.1:{port}"), encoding="utf-8")


def request_of(port: str, kind: str, body: object) -> urllib.request.Request:
    headers = {"Content-Type": "application/json"}
    return urllib.request.Request(f"http://127.0.0.1:{port}/api/{kind}", json.dumps(body).encode(), headers)


async def ask(number: int, port: str) -> Any:
    """Send the request of a step, as ``curl`` would, and give the answer."""
    (command,) = [
        block.code for block in TUTORIAL.code("") if block.line in section(number) and block.code.startswith("curl")
    ]
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    url, headers, body = "", {}, b""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words).encode()
        else:
            url = word.replace(ADDRESS, f"127.0.0.1:{port}")
    return await asyncio.to_thread(post, urllib.request.Request(url, body, headers))


def post(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


@pytest.mark.slow
async def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    do(2, tmp_path, port="")
    async with AsyncExitStack() as terminals:
        server = await terminals.enter_async_context(
            program(tmp_path, "-m", "synovia.cli", "dev", "chat", "--port", "0")
        )
        port = (await server.shows(r"ws://127\.0\.0\.1:\d+")).rpartition(":")[2]

        do(3, tmp_path, port)
        watch = await terminals.enter_async_context(program(tmp_path, "watch.py"))
        assert await ask(3, port) == {"result": None}
        await watch.shows("somebody says: hello")

        do(4, tmp_path, port)
        await server.shows("ws://")
        assert (await ask(3, port))["error"]["code"] == "unauthenticated"
        assert "result" in await ask(4, port)
        await watch.shows("somebody says: hello")
        await watch.shows("ada says: it is me")

        do(5, tmp_path, port)
        do(6, tmp_path, port)
        async with program(tmp_path, "-m", "pytest", "-p", "no:cacheprovider") as tests:
            await tests.shows("2 passed")

        await server.shows("ws://")
        do(7, tmp_path, port)
        ada, ben = [
            await terminals.enter_async_context(program(tmp_path, "talk.py", f"{name}@example.org"))
            for name in ("ada", "ben")
        ]
        await ada.types("hello, Ben")
        await ben.shows("ada says: hello, Ben")
        await ben.types("")
        await ben.shows("a message needs a text")

        await server.stop()
        await ada.types("are you still there?")
        await terminals.enter_async_context(program(tmp_path, "-m", "synovia.cli", "dev", "chat", "--port", port))
        await ben.shows(r"ada says: are you still there\?")
        newest = await asyncio.to_thread(post, request_of(port, "query", {"path": "messages:newest", "args": {}}))
        assert [each["text"] for each in newest["result"]].count("are you still there?") == 1


def test_every_file_of_the_tutorial_is_written_before_it_is_added_to() -> None:
    written: set[str] = set()
    for block in TUTORIAL.blocks:
        assert not block.adds or block.file in written
        written |= {block.file} if block.file else set()
    assert written == {
        "chat/schema.py", "chat/messages.py", "watch.py", "test_chat.py", "pytest.ini", "talk.py",
    }  # fmt: skip
