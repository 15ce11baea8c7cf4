"""A query set over a scripted engine, with the client that holds it."""

from __future__ import annotations

from typing import Any

from helpers.scripted_engine import ScriptedEngine
from synovia.sync.query_set import QuerySet
from synovia.sync.transitions import TransitionCache
from synovia_protocol.events import ClientEvent
from synovia_protocol.messages import ModifyQuerySet, QueryAdd
from synovia_protocol.sessions import ClientSession, ServerSession

ROWS = [{"_id": f"row{number}", "title": "x" * 50, "done": False} for number in range(50)]


def changed(rows: list[dict[str, Any]], place: int, **fields: Any) -> list[dict[str, Any]]:
    """Give the rows with fields of one of them changed."""
    return [{**row, **fields} if number == place else row for number, row in enumerate(rows)]


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
