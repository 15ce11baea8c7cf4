"""Mutations that outlive the program: written to the outbox before they are sent, taken out once they are answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synovia_client.callbacks import call_safely
from synovia_client.errors import FunctionError, OutboxError
from synovia_client.outbox import Entry, Outbox
from synovia_client.queries import LiveQuery
from synovia_client.requests import Request
from synovia_client.sync_state import SyncState
from synovia_client.uploads import Array, Upload
from synovia_protocol.messages import ArrayRef

logger = logging.getLogger("synovia_client")


@dataclass(frozen=True, slots=True)
class Recovered:
    """The outcome of a mutation that nobody waits for: one of an earlier run, or one whose caller gave up.

    Attributes:
        number: Its request number.
        error: Why it failed and changed nothing; with the code ``request_expired`` nobody knows whether it ever ran.
    """

    number: int
    path: str
    args: dict[str, Any]
    result: Any = None
    error: FunctionError | None = None


OnRecovered = Callable[[Recovered], object]


class OutboxRecovery:
    """Keeps a client's mutations in its outbox.

    Args:
        on_recovered: Told of the outcome of mutations that nobody waits for.
    """

    def __init__(self, outbox: Outbox, sync: SyncState, on_recovered: OnRecovered | None) -> None:
        self.outbox = outbox
        self._sync = sync
        self._on_recovered = on_recovered
        self._held: dict[int, list[LiveQuery]] = {}
        self._unstamped: dict[int, Request] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def recover(self) -> None:
        """Put everything in line that an earlier run has left."""
        for entry in self.outbox.entries():
            held = self._held[entry.number] = [self._sync.hold(path, args) for path, args in entry.needs]
            upload = Upload(list(entry.arrays)) if entry.arrays else None
            request = Request(entry.number, "mutation", entry.path, entry.args, upload, held)
            request.kept = request.alone = True
            request.issued_at = entry.issued_at
            request.tried = entry.issued_at is not None
            request.stored = request.tried
            _ignore_if_unread(request)
            if not request.stored:
                self._unstamped[entry.number] = request
            self._sync.requests.take_in(request)

    async def keep(self, request: Request, arrays: list[tuple[ArrayRef, Array]]) -> Any:
        """Write a mutation to the file, send it, and wait for its answer.

        Raises:
            OutboxError: It could not be written, and is not sent.
        """
        _ignore_if_unread(request)
        needs = [(query.path, query.args) for query in request.needs]
        self._held[request.request_id] = [self._sync.hold(path, args) for path, args in needs]
        issued_at = self._sync.time.now()
        entry = Entry(request.request_id, request.path, request.args, arrays, needs, issued_at)
        writing = self._spawn(self._write(request, entry))
        try:
            await asyncio.shield(writing)
            return await asyncio.shield(request.answer)
        except asyncio.CancelledError:
            request.alone = True
            if request.upload is not None:
                request.upload.abandon()
            raise

    async def _write(self, request: Request, entry: Entry) -> None:
        try:
            await self.outbox.add(entry)
        except OutboxError:
            self._release_queries(request)
            self._sync.requests.drop(request)
            raise
        request.issued_at = entry.issued_at
        request.stored = entry.issued_at is not None
        if not request.stored:
            self._unstamped[request.request_id] = request
            if self._sync.time.now() is not None:
                self.welcomed()
        self._sync.ready.set()

    def welcomed(self) -> None:
        """The server's time is known now: what was kept without it gets its time before it is sent for the first time."""
        if self._unstamped:
            self._spawn(self._stamp(dict(self._unstamped)))
            self._unstamped.clear()

    async def _stamp(self, requests: dict[int, Request]) -> None:
        now = self._sync.time.now() or round(time.time() * 1000)
        try:
            await self.outbox.stamp(list(requests), now)
        except OutboxError as problem:
            logger.error("%s", problem)
            self._unstamped |= requests  # they wait for the next welcome
            return
        for request in requests.values():
            request.issued_at = now
            request.stored = True
        self._sync.ready.set()

    def answered(self, request: Request, result: Any, error: FunctionError | None) -> None:
        """Take a mutation out of the file, then report its outcome: a reported failure must not run after a restart."""
        self._release_queries(request)
        self._spawn(self._settle(request, result, error))

    async def _settle(self, request: Request, result: Any, error: FunctionError | None) -> None:
        try:
            await self.outbox.remove(request.request_id)
        except OutboxError as problem:
            logger.error("%s", problem)  # it will be sent again, and its record answers it
        if request.alone:
            self._report(Recovered(request.request_id, request.path, request.args, result, error))
        if error is not None:
            request.fail(error)
        else:
            request.succeed(result)

    def _report(self, recovered: Recovered) -> None:
        if recovered.error is not None:
            logger.warning("the mutation %s of earlier failed: %s", recovered.path, recovered.error)
        if self._on_recovered is not None:
            call_safely(self._on_recovered, recovered)

    def _release_queries(self, request: Request) -> None:
        self._unstamped.pop(request.request_id, None)
        for query in self._held.pop(request.request_id, ()):
            self._sync.release(query)

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and not isinstance(task.exception(), OutboxError):
            logger.error("the outbox failed", exc_info=task.exception())

    async def close(self) -> None:
        """Finish what is being written, and let go of the file."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        await self.outbox.close()


def _ignore_if_unread(request: Request) -> None:
    """Keep asyncio from logging an answer that nobody looks at."""
    request.answer.add_done_callback(lambda answer: answer.cancelled() or answer.exception())
