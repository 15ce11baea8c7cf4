"""A synchronous face for scripts and GUI threads: the same client, on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from concurrent.futures import Future
from typing import Any, Self, TypeVar, overload

from synovia_client.calls import ActionCall, MutationCall, QueryCall, spelled_out
from synovia_client.client import Client
from synovia_client.errors import ClientClosed, SynoviaError
from synovia_client.loop_thread import LoopThread
from synovia_client.settings import DEFAULT, TimeLimit
from synovia_client.state import ConnectionState
from synovia_client.uploads import Array, Progress
from synovia_protocol.messages import ArrayRef

T = TypeVar("T")
Call = Callable[[Callable[[], None]], object]
OnValue = Callable[[Any], object]
OnError = Callable[[SynoviaError], object]

logger = logging.getLogger("synovia_client")


class SubscriptionHandle:
    """A running subscription; ``close`` ends it."""

    def __init__(self, call: Call, on_value: OnValue, on_error: OnError | None) -> None:
        self._call = call
        self._on_value = on_value
        self._on_error = on_error
        self._closed = False
        self._task: Future[None] | None = None

    def start(self, outcomes: AsyncIterable[Any], thread: LoopThread) -> None:
        """Begin to call back with what comes."""
        self._task = thread.submit(self._run(outcomes))

    def close(self) -> None:
        """End the subscription: no callback begins after this. May be called twice, and from any thread."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self, outcomes: AsyncIterable[Any]) -> None:
        try:
            async for outcome in outcomes:
                self._deliver(outcome)
        except ClientClosed:
            return  # the program has closed it, and need not be told
        except SynoviaError as error:
            self._deliver(error)

    def _deliver(self, outcome: Any) -> None:
        try:
            self._call(lambda: self._call_back(outcome))
        except Exception:
            logger.exception("handing a result to its callback failed")

    def _call_back(self, outcome: Any) -> None:
        if self._closed:
            return
        try:
            if not isinstance(outcome, SynoviaError):
                self._on_value(outcome)
            elif self._on_error is not None:
                self._on_error(outcome)
            else:
                logger.warning("a subscription failed: %s", outcome)
        except Exception:
            logger.exception("the callback of a subscription failed")


