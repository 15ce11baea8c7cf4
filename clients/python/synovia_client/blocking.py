"""A synchronous face for scripts and GUI threads: the same client, on a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from synovia_client.blocking_calls import BlockingCalls
from synovia_client.callbacks import Unsubscribe
from synovia_client.calls import QueryCall, spelled_out
from synovia_client.changes import Transition
from synovia_client.client import Client
from synovia_client.credentials import Token
from synovia_client.delivery import (
    Call,
    Delivery,
    OnChange,
    OnError,
    OnValue,
    PaginatedHandle,
    SubscriptionHandle,
    TransitionReceiver,
)
from synovia_client.errors import AuthenticationError, SynoviaError
from synovia_client.loop_thread import LoopThread
from synovia_client.presence_handle import OnMembers, PresenceHandle
from synovia_client.settings import DEFAULT, TimeLimit
from synovia_client.shared_doc_handle import OnShared, SharedDocHandle
from synovia_client.state import ConnectionState
from synovia_client.subscription import Subscription
from synovia_client.tokens import AuthState
from synovia_client.view import Shown

if TYPE_CHECKING:
    from pycrdt import Doc

T = TypeVar("T")


class BlockingClient(BlockingCalls):
    """Calls that wait for their answers, and subscriptions that call back; connects at once, until ``close``.

    What changes together is told in one go through ``call``; while that has not run, what comes later joins it.

    Args:
        url: As for ``Client``; every other argument of ``Client`` may be given too.
        call: Takes a function without arguments and runs it where callbacks belong, as ``root.after_idle`` of Tk or a queued
            signal of Qt does; without it callbacks run on the client's own thread.
        stall_timeout: Seconds after which a call that waits gives up on the client's thread, should a callback hold it up.
    """

    def __init__(self, url: str, *, call: Call | None = None, stall_timeout: float = 10.0, **options: Any) -> None:
        super().__init__(Client(url, **options), LoopThread("synovia-client", stall_timeout))
        self._delivery = Delivery(call or _at_once)
        self._handles: set[SubscriptionHandle] = set()
        self._transitions: dict[TransitionReceiver, None] = {}
        self._closed = False
        self._client.on_state_change(self._state_changed)
        self._client._sync.view.told.add(self._shown)
        self._thread.wait(self._client.open())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and end the thread: nothing is called any more. May be called twice.

        Raises:
            RuntimeError: This is a callback on the thread that is to end.
        """
        if self._closed:
            return
        if self._thread.is_current:
            raise RuntimeError("a callback on the client's thread cannot end that thread; give the client call=")
        self._closed = True
        self._delivery.close()
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
    def client(self) -> Client:
        """The client below; to be called on its own thread only (``submit``)."""
        return self._client

    # --- the connection

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.client.url}: {self.state}>"

    @property
    def state(self) -> ConnectionState:
        """The state of the connection now."""
        return self._client.state

    @property
    def trouble(self) -> str | None:
        """Why there is no connection, for people; None while there is one."""
        return self._client.trouble

    @property
    def unanswered(self) -> int:
        """How many mutations and actions have no answer yet."""
        return self._client.unanswered

    @property
    def in_outbox(self) -> int:
        """How many mutations the outbox holds on the disk; 0 without one."""
        return self._client.in_outbox

    def on_state_change(self, callback: Callable[[ConnectionState], object]) -> Unsubscribe:
        """Be told of each new state of the connection before ``closed``, and of each attempt to connect that failed."""
        return self._client.on_state_change(lambda state: self._delivery.call_later(lambda: callback(state)))

    def connected(self, timeout: TimeLimit = DEFAULT) -> None:
        """Wait for the connection; RequestTimeout if it takes longer."""
        self._thread.wait(self._client.connected(timeout))

    def connect_now(self) -> None:
        """Try to connect at once, if the client waits before it tries again; ClientClosed if it is closed."""
        self._thread.call(self._client._loop.connect_now)

    # --- signing in

    @property
    def auth(self) -> AuthState:
        """Who the server takes the client for; the same object as long as nothing changes."""
        return self._client.auth

    @property
    def auth_error(self) -> AuthenticationError | None:
        """Why the server did not take the token; None when it did."""
        return self._client.auth_error

    def on_auth_change(self, callback: Callable[[AuthState], object]) -> Unsubscribe:
        """Be told when ``auth`` is another."""
        return self._client.on_auth_change(lambda auth: self._delivery.call_later(lambda: callback(auth)))

    def authenticate(self, token: Token, timeout: TimeLimit = DEFAULT) -> None:
        """Sign in with another token, or out with None; AuthenticationError if the server does not accept it."""
        self._thread.wait(self._client.authenticate(token, timeout=timeout))

    def sign_out(self, timeout: TimeLimit = DEFAULT) -> None:
        """Sign out: forget all tokens, end the session at the server if there is one, and become anonymous."""
        self._thread.wait(self._client.sign_out(timeout=timeout))

    def submit_authenticate(self, token: Token) -> Future[None]:
        """Sign in or out without waiting; see ``authenticate``, and ``submit_mutation`` for what is given back."""
        return self._thread.submit(self._client.authenticate(token))

    def submit_sign_out(self) -> Future[None]:
        """Sign out without waiting; see ``sign_out``, and ``submit_mutation`` for what is given back."""
        return self._thread.submit(self._client.sign_out())

    def submit(self, call: Callable[[Client], Coroutine[Any, Any, T]]) -> Future[T]:
        """Run a coroutine function of the client on its thread: what has no method here, as ``DesktopSignIn``.

        Raises:
            ClientClosed: The client is closed.
        """

        async def run() -> T:
            return await call(self._client)

        return self._thread.submit(run())

    # --- subscriptions

    @overload
    def subscribe(
        self,
        call: QueryCall[T],
        /,
        args: None,
        callback: Callable[[T], object] | None = None,
        on_error: OnError | None = None,
        *,
        on_change: OnChange | None = None,
    ) -> SubscriptionHandle: ...
    @overload
    def subscribe(
        self,
        path: str,
        args: dict[str, Any] | None,
        callback: OnValue | None = None,
        on_error: OnError | None = None,
        *,
        on_change: OnChange | None = None,
    ) -> SubscriptionHandle: ...
    def subscribe(
        self,
        path: str | QueryCall[Any],
        args: dict[str, Any] | None,
        callback: OnValue | None = None,
        on_error: OnError | None = None,
        *,
        on_change: OnChange | None = None,
    ) -> SubscriptionHandle:
        """Call back with the present value and each new one.

        Args:
            callback: Gets the value; runs through ``call``.
            on_error: Gets a FunctionError each time the query fails, and any other error once, as the last call.
            on_change: Gets a ``Change``: the value, and the exact edits that lead to it from the one told before.
        """
        handle = SubscriptionHandle(self._delivery, callback, on_change, on_error)
        self._begin(handle, self._client.subscribe(*spelled_out(path, args, "query")))
        return handle

    def presence(
        self,
        path: str | QueryCall[Any],
        args: dict[str, Any] | None = None,
        callback: OnMembers | None = None,
        *,
        state: Any = None,
    ) -> PresenceHandle:
        """Be in the room of a query, and call back with who is there each time that this changes; see ``Client.presence``.

        Raises:
            FunctionError: ``invalid_arguments``: the arguments or the state cannot be sent.
            ClientClosed: The client is closed.
        """
        presence = self._client.presence(*spelled_out(path, args, "query"), state=state)
        return PresenceHandle(presence, self._thread, self._delivery, callback)

    def shared_doc(
        self,
        query: str,
        mutation: str,
        args: dict[str, Any] | None = None,
        callback: OnShared | None = None,
        *,
        doc: Doc[Any] | None = None,
    ) -> SharedDocHandle:
        """Open a document that several people edit at once, and call back each time that others have changed it.

        Args:
            doc: One of pycrdt that is there already, made with ``allow_multithreading=True``.

        Raises:
            FunctionError: ``invalid_arguments``: the arguments cannot be sent.
            ImportError: pycrdt is not installed.
            ClientClosed: The client is closed.
        """
        shared = self._client.shared_doc(query, mutation, args, doc=doc)
        return SharedDocHandle(shared, self._thread, self._delivery, callback)

    def subscribe_pages(
        self,
        path: str,
        args: dict[str, Any] | None,
        callback: OnValue | None = None,
        on_error: OnError | None = None,
        *,
        page_size: int,
        size_name: str = "limit",
        on_change: OnChange | None = None,
    ) -> PaginatedHandle:
        """Call back with the items of the pages read so far; see ``Client.subscribe_pages`` and ``subscribe``."""
        pages = self._client.subscribe_pages(path, args, page_size=page_size, size_name=size_name)
        handle = PaginatedHandle(self._delivery, callback, on_change, on_error)
        handle.reads(pages, self._run_there)
        self._begin(handle, pages)
        return handle

    def on_transition(self, callback: Callable[[Transition], object]) -> Unsubscribe:
        """Be told once of everything that changed together, with the exact edits of each query.

        It is called after the callbacks of subscriptions. Transitions that come before it has run are joined.
        """
        receiver = TransitionReceiver(self._delivery, callback)
        self._transitions[receiver] = None

        def end() -> None:
            receiver.close()
            self._transitions.pop(receiver, None)

        return end

    # --- on the client's thread

    def _begin(self, handle: SubscriptionHandle, subscription: Subscription[Any]) -> None:
        def begin() -> None:
            try:
                stop = subscription.listen(handle.take)
            except SynoviaError as error:
                handle.fail(error)
            else:
                self._handles.add(handle)
                handle.ends_by(lambda: self._run_there(lambda: self._end(handle, stop)))
            self._delivery.flush()

        self._thread.call(begin)

    def _end(self, handle: SubscriptionHandle, stop: Unsubscribe) -> None:
        self._handles.discard(handle)
        stop()

    def _run_there(self, callback: Callable[[], object]) -> None:
        """Run something on the client's thread, and have told what comes of it; nothing once the client is closed."""

        def run() -> None:
            callback()
            self._delivery.flush()

        if not self._closed:
            self._thread.call(run)

    def _shown(self, shown: Shown) -> None:
        for receiver in list(self._transitions):
            receiver.take(shown)
        self._delivery.flush()

    def _state_changed(self, state: ConnectionState) -> None:
        error = self._client._ended() if state is ConnectionState.FAILED else None
        if error is not None:
            for handle in self._handles:
                handle.fail(error)
            self._delivery.flush()


def _at_once(callback: Callable[[], None]) -> None:
    callback()
