"""How long large commits rest after one that others have waited for."""

from __future__ import annotations

import pytest

from synovia.charges import Payer
from synovia.engine import resting
from synovia.engine.resting import Resting

HEAVY, LIGHT = Payer(), Payer()


def test_nobody_rests_who_is_alone() -> None:
    resting_now = Resting()
    assert resting_now.after_large({HEAVY}, 10.0, 10.1) == 0


def test_large_ones_rest_longer_for_others_than_for_small_ones_of_the_same_payer_and_no_longer_than_these_come() -> (
    None
):
    resting_now = Resting()
    resting_now.note_small({HEAVY}, 10.0)
    assert resting_now.after_large({HEAVY}, 10.0, 10.01) == pytest.approx(0.01 * resting.SHARE)
    resting_now.note_small({LIGHT, None}, 10.1)
    assert resting_now.after_large({HEAVY}, 10.2, 10.21) == pytest.approx(0.01 * resting.SHARE_BESIDE_OTHERS)
    assert resting_now.after_large({HEAVY}, 10.2, 20.2) == resting.MOST_SECONDS_BESIDE_OTHERS
    assert resting_now.after_large({HEAVY}, 10.1 + resting.AMONG_SECONDS, 20.2) == 0


def test_less_than_one_of_twenty_small_ones_meets_a_large_one() -> None:
    """Also if each comes as soon as the last one is there: what holds up one of them holds up no second one."""
    assert 1 / (resting.SHARE_BESIDE_OTHERS + 1) < 1 / 20
