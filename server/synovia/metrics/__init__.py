"""What a hub has done and how it is, as figures for Prometheus; with the extra ``synovia[metrics]``."""

from __future__ import annotations

from collections.abc import Container
from importlib.util import find_spec
from typing import TYPE_CHECKING

from synovia.metrics.missing import NoMetrics

if TYPE_CHECKING:
    from synovia.metrics.metrics import Metrics


def new_metrics(functions: Container[str]) -> Metrics | NoMetrics:
    """Begin to count, if the library for it is installed.

    Args:
        functions: The paths that there are.
    """
    if find_spec("prometheus_client") is None:
        return NoMetrics()
    from synovia.metrics.metrics import Metrics

    return Metrics(functions)
