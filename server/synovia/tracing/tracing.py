"""The traces of one hub: what its engine tells, what it pushes, and the traces that requests belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Sequence

from opentelemetry import trace
from starlette.types import ASGIApp, Receive, Scope, Send

from synovia.store.base import Ts
from synovia.sync.transitions import Change, Step, TransitionCache
from synovia.tracing.spans import SpanTracer, within
from synovia_protocol.version import __version__

_HEADERS = (b"traceparent", b"tracestate")


class Tracing:
    """Traces from the beginning of a hub to its end.

    Args:
        functions: The paths that there are.
        provider: Where spans go; None: by OTLP over HTTP to where the variables of OpenTelemetry say.

    Attributes:
        tracer: What an engine tells of its calls.
    """

    def __init__(self, functions: Container[str], provider: trace.TracerProvider | None) -> None:
        self._own = None
        if provider is None:
            from synovia.tracing.provider import new_provider

            provider = self._own = new_provider()
        self.tracer = SpanTracer(provider.get_tracer("synovia", __version__), functions)

    def transitions(self) -> TransitionCache:
        """Give what encodes transitions, and has each told."""
        return _TracedTransitions(self.tracer)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Have requests traced as parts of the traces that they say they belong to (W3C Trace Context)."""
        return _TraceParents(app)

    async def close(self) -> None:
        """Send what has not been sent."""
        if self._own is not None:
            await asyncio.to_thread(self._own.shutdown)


class _TracedTransitions(TransitionCache):
    def __init__(self, tracer: SpanTracer) -> None:
        super().__init__()
        self._tracer = tracer

    def encode(self, from_ts: Ts, to_ts: Ts, changes: Sequence[Change], number: int) -> bytes:
        frame = super().encode(from_ts, to_ts, changes, number)
        self._tracer.pushed(from_ts, to_ts, queries=len(changes), size=len(frame))
        return frame

    def remember(self, step: Step) -> None:
        """Nothing is told without ``encode``, which traces it."""


class _TraceParents:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        carrier = {}
        if scope["type"] == "http":
            carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _HEADERS}
        if not carrier:
            await self._app(scope, receive, send)
            return
        with within(carrier):
            await self._app(scope, receive, send)
