"""What was acknowledged to anybody before a question was asked is in its answer, also at a hub that lags behind another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from apps import board, ward
from helpers.patience import PATIENCE
from helpers.running_engine import running_engine
from synovia.auth.development import development_identity
from synovia.engine.engine import Engine
from synovia.errors import FunctionError
from synovia.functions.access import CallOrigin
from synovia.functions.registry import collect
from synovia.store.base import Commit, Gap, Store, StoreUnavailable, Ts
from synovia.store.mongo import MongoStore
from synovia.sync.query_set import QuerySet
from synovia.sync.transitions import TransitionCache
from synovia_protocol.events import ClientEvent, QueryErrored
from synovia_protocol.messages import ModifyQuerySet, QueryAdd
from synovia_protocol.sessions import ClientSession, ServerSession

BOARD, WARD = collect("board", [board]), collect("ward", [ward])
ANN = development_identity("ann@example.org")


class Peer:
    """A client without a socket: its session, and the query set at the hub."""

    def __init__(self, engine: Engine, session: ClientSession | None = None) -> None:
        self._moved = asyncio.Event()
        self._engine = engine
        self.events: list[ClientEvent] = []
        self.session = session or ClientSession(bytes(16))
        self._server = ServerSession()
        self.query_set = QuerySet(engine, self._server, TransitionCache(), self._moved.set)
        self._server.receive(self.session.connect())
        self.query_set.begin()
        self.session.receive(self._server.send_welcome(30))

    def ask(self, path: str, args: dict[str, Any], query_id: int = 0) -> None:
        self._modify(self.session.modify([QueryAdd(query_id, path, args)]))

    def leave(self, query_id: int = 0) -> None:
        self._modify(self.session.modify(remove=[query_id]))

    def _modify(self, frame: bytes) -> None:
        [message] = self._server.receive(frame)
        assert isinstance(message, ModifyQuerySet)
        self.query_set.modify(message.add, message.remove)

    def look(self) -> bool:
        """Take what the hub tells now; tell whether it was anything."""
        frames = self.query_set.advance()
        for frame in frames:
            self.events += self.session.receive(frame)
        return bool(frames)

    async def first(self, query_id: int = 0) -> Any:
        """Give the first value that the client is told."""
        async with asyncio.timeout(PATIENCE):
            await self.told()
            while query_id not in self.session.held:
                await self.told()
        return self.session.held[query_id].value

    async def told(self) -> None:
        """Wait until the hub tells something."""
        async with asyncio.timeout(PATIENCE):
            while not self.look():
                await self._moved.wait()
                self._moved.clear()


async def appoint(engine: Engine, role: str) -> None:
    args = {"email": "ann@example.org", "role": role}
    outcome = await engine.mutate("ward:appoint", args, None, origin=CallOrigin.APPLICATION)
    assert outcome.error is None
    await engine.wait_for(outcome.ts or 0)


async def add(engine: Engine, slug: str) -> Ts:
    outcome = await engine.mutate("board:add", {"slug": slug, "board": "b"}, None)
    assert outcome.error is None
    assert outcome.ts is not None
    await engine.wait_for(outcome.ts)  # as before every response
    return outcome.ts


ON_BOARD = ("board:on_board", {"board": "b"})


async def test_a_query_that_nobody_holds_any_more_is_not_answered_from_what_it_was(any_store: Store) -> None:
    async with running_engine(BOARD, any_store) as engine:
        await add(engine, "one")
        first = Peer(engine)
        first.ask(*ON_BOARD)
        assert len(await first.first()) == 1
        first.leave()
        await add(engine, "two")
        second = Peer(engine)
        second.ask(*ON_BOARD)
        assert len(await second.first()) == 2


async def test_nor_beside_others_that_are_up_to_date(any_store: Store) -> None:
    async with running_engine(BOARD, any_store) as engine:
        first, second = Peer(engine), Peer(engine)
        first.ask(*ON_BOARD)
        second.ask("board:count", {"board": "b"}, 1)
        assert (await first.first(), await second.first(1)) == ([], 0)
        first.leave()
        await add(engine, "one")
        second.ask(*ON_BOARD)
        assert len(await second.first()) == 1
        assert second.session.held[1].value == 1, "both as of one instant"


async def look_and_lose_the_role(engine: Engine) -> None:
    """Have Ann see what is for doctors and leave, and make her a nurse."""
    await appoint(engine, "doctor")
    ann = Peer(engine)
    ann.query_set.sign_in(ANN)
    ann.ask("ward:for_role", {})
    assert await ann.first() == 0
    ann.query_set.close()
    await appoint(engine, "nurse")


async def test_a_role_that_was_taken_shows_nothing_any_more(any_store: Store) -> None:
    async with running_engine(WARD, any_store) as engine:
        await look_and_lose_the_role(engine)
        second = Peer(engine)
        second.query_set.sign_in(ANN)
        second.ask("ward:for_role", {})
        await second.told()
        assert 0 not in second.session.held
        assert [event.error.code for event in second.events if isinstance(event, QueryErrored)] == ["forbidden"]


async def test_who_becomes_somebody_else_is_not_told_what_that_caller_saw_before(any_store: Store) -> None:
    async with running_engine(WARD, any_store) as engine:
        await look_and_lose_the_role(engine)
        second = Peer(engine)
        second.ask("ward:for_role", {})
        await second.told()
        second.query_set.sign_in(ANN)
        await second.told()
        assert [event.error.code for event in second.events if isinstance(event, QueryErrored)] == [
            "unauthenticated",
            "forbidden",
        ]


async def test_who_comes_back_is_brought_up_to_date_with_the_first_transition(any_store: Store) -> None:
    async with running_engine(BOARD, any_store) as engine:
        await add(engine, "one")
        first = Peer(engine)
        first.ask(*ON_BOARD)
        await first.first()
        first.query_set.close()
        await add(engine, "two")
        again = Peer(engine, first.session.resume())
        again.ask(*ON_BOARD)
        await again.told()
        assert len(again.session.held[0].value) == 2


class HeldStore(MongoStore):
    """A real store whose log stands still as long as a test wants: that of a hub that lags."""

    def __init__(self, uri: str, name: str) -> None:
        super().__init__(uri, name)
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.questions = 0

    async def newest(self) -> tuple[Ts, int]:
        self.questions += 1
        return await super().newest()

    async def changes(self, after: Ts) -> AsyncGenerator[Commit | Gap, None]:
        async for change in super().changes(after):
            await self.flowing.wait()
            yield change


@pytest.fixture
async def lagging(mongodb_uri: str, database_name: str) -> AsyncIterator[tuple[Engine, Engine, HeldStore]]:
    """Give two hubs on one database, of which the second's log can be held back."""
    held = HeldStore(mongodb_uri, database_name)
    async with (
        asyncio.timeout(PATIENCE),
        running_engine(BOARD, MongoStore(mongodb_uri, database_name)) as quick,
        running_engine(BOARD, held) as slow,
    ):
        yield quick, slow, held


