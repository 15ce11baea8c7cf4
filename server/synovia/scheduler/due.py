"""What is due as a hub has read it last, and what it has done about that since."""

from __future__ import annotations

from collections.abc import Callable

from synovia.functions.function import Function
from synovia.functions.registry import Registry
from synovia.scheduler.calls import Calls
from synovia.scheduler.clocks import SKEW, Plans
from synovia.scheduler.due_calls import DueCall, DueCalls
from synovia.scheduler.reading import DueReading
from synovia.store.base import Ts
from synovia.transaction.recall import Recall
from synovia_protocol import codec


class Due:
    """What is due as a hub has read it last.

    Attributes:
        query: How that is read.
        reading: Whom that is charged to.
        recall: What the last reading has left, of ``take_up``.
        ts: As of when it was.
        moved_on: As of when something was done about what it holds, by its key.
        in_vain: As of when there was nothing to do about what it holds, with that, by its key.
        waits_since: When the first of it was due that has found no place, in milliseconds since 1970; None: all has.
    """

    def __init__(
        self, make: Callable[[Registry, str, Plans], Function], calls: Calls, reading: DueReading, *, alone: bool
    ) -> None:
        self._plans = Plans(calls.hub, alone=alone)
        self._looked_at = 0
        self.query = make(calls.registry, calls.hub, self._plans)
        self.reading = reading
        self.recall = Recall()
        self.calls = DueCalls(items=[])
        self.ts: Ts = 0
        self.moved_on: dict[str, Ts] = {}
        self.in_vain: dict[str, tuple[Ts, DueCall]] = {}
        self.waits_since: int | None = None
        self._packed: bytes | None = None

    def read(self, packed: bytes, ts: Ts) -> None:
        """Take what the query has given; it is looked at each time that a place is free."""
        if ts != self.ts:
            self.ts, self._looked_at = ts, self._plans.looked_at
        if self._packed is not packed:
            self._packed, self.calls = packed, DueCalls.model_validate(codec.unpack(packed))
            self.reading.note(self.calls.items)

    def to_move_on(self) -> list[DueCall]:
        """Give what nothing has been done about since it was read, nor was found to be needed."""
        self.moved_on = {key: ts for key, ts in self.moved_on.items() if ts > self.ts}
        self.in_vain = {key: found for key, found in self.in_vain.items() if found[0] >= self.ts}
        return [item for item in self.calls.items if not (key_of(item) in self.moved_on or self._is_in_vain(item))]

    def _is_in_vain(self, item: DueCall) -> bool:
        found = self.in_vain.get(key_of(item))
        return found is not None and found[1] == item

    def note(self, item: DueCall, seen: Ts, ts: Ts | None) -> None:
        """Take notice of what was done about something.

        Args:
            seen: An instant before that was looked at, and not before it was read.
            ts: The commit; None: there was nothing to do.
        """
        if ts is None:
            self.in_vain[key_of(item)] = seen, item
        else:
            self.moved_on[key_of(item)] = ts

    @property
    def is_behind(self) -> bool:
        """Whether something has been done about it since it was read."""
        return any(ts > self.ts for ts in self.moved_on.values())

    def is_of_the_future(self, now: float) -> bool:
        """Tell whether it was found to be due while the clock was ahead of ``now`` (seconds since 1970)."""
        return self._looked_at > now * 1000 + SKEW


def key_of(item: DueCall) -> str:
    return "the sweep" if item.task == "finished" else f"cron {item.path}" if item.task == "cron" else item.id
