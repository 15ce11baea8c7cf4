"""Uvicorn, with what graceful stops and slow clients need of it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from functools import partial
from types import FrameType
from typing import Any, TypeVar, cast

import uvicorn
import uvloop

from synovia.app import Synovia
from synovia.cli import garbage
from synovia.cli.large_pages import large_pages
from synovia.http.admission import Admission
from synovia.http.protocol import MOST_HEAD_BYTES, HttpProtocol, SyncProtocol

T = TypeVar("T")

logger = logging.getLogger("synovia")

_TICK_SECONDS = 0.1
_IDLE_SECONDS = 1.0
_LOOK_SECONDS = 0.005
_ARRIVAL_SECONDS = 0.25
"""How long what was sent to a hub that stops may be on its way."""


def run_server(work: Coroutine[Any, Any, T]) -> T:
    """Run a server to its end in a loop of its own.

    A SystemExit or KeyboardInterrupt in a task that a function has begun, or in a callback, stops the loop, as asyncio has
    it; whoever awaits that task has it too. It ends nobody else: the loop goes on. Signals the server handles itself.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        loop = runner.get_loop()
        task = loop.create_task(work)
        while True:
            try:
                return loop.run_until_complete(task)
            except (SystemExit, KeyboardInterrupt) as error:
                if task.done():
                    raise
                told = "a task that a function has begun, or a callback, ended by %s; the server goes on"
                logger.error(told, type(error).__name__, exc_info=error)


@contextlib.asynccontextmanager
async def memory_looked_after() -> AsyncIterator[None]:
    """Collect garbage, and ask for large pages, as suits a process that serves, until the block ends."""
    async with garbage.tuned(), large_pages():
        yield


def _give_up() -> None:
    logger.error("the server has not stopped in time: ending the process")
    os._exit(1)


def stop_signals() -> list[signal.Signals]:
    """Give the signals that stop a server: those of service managers, and that of a terminal that goes.

    SIGHUP is left alone where it is ignored, as under ``nohup``, and on Windows, where it is not.
    """
    found = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        found.append(signal.SIGHUP)
    return found


