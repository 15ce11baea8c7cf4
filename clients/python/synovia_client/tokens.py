"""Tokens of the server, and where they are kept so that a program that starts again is still signed in."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from synovia_client.errors import AuthenticationError


@dataclass(frozen=True, slots=True)
class TokenSet:
    """Tokens that the server has given.

    Attributes:
        expires_at: When the token expires, in ms since 1970 by the server's clock.
    """

    token: str | None
    refresh_token: str | None = None
    expires_at: int | None = None

    def __repr__(self) -> str:
        return "TokenSet(...)"

    @property
    def is_well_formed(self) -> bool:
        """Whether its parts have their types; what a store gives may come from anywhere."""
        texts = all(part is None or isinstance(part, str) for part in (self.token, self.refresh_token))
        return texts and (self.expires_at is None or isinstance(self.expires_at, int))


class TokenStore(Protocol):
    """Keeps the server's tokens. It is asked on the client's thread, and should answer soon."""

    def load(self) -> TokenSet | None:
        """Give what is kept; None for nothing."""
        ...

    def save(self, tokens: TokenSet) -> None:
        """Keep these in place of what was kept."""
        ...

    def clear(self) -> None:
        """Forget what is kept."""
        ...


class FileTokens:
    """Keeps tokens in a file that only its owner may read. Use the system's keyring where there is one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def load(self) -> TokenSet | None:
        """Give what is kept; None if there is no file, or one that holds no tokens."""
        try:
            kept = TokenSet(**json.loads(self.path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return kept if kept.is_well_formed else None

    def save(self, tokens: TokenSet) -> None:
        """Replace the file as a whole."""
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")  # mode 0600
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(tokens), file)
        Path(name).replace(self.path)

    def clear(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class AuthState:
    """Who the server takes the client for.

    Attributes:
        is_loading: A token is there, and the server has not looked at it yet.
        error: Why the newest token was not taken.
    """

    is_loading: bool
    is_authenticated: bool
    error: AuthenticationError | None = None
