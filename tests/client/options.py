"""How the clients under test are made."""

from __future__ import annotations

from collections.abc import Callable

from synovia_client import Client, Timeouts

MakeClient = Callable[..., Client]

TIMEOUTS = Timeouts(connect=11, welcome=12, token=13, request=60, send=30, ping_interval=10, pong=7)
"""All different, so that a test can say which one it waits for."""
