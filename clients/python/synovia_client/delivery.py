"""Handing what changed to callbacks elsewhere: once for everything that changed together, and the newest only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from synovia_client.changes import Change, Outcome, QueryChange, Transition
from synovia_client.errors import SynoviaError
from synovia_client.misuse import UsedOtherwise
from synovia_client.pages import PageStatus, PaginatedSubscription
from synovia_client.queries import LiveQuery
from synovia_client.tabular import Tabular
from synovia_client.view import Shown

Call = Callable[[Callable[[], None]], object]
"""Takes a function without arguments and runs it where callbacks belong."""
OnValue = Callable[[Any], object]
OnChange = Callable[[Change[Any]], object]
OnError = Callable[[SynoviaError], object]

logger = logging.getLogger("synovia_client")


class Receiver(Protocol):
    """Somebody who is told of changes."""

    def commit(self) -> None:
        """Add what has changed in one transition to what is to be told; called with the delivery's lock held."""
        ...

    def collect(self) -> None:
        """Take over what has come; called where callbacks belong, for all receivers before any of them is told."""
        ...

    def tell(self) -> None:
        """Call back about what was collected."""
        ...


class Delivery:
    """Brings what changed on the client's thread to callbacks, which may belong to another thread.

    Everything that changed in one transition is handed over in one call. While a call has not run, later transitions join
    it: however long a program is busy, it is then told once, of the newest.

    Args:
        call: Runs a function where callbacks belong.

    Attributes:
        lock: Held while what came is handed over: all of a transition, or nothing of it.
    """

    def __init__(self, call: Call) -> None:
        self.lock = threading.Lock()
        self._call = call
        self._noted: dict[Receiver, None] = {}
        self._due: dict[Receiver, None] = {}
        self._called = False
        self._closed = False

    def note(self, receiver: Receiver) -> None:
        """Note, on the client's thread, that somebody is to be told once all of a transition is there."""
        self._noted[receiver] = None

    def flush(self) -> None:
        """Have told who is to be told, unless that is under way; on the client's thread, between two transitions."""
        with self.lock:
            for receiver in self._noted:
                receiver.commit()
            self._due.update(self._noted)
            self._noted = {}
            if self._called or self._closed or not self._due:
                return
            self._called = True
        try:
            self._call(self._run)
        except Exception:
            logger.exception("handing a result to its callback failed")
            with self.lock:
                self._called = False

    def call_later(self, callback: Callable[[], object]) -> None:
        """Run one callback by itself, where callbacks belong."""
        try:
            self._call(lambda: self._guarded(callback))
        except Exception:
            logger.exception("handing a result to its callback failed")

    def close(self) -> None:
        """Tell nobody any more."""
        self._closed = True

    def _run(self) -> None:
        with self.lock:
            self._called = False
            due, self._due = list(self._due), {}
            if self._closed:
                return
            for receiver in due:
                receiver.collect()
        for receiver in due:
            self._guarded(receiver.tell)

    def _guarded(self, callback: Callable[[], object]) -> None:
        if self._closed:
            return
        try:
            callback()
        except Exception:
            logger.exception("the callback of a subscription failed")


