"""Where a call stands in what the program traces, if it traces with OpenTelemetry: the hub goes on with that trace."""

from __future__ import annotations

import sys


def traceparent() -> str | None:
    """Give the header ``traceparent`` of W3C Trace Context for the span around this call; None: there is none.

    OpenTelemetry is asked only if the program has imported it, so that nobody needs it, or waits for it.
    """
    current = getattr(sys.modules.get("opentelemetry.trace"), "get_current_span", None)
    if current is None:
        return None
    span = current().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags & 1:02x}"
