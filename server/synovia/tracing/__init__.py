"""OpenTelemetry traces from a call to its commit and to what is pushed; with the extra ``synovia[traces]``."""

from __future__ import annotations

from collections.abc import Container
from importlib.util import find_spec
from typing import TYPE_CHECKING

from synovia.errors import SchemaError
from synovia.tracing.untraced import NoTracing

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from synovia.tracing.tracing import Tracing

HOW = "SYNOVIA_TRACES needs OpenTelemetry: pip install 'synovia[traces]'"


def new_tracing(functions: Container[str], *, on: bool, provider: TracerProvider | None = None) -> Tracing | NoTracing:
    """Begin to trace, if that is wanted.

    Args:
        functions: The paths that there are.
        on: Whether to send spans to where the variables of OpenTelemetry say (``OTEL_EXPORTER_OTLP_ENDPOINT``).
        provider: Of the host in whose process the hub is, which sends them instead.

    Raises:
        SchemaError: The library for it is not installed.
    """
    if provider is None and not on:
        return NoTracing()
    if find_spec("opentelemetry") is None or (provider is None and find_spec("opentelemetry.exporter") is None):
        raise SchemaError(HOW)
    from synovia.tracing.tracing import Tracing

    return Tracing(functions, provider)
