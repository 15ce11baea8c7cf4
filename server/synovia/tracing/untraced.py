"""A hub whose calls nobody traces."""

from __future__ import annotations

from starlette.types import ASGIApp

from synovia.engine.tracing import UNTRACED
from synovia.sync.transitions import TransitionCache


class NoTracing:
    """Makes no spans."""

    tracer = UNTRACED

    def transitions(self) -> TransitionCache:
        """Give what encodes transitions."""
        return TransitionCache()

    def around(self, app: ASGIApp) -> ASGIApp:
        """Give an application as it is."""
        return app

    async def close(self) -> None:
        """Do nothing."""
