from __future__ import annotations

import time

import pytest

from apps import board
from synovia.engine.live_query import LiveQuery
from synovia.functions.registry import Registry, collect
from synovia.identity import Identity
from synovia.testing import TestApp

ADA, BEN = (Identity("test", name, f"{name}@example.org") for name in ("ada", "ben"))
CROWD = 20_000


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("board", [board])


class Member:
    """Subscribes and looks at nothing."""

    def notify(self) -> None:
        pass

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        pass


async def test_a_crowd_leaves_one_query_in_time_linear_in_its_size(registry: Registry) -> None:
    async with TestApp(registry) as app:
        crowd = [Member() for _ in range(CROWD)]
        lives = [app.engine.subscribe(member, "board:count", {"board": "a"}, ADA) for member in crowd]
        started = time.process_time()
        for member, live in zip(reversed(crowd), lives, strict=True):  # the newest first: the end of any list of them
            app.engine.unsubscribe(member, live)
        assert time.process_time() - started < 1.5, "a scan for each of them would take several times that"
        assert not lives[0].subscribers


async def test_who_holds_a_query_twice_leaves_it_twice(registry: Registry) -> None:
    async with TestApp(registry) as app:
        member = Member()
        live = app.engine.subscribe(member, "board:count", {"board": "a"}, ADA)
        assert app.engine.subscribe(member, "board:count", {"board": "a"}, BEN) is live
        app.engine.unsubscribe(member, live)
        assert live.subscribers
        app.engine.unsubscribe(member, live)
        assert not live.subscribers
        app.engine.unsubscribe(member, live)
        assert not live.subscribers, "leaving once too often does nothing"
