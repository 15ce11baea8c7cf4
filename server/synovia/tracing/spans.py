"""Spans of OpenTelemetry for what an engine tells."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from synovia.engine.observing import OK
from synovia.engine.tracing import CallSpan, CallTrace, Value
from synovia.store.base import Ts

MOST_COMMITS: Final = 2_000
"""So many of the newest commits are remembered, with the calls that they are of."""
MOST_SCHEDULED: Final = 10_000
"""So many scheduled calls are remembered, with the calls that have scheduled them."""
MOST_LINKS: Final = 32
_PROPAGATOR: Final = TraceContextTextMapPropagator()
MOST_PUSHES: Final = 20
"""So many transitions are traced of one commit, however many clients hear of it."""


@contextmanager
def within(carrier: Mapping[str, str]) -> Iterator[None]:
    """Have the spans that are made in a block be parts of the trace that headers name (W3C Trace Context)."""
    token = contexts.attach(_PROPAGATOR.extract(carrier, Context()))
    try:
        yield
    finally:
        contexts.detach(token)


class _Bounded(OrderedDict[int | str, "_Known"]):
    """Keeps the newest entries."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def remember(self, key: int | str) -> _Known:
        known = self.setdefault(key, _Known())
        while len(self) > self._most:
            self.popitem(last=False)
        return known


class _Known:
    """The calls that a commit is of, or the call that has scheduled another one."""

    __slots__ = ("calls", "pushes")

    def __init__(self) -> None:
        self.calls: list[SpanContext] = []
        self.pushes = 0

    def parent(self) -> Context:
        """Give the context of what comes after the first of the calls."""
        return trace.set_span_in_context(NonRecordingSpan(self.calls[0]), Context())

    def others(self) -> list[Link]:
        return [*map(Link, self.calls[1:])]


class _CallTrace:
    def __init__(self, call: SpanContext, commits: _Bounded) -> None:
        self.call, self._commits = call, commits

    def committed(self, ts: Ts) -> None:
        known = self._commits.remember(ts)
        if len(known.calls) < MOST_LINKS:
            known.calls.append(self.call)


class _CallSpan:
    def __init__(self, span: Span, scheduled: _Bounded) -> None:
        self._span, self._scheduled = span, scheduled

    def ended(self, word: str, scheduled: Sequence[str]) -> None:
        if self._span.is_recording():
            self._span.set_attribute("synovia.outcome", word)
            if word != OK:
                self._span.set_status(Status(StatusCode.ERROR, word))
            if scheduled:
                self._span.set_attribute("synovia.scheduled", [*scheduled])
        for each in scheduled:
            self._scheduled.remember(each).calls[:] = [self._span.get_span_context()]


class SpanTracer:
    """Makes spans.

    Args:
        functions: The paths that there are: no others become names of spans.
    """

    active: Final = True

    def __init__(self, tracer: Tracer, functions: Container[str]) -> None:
        self._tracer, self._functions = tracer, functions
        self._commits, self._scheduled = _Bounded(MOST_COMMITS), _Bounded(MOST_SCHEDULED)

    @contextmanager
    def call(self, kind: str, path: str, runs: str | None) -> Iterator[CallSpan]:
        """Trace a call; it is linked to the one that has scheduled it."""
        known = kind == "route" or path in self._functions
        attributes: dict[str, Value] = {"synovia.kind": kind, "synovia.function": path if known else ""}
        cause = None if runs is None else self._scheduled.get(runs)
        if runs is not None:
            attributes["synovia.scheduled_call"] = runs
        with self._tracer.start_as_current_span(
            f"{kind} {path}" if known else kind,
            kind=SpanKind.INTERNAL if runs else SpanKind.SERVER,
            attributes=attributes,
            links=[*map(Link, cause.calls)] if cause is not None else None,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield _CallSpan(span, self._scheduled)

    def part(self, name: str, **attributes: Value) -> AbstractContextManager[object]:
        """Trace a part of what is traced around it; what the server does by itself is part of nothing."""
        if not trace.get_current_span().get_span_context().is_valid:
            return nullcontext()
        span: AbstractContextManager[object] = self._tracer.start_as_current_span(
            name, attributes=_named(attributes), record_exception=False
        )
        return span

    def current(self) -> CallTrace | None:
        """Tell where what is being done stands."""
        span = trace.get_current_span().get_span_context()
        return _CallTrace(span, self._commits) if span.is_valid else None

    def batch(self, calls: Sequence[CallTrace], **attributes: Value) -> AbstractContextManager[object]:
        """Trace a transaction; it belongs to the first of the calls, and is linked to the others."""
        known = _Known()
        known.calls = [each.call for each in calls[:MOST_LINKS] if isinstance(each, _CallTrace)]
        if not known.calls:
            return nullcontext()
        span: AbstractContextManager[object] = self._tracer.start_as_current_span(
            "synovia.transaction",
            context=known.parent(),
            kind=SpanKind.CLIENT,
            attributes=_named(attributes),
            links=known.others(),
        )
        return span

    def joining(self, traceparent: str | None) -> AbstractContextManager[object]:
        """Have what takes place in a block be part of the trace that a client names; what is no name is passed over."""
        return nullcontext() if traceparent is None else within({"traceparent": traceparent})

    def rerun(self, path: str, ts: Ts, asked: CallTrace | None = None) -> AbstractContextManager[object]:
        """Trace a live query's run: within what asked for it, or after the first call that was committed at its instant."""
        known = self._commits.get(ts)
        if isinstance(asked, _CallTrace):
            known = _Known()
            known.calls = [asked.call]
        span: AbstractContextManager[object] = self._tracer.start_as_current_span(
            f"live {path}",
            context=Context() if known is None else known.parent(),
            attributes={"synovia.function": path, "synovia.ts": ts},
            links=None if known is None else known.others(),
            record_exception=False,
        )
        return span

    def pushed(self, from_ts: Ts, to_ts: Ts, *, queries: int, size: int) -> None:
        """Trace that a client is told of what was committed after an instant, up to another one."""
        for ts, known in reversed(self._commits.items()):
            if not isinstance(ts, int) or ts <= from_ts:
                return
            if ts <= to_ts and known.pushes < MOST_PUSHES:
                known.pushes += 1
                attributes = {"synovia.queries": queries, "synovia.bytes": size, "synovia.ts": to_ts}
                self._tracer.start_span(
                    "synovia.push", context=known.parent(), kind=SpanKind.PRODUCER, attributes=attributes,
                    links=known.others(),
                ).end()  # fmt: skip


def _named(attributes: dict[str, Value]) -> dict[str, Value]:
    return {f"synovia.{name}": value for name, value in attributes.items()}
