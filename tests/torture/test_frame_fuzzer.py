"""Mutated and random frames at a live hub, with a healthy client beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from torture.fuzz.attack import make_attack
from torture.fuzz.campaign import MIB, Campaign, fuzzed_hub

SEED = 20261121
MOST_OVERTAKEN = 100
"""So many attacks may be over while another client waits for one answer: twelve go on at a time."""


@pytest.mark.parametrize(
    ("frames", "growth"), [(4_000, 24 * MIB), pytest.param(1_000_000, 32 * MIB, marks=pytest.mark.torture)]
)
async def test_no_frame_crashes_the_hub_fattens_it_or_is_felt_by_others(
    tmp_path: Path, frames: int, growth: int
) -> None:
    async with fuzzed_hub(tmp_path) as hub:
        outcome = await Campaign(hub, SEED, frames).run()
        printed = hub.printed()
        assert hub.running
    print(f"\n{outcome}")
    assert outcome.faults == []
    assert outcome.frames >= frames
    assert outcome.growth < growth, str(outcome)
    assert outcome.answers >= 5
    assert outcome.overtaken < MOST_OVERTAKEN, str(outcome)
    assert "ERROR synovia" not in printed, printed[-3000:]
    assert "Traceback" not in printed, printed[-3000:]


def test_attacks_are_varied_and_repeatable() -> None:
    attacks = [make_attack(seed) for seed in range(300)]
    assert [attack.data for attack in attacks] == [make_attack(seed).data for seed in range(300)]
    assert {attack.expected for attack in attacks} >= {None, 1000, 4400, 4413}
    assert sum(attack.frames for attack in attacks) > 5 * len(attacks)
