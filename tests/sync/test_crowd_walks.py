"""Random walks of a crowd of two queries, who share what is encoded: each holds what is true, and none is left behind."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from helpers.examples import examples
from helpers.scripted_engine import ScriptedEngine
from sync.scripted import Pair
from synovia.sync.transitions import TransitionCache

PATHS = ["notes:all", "notes:mine"]
QUERIES = [(1, PATHS[0]), (1, PATHS[0]), (1, PATHS[0]), (2, PATHS[0]), (1, PATHS[1]), (1, PATHS[1])]
"""The query id and the path of each client."""
CLIENTS = st.integers(0, len(QUERIES) - 1)


class Crowd(RuleBasedStateMachine):
    """Commits, an engine that runs queries at once or late, and clients that fall behind and come back.

    A client is looked after as by its socket: only when it has been woken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.engine = ScriptedEngine()
        self.cache = TransitionCache(2_000)
        self.history = {path: [(self.engine.head, [path, 0])] for path in PATHS}
        for path, [(since, value)] in self.history.items():
            self.engine.live(path).now(since, value)
        self.seen = [0] * len(QUERIES)
        self.pairs = [Pair(self.engine, cache=self.cache) for _ in QUERIES]
        for pair, query in zip(self.pairs, QUERIES, strict=True):
            if query[0] == 2:  # its first query is over
                pair.add(1, PATHS[1])
                pair.remove(1)
            pair.add(*query)

    def truth(self, path: str, ts: int) -> list[object]:
        return next(value for since, value in reversed(self.history[path]) if since <= ts)

    @rule(paths=st.sets(st.sampled_from(PATHS)), runs=st.booleans())
    def commit(self, paths: set[str], runs: bool) -> None:
        self.engine.head += 1
        for path in paths:
            self.history[path].append((self.engine.head, [path, self.engine.head]))
            live = self.engine.live(path)
            live.behind = self.engine.head - 1 if live.behind is None else live.behind
        for path in PATHS:
            if runs:
                self.run(path, whole=True)
            elif path not in paths:
                self.engine.live(path).tell()

    @rule(path=st.sampled_from(PATHS), whole=st.booleans())
    def run(self, path: str, whole: bool) -> None:
        """Run a query as of the head, or of the next change only that it does not know."""
        live = self.engine.live(path)
        if live.behind is None:
            return
        unknown = [change for change in self.history[path] if change[0] > (live.behind or 0)]
        since, value = unknown[-1 if whole else 0]
        if whole and len(unknown) > 1:
            live.gaps.append((live.behind + 1, since))
        live.behind = unknown[1][0] - 1 if not whole and len(unknown) > 1 else None
        live.now(since, value)

    @rule(path=st.sampled_from(PATHS), kept=st.booleans())
    def lose_patches(self, path: str, kept: bool) -> None:
        self.engine.live(path).patches_kept = kept

    @rule(number=CLIENTS)
    def come_back(self, number: int) -> None:
        self.pairs[number] = self.pairs[number].reconnect(cache=self.cache)
        self.pairs[number].add(*QUERIES[number])
        self.seen[number] = 0

    @rule(number=CLIENTS)
    def look_after(self, number: int) -> None:
        pair = self.pairs[number]
        if pair.wakes > self.seen[number]:
            self.seen[number] = pair.wakes
            pair.step()

    @rule(numbers=st.sets(CLIENTS))
    def look_after_some(self, numbers: set[int]) -> None:
        for number in numbers:
            self.look_after(number)

    @invariant()
    def everybody_holds_what_is_true(self) -> None:
        for pair, (query_id, path) in zip(self.pairs, QUERIES, strict=True):
            if pair.client.is_current(query_id):
                assert pair.value(query_id) == self.truth(path, pair.query_set.ts)

    @rule()
    def settle(self) -> None:
        for path in PATHS:
            self.engine.live(path).patches_kept = True
            self.run(path, whole=True)
        self.look_after_some(set(range(len(QUERIES))))
        for pair, (query_id, path) in zip(self.pairs, QUERIES, strict=True):
            assert pair.value(query_id) == self.history[path][-1][1]

    def teardown(self) -> None:
        self.settle()


TestCrowd = Crowd.TestCase
TestCrowd.settings = examples(100, steps=50)