class BlockingClient:
    """Calls that wait for their answers, and subscriptions that call back; connects at once, until ``close``.

    Args:
        url: As for ``Client``; every other argument of ``Client`` may be given too.
        call: Takes a function without arguments and runs it where callbacks belong, as ``root.after_idle`` of Tk or a queued
            signal of Qt does; without it callbacks run on the client's own thread.
        stall_timeout: Seconds after which a call that waits gives up on the client's thread, should a callback hold it up.
    """

    def __init__(self, url: str, *, call: Call | None = None, stall_timeout: float = 10.0, **options: Any) -> None:
        self._client = Client(url, **options)
        self._call: Call = call or _at_once
        self._thread = LoopThread("synovia-client", stall_timeout)
        self._closed = False
        self._thread.wait(self._client.open())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and end the thread; may be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._thread.wait(self._shut())
        finally:
            self._thread.stop()

    async def _shut(self) -> None:
        await self._client.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._thread.loop.shutdown_asyncgens()

    @property
    def state(self) -> ConnectionState:
        return self._client.state

    def connected(self, timeout: TimeLimit = DEFAULT) -> None:
        """Wait for the connection; RequestTimeout if it takes longer."""
        self._thread.wait(self._client.connected(timeout))

    @overload
    def query(self, call: QueryCall[T], /, *, timeout: TimeLimit = DEFAULT) -> T: ...
    @overload
    def query(self, path: str, args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT) -> Any: ...
    def query(
        self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT
    ) -> Any:
        """Run a query once and give its result."""
        return self._thread.wait(self._client.query(*spelled_out(path, args, "query"), timeout=timeout))

    @overload
    def mutation(
        self, call: MutationCall[T], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> T: ...
    @overload
    def mutation(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any: ...
    def mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any:
        """Run a mutation, exactly once, and give its result."""
        return self._thread.wait(
            self._client.mutation(*spelled_out(path, args, "mutation"), timeout=timeout, on_progress=on_progress)
        )

    @overload
    def action(
        self, call: ActionCall[T], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> T: ...
    @overload
    def action(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any: ...
    def action(
        self,
        path: str | ActionCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any:
        """Run an action, at most once, and give its result."""
        return self._thread.wait(
            self._client.action(*spelled_out(path, args, "action"), timeout=timeout, on_progress=on_progress)
        )

    @overload
    def submit_query(self, call: QueryCall[T], /, *, timeout: TimeLimit = DEFAULT) -> Future[T]: ...
    @overload
    def submit_query(
        self, path: str, args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT
    ) -> Future[Any]: ...
    def submit_query(
        self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT
    ) -> Future[Any]:
        """Run a query once; see ``submit_mutation`` for what is given back."""
        return self._thread.submit(self._client.query(*spelled_out(path, args, "query"), timeout=timeout))

    @overload
    def submit_mutation(
        self, call: MutationCall[T], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> Future[T]: ...
    @overload
    def submit_mutation(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Any]: ...
    def submit_mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Any]:
        """Run a mutation without waiting for it; mutations go out in the order of the calls.

        Returns:
            A future of ``concurrent.futures``: its result, or its error, which says where the call was made. Its callbacks
            run on the client's thread; to cancel it is to wait no longer.
        """
        calling = self._client.mutation(*spelled_out(path, args, "mutation"), timeout=timeout, on_progress=on_progress)
        return self._thread.submit(calling)

    @overload
    def submit_action(
        self, call: ActionCall[T], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> Future[T]: ...
    @overload
    def submit_action(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Any]: ...
    def submit_action(
        self,
        path: str | ActionCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Any]:
        """Run an action without waiting for it; see ``submit_mutation`` for what is given back."""
        calling = self._client.action(*spelled_out(path, args, "action"), timeout=timeout, on_progress=on_progress)
        return self._thread.submit(calling)

    def submit_array(
        self,
        ref: ArrayRef,
        start: int = 0,
        stop: int | None = None,
        *,
        points: int | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Array]:
        """Fetch an array without waiting for it; see ``array``, and ``submit_mutation`` for what is given back."""
        return self._thread.submit(
            self._client.array(ref, start, stop, points=points, timeout=timeout, on_progress=on_progress)
        )

    def array(
        self,
        ref: ArrayRef,
        start: int = 0,
        stop: int | None = None,
        *,
        points: int | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Array:
        """Fetch an array, or a part of it, or its outline; see ``Client.array``."""
        return self._thread.wait(
            self._client.array(ref, start, stop, points=points, timeout=timeout, on_progress=on_progress)
        )

    def authenticate(self, token: str | None) -> None:
        """Sign in with another token, or out with None."""
        self._thread.wait(self._client.authenticate(token))

    @overload
    def subscribe(
        self, call: QueryCall[T], /, args: None, callback: Callable[[T], object], on_error: OnError | None = None
    ) -> SubscriptionHandle: ...
    @overload
    def subscribe(
        self, path: str, args: dict[str, Any] | None, callback: OnValue, on_error: OnError | None = None
    ) -> SubscriptionHandle: ...
    def subscribe(
        self,
        path: str | QueryCall[Any],
        args: dict[str, Any] | None,
        callback: OnValue,
        on_error: OnError | None = None,
    ) -> SubscriptionHandle:
        """Call back with the present value and each new one.

        Args:
            callback: Gets the value; runs through ``call``.
            on_error: Gets a FunctionError each time the query fails, and any other error once, as the last call.
        """
        handle = SubscriptionHandle(self._call, callback, on_error)
        handle.start(self._client.subscribe(*spelled_out(path, args, "query")).outcomes(), self._thread)
        return handle


def _at_once(callback: Callable[[], None]) -> None:
    callback()
