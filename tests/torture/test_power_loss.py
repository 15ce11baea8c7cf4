"""A few commits while the power fails, the process is killed and the disk refuses; the long run: ``torture.power_loss``."""

from __future__ import annotations

import pytest

from torture.power_loss import Plan, trial


@pytest.mark.parametrize(("kills", "refusals"), [(0.0, 0.0), (0.004, 0.0), (0.004, 0.004)])
async def test_what_was_acknowledged_or_read_is_there_whatever_the_disk_is_left_with(
    kills: float, refusals: float
) -> None:
    counts = await trial(Plan(3, 20, kills, refusals, images=0.01))
    assert counts["looked at"] > 0
