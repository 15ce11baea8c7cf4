"""Who is signed in: a client of their own, with their tokens and their changes that wait."""

from __future__ import annotations

import contextlib
from typing import Any

from PySide6.QtCore import QObject, Signal

from motion.desktop.models.account_files import AccountFiles, Preferences
from motion.desktop.words.errors import code_of
from motion.desktop.words.naming import Row
from synovia_client import FileTokens, FunctionError, Recovered, SynoviaError
from synovia_qt import SynoviaClient


class Session(QObject):
    """The client of the account that is signed in, and what that account is.

    Args:
        url: The server.
        preferences: What is remembered.

    Attributes:
        changed: Emitted when ``client``, ``me``, ``is_known`` or ``problem`` are others.
        refused: Emitted with the error of a change of an earlier run, or one that nobody waited for.
        client: None while nobody is signed in.
        me: The account; None before it is known, and for who has not registered.
        is_known: Whether the server has told who this is.
        problem: Why the account cannot be used, for people.
    """

    changed = Signal()
    refused = Signal(object)
    _recovered = Signal(object)

    def __init__(self, url: str, preferences: Preferences, **options: Any) -> None:
        super().__init__()
        self.url = url
        self.preferences = preferences
        self.client: SynoviaClient | None = None
        self.me: Row | None = None
        self.is_known = False
        self.problem: SynoviaError | None = None
        self._options = options
        self._recovered.connect(self._tell_recovered)

    def resume(self) -> None:
        """Go on as who was signed in when the program ended."""
        account, token = self.preferences.account_on(self.url), self.preferences.development_token_on(self.url)
        if account is None:
            return
        if token is not None or AccountFiles(self.preferences.root, self.url, account).tokens.exists():
            self._open(self.make_client(account, token))

    def make_client(self, account: str, token: str | None = None) -> SynoviaClient:
        """Make a client with the files of an account; OutboxError if another window has them open."""
        files = AccountFiles(self.preferences.root, self.url, account)
        return SynoviaClient(
            self.url,
            token,
            tokens=FileTokens(files.tokens),
            outbox=files.outbox,
            on_recovered=self._recovered.emit,
            **self._options,
        )

    def begin(self, client: SynoviaClient, account: str, token: str | None = None) -> None:
        """Take over a client that has signed in; ``token`` is what a server for development took."""
        self.preferences.remember_account(self.url, account, token)
        self._open(client)

    def sign_out(self) -> None:
        """Forget who was signed in, here and at the server."""
        client = self.client
        if client is None:
            return
        self.preferences.remember_account(self.url, None)
        self._show(None)
        call = client.sign_out()
        call.finished.connect(client.close)

    def close(self) -> None:
        """Close the connection; the account is remembered."""
        if self.client is not None:
            self.client.close()

    def _open(self, client: SynoviaClient) -> None:
        client.setParent(self)
        self._show(client)
        client.subscribe("users:me", {}, self._told, self._failed)
        client.blocking.on_auth_change(lambda auth: self._signed_out_elsewhere(client))

    def _show(self, client: SynoviaClient | None) -> None:
        self.client, self.me, self.is_known, self.problem = client, None, False, None
        self.changed.emit()

    def _told(self, me: Row | None) -> None:
        if self.client is None or (self.is_known and self.me == me):
            return
        self.me, self.is_known, self.problem = me, True, None
        self.changed.emit()

    def _failed(self, error: SynoviaError) -> None:
        if self.client is None:
            return
        if code_of(error) == "unauthenticated":
            self._signed_out_elsewhere(self.client)
        else:
            self.problem = error
            self.changed.emit()

    def _signed_out_elsewhere(self, client: SynoviaClient) -> None:
        """Show the way in when the server has ended the session."""
        auth = client.blocking.auth
        if client is not self.client or auth.is_loading or auth.is_authenticated or not client.online:
            return
        self.preferences.remember_account(self.url, None)
        self._show(None)
        with contextlib.suppress(RuntimeError):
            client.close()

    def _tell_recovered(self, outcome: Recovered) -> None:
        if isinstance(outcome.error, FunctionError):
            self.refused.emit(outcome.error)
