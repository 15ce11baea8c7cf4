"""What is encoded once for several connections goes to those only that are told the same."""

from __future__ import annotations

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


@pytest.mark.parametrize("most", SIZES.values(), ids=SIZES)
async def test_a_result_that_has_the_place_in_memory_of_anothers_is_not_taken_for_it(most: int) -> None:
    engine, cache = ScriptedEngine(), TransitionCache(most)
    engine.personal.add("notes:mine")
    for number in range(200):
        who = Identity("https://issuer.example", f"{number}")
        assert shown_to(engine, cache, who) == f"for {number} alone"
