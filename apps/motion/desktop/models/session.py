"""Who is signed in: a client of their own, with their tokens and their changes that wait."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from motion.desktop.models.account_files import NAME, AccountFiles, Preferences
from motion.desktop.words.errors import code_of
from motion.desktop.words.naming import Row
from synovia_client import FunctionError, Recovered, SynoviaError, TokenSet
from synovia_qt import KeyringTokens, SynoviaClient


class HeldTokens:
    """Keeps the server's tokens while somebody signs in, before it is known under whose name to keep them."""

    def __init__(self) -> None:
        self.held: TokenSet | None = None

    def load(self) -> TokenSet | None:
        """Give what is held."""
        return self.held

    def save(self, tokens: TokenSet) -> None:
        """Hold these."""
        self.held = tokens

    def clear(self) -> None:
        """Hold nothing."""
        self.held = None


class Session(QObject):
    """The client of the account that is signed in, and what that account is.

    Args:
        url: The server.
        preferences: What is remembered.
        options: As for ``SynoviaClient``.

    Attributes:
        closing: Emitted before the connection is closed, while what is being written can still be saved.
        changed: Emitted when ``client``, ``me``, ``is_known`` or ``problem`` are others.
        refused: Emitted with the error of a change of an earlier run, or one that nobody waited for.
        client: None while nobody is signed in.
        me: The account; None before it is known, and for who has not registered.
        is_known: Whether the server has told who this is.
        problem: Why the account cannot be used, for people.
    """

    closing = Signal()
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

    # --- beginning

    def resume(self) -> None:
        """Go on as who was signed in when the program ended."""
        account, token = self.preferences.account_on(self.url), self.preferences.development_token_on(self.url)
        if account is not None:
            self._open(account, token, self._store(account))

    def stranger(self) -> tuple[SynoviaClient, HeldTokens]:
        """Give a client for somebody to sign in with.

        It has no outbox: what somebody else has left here must not be sent as this one.
        """
        tokens = HeldTokens()
        return SynoviaClient(self.url, tokens=tokens, **self._options), tokens

    def begin(self, account: str, tokens: TokenSet | None, development_token: str | None) -> None:
        """Go on as somebody who has signed in.

        Args:
            account: Under which name their files are kept: the address, where it is known.
            tokens: What the server has given.
            development_token: What a server for development takes, and gives no tokens for.
        """
        self.preferences.remember_account(self.url, account, development_token)
        store = self._store(account)  # one for both: without a keyring it holds them in memory
        if tokens is not None:
            store.save(tokens)
        self._open(account, development_token, store)

    def _store(self, account: str) -> KeyringTokens:
        return KeyringTokens(NAME, f"{account} on {self.url}")

    def _open(self, account: str, token: str | None, store: KeyringTokens) -> None:
        files = AccountFiles(self.preferences.root, self.url, account)
        try:
            client = SynoviaClient(
                self.url,
                token,
                self,
                tokens=store,
                outbox=files.outbox,
                on_recovered=self._recovered.emit,
                **self._options,
            )
        except SynoviaError as error:  # another window has the files of this account open
            self._show(None)
            self.problem = error
            self.changed.emit()
            return
        self._show(client)
        client.subscribe("users:me", {}, self._told, self._failed)
        client.signedInChanged.connect(lambda _: self._look(client))
        client.signingInChanged.connect(lambda _: self._look(client))

    # --- ending

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
        """Close the connection; the account is remembered. May be called twice."""
        if self.client is not None:
            self.closing.emit()
            self.client.close()

    def _look(self, client: SynoviaClient) -> None:
        """Show the way in when the server has ended the session."""
        auth = client.blocking.auth  # of one instant, which the two properties are not while their signals are emitted
        if client is self.client and client.online and not auth.is_loading and not auth.is_authenticated:
            self.preferences.remember_account(self.url, None)
            self._show(None)
            client.close()

    # --- who it is

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
            self._look(self.client)
        else:
            self.problem = error
            self.changed.emit()

    def _tell_recovered(self, outcome: Recovered) -> None:
        if isinstance(outcome.error, FunctionError):
            self.refused.emit(outcome.error)
