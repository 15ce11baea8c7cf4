"""What is encoded once for several connections goes to those only that are told the same."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from helpers.scripted_engine import ScriptedEngine
from sync.scripted import Pair
from synovia.identity import Identity
from synovia.sync.transitions import TransitionCache

SIZES = {"everything is kept": 1 << 20, "one frame is too much": 1, "a few frames are": 2_500}


def shown_to(engine: ScriptedEngine, cache: TransitionCache, who: Identity) -> Any:
    """Connect, ask what is personal, and leave so that nothing of it is kept but what the cache holds."""
    pair = Pair(engine, cache=cache)
    pair.query_set.sign_in(who)
    pair.add(1, "notes:mine")
    engine.live("notes:mine", who).now(1, f"for {who.subject} alone")
    pair.step()
    pair.query_set.close()
    del engine.lives["notes:mine", who]
    return pair.value(1)


async def test_results_that_nobody_else_keeps_any_more_count_among_what_is_kept() -> None:
    engine, most, length = ScriptedEngine(), 1 << 20, 1 << 16
    cache = TransitionCache(most)
    pair = Pair(engine, cache=cache)
    pair.add(1, "notes:all")
    live = engine.live("notes:all")
    sizes = []
    for number in range(100):
        live.now(number + 1, ["x" * length, number])  # a change of a few bytes in a large result
        pair.step()
        sizes.append(cache.size)
    assert pair.value(1)[1] == 99
    assert 2 * most > max(sizes) > most // 2
    assert sum(later < earlier for earlier, later in pairwise(sizes)) > 3, "dropped again and again"


@pytest.mark.parametrize("most", SIZES.values(), ids=SIZES)
async def test_a_result_that_has_the_place_in_memory_of_anothers_is_not_taken_for_it(most: int) -> None:
    engine, cache = ScriptedEngine(), TransitionCache(most)
    engine.personal.add("notes:mine")
    for number in range(200):
        who = Identity("https://issuer.example", f"{number}")
        assert shown_to(engine, cache, who) == f"for {number} alone"
