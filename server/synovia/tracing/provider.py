"""Where spans go by default: by OTLP over HTTP, as the variables of OpenTelemetry (``OTEL_...``) say."""

from __future__ import annotations

import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from synovia_protocol.version import __version__

SERVICE = "synovia"
"""The name of the service, unless ``OTEL_SERVICE_NAME`` or ``OTEL_RESOURCE_ATTRIBUTES`` says another one."""


def new_provider() -> TracerProvider:
    """Make a provider of tracers; whoever has it shuts it down."""
    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    given: dict[str, str | int] = {"service.version": __version__, "process.pid": os.getpid()}
    if not named:
        given["service.name"] = SERVICE
    provider = TracerProvider(resource=Resource.create({**given}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
