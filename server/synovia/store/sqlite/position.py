"""Where the log stands."""

from __future__ import annotations

from dataclasses import dataclass

from synovia.schema.specs import Reading
from synovia.store.base import SnapshotTooOld, StoreError, Ts


@dataclass(slots=True)
class Position:
    """The newest durable commit, its number, the oldest timestamp that can still be read, and the newest reading for ids.

    ``at`` is the time of the newest commit, in seconds. While ``is_moving`` a commit is under way.
    """

    ts: Ts
    fence: int
    horizon: Ts
    at: float
    clock: Reading = 0
    is_moving: bool = False

    def move(self, ts: Ts, fence: int, at: float, clock: Reading) -> None:
        """Take the position after a commit; the horizon has moved when that was written (``history``)."""
        self.ts, self.fence, self.at, self.clock = ts, fence, at, clock

    def check(self, ts: Ts) -> None:
        """Refuse a timestamp whose versions are not kept any more, or that no commit has reached.

        Raises:
            SnapshotTooOld: It lies before the history that is kept.
            StoreError: It lies in the future, where it would not stay as it is.
        """
        if ts < self.horizon:
            raise SnapshotTooOld(f"versions of timestamp {ts} are gone; the oldest that can be read is {self.horizon}")
        if ts > self.ts:
            raise StoreError(f"timestamp {ts} lies in the future; the newest commit is {self.ts}")
