"""Where a program keeps its tokens: here, in memory."""

from __future__ import annotations

from synovia_client import TokenSet


class KeptTokens:
    """Keeps tokens, and shows what is kept."""

    def __init__(self, kept: TokenSet | None = None) -> None:
        self.kept = kept

    def load(self) -> TokenSet | None:
        return self.kept

    def save(self, tokens: TokenSet) -> None:
        self.kept = tokens

    def clear(self) -> None:
        self.kept = None
