"""Holds a history against what was promised; every promise that was not kept is an ``Anomaly``."""

from __future__ import annotations

from torture.checker.appends import check_appends
from torture.checker.freshness import check_readings
from torture.checker.invariants import check_finals, check_sights
from torture.checker.writes import check_answers, check_counters, check_names, check_transfers
from torture.history import Anomaly, History

__all__ = ["check"]


def check(history: History) -> list[Anomaly]:
    """Give every anomaly of a history; none is what was promised."""
    checks = (
        check_sights, check_answers, check_appends, check_transfers, check_counters, check_names, check_finals,
        check_readings,
    )  # fmt: skip
    return [anomaly for each in checks for anomaly in each(history)]
