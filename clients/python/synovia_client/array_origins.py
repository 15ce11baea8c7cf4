"""Which query last showed an array, so that it can still be fetched after that query was released."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from synovia_client.queries import LiveQuery, QuerySet


class ArrayOrigin(NamedTuple):
    """The query that showed an array."""

    path: str
    args: dict[str, Any]


class ArrayOrigins:
    """Remembers for the last ``limit`` arrays of dropped queries which query showed them.

    Queries that are still live are not in here: their present results are looked through when an array is asked for, and
    only then, so that a list that changes often is not searched each time.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._seen: OrderedDict[bytes, ArrayOrigin] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def note(self, query: LiveQuery) -> None:
        """Remember which arrays a query showed when it was released; the oldest make room."""
        origin = ArrayOrigin(query.path, query.args)
        for digest in query.digests():
            self._seen[digest] = origin
            self._seen.move_to_end(digest)
        while len(self._seen) > self._limit:
            self._seen.popitem(last=False)

    def find(self, digest: bytes, queries: QuerySet) -> ArrayOrigin | None:
        """Give a live query that shows the array, else the one that last did, else None."""
        for query in queries:
            if digest in query.digests():
                return ArrayOrigin(query.path, query.args)
        return self._seen.get(digest)
