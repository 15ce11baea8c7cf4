"""The server's tokens in the system's keyring; in memory, with a warning, where there is none."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from synovia_client.tokens import TokenSet

T = TypeVar("T")
logger = logging.getLogger("synovia_client")

PATIENCE = 10.0
"""Seconds for a keyring to answer; it may ask the person for its password first."""


class KeyringTokens:
    """Keeps what signs in again at the next start in the system's keyring: Keychain, Credential Manager, Secret Service.

    Only the refresh token goes there: some keyrings hold little more than a thousand characters. Without the library
    ``keyring``, or a keyring that works, tokens are kept in memory: ``warning`` says why, and it is logged once.

    Args:
        program: The program's name, under which people find the entry.
        account: Tells apart what one program keeps: the address of the hub, say.
        patience: Seconds for the keyring to answer.

    Attributes:
        warning: Why tokens outlive the program nowhere, for people; None while they do.
        warned: Called with that, once, on the client's thread or, at the start, on whichever makes the client.
    """

    def __init__(self, program: str, account: str, *, patience: float = PATIENCE) -> None:
        self.warning: str | None = None
        self.warned: Callable[[str], object] | None = None
        self._program = program
        self._account = account
        self._patience = patience
        self._held: TokenSet | None = None
        self._keyring = self._find()

    def load(self) -> TokenSet | None:
        """Give what is kept; None for nothing."""
        if self._keyring is None:
            return self._held
        kept = _read(self._ask(lambda ring: ring.get_password(self._program, self._account)))
        if self._keyring is None:  # it has just failed
            return self._held
        held = self._held
        self._held = held if held is not None and kept is not None and _kept_of(held) == _kept_of(kept) else kept
        return self._held

    def save(self, tokens: TokenSet) -> None:
        """Keep these in place of what was kept."""
        self._held = tokens
        text = json.dumps(_kept_of(tokens))
        self._ask(lambda ring: ring.set_password(self._program, self._account, text))

    def clear(self) -> None:
        """Forget what is kept."""
        self._held = None
        self._ask(self._delete)

    def _delete(self, ring: Any) -> None:
        if ring.get_password(self._program, self._account) is not None:
            ring.delete_password(self._program, self._account)

    def _find(self) -> Any:
        try:
            import keyring
            from keyring.backends.fail import Keyring as NoKeyring
            from keyring.backends.null import Keyring as Forgetting
        except ImportError:
            self._warn("the library keyring is missing (pip install keyring)")
            return None
        found = self._within(keyring.get_keyring)
        if isinstance(found, (NoKeyring, Forgetting)):
            self._warn("this system has no keyring")
            return None
        return found

    def _ask(self, function: Callable[[Any], T]) -> T | None:
        ring = self._keyring
        return None if ring is None else self._within(lambda: function(ring))

    def _within(self, function: Callable[[], T]) -> T | None:
        """Run something on a thread of its own that may hang; None, and memory from then on, if it fails."""
        outcome: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(function())
            except BaseException as error:  # whatever a backend makes of its system
                errors.append(error)

        thread = threading.Thread(target=run, name="synovia-keyring", daemon=True)
        thread.start()
        thread.join(self._patience)
        if outcome:
            return outcome[0]
        self._keyring = None
        self._warn(f"the keyring failed: {errors[0]}" if errors else "the keyring does not answer")
        return None

    def _warn(self, reason: str) -> None:
        if self.warning is not None:
            return
        self.warning = f"you will have to sign in again at the next start: {reason}"
        logger.warning("%s keeps tokens in memory only: %s", self._program, reason)
        if self.warned is not None:
            self.warned(self.warning)


def _kept_of(tokens: TokenSet) -> dict[str, str | None]:
    """Give what goes into the keyring: the refresh token, or the token if there is no other."""
    if tokens.refresh_token is not None:
        return {"refreshToken": tokens.refresh_token}
    return {"token": tokens.token}


def _read(text: str | None) -> TokenSet | None:
    try:
        found = json.loads(text or "null")
        kept = TokenSet(found.get("token"), found.get("refreshToken")) if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        return None
    return kept if kept is not None and kept.is_well_formed and (kept.token or kept.refresh_token) else None
