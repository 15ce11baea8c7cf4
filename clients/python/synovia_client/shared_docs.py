"""A document of Yjs (pycrdt) that is the same for all who have it open, by a query and a mutation of the application."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from synovia_client.callbacks import Listeners, Unsubscribe, report
from synovia_client.change_counter import ChangeCounter
from synovia_client.errors import ClientClosed, FunctionError, SynoviaError
from synovia_client.settings import TimeLimit
from synovia_client.subscription import Subscription
from synovia_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from pycrdt import Doc

HOW: Final = "shared documents need pycrdt: pip install 'synovia-client[shared]'"
PAUSE: Final = 0.05
"""Seconds at least between two updates that are sent: what is changed meanwhile goes together."""
RETRY_SECONDS: Final = 2.0
_NOTHING: Final = b"\0\0"
_OF_THE_CALLER: Final = frozenset({ErrorCode.UNAUTHENTICATED, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND})


class Calls(Protocol):
    """The part of a client that is needed here."""

    async def query(self, path: str, args: dict[str, Any] | None = None, *, timeout: TimeLimit = ...) -> Any: ...
    async def mutation(self, path: str, args: dict[str, Any] | None = None, *, timeout: TimeLimit = ...) -> Any: ...
    def subscribe(self, path: str, args: dict[str, Any] | None = None) -> Subscription[Any]: ...


def new_doc() -> Doc[Any]:
    """Make a document that may be used on any thread.

    Raises:
        ImportError: pycrdt is not installed.
    """
    try:
        from pycrdt import Doc
    except ImportError as error:
        raise ImportError(HOW) from error
    return Doc(allow_multithreading=True)


class SharedDoc:
    """A shared document while somebody is inside ``async with``, which waits until it is what the server has.

    What is changed in ``doc`` is sent, in order, also after a time without connection; what others change appears in it.

    Args:
        doc: By default a new one; it may have changes that the server lacks.

    Attributes:
        doc: The document of pycrdt.
        changed: Counts what others have changed, and each other ``synced``, ``saved`` and ``error``.
    """

    def __init__(
        self, calls: Calls, query: str, mutation: str, args: Mapping[str, Any], doc: Doc[Any] | None = None
    ) -> None:
        self.doc: Doc[Any] = new_doc() if doc is None else doc
        self.changed = ChangeCounter()
        self.watchers: Listeners[SharedDoc] = Listeners()
        self._calls = calls
        self._query = query
        self._mutation = mutation
        self._args = dict(args)
        self._lock = threading.RLock()
        self._applying = False
        self._updates: list[bytes] = []
        self._in_flight = False
        self._is_open = False
        self._reading: SynoviaError | None = None
        self._refused: SynoviaError | None = None
        self._wake = asyncio.Event()
        self._again = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._observed: Any = None

    @property
    def synced(self) -> bool:
        """Whether the document was what the server has when that was last told, but for changes on their way."""
        return self._is_open and self._reading is None

    @property
    def saved(self) -> bool:
        """Whether everything that was changed here is kept by the server."""
        return not self._updates and not self._in_flight

    @property
    def error(self) -> SynoviaError | None:
        """Why the document cannot be read or changed; None if it can."""
        return self._reading or self._refused

    @contextmanager
    def edit(self) -> Iterator[Doc[Any]]:
        """Change the document in one step; the way to do that, and to look at it, from other threads."""
        with self._lock, self.doc.transaction():
            yield self.doc

    def on_change(self, callback: Callable[[SharedDoc], object]) -> Unsubscribe:
        """Be told of what ``changed`` counts."""
        return self.watchers.add(callback)

    async def until_saved(self) -> None:
        """Wait until the server has everything.

        Raises:
            FunctionError: It takes something not.
        """
        while not self.saved:
            if self._refused is not None:
                raise self._refused
            await self.changed.after(self.changed.count)

    async def __aenter__(self) -> Self:
        self.begin()
        try:
            while not self.synced:
                if self._reading is not None:
                    raise self._reading
                await self.changed.after(self.changed.count)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self.end():
            await asyncio.gather(task, return_exceptions=True)

    def begin(self) -> None:
        """Begin to keep it the same, without waiting; on the loop's thread."""
        self._loop = asyncio.get_running_loop()
        self._observed = self.doc.observe(self._note)
        self._tasks = [
            asyncio.create_task(self._told(each), name="shared document") for each in (self._follow, self._push)
        ]

    def end(self) -> list[asyncio.Task[None]]:
        """Stop that; give what is still ending."""
        if self._observed is not None:
            self.doc.unobserve(self._observed)
            self._observed = None
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        self._is_open = False
        return tasks

    async def _told(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except Exception as error:
            report(error)
            self._unread(SynoviaError(f"the shared document cannot be followed: {error}"))

    # --- what is changed here

    def _note(self, event: Any) -> None:
        if self._applying or event.update == _NOTHING:
            return
        self._updates.append(bytes(event.update))
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _push(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._refused is not None and self._is_open and self._updates:
                await asyncio.sleep(RETRY_SECONDS)  # what was refused may have shrunk since
                self._again.set()
            while self._is_open and self._updates and self._refused is None:
                await self._send()
                await asyncio.sleep(PAUSE)

    async def _send(self) -> None:
        with self._lock:
            sent, self._updates = self._updates, []
            self._in_flight = True
        try:
            args = {**self._args, "update": _merged(sent)}
            await self._calls.mutation(self._mutation, args, timeout=None)
        except SynoviaError as error:
            with self._lock:
                self._updates = [*sent, *self._updates]
            if isinstance(error, ClientClosed):
                return
            self._refused = error
            if _passes(error):
                self._wake.set()
        finally:
            self._in_flight = False
            self._tell()

    # --- what others change

    async def _follow(self) -> None:
        while True:
            try:
                found = await self._calls.query(self._query, dict(self._args), timeout=None)
            except ClientClosed:
                return
            except SynoviaError as error:
                self._unread(error)
                await self._until_readable(error)
                continue
            self._open([*(found.get("states") or ()), *found["updates"].values()])
            await self._follow_from(found["segment"], set(found["updates"]))

    def _unread(self, error: SynoviaError | None) -> None:
        self._reading = error
        self._tell()

    async def _until_readable(self, error: SynoviaError) -> None:
        if not (isinstance(error, FunctionError) and error.code in _OF_THE_CALLER):
            await asyncio.sleep(RETRY_SECONDS)
            return
        async for outcome in self._calls.subscribe(self._query, {**self._args, "since": 0}).outcomes():
            if not isinstance(outcome, FunctionError):
                return

    async def _follow_from(self, segment: int, seen: set[str]) -> None:
        """Follow segment after segment, until the document is to be asked for anew."""
        self._again.clear()
        while True:
            args = {**self._args, "since": segment}
            following = asyncio.create_task(self._follow_segment(self._calls.subscribe(self._query, args), seen))
            again = asyncio.create_task(self._again.wait())
            try:
                await asyncio.wait((following, again), return_when=asyncio.FIRST_COMPLETED)
                following_segment = following.result() if following.done() else None
            finally:
                for task in (following, again):
                    task.cancel()
                await asyncio.gather(following, again, return_exceptions=True)
            if following_segment is None:
                return
            segment = following_segment
            seen.clear()

    async def _follow_segment(self, subscription: Subscription[Any], seen: set[str]) -> int | None:
        """Take what comes in a segment; give the one that follows it, None if all is to be asked for anew."""
        async for changes in subscription.outcomes():
            if isinstance(changes, FunctionError):
                self._unread(changes)
                continue
            if self._reading is not None or changes.get("gone"):
                return None
            new = [key for key in changes["updates"] if key not in seen]
            seen.update(new)
            self._apply([changes["updates"][key] for key in new])
            if changes.get("next") is not None:
                return int(changes["next"])
        return None

    def _open(self, updates: Sequence[bytes]) -> None:
        """Take what the server has, and find out what it lacks of this document."""
        from pycrdt import Doc

        theirs: Doc[Any] = Doc()
        for update in updates:
            theirs.apply_update(update)
        lacking: list[bytes] = []
        observed = theirs.observe(lambda event: lacking.append(bytes(event.update)))
        with self._lock:
            theirs.apply_update(self.doc.get_update(theirs.get_state()))
            theirs.unobserve(observed)
            self._updates = [update for update in lacking if update != _NOTHING]
            self._apply(updates, tell=False)
        self._reading = self._refused = None
        self._is_open = True
        self._wake.set()
        self._tell()

    def _apply(self, updates: Sequence[bytes], *, tell: bool = True) -> None:
        if not updates:
            return
        with self._lock:
            self._applying = True
            try:
                self.doc.apply_update(_merged(updates))
            finally:
                self._applying = False
        if tell:
            self._tell()

    def _tell(self) -> None:
        self.changed.bump()
        self.watchers.emit(self)


def _merged(updates: Sequence[bytes]) -> bytes:
    from pycrdt import merge_updates

    return updates[0] if len(updates) == 1 else bytes(merge_updates(*updates))


def _passes(error: SynoviaError) -> bool:
    """Tell whether an error may be gone by itself."""
    return not isinstance(error, FunctionError) or error.code in (
        ErrorCode.OVERLOADED, ErrorCode.SERVER_ERROR, ErrorCode.TIMEOUT, ErrorCode.RATE_LIMITED, ErrorCode.LIMIT_EXCEEDED,
    )  # fmt: skip
