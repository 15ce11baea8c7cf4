"""What the scheduler does about clocks that are wrong for a while, and jump back when they are set right.

A time that a hub plans is only as good as its clock. While that was ahead, all that it planned to be later lies too far in
the future: a cron's next run, a call's delay, the wait before another attempt, a lease. So each plan says when it was
made, and one that was made in the future is waited for from the moment at which it is seen (``Plans``). And a clock that
jumps forward makes everything due at once, which nothing can take back: that is believed only when it has stayed there for a
moment (``synovia.clock_jumps``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SKEW = 2_000
"""By so many milliseconds the clocks of two hubs may differ."""
TAKEOVER = 30_000
"""So long a hub leaves what another has planned in its future to that one, beyond the time that was planned."""
DOUBT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """When something is due, and who said so when.

    Attributes:
        due_at: In milliseconds since 1970, as all times here.
        planned_at: None for a time that was given as such: it holds, whatever the clock was.
    """

    due_at: int
    planned_at: int | None
    hub: object


class Plans:
    """Tells when planned things are due by the clock of one hub.

    Args:
        hub: The name of this hub. What it has planned in its own future was planned before its clock was set back.
        alone: Whether no other hub can be there, whose clock could be the right one.

    Attributes:
        looked_at: When they were looked at last.
    """

    def __init__(self, hub: str, *, alone: bool) -> None:
        self._hub = hub
        self._alone = alone
        self._seen: dict[str, tuple[Plan, int]] = {}
        self._seeing: dict[str, tuple[Plan, int]] = {}
        self.looked_at = 0

    def look(self, now: int) -> None:
        """Begin to look at all plans again: what is not looked at now is forgotten."""
        self._seen, self._seeing = self._seeing, {}
        self.looked_at = now

    def due_at(self, key: str, plan: Plan, now: int, resumed: Callable[[int], int] | None = None) -> int:
        """Tell when something is due.

        Args:
            resumed: Of what has times of its own, as a cron: tells the first of them after a moment.
        """
        if plan.planned_at is None or plan.planned_at <= now + SKEW or plan.due_at <= now:
            return plan.due_at
        before, since = self._seen.get(key, (plan, now))
        since = now if before != plan else min(since, now)
        self._seeing[key] = plan, since
        waited = since + plan.due_at - plan.planned_at
        if self._alone or plan.hub == self._hub:
            return min(plan.due_at, waited if resumed is None else resumed(since))
        # The other hub may be alive, and right: then its plan changes within the time that it planned.
        return min(plan.due_at, (waited if resumed is None else resumed(waited)) + TAKEOVER)
