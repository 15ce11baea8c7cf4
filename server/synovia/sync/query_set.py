"""The query set of one client: which queries it holds, as of when, and what it is to be told next.

Nothing here waits or sends: the socket calls ``advance`` when the client can take more, and sends what that gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial

from synovia.errors import FunctionError
from synovia.identity import SERVER, Account, Identity
from synovia.sync.context import Joining
from synovia.sync.ports import Engine, Floor, LiveQuery, Ts, Version
from synovia.sync.subscription import Subscription
from synovia.sync.transitions import Change, Step, TransitionCache, Untellable
from synovia_protocol.codec import pack_update
from synovia_protocol.errors import ErrorCode, ErrorInfo
from synovia_protocol.messages import QueryAdd, QueryFailed
from synovia_protocol.sessions import ServerSession

MOST_FIRST_BYTES = 24 * 1024 * 1024
"""So much of first results is told in one transition, or one result: a client takes 64 MiB, with all that has changed."""

MANY_TO_COME = 16
"""Up to so many first results that are still to come are waited for one by one."""


class QuerySet:
    """What one client holds, at one instant.

    Whoever holds many queries is told of a few at a time, so only these are looked at: a query is *settled* once the client
    holds its newest version, and open again when its live query tells of another one. A settled query can hold the client
    back only while its live query is dirty, and the engine knows which are. Who holds a single query needs none of that.

    Args:
        engine: Where live queries come from.
        session: The protocol's side of the connection.
        cache: Transitions that are encoded already, shared by all connections of a hub.
        wake: Called when ``advance`` may have something new.
        max_subscriptions: Queries held at once; one more is refused with ``limit_exceeded``.
        account: Whom its queries are charged to.
        joining: As in ``HubContext``.

    Attributes:
        identity: Who the client is.
        max_subscriptions: As above; may be changed at any time, and counts for queries that come later.
        weight: As how many subscriptions those count that are held: one with large arguments counts as several.
        loading: Whether many first results were still to come when ``advance`` looked at them last.
        waiting_bytes: The bytes of responses that wait for their transition.
    """

    def __init__(
        self,
        engine: Engine,
        session: ServerSession,
        cache: TransitionCache,
        wake: Callable[[], None],
        *,
        max_subscriptions: int = 1_000,
        account: Account = SERVER,
        joining: Joining = nullcontext,
    ) -> None:
        self.identity: Identity | None = None
        self._engine = engine
        self._session = session
        self._cache = cache
        self._wake = wake
        self._account = account
        self._joining = joining
        self._newest_ts: Ts | None = None
        self.max_subscriptions = max_subscriptions
        self._queries: dict[int, Subscription] = {}
        self._open: dict[int, Subscription] = {}
        self._settled: dict[LiveQuery, int] = {}  # with how many of the client's queries it answers
        self.weight = 0
        self.loading = False
        self._only: Subscription | None = None
        self._refused: list[bytes] = []
        self._waiting: list[tuple[Ts, bytes]] = []
        self.waiting_bytes = 0
        self._ts = 0

    def begin(self) -> None:
        """Start where the client was on earlier connections, as its Connect says; it is never taken back behind that."""
        self._newest_ts = None if self._session.connect is None else self._session.connect.newest_ts
        self._ts = self._session.ts

    # --- what the client holds

    @property
    def ts(self) -> Ts:
        """The instant of everything the client holds; transitions that would change nothing are not sent."""
        return self._ts

    def __len__(self) -> int:
        return len(self._queries)

    @property
    def between_callers(self) -> bool:
        """Whether something the client holds is still that of the caller before."""
        return any(query.moved for query in self._queries.values())

    def live(self, query_id: int) -> LiveQuery | None:
        """Find the live query behind one of the client's query ids, once the client has been told its result."""
        query = self._queries.get(query_id)
        return None if query is None or query.version is None else query.live

    def shows(self, digest: bytes) -> bool:
        """Tell whether any query of the set shows this array."""
        return any(query.live.shows(digest) for query in self._queries.values() if query.version is not None)

    # --- what the client asks for

    def modify(self, add: Iterable[QueryAdd], remove: Iterable[int]) -> None:
        """Change the query set; the session has seen to it that ids are used once."""
        for query_id in remove:
            query = self._queries.pop(query_id, None)
            if query is not None:
                self._leave(query)
        adding = list(add)
        if adding:
            floor = self._engine.floor(self._wake)
            for added in adding:
                self._add(added, floor)
        self._count()
        self._wake()

    def _count(self) -> None:
        """Look at all queries again: there are others than before."""
        self._settled.clear()
        for query in self._queries.values():
            query.settled = None
        if len(self._queries) == 1:
            self._only = next(iter(self._queries.values()))
            self._only.notify = self._wake
            self._open = {}
        else:
            self._only = None
            self._open = dict(self._queries)
            for query in self._open.values():
                query.notify = partial(self._notice, query)
        self.loading = False

    def _notice(self, query: Subscription) -> None:
        """Look at a query: there may be another version of it, or it has another live query."""
        if (live := query.settled) is not None:
            if self._settled[live] == 1:
                del self._settled[live]
            else:
                self._settled[live] -= 1
            query.settled = None
            self._open[query.query_id] = query
        self._wake()

    def _settle(self) -> None:
        """Look no more at queries of which the client holds the newest version, known without a break since then."""
        for query_id, query in list(self._open.items()):
            if query.version is not None and not query.moved and query.live.newest_since <= self._ts:
                query.settled = query.live
                self._settled[query.live] = self._settled.get(query.live, 0) + 1
                del self._open[query_id]

    def _add(self, added: QueryAdd, floor: Floor) -> None:
        if self.weight >= self.max_subscriptions:
            self._refuse_one_more(added)
            return
        query = self._subscribe(added, floor)
        if query is None:
            return
        self._queries[added.query_id] = query
        self.weight += query.live.weight
        if self.weight > self.max_subscriptions:
            self._leave(self._queries.pop(added.query_id))
            self._refuse_one_more(added)

    def _refuse_one_more(self, added: QueryAdd) -> None:
        text = f"this connection may hold {self.max_subscriptions} subscriptions at present"
        if len(self._queries) < self.weight:
            text += "; one with large arguments counts as several"
        self._refuse(added.query_id, ErrorInfo(ErrorCode.LIMIT_EXCEEDED, text))

    def _leave(self, query: Subscription) -> None:
        self.weight -= query.live.weight
        query.notify = self._wake  # one that names the query would keep it
        self._engine.unsubscribe(query, query.live)

    def _subscribe(self, added: QueryAdd, floor: Floor) -> Subscription | None:
        query = Subscription(added, self._wake, floor, self._newest_ts)
        try:
            with self._joining(added.traceparent):
                query.live = self._engine.subscribe(
                    query, added.path, added.args, self.identity, added.journal, self._account
                )
        except FunctionError as error:
            self._refuse(added.query_id, error.info)
            return None
        return query

    def _refuse(self, query_id: int, error: ErrorInfo) -> None:
        self._refused.append(pack_update(QueryFailed(query_id, error)))

    def sign_in(self, identity: Identity | None) -> None:
        """Become another caller: every query is asked again, and only what looks different is told."""
        if identity == self.identity:
            self.identity = identity
            return
        self.identity = identity
        floor = self._engine.floor(self._wake)
        for query_id, before in list(self._queries.items()):
            query = self._subscribe(before.asked_again(), floor)
            if query is None:
                del self._queries[query_id]
            else:
                query.take_over(before)
                self._queries[query_id] = query
                self.weight += query.live.weight
            self._leave(before)
        self._count()
        self._wake()

    def forget_past(self) -> None:
        """Give up waiting for the ts that the client has seen before, if this database has still not come to it.

        The next transition then starts at 0, by which the client sees that it has to start over.
        """
        if self._ts > self._engine.head:
            self._session.start_over()
            self._ts = 0
            self._wake()

    def respond(self, ts: Ts, frame: bytes) -> None:
        """Give a response out once the client holds everything as of ``ts`` or later."""
        self._waiting.append((ts, frame))
        self.waiting_bytes += len(frame)
        self._wake()

    def close(self) -> None:
        """Give every subscription back."""
        for query in self._queries.values():
            query.notify = self._wake
            self._engine.unsubscribe(query, query.live)
        self._queries.clear()
        self.weight = 0
        self._count()
        self._waiting.clear()
        self.waiting_bytes = 0

    # --- what the client is told

    def advance(self) -> list[bytes]:
        """Move to the newest instant that is known of every query; give the frames that tell the client, in order."""
        frames = self._refusals() if self._refused else []
        head, only = self._engine.head, self._only
        if only is not None and only.version is not None and not only.moved:
            last = self._cache.last
            if (
                last is not None
                and last.old is only.version
                and last.to_ts == head
                and last.query_id == only.query_id
                and self._session.send_again(last.from_ts, head, last.number)
            ):
                frames.append(last.frame)
                self._cache.told += 1
                only.version = last.new
                self._ts = head
            else:
                self._advance_only(only, only.version, head, frames)
        elif not self._queries:
            self._ts = max(self._ts, head)
        else:
            common = self._target(head)
            if common is not None and self._move(common, frames):
                self._settle()
        if self._waiting:
            self._release(frames)
        return frames

    def _advance_only(self, query: Subscription, old: Version, head: Ts, frames: list[bytes]) -> None:
        """As ``_target`` and ``_move``, for a single query of which the client has been told before."""
        target, new = query.live.newest(head)
        if new is old:
            self._ts = max(self._ts, target)
        elif new is not None and target >= self._ts:
            from_ts = self._session.ts
            try:
                frame = self._session.send_transition(target, [Change(query, new)], self._cache.encode)
            except Untellable:
                return
            frames.append(frame)
            self._cache.told += 1
            if target == head:  # so it stays the newest as long as that is the head
                self._cache.remember(Step(old, new, query.query_id, from_ts, head, self._session.transitions, frame))
            query.version = new
            self._ts = target

    def _refusals(self) -> list[bytes]:
        refused, self._refused = self._refused, []
        return [self._session.send_transition(self._session.ts, refused)]

    def _target(self, head: Ts) -> Ts | None:
        target, to_come = self._settled_through(head), 0
        for query in self._looked_at():
            live = query.live
            if live.loaded:
                known = live.known_through(head)
                if known < target and not (query.new and query.too_old(known)):
                    target = known
            else:
                to_come += 1
        self.loading = to_come > MANY_TO_COME
        return target if target >= self._ts else None

    def _looked_at(self) -> Iterable[Subscription]:
        """Give the queries that are not settled."""
        return self._open.values() if self._only is None else (self._only,)

    def _settled_through(self, head: Ts) -> Ts:
        """Tell the newest ts at which all settled queries are known."""
        dirty, settled = self._engine.dirty, self._settled
        if not dirty or not settled:
            return head
        lives: Iterable[LiveQuery] = settled if len(settled) < len(dirty) else dirty
        return min([head, *(live.known_through(head) for live in lives if live in settled)])

    def _move(self, target: Ts, frames: list[bytes]) -> bool:
        """Tell the client what is new as of ``target``; False: not yet."""
        try:
            changes = self._changes(target)
            told = [change for change in changes if not (change.query.moved and change.query.same(change.version))]
            if told:
                frames.append(self._session.send_transition(target, told, self._cache.encode))
                self._cache.told += 1
        except Untellable:
            return False
        for query, version in changes:
            query.version = version
            query.moved = False
        self._ts = target
        return True

    def _changes(self, target: Ts) -> list[Change]:
        changes = []
        looking = False
        for query in self._looked_at():
            version = None if query.too_old(target) or not query.live.loaded else query.live.version_at(target)
            if version is None and not query.new:
                raise Untellable  # what the client holds, also from its last connection, must not stay behind the rest
            if version is None or version is query.version:
                continue
            since = query.looks_back_to(version)
            if since is not None:
                looking |= self._engine.look_back(query.live, since)
            if query.version is not None or version.packed is not None or version.error is not None:
                changes.append(Change(query, version))
        if looking:
            raise Untellable  # not yet: we are woken when what the client holds is found
        return self._fitting(changes)

    def _fitting(self, changes: list[Change]) -> list[Change]:
        """Leave some first results for the next transition if all of them would make this one larger than clients take."""
        fitting, size = [], 0
        for change in changes:
            first = len(change.version.packed or b"") if change.query.new else 0
            if size and size + first > MOST_FIRST_BYTES:
                self._wake()
            else:
                fitting.append(change)
                size += first
        return fitting

    def _release(self, frames: list[bytes]) -> None:
        waiting, self._waiting = self._waiting, []
        for ts, frame in waiting:
            if ts <= self._ts:
                self.waiting_bytes -= len(frame)
                frames.append(frame)
            else:
                self._waiting.append((ts, frame))

    def check(self) -> None:
        """Check what must hold after every step; for tests.

        Raises:
            AssertionError: The client holds something that is not the state of the database at ``ts``.
        """
        for query_id, query in self._queries.items():
            if query.version is None or query.moved:
                continue
            version = query.live.version_at(self._ts)
            if version is not None and version is not query.version:
                raise AssertionError(f"query {query_id} is not as of {self._ts}")
