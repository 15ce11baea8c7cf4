"""The desired query set: which queries are held, what is known of each, and what the server has not been told yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from synovia_client.callbacks import Listeners
from synovia_client.change_counter import ChangeCounter
from synovia_client.changes import NOTHING, Change, Outcome
from synovia_client.edits import from_patches
from synovia_client.errors import FunctionError
from synovia_client.trace_context import traceparent
from synovia_protocol.codec import pack
from synovia_protocol.references import digests_in

QueryKey = tuple[str, bytes]


class LiveQuery:
    """One query: a path with arguments. A subscribed one is shared by all who hold it; one that is asked once is not.

    Attributes:
        query_id: Its number on the wire; never given twice by one client.
        holders: How many hold it; with none left it is removed with the next flush.
        size: Bytes of its packed path and arguments.
        newest: What the server said last; kept while disconnected.
        base: What is shown as the server's, of one instant with all other queries.
        shown: What is shown: the base with optimistic updates on top.
        confirmed: Whether this connection has given (or confirmed) the newest; not so just after a reconnect.
        changed: Counts what is shown.
        heard: Counts everything the server says of it, also that nothing has changed.
        watchers: Called with each change of what is shown.
        once: It is asked once, and not subscribed to.
        traceparent: What the one who asks once traces.
    """

    __slots__ = (
        "_digests",
        "_patches",
        "args",
        "base",
        "changed",
        "confirmed",
        "heard",
        "holders",
        "key",
        "newest",
        "once",
        "path",
        "query_id",
        "shown",
        "size",
        "traceparent",
        "watchers",
    )

    def __init__(self, query_id: int, key: QueryKey, args: dict[str, Any], *, once: bool = False) -> None:
        self.once = once
        self.traceparent = traceparent() if once else None
        self.query_id = query_id
        self.key = key
        self.path = key[0]
        self.args = args
        self.size = len(key[0]) + len(key[1])
        self.holders = 0
        self.newest = self.base = self.shown = NOTHING
        self.confirmed = False
        self.changed = ChangeCounter()
        self.heard = ChangeCounter()
        self.watchers: Listeners[Change[Any]] = Listeners()
        self._digests: frozenset[bytes] | None = None
        self._patches: list[Any] | None = []

    @property
    def current(self) -> bool:
        """Whether what is shown is of the present instant."""
        return self.confirmed and self.base is self.newest

    def succeed(self, value: Any, patches: Sequence[Any] = ()) -> None:
        """Take a new result, and what led to it from the one before."""
        self.newest, self._digests = Outcome(value), None
        self.confirmed = True
        if patches and self._patches is not None:
            self._patches += patches
        else:
            self._patches = None

    def fail(self, error: FunctionError) -> None:
        """Take an error; the last result stays to be looked at."""
        self.newest = Outcome(self.newest.value, error)
        self.confirmed = True
        self._patches = None

    def show_newest(self) -> Change[Any]:
        """Make the newest the base; give what led to it from the base before."""
        before, patches = self.base.value, self._patches
        change: Change[Any] = Change(
            self.base, self.newest, None if patches is None else lambda: from_patches(before, patches)
        )
        self.base, self._patches = self.newest, []
        return change

    def digests(self) -> frozenset[bytes]:
        """Give the digests of all arrays in the newest result."""
        if self._digests is None:
            self._digests = frozenset(digests_in(self.newest.value))
        return self._digests


class QuerySet:
    """All live queries of a client, and how they differ from what the present connection has been told.

    Attributes:
        stale: A query was added or released since the server was last told; for every frame that is sent this is looked
            at, and not a thousand queries.
    """

    def __init__(self) -> None:
        self.stale = False
        self._subscribed: dict[QueryKey, LiveQuery] = {}
        self._unasked: dict[QueryKey, LiveQuery] = {}
        self._by_id: dict[int, LiveQuery] = {}
        self._told: set[int] = set()
        self._refused: set[int] = set()
        self._last_id = 0
        self._resuming = False

    def __iter__(self) -> Iterator[LiveQuery]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, query_id: int) -> LiveQuery | None:
        return self._by_id.get(query_id)

    def find(self, path: str, args: dict[str, Any]) -> LiveQuery | None:
        """Give the query of this path and these arguments that is subscribed to."""
        return self._subscribed.get(query_key(path, args))

    def subscribed(self) -> list[LiveQuery]:
        """Give the queries that are subscribed to, but for those that are asked once."""
        return list(self._subscribed.values())

    def hold(self, path: str, args: dict[str, Any]) -> LiveQuery:
        """Hold a query; equal path and arguments give the same one. WireValueError for what cannot be sent."""
        return self._take(self._subscribed, path, args)

    def ask(self, path: str, args: dict[str, Any]) -> LiveQuery:
        """Hold a query that the server is yet to hear of, so that its answer is not older than this call.

        What is known already, from a subscription or an earlier call, is not used; only calls that have not been sent
        yet share one question.
        """
        return self._take(self._unasked, path, args)

    def _take(self, found: dict[QueryKey, LiveQuery], path: str, args: dict[str, Any]) -> LiveQuery:
        key = query_key(path, args)
        query = found.get(key)
        if query is None:
            query = found[key] = self._add(key, args, once=found is self._unasked)
        query.holders += 1
        return query

    def release(self, query: LiveQuery) -> None:
        """Give up one hold. The query is removed by the next flush only: to release and hold it again costs nothing."""
        query.holders -= 1
        self.stale = True

    def _add(self, key: QueryKey, args: dict[str, Any], *, once: bool) -> LiveQuery:
        self._last_id += 1
        self.stale = True
        query = self._by_id[self._last_id] = LiveQuery(self._last_id, key, args, once=once)
        return query

    def forget_released(self) -> list[LiveQuery]:
        """Drop and give the queries that nobody holds any more."""
        released = [query for query in self if query.holders <= 0]
        for query in released:
            del self._by_id[query.query_id]
            for shared in (self._subscribed, self._unasked):
                if shared.get(query.key) is query:
                    del shared[query.key]
        return released

    def difference(self, room: int) -> tuple[list[LiveQuery], list[int]]:
        """Tell what to add to and remove from the server's set, and count it as told.

        Args:
            room: How many bytes of added queries one message may carry; what does not fit comes with the next call.
        """
        gone = [query_id for query_id in self._told if query_id not in self._by_id]
        added: list[LiveQuery] = []
        for query in self:
            if query.query_id not in self._told and (not added or query.size + 64 <= room):
                added.append(query)
                room -= query.size + 64
                if self._unasked.get(query.key) is query:
                    del self._unasked[query.key]
        self._told.difference_update(gone)
        self._told.update(query.query_id for query in added)
        self.stale = len(self._told) != len(self._by_id)
        return added, [query_id for query_id in gone if query_id not in self._refused]

    def refuse(self, query: LiveQuery, error: FunctionError) -> None:
        """A query just given by ``difference`` could not be sent: it fails, and the server never hears of it."""
        self._refused.add(query.query_id)
        query.fail(error)

    @property
    def resuming(self) -> bool:
        """Whether something is shown that this connection has not confirmed yet."""
        if self._resuming:
            shown = (query for query in self if query.holders > 0 and query.base is not NOTHING)
            self._resuming = any(not query.confirmed for query in shown)
        return self._resuming

    def disconnected(self) -> None:
        """The server has forgotten everything; results stay, and are no longer confirmed."""
        self.stale = self._resuming = True
        self._told.clear()
        self._refused.clear()
        for query in self:
            query.confirmed = False

    def wake_all(self) -> None:
        """Wake everyone who waits for a result: the client has ended."""
        for query in self:
            query.changed.bump()
            query.heard.bump()


def query_key(path: str, args: dict[str, Any]) -> QueryKey:
    """Give what makes two queries equal: the path, and the arguments packed with sorted keys (1, 1.0 and True differ)."""
    return path, pack(_sorted(args))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_sorted(item) for item in value]
    return value
