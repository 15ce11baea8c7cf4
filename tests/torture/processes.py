"""Hubs as processes of their own: started, killed, paused and looked at by their id."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from helpers.forked_commands import SYNOVIA, Command
from helpers.mongod import free_port
from torture.hub import APP, VARIABLE
from torture.trouble import KILL_AMID

TESTS = Path(__file__).parent.parent
PRELOAD = "LD_PRELOAD"
STARTING_SECONDS = 300.0
"""So long a process may take until it answers, however busy the machine is: that is no fault of the hub's."""
SETTLING_SECONDS = 60.0
"""So long a hub that answers may say that it is not well; the database may be electing meanwhile."""

ANSWER_SECONDS = 30.0
"""So long one answer may take: each part of a hub has 2 s to say how it is, and waits for the database."""


class HubFailed(RuntimeError):
    """A hub does not start; the message tells what it said of itself, and what it printed last."""


UNLIMITED = {
    f"SYNOVIA_LIMITS_MAX_{what}": "1000000000"
    for what in (
        "MESSAGES_PER_SECOND",
        "MESSAGES_PER_SECOND_PER_ADDRESS",
        "BYTES_PER_SECOND",
        "BYTES_PER_SECOND_PER_ADDRESS",
        "AUTHENTICATIONS_PER_MINUTE",
        "AUTHENTICATIONS_PER_MINUTE_PER_ADDRESS",
        "REQUESTS_PER_ADDRESS",
        "ANONYMOUS_UPLOAD_BYTES_PER_HOUR",
    )
}
"""Everybody comes from one address here, and as fast as they can."""


class HubProcess:
    """One hub, on the same port each time it is started.

    Args:
        store: The address of its store.
        log: The file for what it prints.
        sabotage: The guarantee that is switched off; see ``hub``.
        application: What it serves; another than that of the workload is served by ``synovia serve``.
        environment: Further variables, as ``SYNOVIA_LIMITS_STALL_TIMEOUT``.
    """

    def __init__(
        self, store: str, log: Path, sabotage: str | None = None, application: Path = APP, **environment: str
    ) -> None:
        self.port = free_port()
        self._store = store
        self._log = log
        self._sabotage = sabotage
        self._application = application
        self._environment = UNLIMITED | {"SYNOVIA_HUBS_SECRET": "hubs that help each other"} | environment
        self._process: Command | subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The code it ended with by itself; None while it runs or when we ended it."""
        return None if self._process is None else self._process.poll()

    def _command(self) -> tuple[str, list[str]]:
        where = ["--store", self._store, "--port", str(self.port)]
        if self._application is APP:
            return "torture.hub", where
        return SYNOVIA, ["serve", str(self._application), *where, "--log-level", "warning"]

    def spawn(self) -> None:
        """Start the process, and do not wait for it."""
        variables = {**os.environ, **self._environment, "PYTHONPATH": str(TESTS)}
        if self._sabotage is not None:
            variables[VARIABLE] = self._sabotage
        module, arguments = self._command()
        with self._log.open("ab") as log:
            if PRELOAD in variables:  # which counts for what is started, not for what is forked
                command = [sys.executable, "-m", module, *arguments]
                self._process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
            else:
                self._process = Command(module, arguments, variables, log.fileno(), log.fileno())

    async def start(self) -> None:
        """Start it, again if the database was not ready for it, and wait until it is healthy.

        Raises:
            HubFailed: It is not, after a while.
        """
        began, answered_at, health = time.monotonic(), None, None
        while health is None or health["status"] != "ok":
            if not self.running:
                self.spawn()
                answered_at = None
            health = await self.health()
            now = time.monotonic()
            answered_at = (answered_at or now) if health is not None else None
            if now - (answered_at or began) > (SETTLING_SECONDS if answered_at else STARTING_SECONDS):
                raise HubFailed(self._failure(health, now - began))
            await asyncio.sleep(0.05)

    def _failure(self, health: dict[str, Any] | None, seconds: float) -> str:
        load = "/".join(f"{each:.0f}" for each in os.getloadavg())
        return f"hub {self.port} after {seconds:.0f} s, load {load}: {health}\n{self.printed()[-3000:]}"

    async def health(self) -> dict[str, Any] | None:
        """Give what ``/health`` says; None if nobody answers."""
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                    answer = await reader.read()
                finally:
                    writer.transport.abort()
                health: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
                return health
        return None

    async def post(self, path: str, body: Any, token: str | None = None) -> tuple[int, bytes]:
        """Send JSON as one request; give the status and the body of the answer."""
        content = json.dumps(body).encode()
        authorization = "" if token is None else f"Authorization: Bearer {token}\r\n"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{authorization}"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(head.encode() + content)
            answer = await reader.read()
        finally:
            writer.transport.abort()
        lines, _, payload = answer.partition(b"\r\n\r\n")
        if not lines:
            raise ConnectionError("the hub ended before it answered")
        return int(lines.split(b" ", 2)[1]), payload

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def kill_amid_commit(self, patience: float) -> None:
        """Have it kill itself amid a commit; one whose commits are not troubled is ended like any other."""
        process = self._process
        if process is not None and self.running and not self._paused:
            process.send_signal(KILL_AMID)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        self.kill()

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        if self._paused:
            process.send_signal(signal.SIGCONT)
            self._paused = False
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def pause(self) -> None:
        """Let it stand still, its sockets open."""
        if self.running and self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
            self._paused = True

    def resume(self) -> None:
        if self._paused and self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self._paused = False

    def memory(self) -> int:
        """Tell its resident memory in bytes."""
        assert self._process is not None
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def printed(self) -> str:
        """Give what it has printed so far, in all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""


@asynccontextmanager
async def running_hubs(*hubs: HubProcess) -> AsyncIterator[None]:
    """Start hubs, and end them when the block ends."""
    try:
        await asyncio.gather(*(hub.start() for hub in hubs))
        yield
    finally:
        for hub in hubs:
            hub.kill()
