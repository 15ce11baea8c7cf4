"""The client of a Qt program: everything visible happens on Qt's thread, everything else on the client's own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from synovia_client import (
    ActionCall,
    ArrayRef,
    AuthState,
    BlockingClient,
    Client,
    ClientClosed,
    ConnectionState,
    MutationCall,
    OptimisticUpdate,
    PaginatedHandle,
    QueryCall,
    SubscriptionHandle,
    Transition,
)
from synovia_qt.binding import Property, QtCore, Signal, Slot
from synovia_qt.call import Call
from synovia_qt.event_queue import EventQueue

FRAME = 16
"""Milliseconds: at 60 frames a second nobody sees more."""


class SynoviaClient(QtCore.QObject):
    """A connection to a hub that keeps itself up, from the beginning until ``close()``.

    What changed in the meantime comes in one event a frame, with all models and handles of one instant. Make it, call it and
    close it on Qt's thread.

    Args:
        url: As for ``synovia_client.Client``; every other argument of that may be given too.
        parent: The owner in Qt; the client is closed when that is destroyed.
        frame: Milliseconds between two such events at least.

    Attributes:
        transitioned: Emitted with a ``Transition`` after all models have followed it.
    """

    stateChanged = Signal(str)
    onlineChanged = Signal(bool)
    troubleChanged = Signal(str)
    signedInChanged = Signal(bool)
    signingInChanged = Signal(bool)
    waitingChanged = Signal(int)
    transitioned = Signal(object)

    def __init__(
        self, url: str, token: Any = None, parent: QtCore.QObject | None = None, *, frame: int = FRAME, **options: Any
    ) -> None:
        super().__init__(parent)
        self._events = EventQueue(frame)
        self._calls: set[Call] = set()
        self._state = "connecting"
        self._trouble = ""
        self._signed_in = self._signing_in = False
        try:
            self._client = BlockingClient(url, call=self._events.post, token=token, **options)
        except BaseException:
            self._events.close()
            raise
        self._client.on_state_change(self._state_changed)
        self._client.on_auth_change(self._auth_changed)
        self._client.on_transition(self._transition)
        self._state_changed(self._client.state)
        self._auth_changed(self._client.auth)
        events, client = self._events, self._client
        self.destroyed.connect(lambda: _close(events, client))

    def close(self) -> None:
        """Close the connection: nothing is emitted any more. Takes a few seconds at most; may be called twice."""
        _close(self._events, self._client)
        self._calls.clear()

    @property
    def blocking(self) -> BlockingClient:
        """The client below, for what is not here."""
        return self._client

    # --- what is shown of the connection

    def _get_state(self) -> str:
        return self._state

    def _get_online(self) -> bool:
        return self._state == ConnectionState.CONNECTED

    def _get_trouble(self) -> str:
        return self._trouble

    def _get_signed_in(self) -> bool:
        return self._signed_in

    def _get_signing_in(self) -> bool:
        return self._signing_in

    def _get_waiting(self) -> int:
        return len(self._calls)

    state: str = Property(str, _get_state, notify=stateChanged)  # type: ignore[assignment]
    """``connecting``, ``connected``, ``reconnecting`` or ``failed``."""
    online: bool = Property(bool, _get_online, notify=onlineChanged)  # type: ignore[assignment]
    trouble: str = Property(str, _get_trouble, notify=troubleChanged)  # type: ignore[assignment]
    """Why there is no connection, for people; empty while there is one."""
    signedIn: bool = Property(bool, _get_signed_in, notify=signedInChanged)  # type: ignore[assignment]
    signingIn: bool = Property(bool, _get_signing_in, notify=signingInChanged)  # type: ignore[assignment]
    """Whether a token is there that the server has not looked at yet."""
    waiting: int = Property(int, _get_waiting, notify=waitingChanged)  # type: ignore[assignment]
    """How many calls have no answer yet."""

    def _get_unanswered(self) -> int:
        return max(self._client.unanswered, self._client.in_outbox)

    unanswered: int = Property(int, _get_unanswered, notify=waitingChanged)  # type: ignore[assignment]
    """How many mutations and actions have no answer yet, those of earlier runs in the outbox among them."""

    @Slot()
    def retry(self) -> None:
        """Try to connect at once, if the client waits before it tries again."""
        with contextlib.suppress(ClientClosed):
            self._client.connect_now()

    def _state_changed(self, state: ConnectionState) -> None:
        before, online, trouble = self._state, self._get_online(), self._trouble
        self._state, self._trouble = str(state), self._client.trouble or ""  # all of it before anybody is told
        if self._state != before:
            self.stateChanged.emit(self._state)
        if self._get_online() != online:
            self.onlineChanged.emit(not online)
        if self._trouble != trouble:
            self.troubleChanged.emit(self._trouble)

    def _auth_changed(self, auth: AuthState) -> None:
        signing_in, signed_in = self._signing_in, self._signed_in
        self._signing_in, self._signed_in = auth.is_loading, auth.is_authenticated  # both before anybody is told
        if self._signing_in != signing_in:
            self.signingInChanged.emit(self._signing_in)
        if self._signed_in != signed_in:
            self.signedInChanged.emit(self._signed_in)

    def _transition(self, transition: Transition) -> None:
        self.transitioned.emit(transition)

    # --- calls

    def query(self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, **options: Any) -> Call:
        """Run a query once."""
        return self._call(path, lambda progress: self._submit("query", path, args, **options))

    def mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None = None,
        *,
        optimistic_update: OptimisticUpdate | None = None,
        **options: Any,
    ) -> Call:
        """Run a mutation, exactly once; mutations go out in the order of the calls.

        Args:
            optimistic_update: Shows what is expected until it is there; it runs on the client's thread.
            options: As for ``synovia_client.Client.mutation``.
        """
        more = {"optimistic_update": optimistic_update, **options}
        return self._call(path, lambda progress: self._submit("mutation", path, args, on_progress=progress, **more))

    def action(self, path: str | ActionCall[Any], args: dict[str, Any] | None = None, **options: Any) -> Call:
        """Run an action, at most once."""
        return self._call(path, lambda progress: self._submit("action", path, args, on_progress=progress, **options))

    def array(self, ref: ArrayRef, start: int = 0, stop: int | None = None, **options: Any) -> Call:
        """Fetch an array, or a part of it, or its outline; see ``synovia_client.Client.array``."""
        return self._call(
            "array", lambda progress: self._client.submit_array(ref, start, stop, on_progress=progress, **options)
        )

    def sign_in(self, token: Any) -> Call:
        """Sign in with another token, or a coroutine function that gives one."""
        return self._call("sign in", lambda progress: self._client.submit_authenticate(token))

    def sign_out(self) -> Call:
        """Sign out: forget all tokens, and end the session at the server."""
        return self._call("sign out", lambda progress: self._client.submit_sign_out())

    def run(self, name: str, call: Callable[[Client], Coroutine[Any, Any, Any]]) -> Call:
        """Run a coroutine function of the client below on its thread; ``name`` is the ``path`` of the ``Call``."""
        return self._call(name, lambda progress: self._client.submit(call))

    def run_here(self, function: Callable[[], None]) -> None:
        """Run a function on Qt's thread with what comes in the next event; may be called on any thread."""
        self._events.post(function)

    def _submit(self, kind: str, path: Any, args: dict[str, Any] | None, **options: Any) -> Future[Any]:
        submit: Callable[..., Future[Any]] = getattr(self._client, f"submit_{kind}")
        return submit(path, **options) if args is None else submit(path, args, **options)

    def _call(self, path: Any, submit: Callable[[Callable[[int, int], None]], Future[Any]]) -> Call:
        call = Call(path if isinstance(path, str) else path.path)

        def progress(moved: int, total: int) -> None:
            self._events.post(lambda: call.progress.emit(moved, total))

        future = submit(progress)
        self._calls.add(call)
        self.waitingChanged.emit(len(self._calls))
        call.follow(future, self._events.post, lambda: self._over(call))
        return call

    def _over(self, call: Call) -> None:
        self._calls.discard(call)
        self.waitingChanged.emit(len(self._calls))

    # --- subscriptions

    def subscribe(
        self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, *callbacks: Any, **more: Any
    ) -> SubscriptionHandle:
        """Keep a query up to date; see ``synovia_client.BlockingClient.subscribe``. Callbacks run on Qt's thread."""
        handle: SubscriptionHandle = self._client.subscribe(path, args, *callbacks, **more)  # type: ignore[arg-type]
        return handle

    def subscribe_pages(
        self, path: str, args: dict[str, Any] | None = None, *callbacks: Any, **more: Any
    ) -> PaginatedHandle:
        """Keep a list up to date page by page; see ``synovia_client.BlockingClient.subscribe_pages``."""
        return self._client.subscribe_pages(path, args, *callbacks, **more)


def _close(events: EventQueue, client: BlockingClient) -> None:
    events.close()
    client.close()
