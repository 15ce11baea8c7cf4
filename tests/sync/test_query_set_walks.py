"""Random walks: whatever happens in whatever order, the client holds the database as of one instant."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from helpers.examples import examples
from helpers.scripted_engine import ScriptedEngine, ScriptedLive
from sync.scripted import Pair
from synovia.identity import Identity
from synovia_protocol.events import ClientEvent, TransitionApplied
from synovia_protocol.messages import MutationResponse

CALLERS = [None, Identity("dev", "alice@example.org"), Identity("dev", "bob@example.org")]
SHARED = ["a", "b", "c"]
PERSONAL = ["mine", "ours"]
PATHS = SHARED + PERSONAL
Key = tuple[str, Identity | None]


class Walk(RuleBasedStateMachine):
    """A database whose commits each change some queries, an engine that runs them late, and one client."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = ScriptedEngine()
        self.engine.personal = set(PERSONAL)
        self.history: dict[Key, list[tuple[int, list[dict[str, Any]]]]] = {}
        self.pair = Pair(self.engine)
        self.paths: dict[int, str] = {}
        self.next_id = 1
        self.next_request = 1
        self.answered_through = 0
        self.newest_seen = 0
        self.resumed: set[int] = set()

    @initialize()
    def fill(self) -> None:
        for path in PATHS:
            for caller in CALLERS:
                key = (path, caller if path in PERSONAL else None)
                self.history[key] = [(0, [{"_id": f"{path} {number}", "n": 0} for number in range(3)])]

    # --- the truth

    def truth(self, key: Key, ts: int) -> list[dict[str, Any]]:
        return next(value for since, value in reversed(self.history[key]) if since <= ts)

    def key(self, path: str) -> Key:
        return path, self.pair.query_set.identity if path in PERSONAL else None

    @rule(paths=st.sets(st.sampled_from(PATHS)), place=st.integers(0, 2))
    def commit(self, paths: set[str], place: int) -> None:
        self.engine.head += 1
        ts = self.engine.head
        for key, versions in self.history.items():
            if key[0] in paths:
                rows = versions[-1][1]
                value = [{**row, "n": ts} if number == place else row for number, row in enumerate(rows)]
                versions.append((ts, value))
                self.touch(self.engine.lives.get(key), ts)

    @staticmethod
    def touch(live: ScriptedLive | None, ts: int) -> None:
        if live is not None and live.loaded and live.behind is None:
            live.behind = ts - 1

    # --- the engine

    @rule(path=st.sampled_from(PATHS), caller=st.sampled_from(CALLERS), lag=st.integers(0, 3))
    def run(self, path: str, caller: Identity | None, lag: int) -> None:
        """Run a query that is subscribed to, as of the head or a little before."""
        key = (path, caller if path in PERSONAL else None)
        live = self.engine.lives.get(key)
        if live is None:
            return
        ts = max(self.engine.head - lag, live.versions[-1].since if live.versions else 0)
        value = self.truth(key, ts)
        if not live.versions or live.versions[-1].value != value:
            since = next(since for since, known in reversed(self.history[key]) if since <= ts)
            self.fill_gaps(live, key, since)
            live.now(since if live.versions else ts, value)
        later = [since for since, _ in self.history[key] if since > ts]
        live.behind = later[0] - 1 if later else None
        live.tell()

    def fill_gaps(self, live: ScriptedLive, key: Key, since: int) -> None:
        """A run at a later ts leaves the instants between unknown: what was known ends where it was touched."""
        if live.versions and live.behind is not None and live.behind + 1 < since:
            live.gaps.append((live.behind + 1, since))

    @rule(path=st.sampled_from(PATHS), caller=st.sampled_from(CALLERS))
    def forget_versions(self, path: str, caller: Identity | None) -> None:
        live = self.engine.lives.get((path, caller if path in PERSONAL else None))
        if live is not None:
            del live.versions[:-1]

    @rule(path=st.sampled_from(PATHS), kept=st.booleans())
    def lose_patches(self, path: str, kept: bool) -> None:
        for (of, _), live in self.engine.lives.items():
            if of == path:
                live.patches_kept = kept

    # --- the client

    @rule(path=st.sampled_from(PATHS))
    def add(self, path: str) -> None:
        self.pair.add(self.next_id, path)
        self.paths[self.next_id] = path
        self.next_id += 1

    @precondition(lambda self: self.paths)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        query_id = data.draw(st.sampled_from(sorted(self.paths)))
        self.pair.remove(query_id)
        del self.paths[query_id]
        self.resumed.discard(query_id)

    @rule(caller=st.sampled_from(CALLERS))
    def sign_in(self, caller: Identity | None) -> None:
        self.pair.query_set.sign_in(caller)

    @rule()
    def mutate(self) -> None:
        self.pair.mutate(self.next_request, self.engine.head)
        self.next_request += 1

    @rule(forgotten=st.sets(st.sampled_from(PATHS)))
    def reconnect(self, forgotten: set[str]) -> None:
        """Come back to an engine that keeps some of the queries and runs others anew."""
        caller = self.pair.query_set.identity
        self.pair = self.pair.reconnect()
        for key in [key for key in self.engine.lives if key[0] in forgotten]:
            del self.engine.lives[key]
        self.pair.query_set.sign_in(caller)
        for query_id, path in self.paths.items():
            self.pair.add(query_id, path)
        self.resumed = set(self.paths) & set(self.pair.client.held)
        self.answered_through = 0

    @rule()
    def advance(self) -> None:
        for event in self.pair.step():
            self.see(event)

    def see(self, event: ClientEvent) -> None:
        if isinstance(event, TransitionApplied):
            assert event.ts >= self.newest_seen
            self.newest_seen = event.ts
        if isinstance(event, MutationResponse):
            assert event.ts is not None
            assert event.ts <= self.pair.query_set.ts
            self.answered_through = max(self.answered_through, event.ts)

    # --- what must always be so

    @invariant()
    def the_client_holds_one_instant(self) -> None:
        query_set, client = self.pair.query_set, self.pair.client
        assert query_set.ts >= self.answered_through
        assert len({client.is_current(query_id) for query_id in self.resumed}) < 2
        if query_set.between_callers:
            return
        for query_id, path in self.paths.items():
            if client.is_current(query_id):
                assert client.held[query_id].value == self.truth(self.key(path), query_set.ts)

    @rule()
    def settle(self) -> None:
        """Once everything has been run at the head, the client holds the head."""
        for live in self.engine.lives.values():
            live.patches_kept = True
        for path in PATHS:
            for caller in CALLERS:
                self.run(path, caller, 0)
        self.advance()
        assert set(self.paths) <= set(self.pair.client.held)
        for query_id, path in self.paths.items():
            assert self.pair.value(query_id) == self.truth(self.key(path), self.engine.head)

    def teardown(self) -> None:
        if self.history:
            self.settle()


TestWalk = Walk.TestCase
TestWalk.settings = examples(100, steps=50)
