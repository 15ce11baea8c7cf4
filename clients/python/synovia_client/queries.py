"""The desired query set: which queries are held, what is known of each, and what the server has not been told yet."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from synovia_client.change_counter import ChangeCounter
from synovia_client.errors import FunctionError
from synovia_protocol.codec import pack
from synovia_protocol.references import digests_in

QueryKey = tuple[str, bytes]


class Missing(Enum):
    """Stands for a result that has not come yet; None is a result like any other."""

    MISSING = "missing"


MISSING = Missing.MISSING


class LiveQuery:
    """One query: a path with arguments. A subscribed one is shared by all who hold it; one that is asked once is not.

    Attributes:
        query_id: Its number on the wire; never given twice by one client.
        holders: How many hold it; with none left it is removed with the next flush.
        size: Bytes of its packed path and arguments.
        value: The newest result, kept while disconnected; ``MISSING`` before the first.
        error: Why the newest run failed, None when it did not.
        confirmed: Whether this connection has given (or confirmed) the result; not so just after a reconnect.
        changed: Counts the results and errors.
        heard: Counts everything the server says of it, also that nothing has changed.
    """

    __slots__ = (
        "_shown",
        "args",
        "changed",
        "confirmed",
        "error",
        "heard",
        "holders",
        "key",
        "path",
        "query_id",
        "size",
        "value",
    )

    def __init__(self, query_id: int, key: QueryKey, args: dict[str, Any]) -> None:
        self.query_id = query_id
        self.key = key
        self.path = key[0]
        self.args = args
        self.size = len(key[0]) + len(key[1])
        self.holders = 0
        self.value: Any = MISSING
        self.error: FunctionError | None = None
        self.confirmed = False
        self.changed = ChangeCounter()
        self.heard = ChangeCounter()
        self._shown: frozenset[bytes] | None = None

    @property
    def answered(self) -> bool:
        """Whether there is a result or an error."""
        return self.value is not MISSING or self.error is not None

    def succeed(self, value: Any) -> None:
        """Take a new result."""
        self.value, self.error, self._shown = value, None, None
        self.confirmed = True

    def fail(self, error: FunctionError) -> None:
        """Take an error; the last result stays to be looked at."""
        self.error = error
        self.confirmed = True

    def confirm(self) -> None:
        """The result of an earlier connection is still the newest."""
        self.confirmed = True
        self.heard.bump()

    def wake(self) -> None:
        """Wake everyone who waits for a result."""
        self.changed.bump()
        self.heard.bump()

    def shown(self) -> frozenset[bytes]:
        """Give the digests of all arrays in the result."""
        if self._shown is None:
            self._shown = frozenset(digests_in(self.value))
        return self._shown


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

    def __iter__(self) -> Iterator[LiveQuery]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, query_id: int) -> LiveQuery | None:
        return self._by_id.get(query_id)

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
            query = found[key] = self._add(key, args)
        query.holders += 1
        return query

    def release(self, query: LiveQuery) -> None:
        """Give up one hold. The query is removed by the next flush only: to release and hold it again costs nothing."""
        query.holders -= 1
        self.stale = True

    def _add(self, key: QueryKey, args: dict[str, Any]) -> LiveQuery:
        self._last_id += 1
        self.stale = True
        query = self._by_id[self._last_id] = LiveQuery(self._last_id, key, args)
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
        query.wake()

    def disconnected(self) -> None:
        """The server has forgotten everything; results stay, and are no longer confirmed."""
        self.stale = True
        self._told.clear()
        self._refused.clear()
        for query in self:
            query.confirmed = False

    def wake_all(self) -> None:
        """Wake everyone who waits for a result: the client has ended."""
        for query in self:
            query.wake()


def query_key(path: str, args: dict[str, Any]) -> QueryKey:
    """Give what makes two queries equal: the path, and the arguments packed with sorted keys (1, 1.0 and True differ)."""
    return path, pack(_sorted(args))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_sorted(item) for item in value]
    return value
