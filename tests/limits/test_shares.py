"""Who has had more computed than others waits while the hub is busy; nobody does while there is room, or nobody else."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.charges import Counted
from synovia import charges
from synovia.charges import Bill, at_cost, charged
from synovia.limits import shares
from synovia.limits.addresses import Addresses
from synovia.limits.settings import HubLimits
from synovia.limits.shares import BURST_SECONDS, MUCH, ROOM, SECONDS, Shares, level
from synovia.store.sqlite.worker import Worker
from synovia.testing import Clock


@given(st.lists(st.floats(0, 1), max_size=8))
def test_loads_cut_off_at_the_level_have_just_room(loads: list[float]) -> None:
    found = level(loads)
    if sum(loads) <= ROOM:
        assert sum(min(load, found) for load in loads) == pytest.approx(sum(loads))
    else:
        assert sum(min(load, found) for load in loads) == pytest.approx(ROOM)


def test_only_who_asks_for_most_waits_while_there_is_no_room() -> None:
    clock = Clock(100.0)
    all_shares = Shares(clock)
    heavy, light = shares.Share(all_shares), shares.Share(all_shares)
    heavy.spend(0.9 * SECONDS)
    assert all_shares.wait(heavy) == 0.0  # there is nobody else
    light.spend(0.2 * SECONDS)
    assert all_shares.wait(heavy) > 0
    assert all_shares.wait(light) == 0.0
    clock.advance(SECONDS)
    assert all_shares.wait(heavy) == 0.0  # less than there is room for


def test_many_who_ask_for_little_do_not_wait_though_together_they_ask_for_more_than_there_is() -> None:
    clock = Clock(100.0)
    all_shares = Shares(clock)
    many = [shares.Share(all_shares) for _ in range(40)]
    for number, share in enumerate(many):
        share.spend((MUCH / 2 if number else 2 * MUCH) * SECONDS)
    assert [share for share in many if all_shares.wait(share) > 0] == many[:1]


async def test_calls_of_one_begin_in_their_order_each_charged_before_the_next_is_let_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, begun = Clock(100.0), list[tuple[int, float]]()

    async def pass_time(seconds: float) -> None:
        clock.advance(seconds)

    monkeypatch.setattr(asyncio, "sleep", pass_time)
    all_shares = Shares(clock)
    heavy, light = shares.Share(all_shares), shares.Share(all_shares)
    heavy.settle(0.0, 1.0)  # its calls take long

    async def call(number: int) -> None:
        light.spend(0.001)
        await heavy.admit()
        begun.append((number, clock()))

    await asyncio.gather(*map(call, range(4)))
    assert [number for number, _ in begun] == [0, 1, 2, 3]
    assert all(later > earlier for (_, earlier), (_, later) in pairwise(begun))


async def test_what_is_small_waits_a_moment_at_most_and_only_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, waits = Clock(100.0), list[float]()

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    all_shares = Shares(clock)
    heavy, light = shares.Share(all_shares), shares.Share(all_shares)
    heavy.spend(10 * SECONDS)
    await heavy.take_turn()
    assert (waits, heavy.has_much) == ([], False)  # there is nobody else
    light.spend(0.001)
    await heavy.take_turn()
    await light.take_turn()
    assert len(waits) == 1
    assert waits[0] <= 0.1
    clock.advance(3 * SECONDS)  # there is room again, but it has still had much
    light.spend(0.001)
    await heavy.take_turn()
    assert len(waits) == 1
    assert (heavy.has_much, light.has_much) == (True, False)


def burn(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@pytest.mark.parametrize("prepaid", [0.0, 0.01, 10.0])
async def test_what_a_call_computes_is_charged_in_the_loop_and_in_threads_but_not_while_it_waits(
    prepaid: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charges, "clock", time.thread_time)
    payer, other, worker = Counted(prepaid), Counted(), Worker("counted")

    async def call() -> str:
        burn(0.01)
        await asyncio.wait([asyncio.create_task(at_cost(other, computing(0.02)))])
        await worker.run(lambda: burn(0.03))
        await at_cost(payer, computing(0.01))  # a part of what is charged already
        return "done"

    async def computing(seconds: float) -> None:
        await asyncio.sleep(0)
        burn(seconds)

    assert await at_cost(payer, call()) == "done"
    await worker.end(lambda: None)
    assert 0.05 <= payer.seconds < 0.07
    assert payer.cost == pytest.approx(payer.seconds)
    assert 0.02 <= other.seconds < 0.04
    assert payer.admitted == 1
    assert charges.current() is None


async def test_what_a_bill_pays_for_begins_at_once_and_is_charged_as_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(charges, "clock", time.thread_time)
    payer = Counted()

    async def handled() -> str:
        burn(0.01)
        await asyncio.sleep(0)
        await at_cost(payer, computing())
        return "done"

    async def computing() -> None:
        burn(0.01)

    bill = Bill(payer, 0.0)
    with charged(bill):
        assert await bill.pay_for(handled(), 0.5) == "done"
    assert 0.52 <= payer.seconds < 0.53
    assert payer.admitted == 0


async def test_errors_and_cancellation_pass_through_and_the_rest_is_given_back() -> None:
    payer, caught = Counted(5.0), list[str]()

    async def failing() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            caught.append("cancelled")
            raise ValueError("as told") from None

    task = asyncio.create_task(at_cost(payer, failing()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(ValueError, match="as told"):
        await task
    assert caught == ["cancelled"]
    assert payer.seconds < 1


async def test_what_is_done_for_several_is_charged_to_each_by_its_weight() -> None:
    one, other = charges.Bill(Counted(), 0.0), Counted()
    two = charges.Bill(other, 0.0)
    charges.Shared([(one, 1.0), (two, 3.0)], 8.0).add(0.8)
    assert other.seconds == pytest.approx(0.3)


def test_addresses_of_one_hub_share() -> None:
    clock = Clock(100.0)
    addresses = Addresses(HubLimits(), clock)
    addresses.of("203.0.113.7").spend(1.0)
    assert addresses.of("203.0.113.7").load.of(clock()) == pytest.approx(1.0 / SECONDS)
    assert addresses.of("203.0.113.8").load.of(clock()) == 0.0


def test_who_has_had_less_than_the_others_on_average_goes_first_though_that_is_not_little() -> None:
    clock = Clock(100.0)
    all_shares = Shares(clock)
    heavy, healthy = shares.Share(all_shares), shares.Share(all_shares)
    heavy.spend(4 * MUCH * SECONDS)
    healthy.spend(2 * MUCH * SECONDS)
    assert (heavy.has_much, healthy.has_much) == (True, False)


def test_others_go_first_as_soon_as_somebody_new_has_much_all_at_once() -> None:
    clock = Clock(100.0)
    all_shares = Shares(clock)
    new, usual = shares.Share(all_shares), shares.Share(all_shares)
    for _ in range(200):
        clock.advance(0.015)
        usual.spend(0.002)
    new.spend(0.01)
    assert new.load.of(clock()) < usual.load.of(clock())
    assert (new.has_much, usual.has_much) == (True, False)
    clock.advance(SECONDS)
    assert not new.has_much


def test_who_asks_for_a_little_more_than_others_does_not_wait_for_them() -> None:
    clock = Clock(100.0)
    all_shares = Shares(clock)
    one, other = shares.Share(all_shares), shares.Share(all_shares)
    one.spend(0.5 * shares.TOO_MUCH * BURST_SECONDS)
    other.spend(0.1 * shares.TOO_MUCH * BURST_SECONDS)
    assert not one.has_much


async def test_who_writes_little_pays_nothing_for_a_commit_of_a_few_and_a_part_of_a_large_one() -> None:
    light, heavy = Counted(), Counted()
    bills = charges.Bill(light, 0.0), charges.Bill(heavy, 0.0)
    charges.Shared([(bills[0], 4)], 4).add_beyond(8, 1.0)
    assert light.seconds == 0
    charges.Shared([*zip(bills, (4, 76), strict=True)], 80).add_beyond(8, 1.0)
    assert light.seconds == pytest.approx(0.9 * 4 / 80)
    assert heavy.seconds == pytest.approx(0.9 * 76 / 80)
