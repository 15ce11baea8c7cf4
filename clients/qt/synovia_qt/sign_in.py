"""Signing in from a Qt program: with the system's browser, or a code by e-mail."""

from __future__ import annotations

import asyncio
import importlib
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from synovia_client import (
    Client,
    ClientClosed,
    DesktopSignIn,
    RequestTimeout,
    SentCode,
    SignInCode,
    SignInError,
    SignInWays,
    SynoviaError,
)
from synovia_client.desktop.sign_in import PATIENCE
from synovia_qt.binding import BINDING, Property, QtCore, Signal
from synovia_qt.call import Call
from synovia_qt.client import SynoviaClient


def open_in_browser(url: str) -> bool:
    """Open an address in the system's browser; False if that could not be done."""
    gui = importlib.import_module(f"{BINDING}.QtGui")
    return bool(gui.QDesktopServices.openUrl(QtCore.QUrl(url)))


class SignIn(QtCore.QObject):
    """Signs a client in. One attempt runs at a time: another one takes its place.

    The server's tokens that come of it are kept where the client's ``tokens=`` says (``KeyringTokens``), and sign in at the
    next start without a question; ``client.signingIn`` and ``client.signedIn`` tell how that goes.

    Args:
        client: Who is signed in.
        timeout: Seconds within which the browser has to come back.
        open_url: Opens an address in a browser, on Qt's thread; False: it could not. By default Qt's ``QDesktopServices``.
        parent: The owner in Qt.
        options: ``client_ids``, ``client_secrets``, ``scopes``, ``redirect_path``, ``pages`` and ``issuer_ssl``, as for
            ``synovia_client.DesktopSignIn``.

    Attributes:
        succeeded: Emitted when the server has taken the person in.
        failed: Emitted with the error, a ``SignInError`` or what the server said (``AuthenticationError``).
        codeSent: Emitted with a ``SentCode`` when a code is on its way.
        waysChanged: Emitted when ``ways`` is known, or another.
        busyChanged: Emitted with whether an attempt runs.
        signedOut: Emitted when ``sign_out`` is through.
    """

    succeeded = Signal()
    failed = Signal(object)
    codeSent = Signal(object)
    waysChanged = Signal()
    busyChanged = Signal(bool)
    signedOut = Signal()

    def __init__(
        self,
        client: SynoviaClient,
        *,
        timeout: float = PATIENCE,
        open_url: Callable[[str], object] = open_in_browser,
        parent: QtCore.QObject | None = None,
        **options: Any,
    ) -> None:
        super().__init__(parent)
        self._client = client
        self._timeout = timeout
        self._open_url = open_url
        self._sign_in = DesktopSignIn(client.blocking.client, **options)
        self._ways: SignInWays | None = None
        self._sent: SentCode | None = None
        self._running: list[Call] = []
        running = self._running

        def give_up(*_: object) -> None:
            for call in running:
                call.cancel()

        self._finalizer = weakref.finalize(self, give_up)
        self.destroyed.connect(give_up)

    # --- what there is

    @property
    def ways(self) -> SignInWays | None:
        """The ways that the server offers; None before it has told (``refresh``)."""
        return self._ways

    @property
    def sent_code(self) -> SentCode | None:
        """The newest code that was sent by e-mail and has not signed in yet."""
        return self._sent

    def _get_busy(self) -> bool:
        return bool(self._running)

    busy: bool = Property(bool, _get_busy, notify=busyChanged)  # type: ignore[assignment]
    """Whether an attempt runs."""

    def refresh(self) -> None:
        """Ask the server which ways there are."""
        sign_in = self._sign_in
        self._attempt("the ways to sign in", lambda client: sign_in.ways(), SignIn._found)

    def _found(self, ways: SignInWays) -> None:
        self._ways = ways
        self.waysChanged.emit()

    # --- signing in

    def with_browser(self, issuer: str | None = None, *, login_hint: str | None = None) -> None:
        """Sign in with the system's browser at an issuer; None: the only one there is."""
        sign_in, timeout, open_url = self._sign_in, self._timeout, self._on_qt(self._open_url)

        def run(client: Client) -> Coroutine[Any, Any, None]:
            return sign_in.with_browser(issuer, open_url=open_url, timeout=timeout, login_hint=login_hint)

        self._attempt("sign in", run, SignIn._signed_in)

    def with_google(self, *, login_hint: str | None = None) -> None:
        """Sign in with Google in the system's browser."""
        self.with_browser("https://accounts.google.com", login_hint=login_hint)

    def send_code(self, email: str) -> None:
        """Have a code sent to an address; ``codeSent`` tells."""
        sign_in = self._sign_in
        self._attempt("send a code", lambda client: sign_in.send_code(email.strip()), SignIn._code_sent)

    def enter_code(self, code: str) -> None:
        """Sign in with the code that was sent; a wrong one may be tried again, some times."""
        sign_in, sent = self._sign_in, self._sent
        if sent is None:
            self.failed.emit(SignInError(SignInCode.NO_SUCH_WAY, "no code was sent"))
            return
        self._attempt("sign in", lambda client: sign_in.with_code(sent, code), SignIn._signed_in)

    def as_developer(self, email: str) -> None:
        """Sign in with an address alone, where the server allows that (``ways.development``)."""
        self._attempt("sign in", lambda client: client.authenticate(f"dev:{email.strip()}"), SignIn._signed_in)

    def sign_out(self) -> None:
        """Sign out: forget all tokens, and end the session at the server."""
        self._sent = None
        self._attempt("sign out", lambda client: client.sign_out(), SignIn._signed_out)

    def cancel(self) -> None:
        """Give up the attempt that runs; ``failed`` tells with ``cancelled``."""
        if self._running:
            self._give_up()
            self.failed.emit(SignInError(SignInCode.CANCELLED, "it was cancelled"))

    # --- one attempt

    def _attempt(
        self, name: str, run: Callable[[Client], Coroutine[Any, Any, Any]], done: Callable[[SignIn, Any], None]
    ) -> None:
        self._give_up()
        try:
            call = self._client.run(name, run)
        except SynoviaError as error:  # the client is closed
            self._fail(error)
            return
        self._running.append(call)
        here = weakref.ref(self)

        def over(error: SynoviaError | None) -> None:
            sign_in = here()
            if sign_in is None or call not in sign_in._running:
                return
            sign_in._give_up()
            if error is not None:
                sign_in._fail(error)
            else:
                done(sign_in, call.result)

        call.succeeded.connect(lambda _: over(None))
        call.failed.connect(over)
        if len(self._running) == 1:
            self.busyChanged.emit(True)

    def _fail(self, error: SynoviaError) -> None:
        """Tell an error, which has a code in any case."""
        if isinstance(error, ClientClosed):
            error = SignInError(SignInCode.CANCELLED, str(error))
        elif isinstance(error, RequestTimeout):
            error = SignInError(SignInCode.HUB_UNREACHABLE, str(error))
        self.failed.emit(error)

    def _give_up(self) -> None:
        if not self._running:
            return
        calls = list(self._running)
        self._running.clear()
        for call in calls:
            call.cancel()
        self.busyChanged.emit(False)

    def _signed_in(self, _: object) -> None:
        self._sent = None
        self.succeeded.emit()

    def _signed_out(self, _: object) -> None:
        self.signedOut.emit()

    def _code_sent(self, sent: SentCode) -> None:
        self._sent = sent
        self.codeSent.emit(sent)

    def _on_qt(self, open_url: Callable[[str], object]) -> Callable[[str], Awaitable[object]]:
        """Give a function for the client's thread that opens an address on Qt's."""
        client = self._client

        def ask(url: str) -> Awaitable[object]:
            shown: Future[object] = Future()

            def show() -> None:
                if not shown.set_running_or_notify_cancel():
                    return
                try:
                    shown.set_result(open_url(url))
                except Exception as error:
                    shown.set_exception(error)

            client.run_here(show)
            return asyncio.wrap_future(shown)

        return ask
