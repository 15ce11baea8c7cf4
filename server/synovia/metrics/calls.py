"""Calls and runs as they end: how many by function and outcome, and how long they took."""

from __future__ import annotations

from collections.abc import Container

from prometheus_client import CollectorRegistry, Counter, Histogram

from synovia.engine.observing import EndedCall

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The upper bounds of the buckets of durations."""
UNKNOWN = ""
"""The name of every function that there is not: what clients invent must not fill the memory."""


class CallMetrics:
    """Counts what an engine tells its observer.

    Args:
        functions: The paths that there are.
    """

    def __init__(self, registry: CollectorRegistry, functions: Container[str]) -> None:
        self._functions = functions
        self._counted: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._calls = Counter(
            "synovia_calls",
            "Calls that have ended, by what came of them: ok, the code of an error, cancelled, failed.",
            ("kind", "function", "outcome"),
            registry=registry,
        )
        self._call_seconds = Histogram(
            "synovia_call_duration_seconds",
            "From a call to its answer; of a mutation with its commit.",
            ("kind", "function"),
            buckets=SECONDS,
            registry=registry,
        )
        self._runs = Counter(
            "synovia_live_query_runs",
            "Runs of live queries, by what came of them.",
            ("function", "outcome"),
            registry=registry,
        )
        self._run_seconds = Histogram(
            "synovia_live_query_run_duration_seconds",
            "How long a live query ran.",
            ("function",),
            buckets=SECONDS,
            registry=registry,
        )

    def call_ended(self, call: EndedCall) -> None:
        """Count a call."""
        labels = call.kind, self._name(call.kind, call.path), call.word
        counted = self._counted.get(labels)
        if counted is None:  # to find them by their labels costs twice as much as to count
            counted = self._counted[labels] = self._calls.labels(*labels), self._call_seconds.labels(*labels[:2])
        calls, seconds = counted
        calls.inc()
        seconds.observe(call.seconds)

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Count a run of a live query."""
        self._runs.labels(path, outcome).inc()
        self._run_seconds.labels(path).observe(seconds)

    def failed(self, reference: str, error: Exception) -> None:
        """Pass over it: the call in which it happened is counted."""

    def _name(self, kind: str, path: str) -> str:
        return path if kind == "route" or path in self._functions else UNKNOWN
