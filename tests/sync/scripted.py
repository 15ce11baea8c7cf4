"""An engine whose live queries do what a test says: the orders of events that a real one only rarely takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from synovia.engine.freshness import Floor
from synovia.errors import NotFound
from synovia.identity import SERVER, Account, Identity
from synovia.sync.ports import Outcome
from synovia.sync.query_set import QuerySet
from synovia.sync.transitions import TransitionCache
from synovia_protocol import codec, patch
from synovia_protocol.digest import digest
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.events import ClientEvent
from synovia_protocol.messages import ModifyQuerySet, QueryAdd
from synovia_protocol.sessions import ClientSession, ServerSession


@dataclass(eq=False)
class ScriptedVersion:
    since: int
    value: Any = None
    error: ErrorInfo | None = None
    journal: bytes | None = None
    kept: bool = True

    @property
    def packed(self) -> bytes | None:
        return codec.pack(self.value) if self.kept and self.error is None else None

    def digest(self) -> bytes:
        return b"" if self.error else digest(self.value)


@dataclass(eq=False)
class ScriptedLive:
    """A live query: versions by hand, and how far it is known; ``behind`` None: up to the head.

    ``gaps`` are the instants ``[from, to)`` at which the result was never known.
    """

    versions: list[ScriptedVersion] = field(default_factory=list)
    behind: int | None = None
    gaps: list[tuple[int, int]] = field(default_factory=list)
    patches_kept: bool = True
    subscribers: list[Any] = field(default_factory=list)

    @property
    def loaded(self) -> bool:
        return bool(self.versions)

    def known_through(self, head: int) -> int:
        return head if self.behind is None else min(head, self.behind)

    def newest(self, head: int) -> tuple[int, ScriptedVersion | None]:
        ts = self.known_through(head)
        return ts, self.version_at(ts)

    def version_at(self, ts: int) -> ScriptedVersion | None:
        if any(low <= ts < high for low, high in self.gaps) or (self.behind is not None and ts > self.behind):
            return None
        return next((version for version in reversed(self.versions) if version.since <= ts), None)

    def past(self, ts: int) -> ScriptedVersion | None:
        return self.version_at(ts)

    def patches(self, old: ScriptedVersion, new: ScriptedVersion) -> list[bytes] | None:
        if not self.patches_kept or old not in self.versions:
            return None
        return [codec.pack(patch.diff(old.value, new.value))]

    def shows(self, digest: bytes) -> bool:
        return False

    def now(self, since: int, value: Any, **options: Any) -> None:
        """Give it another version and tell its subscribers."""
        self.versions.append(ScriptedVersion(since, value, **options))
        self.tell()

    def tell(self) -> None:
        for subscriber in list(self.subscribers):
            subscriber.notify()


class ScriptedEngine:
    """Live queries by path; ``personal`` paths have one for each caller."""

    def __init__(self) -> None:
        self.head = 100
        self.lives: dict[tuple[str, Identity | None], ScriptedLive] = {}
        self.personal: set[str] = set()
        self.next_floor: Floor | None = None

    def live(self, path: str, identity: Identity | None = None) -> ScriptedLive:
        return self.lives.setdefault((path, identity if path in self.personal else None), ScriptedLive())

    def floor(self, notify: Callable[[], None]) -> Floor:
        return self.next_floor or Floor(self.head)

    async def wait_until_current(self, live: Any) -> None:
        raise NotImplementedError

    def subscribe(
        self,
        subscriber: Any,
        path: str,
        args: dict[str, Any],
        identity: Identity | None,
        journal: bytes | None = None,
        account: Account = SERVER,
        anew: bool = False,
    ) -> ScriptedLive:
        if path == "no:such":
            raise NotFound("there is no query 'no:such'")
        live = self.live(path, identity)
        live.subscribers.append(subscriber)
        return live

    def look_back(self, live: ScriptedLive, ts: int) -> bool:
        return False

    def unsubscribe(self, subscriber: Any, live: ScriptedLive) -> None:
        live.subscribers.remove(subscriber)

    async def mutate(self, *args: Any, **kwargs: Any) -> Outcome:
        raise NotImplementedError

    async def run_action(self, *args: Any, **kwargs: Any) -> Outcome:
        raise NotImplementedError

    async def wait_for(self, ts: int) -> None:
        raise NotImplementedError


class Pair:
    """A query set of the hub and the client that holds it: real sessions of the protocol, no socket in between."""

    def __init__(
        self,
        engine: ScriptedEngine,
        client: ClientSession | None = None,
        cache: TransitionCache | None = None,
        **options: Any,
    ) -> None:
        self.engine = engine
        self.wakes = 0
        self.cache = cache or TransitionCache()
        self.client = client or ClientSession(bytes(16))
        self.session = ServerSession()
        self.query_set = QuerySet(engine, self.session, self.cache, self._wake, **options)
        self.session.receive(self.client.connect())
        self.query_set.begin()
        self.client.receive(self.session.send_welcome(30))
        self.frames: list[bytes] = []

    def _wake(self) -> None:
        self.wakes += 1

    def add(self, query_id: int, path: str) -> None:
        """Subscribe."""
        self._modify(self.client.modify([QueryAdd(query_id, path, {})]))

    def remove(self, query_id: int) -> None:
        """Leave a query."""
        self._modify(self.client.modify(remove=[query_id]))

    def _modify(self, frame: bytes) -> None:
        [message] = self.session.receive(frame)
        assert isinstance(message, ModifyQuerySet)
        self.query_set.modify(message.add, message.remove)

    def mutate(self, request_id: int, ts: int) -> None:
        """Have a mutation run that commits at ``ts``."""
        self.session.receive(self.client.mutation(request_id, "a:change", {}))
        self.query_set.respond(ts, self.session.send_mutation_result(request_id, ts, b"\xc0"))

    def step(self, head: int | None = None) -> list[ClientEvent]:
        """Move the head, let the connection advance, and give what its client makes of it."""
        if head is not None:
            self.engine.head = head
        self.frames = self.query_set.advance()
        self.query_set.check()
        return [event for frame in self.frames for event in self.client.receive(frame)]

    def value(self, query_id: int) -> Any:
        return self.client.held[query_id].value

    def reconnect(self, **options: Any) -> Pair:
        """Break the connection and come back with what the client holds."""
        self.query_set.close()
        return Pair(self.engine, self.client.resume(), **options)
