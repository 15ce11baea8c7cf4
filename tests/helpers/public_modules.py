"""What is public: whatever else a program imports may be gone tomorrow."""

from __future__ import annotations

PUBLIC = (
    "synovia",
    "synovia.http",
    "synovia.testing",
    "synovia.testing.stores",
    "synovia.store",
    "synovia.cli",
    "synovia_client",
    "synovia_qt",
)
"""Modules with an ``__all__`` of what may be imported from them."""

PROTOCOL = ("arrays", "codec", "digest", "errors", "messages", "patch", "values")
"""Modules of the protocol, for programs that speak it themselves or measure what others say: all in them is public."""
