"""The query set of one Convex client: what it follows, at which instant and version it is, and what it is owed.

Nothing here waits or sends: the socket calls ``advance`` when the client can take more. The rules are those of
docs/convex-protocol.md: every version that the client sends is answered, each answer begins where the last one ended, and
what the client's own mutations have changed is told after their responses.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from synovia.convex.errors import failure_of
from synovia.convex.functions import ConvexFunctions
from synovia.convex.messages import AddQuery, Malformed, ModifyQuerySet, Result, query_removed, query_result
from synovia.convex.results import ResultCache
from synovia.convex.subscription import ConvexSubscription, Refusal
from synovia.convex.versions import StateVersion
from synovia.errors import BadCursor, FunctionError
from synovia.functions.function import Kind
from synovia.identity import Account, Identity
from synovia.sync.ports import Engine, Floor, Ts, Version
from synovia.sync.query_set import MANY_TO_COME
from synovia_protocol.errors import ErrorCode


@dataclass(slots=True)
class _Step:
    """One version of the query set that the client has not been brought to."""

    version: int
    added: dict[int, ConvexSubscription] = field(default_factory=dict)
    removed: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """From where to where a transition leads, and the modifications that it has."""

    start: StateVersion
    end: StateVersion
    modifications: list[str]


class ConvexQuerySet:
    """What one client follows.

    Args:
        wake: Called when ``advance`` may have something new.
        account: Whom its queries are charged to.

    Attributes:
        identity: Who the client is.
        told: What the last transition led to.
        max_queries: Queries followed at once; one more fails with ``limit_exceeded``.
    """

    def __init__(
        self,
        engine: Engine,
        functions: ConvexFunctions,
        cache: ResultCache,
        wake: Callable[[], None],
        *,
        max_queries: int,
        account: Account,
    ) -> None:
        self.identity: Identity | None = None
        self.told = StateVersion()
        self.max_queries = max_queries
        self._engine = engine
        self._functions = functions
        self._cache = cache
        self._wake = wake
        self._account = account
        self._version = 0
        self._identity_version = 0
        self._steps: dict[int, _Step] = {}  # by their versions, the oldest first
        self._queries: dict[int, ConvexSubscription] = {}
        self.weight = 0
        self._least: Ts = 0
        self._owed: Ts | None = None
        self._holds: dict[int, Ts] = {}

    def __len__(self) -> int:
        return len(self._queries)

    @property
    def loading(self) -> bool:
        """Whether many first results are still to come."""
        added = (query for step in self._steps.values() for query in step.added.values())
        return sum(not query.live.loaded for query in added) > MANY_TO_COME

    # --- what the client asks for

    def begin(self, newest_ts: Ts) -> None:
        """Never show anything older than what the client has seen on an earlier connection."""
        self._least = newest_ts

    def is_behind(self, head: Ts) -> bool:
        """Tell whether the database has not yet come to what the client has seen."""
        return head < self._least

    def modify(self, message: ModifyQuerySet) -> None:
        """Change the query set.

        Raises:
            Malformed: It does not go on from the version before, or changes what cannot be changed.
        """
        if message.base_version != self._version or message.new_version <= message.base_version:
            raise Malformed(
                f"ModifyQuerySet: from version {message.base_version} to {message.new_version}, but it is {self._version}"
            )
        self._version = message.new_version
        step = self._steps[message.new_version] = _Step(message.new_version)
        for query_id in message.remove:
            self._remove(query_id)
            step.removed.append(query_id)
        if message.add:
            floor = self._engine.floor(self._wake)
            step.added = {each.query_id: self._add(each, message.new_version, floor) for each in message.add}
        self._wake()

    def _remove(self, query_id: int) -> None:
        query = self._queries.pop(query_id, None)
        if query is None:
            raise Malformed(f"ModifyQuerySet: query {query_id} is not there")
        self.weight -= query.live.weight
        self._leave(query)
        if (step := self._steps.get(query.since)) is not None:
            step.added.pop(query_id, None)

    def _add(self, added: AddQuery, since: int, floor: Floor) -> ConvexSubscription:
        if added.query_id in self._queries:
            raise Malformed(f"ModifyQuerySet: query {added.query_id} is there already")
        try:
            query, args = self._query(added, since)
            self._join(query, args, floor)
            if self.weight + query.live.weight > self.max_queries:
                self._leave(query)
                raise self._one_more()
        except FunctionError as error:
            query = ConvexSubscription(added.query_id, since, None, None, self._wake)
            query.live = Refusal(error.info, {})
        self._queries[added.query_id] = query
        self.weight += query.live.weight
        return query

    def _one_more(self) -> FunctionError:
        text = f"this connection may follow {self.max_queries} queries at present; one with large arguments counts for more"
        return FunctionError(ErrorCode.LIMIT_EXCEEDED, text)

    def _query(self, added: AddQuery, since: int) -> tuple[ConvexSubscription, dict[str, Any]]:
        if self.weight >= self.max_queries:
            raise self._one_more()
        if added.component is not None:
            raise FunctionError(ErrorCode.UNKNOWN_FUNCTION, "there are no components here")
        function = self._functions.find(added.path, Kind.QUERY)
        args = function.arguments(added.args)
        return ConvexSubscription(added.query_id, since, function, _journal(added.journal), self._wake), args

    def _join(self, query: ConvexSubscription, args: dict[str, Any], floor: Floor) -> None:
        """Have the engine answer a query as its caller is now."""
        query.floor = floor
        if query.function is None:
            return
        try:
            query.live = self._engine.subscribe(
                query, query.function.path, args, self.identity, query.journal, self._account, anew=True
            )
        except FunctionError as error:
            query.live = Refusal(error.info, args)

    def _leave(self, query: ConvexSubscription) -> None:
        if not isinstance(query.live, Refusal):
            self._engine.unsubscribe(query, query.live)

    def sign_in(self, identity: Identity | None) -> None:
        """Become another caller, or the same by another token: then no query is asked again."""
        self._identity_version += 1
        if identity != self.identity:
            self.identity = identity
            floor = self._engine.floor(self._wake)
            for query in self._queries.values():
                before = query.live
                self._join(query, before.wire_arguments(), floor)
                if not isinstance(before, Refusal):
                    self._engine.unsubscribe(query, before)
        self._wake()

    def close(self) -> None:
        """Give every subscription back."""
        for query in self._queries.values():
            self._leave(query)
        self._queries.clear()
        self._steps.clear()

    # --- what the client's mutations have to do with it

    def hold(self, request_id: int) -> None:
        """Show nothing newer than now until a mutation has been answered: it is about to be committed."""
        self._holds.setdefault(request_id, self._engine.head)

    def answered(self, request_id: int, ts: Ts | None) -> None:
        """Owe a transition that holds what a mutation has done; its response is on its way."""
        self._holds.pop(request_id, None)
        self._owed = max(self._owed or 0, ts or 0)
        self._wake()

    # --- what the client is told

    def advance(self, head: Ts) -> Step | None:
        """Move to the newest instant and version that can be told; None: there is nothing to tell, or not yet."""
        limit = min([head, *self._holds.values()])
        if head < self._least or limit < self.told.ts:
            return None
        reached = self._reached(limit)
        if reached is None:
            return None
        ts, version = reached
        if ts < self._least or (self._owed is not None and ts < self._owed):
            return None
        versions = self._versions(ts, version)
        return None if versions is None else self._step(ts, version, versions)

    def _reached(self, limit: Ts) -> tuple[Ts, int] | None:
        """Tell the newest instant of all queries, and the version of the query set that can be told with it."""
        ts, asked = limit, []
        for query in self._queries.values():
            if query.since <= self.told.query_set:
                known = query.known_through(limit)
                if known is None:
                    return None  # its caller is another one now, whose answer is not there yet
                ts = min(ts, known)
                asked.append(query)
        if ts < self.told.ts or not all(query.is_fresh(ts) for query in asked):
            return None
        version = self.told.query_set
        for step in self._steps.values():
            lower = self._with_added(step, ts, limit)
            asked += step.added.values()
            if lower is None or lower < self.told.ts:
                break
            looked_at = step.added.values() if lower == ts else asked  # the others have been looked at
            if not all(query.is_fresh(lower) for query in looked_at):
                break
            ts, version = lower, step.version
        return ts, version

    @staticmethod
    def _with_added(step: _Step, ts: Ts, limit: Ts) -> Ts | None:
        for query in step.added.values():
            known = query.known_through(limit)
            if known is None:
                return None
            ts = min(ts, known)
        return ts

    def _versions(self, ts: Ts, version: int) -> list[tuple[ConvexSubscription, Version]] | None:
        """Find the result of each query as of an instant; None: one of them is not kept there."""
        found = []
        for query in self._queries.values():
            if query.since <= version:
                result = query.live.version_at(ts)
                if result is None:
                    return None
                if result is not query.version:
                    found.append((query, result))
        return found

    def _step(self, ts: Ts, version: int, versions: list[tuple[ConvexSubscription, Version]]) -> Step | None:
        told = [text for query, result in versions if (text := self._told(query, result)) is not None]
        removed = []
        while self._steps and (oldest := next(iter(self._steps))) <= version:
            removed += self._steps.pop(oldest).removed
        changed = version > self.told.query_set or self._identity_version > self.told.identity
        if not (told or changed or self._owed is not None):
            return None
        start, self.told = self.told, StateVersion(version, ts, self._identity_version)
        self._owed = None
        return Step(start, self.told, [query_removed(query_id) for query_id in removed] + told)

    def _told(self, query: ConvexSubscription, version: Version) -> str | None:
        """Make the modification that tells of a result; None if it looks like the one before."""
        if query.function is None:
            assert version.error is not None  # noqa: S101 (a Refusal)
            result = Result(failure_of(version.error))
        else:
            result = self._cache.result(query.function, version)
        same = query.result is not None and query.result == result
        query.told(version, result)
        return None if same else query_result(query.query_id, result, query.journal_text)


def _journal(text: str | None) -> bytes | None:
    try:
        return None if not text else base64.b64decode(text, validate=True)
    except ValueError:
        raise BadCursor("this journal was not made by this server") from None
