"""The few calls the store makes to the driver, PyMongo's asyncio API. Almost everything is a database command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final, TypeVar

from bson import CodecOptions
from bson.codec_options import DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from synovia.schema.specs import Document
from synovia.store.base import StoreUnavailable, StoreUnusable
from synovia.store.mongo.errors import address_refused, is_transient, translated
from synovia.store.mongo.interruptible import make_waits_interruptible
from synovia.store.mongo.wire import Primary, Wire, is_possible
from synovia.tasks import end

T = TypeVar("T")

CODEC: Final[CodecOptions[Document]] = CodecOptions(
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,  # a year beyond 9999 must not stop the log
    unicode_decode_error_handler="replace",
)

RAW: Final = CodecOptions(RawBSONDocument, tz_aware=True)
"""Decodes a reply only where it is looked at: one document that cannot be decoded then does not take the others along."""

_RAW_BATCH: Final = 500
FEWEST_CONNECTIONS: Final = 2
"""The log of commits keeps one for itself, on which the server answers when something has happened."""
MOST_LONG_READS: Final = 4
"""So many long reads go on at the server at a time: they keep a hub busy, which decodes what comes, and more of them would
only take the server's processor time from everybody's short commands."""

make_waits_interruptible()


def pauses(deadline: asyncio.Timeout | None = None) -> Iterator[float]:
    """Give the seconds to wait between one attempt and the next: doubling, never more than a second.

    Args:
        deadline: What ends the attempts. It does so by a cancellation, which the driver can lose (see ``tasks.end``).

    Raises:
        TimeoutError: The deadline has passed all the same.
    """
    pause = 0.02
    while True:
        if deadline is not None and deadline.expired():
            raise TimeoutError
        yield pause
        pause = min(2 * pause, 1.0)


class Driver:
    """One database of one client.

    Args:
        client: An ``AsyncMongoClient``, or a URI to make a client for.
        database: The database's name; None takes the one in the URI, or ``synovia``.
        timeout: Seconds until a database that does not answer counts as unavailable.

    Raises:
        StoreUnusable: There is no such address, or the client has a single connection.
    """

    def __init__(self, client: Any, database: str | None, timeout: float) -> None:
        self.timeout = timeout
        self._owned = isinstance(client, str)
        try:
            self.client: Any = _client_of(client, timeout) if self._owned else client
            name = database or self.client.get_default_database("synovia").name
            self.application_name = f"synovia {name}"
            if self._owned:  # the name is known only now, and nothing has been opened yet
                self.client = _client_of(client, timeout, appname=self.application_name)
        except Exception as error:
            raise address_refused(error) from error
        most = self.client.options.pool_options.max_pool_size
        if most is not None and most < FEWEST_CONNECTIONS:
            raise StoreUnusable(
                f"maxPoolSize={most} leaves no connection to commits, as the log of commits has one for itself:"
                f" let it be {FEWEST_CONNECTIONS} or more, or leave it out"
            )
        self.database: Any = self.client[name].with_options(codec_options=CODEC)
        self.name: str = name
        self.closed = False
        self.long_reads = asyncio.Semaphore(MOST_LONG_READS)
        self._background: set[asyncio.Task[Any]] = set()
        self._primary = Primary(self.client, name) if is_possible(self.client) else None

    async def close(self) -> None:
        self.closed = True
        await end(self._background)
        if self._primary is not None:
            await self._primary.close()
        if self._owned:
            await self.client.close()

    def collection(self, name: str) -> Any:
        return self.database[name]

    async def command(
        self,
        command: Mapping[str, Any],
        *,
        session: Any = None,
        on: str | None = None,
        codec: CodecOptions[Any] = CODEC,
    ) -> Document:
        """Run one command on the primary, in the store's database or in another one; give its reply."""
        database = self.client[on] if on else self.database
        self._check_open()
        reply: Document = await database.command(command, codec_options=codec, session=session)
        return reply

    async def short_command(self, command: Document, codec: CodecOptions[Any] = CODEC) -> Document:
        """Run one command on the primary, with as little beside it as possible; give its reply."""
        async with self.wire() as wire:
            if wire is not None:
                (reply,) = await wire.run([command], codec)
                wire.check(reply)
                return reply
        return await self.command(command, codec=codec)

    def wire(self) -> AbstractAsyncContextManager[Wire | None]:
        """Take a connection to the primary for a block of commands; None: they have to go through ``command``."""
        self._check_open()
        return nullcontext() if self._primary is None else self._primary.wire()

    async def take_wire(self) -> Wire | None:
        """Take a connection to the primary, which is to be left there; None: commands have to go through ``command``."""
        self._check_open()
        return None if self._primary is None else await self._primary.take()

    async def leave_wire(self, wire: Wire, error: BaseException | None = None) -> None:
        """Leave what was taken, with its session, to whoever takes one next, and tell what it has failed with."""
        if self._primary is not None:
            await self._primary.leave(wire, error)

    def in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something that nobody waits for; it is ended when the driver is closed."""
        self._begun(work, name).add_done_callback(self._background.discard)

    async def to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something that goes on when its caller is cancelled: amid a command that costs a connection.

        Raises:
            StoreUnavailable: The driver was closed.
        """
        task = self._begun(work, "to its end")
        task.add_done_callback(self._let_go)
        await asyncio.wait([task])
        if task.cancelled():
            raise StoreUnavailable("the store was closed")
        return task.result()

    def _begun(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        self._background.add(task)
        return task

    def _let_go(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()  # perhaps nobody waits for it any more

    async def raw(self, collection: str) -> AsyncIterator[bytes]:
        """Read a whole collection as the server sends it: BSON documents one after the other, some in each piece.

        Raises:
            StoreError: The database failed on the way.
        """
        self._check_open()
        whole = self.database[collection].with_options(read_concern=ReadConcern("majority"))
        try:
            async for piece in whole.find_raw_batches({}, batch_size=_RAW_BATCH):
                yield piece
        except PyMongoError as error:
            raise translated(error) from error

    def _check_open(self) -> None:
        if self.closed:
            raise StoreUnavailable("the store was closed")

    async def reading(self, read: Callable[[], Awaitable[T]]) -> T:
        """Run ``read``, again after a lost connection or a change of primary, until the deadline.

        Raises:
            StoreError: What it failed with, in the store's terms.
        """
        latest: Exception | None = None
        try:
            async with asyncio.timeout(self.timeout) as deadline:
                for pause in pauses(deadline):
                    try:
                        return await read()
                    except Exception as error:
                        if not is_transient(error):
                            raise
                        latest = error
                    await asyncio.sleep(pause)
        except Exception as error:
            raise translated(latest if latest and isinstance(error, TimeoutError) else error) from error
        raise AssertionError("pauses never end")

    async def begin_session(self) -> Any:
        """Begin a session, which whoever has it has to end."""
        return self.client.start_session(causal_consistency=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        """Give a session, and end it (which aborts what it has not committed)."""
        session = await self.begin_session()
        try:
            yield session
        finally:
            await session.end_session()


def _client_of(uri: str, timeout: float, **options: Any) -> AsyncMongoClient[Document]:
    options["timeoutMS"] = None  # that one would stretch every getMore
    if "serverselectiontimeoutms" not in uri.lower():
        options["serverSelectionTimeoutMS"] = int(timeout * 500)
    client: AsyncMongoClient[Document] = AsyncMongoClient(uri, **options)
    return client