@pytest.mark.mongodb
class TestAHubThatLags:
    async def test_a_single_query_is_read_at_the_newest_instant(
        self, lagging: tuple[Engine, Engine, HeldStore]
    ) -> None:
        quick, slow, held = lagging
        held.flowing.clear()
        await add(quick, "one")
        assert (await slow.query("board:count", {"board": "b"}, None)).value() == 1

    async def test_a_subscription_is_told_nothing_until_the_log_has_caught_up(
        self, lagging: tuple[Engine, Engine, HeldStore]
    ) -> None:
        quick, slow, held = lagging
        early = Peer(slow)
        early.ask(*ON_BOARD)
        assert await early.first() == []
        held.flowing.clear()
        await add(quick, "one")
        late = Peer(slow)
        late.ask(*ON_BOARD)
        await slow.query("board:count", {"board": "b"}, None)  # by now the database has been asked
        assert not late.look()
        held.flowing.set()
        assert len(await late.first()) == 1

    async def test_a_failure_does_not_rest_on_what_is_no_longer_so(
        self, lagging: tuple[Engine, Engine, HeldStore]
    ) -> None:
        quick, slow, held = lagging
        held.flowing.clear()
        await add(quick, "one")
        bumping = asyncio.create_task(slow.mutate("board:bump", {"slug": "one"}, None))
        await asyncio.wait({bumping}, timeout=0)
        held.flowing.set()
        outcome = await bumping
        assert outcome.error is None, outcome.error

    async def test_many_who_ask_at_once_cost_few_questions(self, lagging: tuple[Engine, Engine, HeldStore]) -> None:
        _, slow, held = lagging
        before = held.questions
        peers = [Peer(slow) for _ in range(200)]
        for peer in peers:
            peer.ask(*ON_BOARD)
        for peer in peers:
            assert await peer.first() == []
        assert held.questions - before <= 3

    async def test_a_database_that_is_away_is_asked_again(
        self, lagging: tuple[Engine, Engine, HeldStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, slow, held = lagging
        newest = held.newest
        calls = iter([True, True])

        async def away() -> tuple[Ts, int]:
            if next(calls, False):
                raise StoreUnavailable("nobody is there")
            return await newest()

        monkeypatch.setattr(held, "newest", away)
        monkeypatch.setattr("synovia.engine.freshness.RETRY_SECONDS", 0)
        peer = Peer(slow)
        peer.ask(*ON_BOARD)
        assert await peer.first() == []


async def test_a_single_query_fails_clearly_if_the_database_does_not_answer(any_store: Store) -> None:
    async with running_engine(BOARD, any_store) as engine:
        with pytest.raises(FunctionError):
            (await engine.query("board:no_such", {}, None)).value()
