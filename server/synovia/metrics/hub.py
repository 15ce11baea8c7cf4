"""What the parts of a hub count anyway, read when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from synovia.engine.engine import Engine
from synovia.scheduler.runner import Runner
from synovia.sync.hub import Hub


class HubCollector(Collector):
    """Reads a hub, its engine and its scheduler."""

    def __init__(self, hub: Hub, engine: Engine, scheduler: Runner) -> None:
        self._hub = hub
        self._engine = engine
        self._scheduler = scheduler

    def collect(self) -> Iterable[Metric]:
        """List what they are and have done."""
        yield from self._commits()
        yield from self._live_queries()
        yield from self._budgets()
        yield from self._scheduled()
        yield from self._log()
        yield from self._connections()

    def _commits(self) -> Iterable[Metric]:
        committer = self._engine.committer
        counted = committer.counters
        yield _counter("synovia_commits", "Mutations that have been committed.", counted["committed"])
        yield _counter(
            "synovia_commit_transactions", "Transactions of the database; several mutations share one.",
            counted["transactions"],
        )  # fmt: skip
        yield _counter(
            "synovia_commit_conflicts", "Transactions that were tried again: another hub was faster, or no answer came.",
            counted["conflicts"],
        )  # fmt: skip
        yield _counter(
            "synovia_commit_conflicts_unexplained", "Mutations run again as the database refused them for no known reason.",
            counted["unexplained"],
        )  # fmt: skip
        yield _counter(
            "synovia_mutations_outdated", "Mutations that were run again, as what they had read had changed.",
            counted["outdated"],
        )  # fmt: skip
        forwarded = self._engine.peers.counters
        yield _counter(
            "synovia_mutations_forwarded", "Mutations that another hub was asked to run, as several overtook each other.",
            forwarded["forwarded"],
        )  # fmt: skip
        yield _counter(
            "synovia_mutations_returned", "Those of them that were run here after all, as that hub did not answer.",
            forwarded["returned"],
        )  # fmt: skip
        yield _counter("synovia_mutations_received", "Mutations run for other hubs.", forwarded["received"])
        yield _gauge("synovia_commit_backlog", "Mutations that wait for their commit.", committer.backlog)

    def _live_queries(self) -> Iterable[Metric]:
        live = self._engine.live
        yield _gauge("synovia_live_queries", "Live queries that are kept.", len(live))
        yield _gauge("synovia_lingering_queries", "Those that nobody holds.", len(live.lingering))
        yield _gauge("synovia_lingering_bytes", "What those take, as estimated.", live.lingering.bytes)
        yield _gauge(
            "synovia_held_result_bytes", "The results of those that are held, as estimated.", live.results.bytes
        )
        yield _counter(
            "synovia_refused_results", "Runs with a result that had no room in memory.", live.results.refused
        )
        yield _gauge(
            "synovia_remembered_bytes", "What they keep of what they read, as estimated.", live.remembered.bytes
        )
        yield _gauge("synovia_live_query_runs_in_progress", "Live queries that run.", live.running)
        yield _gauge("synovia_live_query_runs_waiting", "Queries that wait for a place to run in.", live.waiting)

    def _budgets(self) -> Iterable[Metric]:
        limits = self._engine.limits
        most = GaugeMetricFamily("synovia_memory_budget_bytes", "What each kind of them may take.", labels=["budget"])
        most.add_metric(["held_results"], limits.max_held_bytes)
        most.add_metric(["remembered"], limits.max_remembered_bytes)
        most.add_metric(["lingering"], limits.max_lingering_bytes)
        yield most

    def _scheduled(self) -> Iterable[Metric]:
        scheduler = self._scheduler
        yield _gauge("synovia_scheduled_calls_running", "Scheduled calls that run here.", scheduler.running)
        yield _gauge("synovia_scheduled_late_seconds", "How long a due call has waited for a place.", scheduler.late)
        yield _counter(
            "synovia_scheduled_calls_failed", "Scheduled calls that have failed here.", scheduler.failures.total.count
        )

    def _log(self) -> Iterable[Metric]:
        engine = self._engine
        yield _gauge("synovia_log_lag_seconds", "How far the log is behind the database.", engine.lag_seconds)
        yield _counter("synovia_log_gaps", "How often the log has lost its position.", engine.gaps)
        yield _gauge(
            "synovia_unreadable_documents", "Documents that are known not to fit their tables.", len(engine.unreadable)
        )

    def _connections(self) -> Iterable[Metric]:
        counters = self._hub.counters
        yield _gauge("synovia_connections", "Clients that are connected.", len(self._hub))
        yield _counter("synovia_connections_accepted", "Clients that were let in.", counters.accepted)
        yield _counter("synovia_connections_refused", "Clients that were not.", counters.refused)
        yield _counter("synovia_connections_closed", "Connections that have ended.", counters.closed)
        yield _counter("synovia_transitions", "Transitions of live queries that clients were told.", self._hub.told)
        sent = self._hub.sent
        yield _counter("synovia_sent_frames", "Frames to clients: transitions, answers and arrays.", sent.frames)
        yield _counter("synovia_sent_bytes", "The bytes of these.", sent.bytes)


def _counter(name: str, help_: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_, value=value)


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)
