"""How long tests wait for what has to come, and hubs under test for them."""

from __future__ import annotations

from typing import Any

PATIENCE = 100.0
"""Seconds: only so that a test which hangs ends and tells where. It says nothing of how long anything takes."""

UNHURRIED: dict[str, Any] = dict.fromkeys(
    (
        "query_timeout",
        "mutation_timeout",
        "request_timeout",
        "connect_timeout",
        "authenticate_timeout",
        "resume_timeout",
        "health_timeout",
    ),
    PATIENCE,
)
"""Limits with which a hub gives up on nobody because the machine is busy; for ``HubLimits``."""
