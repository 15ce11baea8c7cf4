"""A list that is read page by page: each page is a subscription of its own, and begins where the one before ends.

The server keeps the ends of a page where they are while it is subscribed to. Should an end have moved all the same (after a
resynchronisation), the next page is asked for anew from there, so that there is neither a gap nor an overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from synovia_client.callbacks import Listeners, Unsubscribe
from synovia_client.change_counter import ChangeCounter
from synovia_client.changes import MISSING, NOTHING, Change, Outcome
from synovia_client.clock import Deadline
from synovia_client.errors import FunctionError, SynoviaError
from synovia_client.queries import LiveQuery
from synovia_client.subscription import Subscription
from synovia_client.sync_state import SyncState

R = TypeVar("R")

PageStatus = Literal["LoadingFirstPage", "CanLoadMore", "LoadingMore", "Exhausted"]
"""What is known of the end of a list; the names are those of the JavaScript client."""


@dataclass(frozen=True, slots=True)
class _Held:
    query: LiveQuery
    stop: Unsubscribe


class Pages:
    """The pages of one list, joined; asks for what is missing, from the first page on.

    Args:
        sync: Where queries are held.
        path: ``module:function``; it takes a cursor and a size, and gives ``{"items": [...], "nextCursor": ...}``.
        args: The other arguments, as wire values.
        size: How many items a page has when it is first read.
        size_name: The argument that says so.

    Attributes:
        shown: The items of all pages, or why one of them failed.
        status: What is known of the end.
        changed: Counts what is shown, and the status.
        watchers: Called with each change of what is shown or of the status; its edits are those of the joined list.
    """

    def __init__(self, sync: SyncState, path: str, args: dict[str, Any], size: int, size_name: str) -> None:
        self.shown = NOTHING
        self.status: PageStatus = "LoadingFirstPage"
        self.changed = ChangeCounter()
        self.watchers: Listeners[Change[Any]] = Listeners()
        self._sync = sync
        self._path = path
        self._args = args
        self._size_name = size_name
        self._sizes = [size]
        self._held: list[_Held] = []
        self._loaded: list[dict[str, Any]] = []

    @property
    def current(self) -> bool:
        """Whether every page is of the present instant."""
        return bool(self._held) and all(held.query.current for held in self._held)

    def open(self) -> None:
        """Begin with the first page."""
        self._look()

    def close(self) -> None:
        """Let go of all pages."""
        self._cut(0)

    def load_more(self, size: int | None = None) -> None:
        """Read another page, unless one is being read or there is none."""
        if self.status == "CanLoadMore" and self._held:
            self._sizes.append(self._sizes[0] if size is None else size)
            self._look()

    def _look(self) -> None:
        """Follow the pages from the first, asking for what is missing."""
        loaded: list[dict[str, Any]] = []
        error: FunctionError | None = None
        cursor = None
        while len(loaded) < len(self._sizes):
            outcome = self._page(len(loaded), cursor).shown
            error = outcome.error or _not_a_page(self._path, outcome)
            if outcome.value is MISSING or error is not None:
                break
            loaded.append(outcome.value)
            cursor = outcome.value.get("nextCursor")
            if cursor is None:
                self._cut(len(loaded))
        self._show(loaded, error)

    def _page(self, index: int, cursor: Any) -> LiveQuery:
        """Give a page, held with this cursor."""
        args = {**self._args, **({} if cursor is None else {"cursor": cursor}), self._size_name: self._sizes[index]}
        held = self._held[index] if index < len(self._held) else None
        if held is not None and self._sync.queries.find(self._path, args) is held.query:
            return held.query
        query = self._sync.hold(self._path, args)
        if held is not None:
            self._let_go(held)
        self._held[index : index + 1] = [_Held(query, query.watchers.add(lambda change: self._look()))]
        return query

    def _cut(self, length: int) -> None:
        """Let go of all pages but the first ``length``."""
        gone, self._held = self._held[length:], self._held[:length]
        del self._sizes[max(1, length) :]
        for held in gone:
            self._let_go(held)

    def _let_go(self, held: _Held) -> None:
        held.stop()
        self._sync.release(held.query)

    def _show(self, loaded: list[dict[str, Any]], error: FunctionError | None) -> None:
        complete = len(loaded) == len(self._sizes)
        # a page in the middle that is being read anew: what was there before is shown until it is back
        kept = self._loaded if not complete and len(loaded) < len(self._loaded) else loaded
        before, status = self.shown, self.status
        value = before.value if _same(kept, self._loaded) else [item for page in kept for item in page["items"]]
        self._loaded = kept
        self.status = _status(kept, complete=complete)
        if value is before.value and error is before.error and self.status == status:
            return
        self.shown = before if value is before.value and error is before.error else Outcome(value, error)
        self.changed.bump()
        self.watchers.emit(Change(before, self.shown))


def _same(kept: list[dict[str, Any]], loaded: list[dict[str, Any]]) -> bool:
    return len(kept) == len(loaded) and all(page is before for page, before in zip(kept, loaded, strict=True))


def _status(kept: list[dict[str, Any]], *, complete: bool) -> PageStatus:
    if not kept:
        return "LoadingFirstPage"
    if not complete:
        return "LoadingMore"
    return "Exhausted" if kept[-1].get("nextCursor") is None else "CanLoadMore"


def _not_a_page(path: str, outcome: Outcome) -> FunctionError | None:
    value = outcome.value
    if value is MISSING or (isinstance(value, dict) and isinstance(value.get("items"), list)):
        return None
    return FunctionError("not_a_page", f'{path} does not give {{"items": [...], "nextCursor": ...}}')


class PaginatedSubscription(Subscription[R]):
    """A list that is read page by page, and kept up to date while somebody looks; ``value`` is the joined list."""

    def __init__(
        self,
        make: Callable[[], Pages],
        ended: Callable[[], SynoviaError | None],
        path: str,
        deadline: Callable[[], Deadline],
    ) -> None:
        self._pages: Pages | None = None

        def hold() -> Pages:
            pages = self._pages = make()
            pages.open()
            return pages

        super().__init__(hold, self._close, ended, path, deadline)

    def _close(self, pages: Pages) -> None:
        pages.close()
        self._pages = None

    @property
    def status(self) -> PageStatus:
        """What is known of the end of the list."""
        return "LoadingFirstPage" if self._pages is None else self._pages.status

    def load_more(self, size: int | None = None) -> None:
        """Read another page, of another size if given; nothing happens unless the status is ``CanLoadMore``."""
        if self._pages is not None:
            self._pages.load_more(size)
