"""Calls and runs as they end: how many by function and outcome, and how long they took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from synovia.engine.observing import EndedCall

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The upper bounds of the buckets of durations."""
UNKNOWN: Final = ""
"""The name of every function that there is not: what clients invent must not fill the memory."""
_BOUNDS: Final = (*map(str, SECONDS), "+Inf")


class _Durations:
    """How many took how long.

    Attributes:
        buckets: So many took longer than the bound before, and no longer than that of the bucket.
        seconds: All of them together.
    """

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * len(_BOUNDS)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.buckets[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds


class _Family:
    """Something that is counted by labels, the last of which is what came of it, and timed by the others."""

    def __init__(self, name: str, counts: str, times: str, labels: tuple[str, ...]) -> None:
        self._name, self._counts, self._times, self._labels = name, counts, times, labels
        self._counted: dict[tuple[str, ...], int] = {}
        self._timed: dict[tuple[str, ...], _Durations] = {}

    def add(self, labels: tuple[str, ...], word: str, seconds: float) -> None:
        """Count one; in place of the library's own counters, which take a lock and several calls for each."""
        which = (*labels, word)
        self._counted[which] = self._counted.get(which, 0) + 1
        durations = self._timed.get(labels)
        if durations is None:
            durations = self._timed[labels] = _Durations()
        durations.add(seconds)

    def read(self) -> Iterable[Metric]:
        """Give the figures."""
        counts = CounterMetricFamily(self._name, self._counts, labels=(*self._labels, "outcome"))
        for which, count in self._counted.items():
            counts.add_metric(which, count)
        yield counts
        times = HistogramMetricFamily(f"{self._name_of_one}_duration_seconds", self._times, labels=self._labels)
        for labels, durations in self._timed.items():
            buckets = [*zip(_BOUNDS, accumulate(durations.buckets), strict=True)]
            times.add_metric(labels, buckets, durations.seconds)
        yield times

    @property
    def _name_of_one(self) -> str:
        return self._name.removesuffix("s")


class CallMetrics(Collector):
    """Counts what an engine tells its observer.

    Args:
        functions: The paths that there are.
    """

    def __init__(self, registry: CollectorRegistry, functions: Container[str]) -> None:
        self._functions = functions
        self._calls = _Family(
            "synovia_calls",
            "Calls that have ended, by what came of them: ok, the code of an error, cancelled, failed.",
            "From a call to its answer; of a mutation with its commit.",
            ("kind", "function"),
        )
        self._runs = _Family(
            "synovia_live_query_runs",
            "Runs of live queries, by what came of them.",
            "How long a live query ran.",
            ("function",),
        )
        registry.register(self)

    def call_ended(self, call: EndedCall) -> None:
        """Count a call."""
        known = call.path in self._functions or call.kind == "route"
        self._calls.add((call.kind, call.path if known else UNKNOWN), call.word, call.seconds)

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Count a run of a live query."""
        self._runs.add((path,), outcome, seconds)

    def failed(self, reference: str, error: Exception) -> None:
        """Pass over it: the call in which it happened is counted."""

    def collect(self) -> Iterable[Metric]:
        """List what was counted."""
        yield from self._calls.read()
        yield from self._runs.read()