class Server(uvicorn.Server):
    """Sends the clients away, with a time to come back, before the sockets are shut.

    Args:
        app: A server that has been started; stopping it entirely stays with the caller.
    """

    def __init__(self, config: uvicorn.Config, app: Synovia, admission: Admission) -> None:
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(config)
        self._app = app
        self._admission = admission
        admission.on_first = self._woken.set
        self._deadline: threading.Timer | None = None
        self.exits_in_time = False

    @property
    def should_exit(self) -> bool:
        """Whether it is to stop; may be set from any thread and by a signal, and is noticed at once."""
        return self._should_exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._should_exit = value
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections from sockets that listen already; with TLS, its handshake has a deadline too."""
        if sockets is None:
            await super().startup()
            return
        config, timeout = self.config, self._app.settings.limits.request_timeout
        await self.lifespan.startup()
        protocol = partial(
            cast(Callable[..., asyncio.Protocol], config.http_protocol_class),
            config=config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        secure: dict[str, Any] = {} if config.ssl is None else {"ssl": config.ssl, "ssl_handshake_timeout": timeout}
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(protocol, sock=each, backlog=config.backlog, **secure) for each in sockets
        ]
        self.started = True

    async def main_loop(self) -> None:
        """Look at deadlines until the server is to stop, and while load balancers learn of that.

        That is ten times a second as long as anybody is inside, and else once, for the date that answers have.
        """
        self._loop, counter = asyncio.get_running_loop(), 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000 if self._admission else 0
            seconds = _TICK_SECONDS if self._admission else _IDLE_SECONDS
            tick = self._loop.call_later(seconds, self._woken.set)  # a timeout would cost a task each time
            await self._woken.wait()
            tick.cancel()
            self._woken.clear()
        self._app.hub.draining = True
        self._admission.drain()
        end = self._loop.time() + self._app.settings.limits.shutdown_delay
        while self._loop.time() < end and not self.force_exit:
            await self.on_tick(counter)
            await asyncio.sleep(_TICK_SECONDS)

    async def on_tick(self, counter: int) -> bool:
        """Look at deadlines."""
        self._admission.watch(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; with ``exits_in_time``, end the process when that has taken too long, whatever holds it up."""
        super().handle_exit(sig, frame)
        if self.exits_in_time and self._deadline is None:
            self._deadline = threading.Timer(self._app.settings.limits.stop_timeout, _give_up)
            self._deadline.daemon = True
            self._deadline.start()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Let signals stop the server, and do not raise them again: what comes after has to run too."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in stop_signals()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking connections, let the hub finish, then shut what is left."""
        for server in self.servers:
            server.close()
        await self._answer_those_who_came()
        await asyncio.gather(self._app.hub.stop(), self._app.scheduler.stop())
        for each in sockets or ():
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            await asyncio.wait_for(self._wait_tasks_to_complete(), self.config.timeout_graceful_shutdown)
        except TimeoutError:
            self._cancel_tasks()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _answer_those_who_came(self) -> None:
        """Give what was sent while the server still listened time to arrive: proxies send no call a second time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _ARRIVAL_SECONDS
        while len(self._admission) and loop.time() < end and not self.force_exit:  # noqa: ASYNC110 (nothing tells of their end)
            await asyncio.sleep(_LOOK_SECONDS)
        self._admission.shut_idle()

    async def _wait_tasks_to_complete(self) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 (nothing tells of their end)
            await asyncio.sleep(_LOOK_SECONDS)
        for server in self.servers:
            await server.wait_closed()

    def _cancel_tasks(self) -> None:
        tasks = self.server_state.tasks
        logging.getLogger("synovia").error("%d requests have not ended in time and are cancelled", len(tasks))
        for task in tasks:
            task.cancel("the server stops")


def make_server(app: Synovia, **options: Any) -> Server:
    """Set uvicorn up for an application that the caller starts and stops.

    Args:
        options: Further options of ``uvicorn.Config``.
    """
    settings = app.settings
    admission = Admission(app.hub, app.trusts)
    defaults: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "lifespan": "off",
        "http": partial(HttpProtocol, admission),
        "h11_max_incomplete_event_size": MOST_HEAD_BYTES,
        "ws": SyncProtocol,
        "ws_max_size": settings.limits.max_frame_bytes,
        "ws_per_message_deflate": False,
        "ws_ping_interval": None,
        "ws_ping_timeout": None,
        "log_level": "warning",
        "access_log": False,
        "proxy_headers": False,  # the application knows whom to believe
        "ssl_certfile": settings.tls_cert,
        "ssl_keyfile": settings.tls_key,
        "ssl_keyfile_password": settings.tls_password(),
        "timeout_graceful_shutdown": max(1, int(settings.limits.farewell_timeout)),
        "server_header": False,
        "date_header": False,
    }
    config = uvicorn.Config(app, **{**defaults, **options})
    for name in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).addFilter(_without_queries)
    return Server(config, app, admission)


def _without_queries(record: logging.LogRecord) -> bool:
    """Cut query strings off the paths in a log record: clients are told not to put tokens there, and some will."""
    if isinstance(record.args, tuple):
        record.args = tuple(each.partition("?")[0] if isinstance(each, str) else each for each in record.args)
    return True


class AddressError(Exception):
    """The server cannot listen there; the message says why."""


def listen(host: str, port: int, *, share: bool = False) -> socket.socket:
    """Open a listening socket; port 0 takes any free one.

    Args:
        share: Let others that share, too, listen at the same address; the kernel spreads connections among them.

    Raises:
        AddressError: Another program listens there, or there is no such address here.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise AddressError(f"{host}: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressError(
                f"another program listens on {host}:{port} already; choose another with --port"
            ) from None
        raise AddressError(f"{host}:{port}: {error.strerror}") from None
    return listener
