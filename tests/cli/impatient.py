"""``synovia`` with less patience for what hangs at a stop: what is tested is that it ends, and not when."""

from __future__ import annotations

from synovia.cli import commands
from synovia.limits.settings import HubLimits

if __name__ == "__main__":
    setattr(commands, "MARGIN_SECONDS", 0.2)  # noqa: B010 (imported there, and not exported)
    HubLimits.stop_timeout = property(lambda limits: limits.drain_timeout + limits.farewell_timeout + 0.5)  # type: ignore[method-assign, assignment]
    commands.main()