class SubscriptionHandle(UsedOtherwise, Tabular):
    """A running subscription; ``close`` ends it.

    What it shows is what callbacks were told last: all handles of a client show one instant.
    """

    _used: ClassVar[str] = (
        "a subscription of a BlockingClient calls back, as subscribe(path, args, print), and has the newest value as .value"
        " until close(); query(path, args) asks once"
    )

    def __init__(
        self, delivery: Delivery, on_value: OnValue | None, on_change: OnChange | None, on_error: OnError | None
    ) -> None:
        self._delivery = delivery
        self._on_value = on_value
        self._on_change = on_change
        self._on_error = on_error
        self._closed = False
        self._end: Callable[[], None] | None = None
        self._noted: Change[Any] | SynoviaError | None = None
        self._coming: Change[Any] | SynoviaError | None = None
        self._told: Change[Any] | SynoviaError | None = None
        self._shown = Outcome()

    @property
    def value(self) -> Any:
        """The newest value; None before the first."""
        return Change(Outcome(), self._shown).value

    @property
    def error(self) -> SynoviaError | None:
        """Why the newest run failed; None when it did not."""
        return self._shown.error

    def close(self) -> None:
        """End the subscription: no callback begins after this. May be called twice, and from any thread."""
        with self._delivery.lock:
            self._closed = True
            end, self._end = self._end, None
        if end is not None:
            end()

    # --- on the client's thread

    def ends_by(self, end: Callable[[], None]) -> None:
        """Say what ends the subscription on the client's side; it is called at once if the handle is closed already."""
        with self._delivery.lock:
            closed = self._closed
            if not closed:
                self._end = end
        if closed:
            end()

    def take(self, change: Change[Any]) -> None:
        """Note a change that is to be told."""
        self._noted = self._joined(self._noted, change)
        self._delivery.note(self)

    def fail(self, error: SynoviaError) -> None:
        """Note that nothing will come any more."""
        self._noted = error
        self._delivery.note(self)

    def commit(self) -> None:
        """Add what was noted to what is to be told."""
        noted, self._noted = self._noted, None
        self._coming = self._joined(self._coming, noted) if isinstance(noted, Change) else noted

    def _joined(self, missed: Change[Any] | SynoviaError | None, change: Change[Any]) -> Change[Any]:
        looks_at_edits = self._on_change is not None  # who looks at the value only has missed nothing
        return missed.then(change) if looks_at_edits and isinstance(missed, Change) else change

    # --- where callbacks belong

    def collect(self) -> None:
        """Show what has come."""
        self._told, self._coming = self._coming, None
        if isinstance(self._told, Change):
            self._shown = self._told.outcome

    def tell(self) -> None:
        """Call back."""
        told, self._told = self._told, None
        if told is None or self._closed:
            return
        if not isinstance(told, Change):
            self._tell_error(told)
            return
        if self._on_change is not None:
            self._on_change(told)
        if told.error is not None:
            self._tell_error(told.error)
        elif self._on_value is not None and not self._closed:
            self._on_value(told.value)

    def _tell_error(self, error: SynoviaError) -> None:
        if self._on_error is not None:
            self._on_error(error)
        elif self._on_change is None:
            logger.warning("a subscription failed: %s", error)


class PaginatedHandle(SubscriptionHandle):
    """A running subscription to a list that is read page by page."""

    def __init__(
        self, delivery: Delivery, on_value: OnValue | None, on_change: OnChange | None, on_error: OnError | None
    ) -> None:
        super().__init__(delivery, on_value, on_change, on_error)
        self._status: PageStatus = "LoadingFirstPage"
        self._coming_status: PageStatus = "LoadingFirstPage"
        self._pages: PaginatedSubscription[Any] | None = None
        self._run_there: Call | None = None

    @property
    def status(self) -> PageStatus:
        """What was known of the end of the list when callbacks were told last."""
        return self._status

    def load_more(self, size: int | None = None) -> None:
        """Read another page, of another size if given; nothing happens unless the status is ``CanLoadMore``."""
        pages = self._pages
        if pages is not None and self._run_there is not None:
            self._run_there(lambda: pages.load_more(size))

    def reads(self, pages: PaginatedSubscription[Any], run_there: Call) -> None:
        """Say which pages it shows, and how to run something on their thread."""
        self._pages, self._run_there = pages, run_there

    def take(self, change: Change[Any]) -> None:
        """Note a change that is to be told."""
        if self._pages is not None:
            self._coming_status = self._pages.status
        super().take(change)

    def collect(self) -> None:
        """Show what has come."""
        super().collect()
        self._status = self._coming_status


class TransitionReceiver:
    """Tells one callback of everything that changed."""

    def __init__(self, delivery: Delivery, callback: Callable[[Transition], object]) -> None:
        self._delivery = delivery
        self._callback: Callable[[Transition], object] | None = callback
        self._ts: int | None = None
        self._noted: list[Shown] = []
        self._coming: dict[LiveQuery, Change[Any]] = {}
        self._told: list[QueryChange] = []
        self._told_ts: int | None = None

    def take(self, shown: Shown) -> None:
        """Note what is to be told."""
        self._noted.append(shown)
        self._delivery.note(self)

    def commit(self) -> None:
        """Add what was noted to what is to be told."""
        noted, self._noted = self._noted, []
        for shown in noted:
            self._ts = shown.ts
            for query, change in shown.changes.items():
                if not query.once:
                    before = self._coming.get(query)
                    self._coming[query] = change if before is None else before.then(change)

    def close(self) -> None:
        """Tell nothing any more."""
        self._callback = None

    def collect(self) -> None:
        """Take over what has come."""
        self._told = [QueryChange(query.path, query.args, change) for query, change in self._coming.items()]
        self._told_ts, self._coming = self._ts, {}

    def tell(self) -> None:
        """Call back."""
        if self._callback is not None and self._told:
            self._callback(Transition(self._told_ts, tuple(self._told)))
