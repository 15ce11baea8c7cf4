"""Mutations that outlive the program: written to the outbox before they are sent, taken out once they are answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synovia_client.arguments import checked
from synovia_client.callbacks import call_safely
from synovia_client.errors import FunctionError, OutboxError
from synovia_client.outbox import Entry, Outbox, Unreadable
from synovia_client.queries import LiveQuery
from synovia_client.requests import Request
from synovia_client.sync_state import SyncState
from synovia_client.uploads import Array, Upload
from synovia_protocol.errors import ErrorCode, WireValueError
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
    """Keeps a client's mutations in its outbox, and sends what earlier runs have left.

    A mutation goes out once the file says that it may have been sent. That is written for the present connection only, and
    taken back if the connection is lost before: of what has never been sent, the file does not say that it may have run.

    Args:
        on_recovered: Told of the outcome of mutations that nobody waits for.
    """

    def __init__(self, outbox: Outbox, sync: SyncState, on_recovered: OnRecovered | None) -> None:
        self.outbox = outbox
        self._sync = sync
        self._on_recovered = on_recovered
        self._held: dict[int, list[LiveQuery]] = {}
        self._unsent: dict[int, Request] = {}
        self._stamping: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what goes in

    def recover(self) -> None:
        """Put everything in line that an earlier run has left; what cannot be sent is reported, and holds up nothing."""
        for entry in self.outbox.entries():
            if isinstance(entry, Unreadable):
                self._give_up(entry.number, entry.path, {}, entry.reason)
                continue
            try:
                checked(entry.path, entry.args)
                self._take_in(entry)
            except (FunctionError, WireValueError) as error:
                self._give_up(entry.number, entry.path, entry.args, str(error))

    def _take_in(self, entry: Entry) -> None:
        held = [self._sync.hold(path, args) for path, args in entry.needs]
        upload = Upload(list(entry.arrays)) if entry.arrays else None
        request = Request(entry.number, "mutation", entry.path, entry.args, upload, held, needs_sign_in=entry.signed_in)
        request.kept = request.detached = True
        request.issued_at = entry.sent_at
        request.tried = request.stored = entry.sent_at is not None
        _ignore_if_unread(request)
        if not request.tried:
            self._unsent[entry.number] = request
        self._held[entry.number] = held
        self._sync.requests.take_in(request)

    def _give_up(self, number: int, path: str, args: dict[str, Any], reason: str) -> None:
        error = FunctionError(ErrorCode.INVALID_ARGUMENTS, f"what the outbox held cannot be sent: {reason}")
        self._spawn(self._remove(number))
        self._report(Recovered(number, path, args, error=error))

    async def keep(self, request: Request, arrays: list[tuple[ArrayRef, Array]]) -> Any:
        """Write a mutation to the file, send it, and wait for its answer.

        Raises:
            OutboxError: It could not be written, and is not sent.
        """
        _ignore_if_unread(request)
        needs = [(query.path, query.args) for query in request.needs]
        self._held[request.request_id] = [self._sync.hold(path, args) for path, args in needs]
        sent_at = self._now() if self._is_admitted(request) else None
        signed_in = request.needs_sign_in is not False
        entry = Entry(request.request_id, request.path, request.args, arrays, needs, sent_at, signed_in)
        writing = self._spawn(self._write(request, entry, self._sync.epoch))
        try:
            await asyncio.shield(writing)
            return await asyncio.shield(request.answer)
        except asyncio.CancelledError:
            request.detached = True
            if request.upload is not None:
                request.upload.abandon()
            raise

    async def _write(self, request: Request, entry: Entry, epoch: int | None) -> None:
        try:
            await self.outbox.add(entry)
        except OutboxError:
            self._release_queries(request)
            self._sync.requests.drop(request)
            raise
        self._unsent[request.request_id] = request
        if entry.sent_at is None:
            self.connected()
        else:
            self._may_go({request.request_id: request}, entry.sent_at, epoch)

    # --- what goes out

    def connected(self) -> None:
        """Write down that what waits may be sent from now on, and let it go then."""
        waiting = {
            number: request
            for number, request in self._unsent.items()
            if not request.stored and number not in self._stamping and self._is_admitted(request)
        }
        if waiting:
            self._stamping |= waiting.keys()
            self._spawn(self._stamp(waiting, self._now(), self._sync.epoch))

    def disconnected(self) -> None:
        """Take back what was written down of mutations that have not been sent after all."""
        self._unsent = {number: request for number, request in self._unsent.items() if not request.tried}
        self._take_back({number: request for number, request in self._unsent.items() if request.stored})

    def _is_admitted(self, request: Request) -> bool:
        sync = self._sync
        return sync.epoch is not None and (sync.requests.signed_in or request.needs_sign_in is False)

    def _now(self) -> int:
        return self._sync.time.now() or round(time.time() * 1000)

    async def _stamp(self, requests: dict[int, Request], now: int, epoch: int | None) -> None:
        try:
            await self.outbox.stamp(list(requests), now)
        except OutboxError as problem:
            logger.error("%s", problem)  # they wait for the next connection
            return
        finally:
            self._stamping -= requests.keys()
        self._may_go(requests, now, epoch)

    def _may_go(self, requests: dict[int, Request], now: int, epoch: int | None) -> None:
        if epoch != self._sync.epoch:
            self._take_back(requests)
            return
        for request in requests.values():
            request.issued_at, request.stored = now, True
        self._sync.ready.set()

    def _take_back(self, requests: dict[int, Request]) -> None:
        for request in requests.values():
            request.issued_at, request.stored = None, False
        if requests:
            self._spawn(self._unstamp(list(requests)))

    async def _unstamp(self, numbers: list[int]) -> None:
        try:
            await self.outbox.stamp(numbers, None)
        except OutboxError as problem:
            logger.error("%s", problem)  # should the program end now, they count as sent
        self.connected()

    # --- what comes back

    def answered(self, request: Request, result: Any, error: FunctionError | None) -> None:
        """Take a mutation out of the file, then report its outcome: a reported failure must not run after a restart."""
        self._release_queries(request)
        self._spawn(self._settle(request, result, error))

    async def _settle(self, request: Request, result: Any, error: FunctionError | None) -> None:
        await self._remove(request.request_id)
        if request.detached:
            self._report(Recovered(request.request_id, request.path, request.args, result, error))
        if error is not None:
            request.fail(error)
        else:
            request.succeed(result)

    async def _remove(self, number: int) -> None:
        try:
            await self.outbox.remove(number)
        except OutboxError as problem:
            logger.error("%s", problem)  # it will be sent again, and its record answers it

    def _report(self, recovered: Recovered) -> None:
        if recovered.error is not None:
            logger.warning("the mutation %s of earlier failed: %s", recovered.path, recovered.error)
        if self._on_recovered is not None:
            call_safely(self._on_recovered, recovered)

    def _release_queries(self, request: Request) -> None:
        self._unsent.pop(request.request_id, None)
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
        self._sync.epoch = None
        self.disconnected()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self.outbox.close()


def _ignore_if_unread(request: Request) -> None:
    """Keep asyncio from logging an answer that nobody looks at."""
    request.answer.add_done_callback(lambda answer: answer.cancelled() or answer.exception())
