"""One client of the workload: it does one thing after the other and notes what it is told and shown."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from synovia_client import Backoff, Client, ClientClosed, FunctionError, RequestTimeout, Timeouts
from synovia_client.changes import MISSING
from synovia_client.link import Link
from synovia_client.queries import LiveQuery
from synovia_client.requests import Request
from synovia_client.subscription import Subscription
from synovia_protocol.client_session import ClientSession
from synovia_protocol.events import TransitionApplied
from synovia_protocol.messages import MutationResponse
from torture.history import Call, History, Outcome, Sight
from torture.proxy import Proxy

TIMEOUTS = Timeouts(connect=3, welcome=3, request=20, ping_interval=1.0, pong=2.0, close=0.5)
BACKOFF = Backoff(initial=0.05, maximum=0.4)
QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "accounts": ("accounts:all_of_them", {}),
    "side 0": ("accounts:on_side", {"side": 0}),
    "side 1": ("accounts:on_side", {"side": 1}),
    "registers": ("registers:all_of_them", {}),
    "guards": ("guards:on_duty", {}),
    "counters": ("counters:all_of_them", {}),
}


class Actor:
    """A real client behind a proxy of its own; made by ``acting``."""

    def __init__(self, number: int, history: History, proxy: Proxy, client: Client, seed: int) -> None:
        self.number = number
        self.proxy = proxy
        self.client = client
        self.random = random.Random(seed)
        self.history = history
        self._life = 0
        self.resyncs = 0
        self._held: dict[str, Subscription[Any]] = {}
        self._pending: Call | None = None
        self._request = 0
        self._calls = 0
        self._watch()

    # --- watching the client: what a program would see at each moment

    def _watch(self) -> None:
        sync = self.client._sync
        receive, disconnected, sending = sync.receive, sync.disconnected, sync.requests.sending
        next_session = sync.next_session

        def on_receive(events: list[Any]) -> None:
            receive(events)
            for event in events:
                self._saw(event)

        def on_disconnected(session: ClientSession) -> None:
            self._life += 1
            self.history.counts["connections lost"] += 1
            disconnected(session)

        def on_sending(request: Request) -> None:
            self.history.counts["retries"] += request.tried
            sending(request)

        def on_next_session(old: ClientSession, *, resync: bool) -> ClientSession:
            self.history.counts["resyncs"] += resync
            self.resyncs += resync
            return next_session(old, resync=resync)

        sync.next_session = on_next_session  # type: ignore[method-assign]
        sync.receive = on_receive  # type: ignore[method-assign]
        sync.disconnected = on_disconnected  # type: ignore[method-assign]
        sync.requests.sending = on_sending  # type: ignore[method-assign]

    def _saw(self, event: Any) -> None:
        if isinstance(event, TransitionApplied):
            self.history.sights.append(Sight(self.number, self._life, event.ts, self.shown()))
        elif isinstance(event, MutationResponse) and self._pending is not None and event.request_id == self._request:
            self._pending.ts = event.ts
            self._pending.answered = (
                f"connection {self._life}, after {self.resyncs} resyncs, session {self._session_ts()}"
            )
            self._pending.shown = self.shown()

    def shown(self) -> dict[str, Any]:
        """Give what the client holds now, by query."""
        queries = {name: each._source for name, each in self._held.items()}
        return {
            name: query.newest.value
            for name, query in queries.items()
            if isinstance(query, LiveQuery) and query.newest.value is not MISSING and query.newest.error is None
        }

    @property
    def link(self) -> Link | None:
        """The present connection."""
        return self.client._loop.link

    def _session_ts(self) -> int | None:
        return None if self.link is None else self.link.session.ts

    async def hold(self, stack: AsyncExitStack) -> None:
        """Subscribe to everything."""
        subscriptions = {name: self.client.subscribe(path, args) for name, (path, args) in QUERIES.items()}
        for name, subscription in subscriptions.items():
            await stack.enter_async_context(subscription)
            self._held[name] = subscription

    # --- doing

    async def call(self, kind: str, path: str, args: dict[str, Any], name: str | None = None) -> Call:
        """Run a mutation and note how it ends."""
        call = Call(
            name or self.next_name(),
            self.number,
            kind,
            args,
            began=f"connection {self._life}",
            began_at=time.monotonic(),
        )
        self.history.calls.append(call)
        self._pending, self._request = call, self.client.next_request
        try:
            call.result = await self.client.mutation(path, args)
            call.outcome = Outcome.OK
            call.ended = time.monotonic()
        except FunctionError as error:
            call.outcome, call.error, call.ended = Outcome.FAIL, error.code, time.monotonic()
            call.data = error.data
        except (RequestTimeout, ClientClosed) as error:
            call.error = str(error)
        finally:
            self._pending = None
        return call

    @property
    def person(self) -> str:
        """The person whose role this actor alone gives and takes."""
        return f"p{self.number}@example.org"

    def next_name(self) -> str:
        """Give the name of the next call."""
        self._calls += 1
        return f"c{self.number}n{self._calls}"


@asynccontextmanager
async def acting(number: int, history: History, hubs: Sequence[int], seed: int) -> AsyncIterator[Actor]:
    """Connect a client, through a proxy that leads each connection to any of the hubs."""
    chance = random.Random(seed + 1)
    proxy = Proxy(lambda: chance.sample(hubs, len(hubs)))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(proxy)
        client = Client(proxy.url, timeouts=TIMEOUTS, backoff=BACKOFF, random=chance.random, proxy=None)
        await stack.enter_async_context(client)
        actor = Actor(number, history, proxy, client, seed)
        async with asyncio.timeout(30):
            await client.connected()
        holding = await stack.enter_async_context(AsyncExitStack())
        await actor.hold(holding)
        yield actor
