"""What is shown: the server's results, all of one instant, with optimistic updates on top.

The server answers a mutation just after the transition with its effect. Between the two, an optimistic update would be
applied to a result that holds the effect already, and a row would flash up twice. So a transition that changes what an
unanswered mutation's update changes is held back, with everything after it, until the answer is there: it is a few bytes
behind. A limit keeps a slow mutation from holding up others' changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from synovia_client.callbacks import Listeners, report
from synovia_client.changes import Change, Outcome
from synovia_client.clock import Clock
from synovia_client.optimistic import Expectation, Overlay
from synovia_client.queries import LiveQuery, QuerySet
from synovia_client.settings import Timeouts


class Shown(NamedTuple):
    """Everything that is shown anew at one instant.

    Attributes:
        ts: The instant of the server's part; None before there is any.
        changes: What is another now, by query.
    """

    ts: int | None
    changes: dict[LiveQuery, Change[Any]]


class View:
    """Decides what is shown, and when.

    Attributes:
        told: Called with all that changed at once, after the queries' own watchers; everything is in place by then.
    """

    def __init__(self, queries: QuerySet, clock: Clock, timeouts: Timeouts) -> None:
        self.told: Listeners[Shown] = Listeners()
        self._queries = queries
        self._clock = clock
        self._timeouts = timeouts
        self._expected: list[Expectation] = []
        self._overlay: Overlay = {}
        self._afterwards: list[Callable[[], None]] = []
        self._dirty: set[LiveQuery] = set()
        self._ts: int | None = None
        self._answered_ts: int | None = None
        self._connected = False
        self._held_since: float | None = None
        self._timer: asyncio.Task[None] | None = None

    # --- what the server says

    def mark(self, query: LiveQuery) -> None:
        """A query has a new outcome; it is shown with the transition that it belongs to."""
        self._dirty.add(query)

    def applied(self, ts: int) -> None:
        """All queries are as of ``ts`` now."""
        self._ts = ts
        self.look()

    def answered(self, expected: Expectation | None, ts: int | None, then: Callable[[], None]) -> None:
        """A mutation was answered; ``then`` is called when its effects are shown and its optimistic update is gone."""
        if expected is not None:
            expected.answered = True
        self._answered_ts = ts
        self.afterwards(then)

    def afterwards(self, then: Callable[[], None]) -> None:
        """Call a function once everything that has come is shown."""
        self._afterwards.append(then)
        self.look()

    # --- connections

    def connected(self) -> None:
        """A server is there: what is held back is only so for a while from now on."""
        self._connected = True
        if self._held_since is not None:
            self._held_since = self._clock.time()
        self.look()

    def disconnected(self) -> None:
        """The connection is gone: what is held back stays as it is shown, since answers come only after the next one."""
        self._connected = False
        self._stop_timer()
        for expected in self._expected:
            expected.retried = expected.retried or expected.may_be_seen

    def forget(self, query: LiveQuery) -> None:
        """A query is gone."""
        self._dirty.discard(query)
        self._overlay.pop(query, None)

    def close(self) -> None:
        """Nothing will come any more, and nobody is told anything any more."""
        self._stop_timer()
        self._expected, self._afterwards = [], []
        self._overlay, self._dirty = {}, set()
        self.told.clear()

    # --- optimistic updates

    def add(self, expected: Expectation) -> None:
        """Show an update at once. What it raises goes to the caller, and nothing is changed."""
        expected.run(self._queries, dict(self._overlay))
        self._expected.append(expected)
        self._refresh({})

    def drop(self, expected: Expectation) -> None:
        """Take an update away at once: its mutation failed, or nobody waits for it any more."""
        if expected in self._expected:
            self._expected.remove(expected)
            self._refresh({})
            self.look()

    # --- showing

    def look(self) -> None:
        """Show what has come, unless it is to be held back."""
        limit = self._limit()
        self._stop_timer()
        if limit <= 0:
            self._show()
            return
        now = self._clock.time()
        if self._held_since is None:
            self._held_since = now
        left = limit - (now - self._held_since)
        if left <= 0:
            self._show()
        elif self._connected:
            self._timer = asyncio.create_task(self._show_later(left), name="synovia-client view")

    async def _show_later(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._timer = None
        self._show()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _limit(self) -> float:
        """Tell how long what has come is to be held back, counted from when that began."""
        if self._connected and self._queries.resuming:
            return self._timeouts.resume
        # a connection's mutations run one after the other: at the ts of an answer, the later ones have not happened
        if self._ts == self._answered_ts:
            return 0.0
        unclear = [each for each in self._expected if each.may_be_seen and not self._dirty.isdisjoint(each.touched)]
        if not unclear:
            return 0.0
        return self._timeouts.settle * (10 if any(each.retried for each in unclear) else 1)

    def _show(self) -> None:
        self._held_since = None
        dirty, self._dirty = self._dirty, set()
        changes = {query: query.show_newest() for query in dirty}
        self._expected = [each for each in self._expected if not each.answered]
        afterwards, self._afterwards = self._afterwards, []
        self._refresh(changes)
        for then in afterwards:
            then()

    def _refresh(self, bases: dict[LiveQuery, Change[Any]]) -> None:
        """Put the overlay on anew; everything is in place before anybody is told."""
        before = self._overlay
        self._overlay = self._replay() if self._expected else {}
        affected = dict.fromkeys((*bases, *before, *self._overlay))
        changes: dict[LiveQuery, Change[Any]] = {}
        for query in affected:
            covered = query in before or query in self._overlay
            change = self._put(query, None if covered else bases.get(query))
            if change is not None:
                changes[query] = change
        if changes:
            self._tell(Shown(self._ts, changes))

    def _replay(self) -> Overlay:
        overlay: Overlay = {}
        for expected in self._expected:
            try:
                expected.run(self._queries, overlay)
            except Exception as error:
                report(error)
        return overlay

    def _put(self, query: LiveQuery, change: Change[Any] | None) -> Change[Any] | None:
        """Set what a query shows; give what led to it, if that is something else."""
        before = query.shown
        after = Outcome(self._overlay[query]) if query in self._overlay else query.base
        if before.value is after.value and before.error is after.error:
            return None
        query.shown = after
        return Change(before, after) if change is None else change

    def _tell(self, shown: Shown) -> None:
        for query, change in shown.changes.items():
            query.changed.bump()
            query.watchers.emit(change)
        self.told.emit(shown)
