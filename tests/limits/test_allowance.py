"""How soon a call that was refused may be made again, and how those that may wait do."""

from __future__ import annotations

import asyncio

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


async def test_connections_of_one_address_stand_in_line_and_are_woken_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, sleep, sleeps = Clock(100.0), asyncio.sleep, list[float]()

    async def pass_time(seconds: float) -> None:
        sleeps.append(seconds)
        clock.advance(seconds)
        await sleep(0)

    monkeypatch.setattr("synovia.limits.allowance.asyncio.sleep", pass_time)
    settings = HubLimits(max_messages_per_second_per_address=1_000)
    addresses = Addresses(settings, clock)
    order = list[int]()

    async def send(number: int) -> None:
        allowance = Allowance(settings, addresses.of("192.0.2.1"), clock)
        for _ in range(400):
            await allowance.pace(1, 1)
            order.append(number)

    await asyncio.gather(*map(send, range(10)))
    seconds = clock() - 100.0
    assert 1_000 * (seconds + 2) >= 4_000, "no more than the address may send"
    assert seconds < 3, "and all of that"
    assert len(sleeps) < 2_000 / 10, "many for each time that somebody waits"
    assert len({*order[3_000:3_006]}) == 6, "in turn; the first four were done before anybody waited"
