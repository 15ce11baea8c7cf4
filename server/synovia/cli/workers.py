"""Several hubs behind one address: a parent that listens, starts them, and starts again what dies.

The parent opens the listening sockets and keeps them, so that clients which come while a worker starts again wait in a queue
and are not refused. On Linux every worker has a socket of its own (``SO_REUSEPORT``: the kernel spreads connections evenly);
elsewhere they share one. A socket pair ties each worker to its parent: the worker says when it serves, and stops when the
parent is gone, however that ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing

from synovia.cli.server import listen, stop_signals

logger = logging.getLogger("synovia.workers")

FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
STABLE_SECONDS = 10.0
MARGIN_SECONDS = 5.0
_SPREADS = sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


def listen_for(workers: int, host: str, port: int) -> list[socket.socket]:
    """Open a listening socket for each worker, all at one address.

    Raises:
        AddressError: Another program listens there, or there is no such address here.
    """
    alone = listen(host, port)  # refused if anybody listens there, also others that would share
    if not _SPREADS:
        return [alone] + [alone.dup() for _ in range(workers - 1)]
    with ExitStack() as stack:
        port = alone.getsockname()[1]
        alone.close()
        listeners = [stack.enter_context(listen(host, port, share=True)) for _ in range(workers)]
        stack.pop_all()
        return listeners


class Worker:
    """One place for a hub: its process is started again whenever it ends.

    Args:
        command: What to run; the descriptors of the listener and of the socket to the parent are added.
        listener: Where it takes connections from.
    """

    def __init__(self, number: int, command: Sequence[str], listener: socket.socket, env: Mapping[str, str]) -> None:
        self.number = number
        self.serving = asyncio.Event()
        self.exit_code: int | None = None
        self._command = command
        self._listener = listener
        self._env = dict(env)
        self._process: asyncio.subprocess.Process | None = None

    async def run_once(self) -> int:
        """Run the process to its end; give its exit code."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with closing(ours):
            with closing(theirs):
                fds = [self._listener.fileno(), theirs.fileno()]
                # In a session of its own: Ctrl-C at the terminal reaches the parent only, which passes it on once.
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, "--fd", str(fds[0]), "--parent", str(fds[1]),
                    pass_fds=fds, env=self._env, start_new_session=True,
                )  # fmt: skip
            watching = asyncio.create_task(self._watch(ours))
            try:
                self.exit_code = await self._process.wait()
            finally:
                watching.cancel()
        return self.exit_code

    async def _watch(self, ours: socket.socket) -> None:
        if await asyncio.get_running_loop().sock_recv(ours, 1):
            self.serving.set()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens if it is not running."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class Workers:
    """All the workers of one address.

    Args:
        command: What runs one worker.
        env: Its variables.
        patience: Seconds for which they may take to stop, after which they are killed.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str], patience: float) -> None:
        self._command = command
        self._env = env
        self._patience = patience
        self._workers: list[Worker] = []
        self._stopping = asyncio.Event()
        self._all_served = False
        self._failed = 0

    async def run(self, listeners: Sequence[socket.socket], started: Callable[[], None]) -> int:
        """Keep a worker running for each listener until a signal comes; give the exit code.

        Args:
            started: Called once when all of them serve.
        """
        self._workers = [Worker(n, self._command, listener, self._env) for n, listener in enumerate(listeners, 1)]
        loop = asyncio.get_running_loop()
        for number in stop_signals():
            loop.add_signal_handler(number, self._stop)
        keeping = [asyncio.create_task(self._keep(worker), name=f"worker {worker.number}") for worker in self._workers]
        announcing = asyncio.create_task(self._announce(started))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([stopping, *keeping], return_when=asyncio.FIRST_COMPLETED)
        announcing.cancel()
        self._stop()
        _, late = await asyncio.wait(keeping, timeout=self._patience)
        for worker in self._workers if late else ():
            worker.send(signal.SIGKILL)
        await asyncio.wait(keeping)
        return self._failed or int(bool(late))

    async def _announce(self, started: Callable[[], None]) -> None:
        for worker in self._workers:
            await worker.serving.wait()
        self._all_served = True
        started()

    def _stop(self) -> None:
        self._stopping.set()
        for worker in self._workers:
            worker.send(signal.SIGTERM)

    async def _keep(self, worker: Worker) -> None:
        """Run a worker again and again; return when all are to stop, or when it is clear that it cannot run."""
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await worker.run_once()
            if self._stopping.is_set():
                return
            if not self._all_served and code > 0:
                self._failed = code  # it has said why; the others would fail, or do not serve what was asked for
                return
            delay = FIRST_DELAY if time.monotonic() - began > STABLE_SECONDS else min(2 * delay, LONGEST_DELAY)
            logger.error("worker %d ended (%s), starting it again in %.1f s", worker.number, _how(code), delay)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


class Parent:
    """The worker's end of what ties it to its parent.

    Args:
        fd: The descriptor that the parent has passed on.
    """

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)

    def serving(self, gone: Callable[[], None]) -> None:
        """Tell the parent that this worker serves; ``gone`` is called when the parent has ended."""
        with contextlib.suppress(OSError):
            self._socket.send(b"1")

        def look() -> None:
            asyncio.get_running_loop().remove_reader(self._socket)
            gone()

        asyncio.get_running_loop().add_reader(self._socket, look)
