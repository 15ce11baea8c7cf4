"""How soon a call that was refused may be made again."""

from __future__ import annotations

import pytest

from synovia.limits.addresses import Addresses
from synovia.limits.allowance import Allowance, too_much
from synovia.limits.settings import MIB, HubLimits
from synovia.testing import Clock


@pytest.mark.parametrize(
    "limits",
    [
        {"max_messages_per_second": 20},
        {"max_messages_per_second_per_address": 20},
        {"max_bytes_per_second": MIB},
        {"max_bytes_per_second_per_address": MIB},
    ],
)
def test_who_waits_as_long_as_it_was_told_is_not_refused_again(limits: dict[str, int]) -> None:
    clock = Clock(100.0)
    settings = HubLimits(**limits)
    allowance = Allowance(settings, Addresses(settings, clock).of("192.0.2.1"), clock)
    refused = 0
    for _ in range(200):
        wait = allowance.take(100_000)
        if wait > 0:
            clock.advance(too_much(wait).data["retryAfter"])
            refused += 1
            assert allowance.take(100_000) == 0
    assert refused > 10
