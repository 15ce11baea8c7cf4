"""Optimistic updates: what a mutation is expected to do to the results of queries, until its answer is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, overload

from synovia_client.arguments import checked
from synovia_client.calls import QueryCall, spelled_out
from synovia_client.changes import MISSING
from synovia_client.queries import LiveQuery, QuerySet
from synovia_client.requests import Request

R = TypeVar("R")

Overlay = dict[LiveQuery, Any]
"""Values that differ from those of the server."""


class QueryResult(NamedTuple):
    """The arguments and the result of a query that is subscribed to."""

    args: dict[str, Any]
    value: Any


class OptimisticStore:
    """The results of the queries that are subscribed to, to be read and changed by an optimistic update."""

    def __init__(self, queries: QuerySet, below: Overlay) -> None:
        self._queries = queries
        self._below = below
        self.changes: Overlay = {}

    @overload
    def get_query(self, call: QueryCall[R], /) -> R | None: ...
    @overload
    def get_query(self, path: str, args: dict[str, Any] | None = None) -> Any: ...
    def get_query(self, path: str | QueryCall[Any], args: dict[str, Any] | None = None) -> Any:
        """Give the result of a query, not to be changed; None while it is loading or nobody subscribes to it."""
        query = self._find(path, args)
        value = MISSING if query is None else self._value(query)
        return None if value is MISSING else value

    def set_query(self, path: str | QueryCall[Any], args: dict[str, Any] | None, value: Any) -> None:
        """Set the result of a query; nothing happens when nobody subscribes to it. A typed call needs no ``args``."""
        query = self._find(path, args)
        if query is not None:
            self.changes[query] = value

    def get_all_queries(self, path: str) -> list[QueryResult]:
        """Give the arguments and results of all queries of one path that are subscribed to and have a result."""
        found = [query for query in self._queries.subscribed() if query.path == path]
        results = [QueryResult(query.args, self._value(query)) for query in found]
        return [result for result in results if result.value is not MISSING]

    def _find(self, path: str | QueryCall[Any], args: dict[str, Any] | None) -> LiveQuery | None:
        path, args = spelled_out(path, args, "query")
        return self._queries.find(path, checked(path, args))

    def _value(self, query: LiveQuery) -> Any:
        for overlay in (self.changes, self._below):
            if query in overlay:
                return overlay[query]
        return query.base.value


OptimisticUpdate = Callable[[OptimisticStore, dict[str, Any]], object]
"""Called with the store and the mutation's arguments, again whenever what is below changes: without side effects."""


class Expectation:
    """What one mutation is expected to do.

    Args:
        update: The program's callback.
        args: What it is called with.

    Attributes:
        touched: The queries that it changed when it ran last.
        request: Its mutation, once that has a number.
        answered: The server has answered.
        retried: The connection broke while it waited for the answer.
    """

    def __init__(self, update: OptimisticUpdate, args: dict[str, Any]) -> None:
        self.touched: frozenset[LiveQuery] = frozenset()
        self.request: Request | None = None
        self.answered = False
        self.retried = False
        self._update = update
        self._args = args

    @property
    def may_be_seen(self) -> bool:
        """Whether what the server sends may already hold its effect."""
        return not self.answered and self.request is not None and self.request.tried

    def run(self, queries: QuerySet, overlay: Overlay) -> None:
        """Add what it changes to an overlay. What its callback raises changes nothing."""
        store = OptimisticStore(queries, overlay)
        self._update(store, self._args)
        self.touched = frozenset(store.changes)
        overlay.update(store.changes)
