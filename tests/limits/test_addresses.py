from __future__ import annotations

import pytest

from synovia.limits.addresses import AT_ONCE, Address, Addresses, network_of
from synovia.limits.bucket import Bucket
from synovia.limits.settings import HubLimits
from synovia.testing import Clock


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("64:ff9b::203.0.113.7", "203.0.113.7"),
        ("64:ff9b::cb00:7108", "203.0.113.8"),
        ("64:ff9b:1::1", "64:ff9b:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_users_are_told_apart_by_ipv4_addresses_and_ipv6_networks(host: str, network: str) -> None:
    assert network_of(host) == network


def test_an_address_is_forgotten_once_it_has_used_up_nothing() -> None:
    clock = Clock(0.0)
    addresses = Addresses(HubLimits(max_messages_per_second_per_address=10), clock)
    used, connected = addresses.of("203.0.113.7"), addresses.of("203.0.113.8")
    used.meter.take(5, 0, clock())
    connected.connections = 1
    addresses.tidy()
    assert addresses.of("203.0.113.7") is used
    clock.advance(1)
    addresses.tidy()
    assert len(addresses) == 1
    assert addresses.of("203.0.113.8") is connected


def test_a_bucket_gives_credit_and_tells_how_long_to_wait() -> None:
    bucket = Bucket(10, now=0.0)
    bucket.take(20, 0.0)
    assert bucket.wait(0.0) == 0
    assert bucket.wait(0.0, reserve=0.5) == pytest.approx(1.0)
    bucket.take(5, 0.0)
    assert bucket.wait(0.0) == pytest.approx(0.5)
    assert bucket.wait(1.0) == 0
    bucket.take(10_000, 1.0)
    assert bucket.wait(1.0) == pytest.approx(4.0)  # nobody is shut out for long
    assert bucket.full(10.0)
    assert not bucket.full(6.0)


def test_as_many_handshakes_as_an_address_has_places_cost_nothing_and_more_count_as_messages() -> None:
    clock = Clock(100.0)
    address = Addresses(HubLimits(max_messages_per_second_per_address=10), clock).of("203.0.113.7")
    for _ in range(HubLimits().max_connections_per_address):
        address.take_handshake(clock())
    assert address.meter.full(clock())
    address.take_handshake(clock())
    assert address.meter.wait_for(20, 0, clock()) == pytest.approx(1.0), "ten messages, at ten a second"
    clock.advance(10)
    for _ in range(HubLimits().max_connections_per_address):
        address.take_handshake(clock())
    assert address.meter.full(clock())
    assert not address.idle(clock())


def last_turn(address: Address, count: int, now: float) -> float:
    """Ask for so many turns at once; give the seconds until the last one."""
    return [address.turn(0.004, now) for _ in range(count)][-1]


def test_who_is_alone_takes_turns_eight_times_as_fast() -> None:
    clock = Clock(100.0)
    addresses = Addresses(HubLimits(), clock)
    one = addresses.of("203.0.113.7")
    one.take(1, 0, clock())
    assert last_turn(one, AT_ONCE, clock()) == pytest.approx(0.0, abs=1e-9)
    assert last_turn(one, 500 - AT_ONCE, clock()) == pytest.approx((500 - AT_ONCE) * 0.0005)


def test_turns_are_spaced_as_soon_as_anybody_else_is_heard_of_and_until_they_are_quiet() -> None:
    clock = Clock(100.0)
    addresses = Addresses(HubLimits(), clock)
    one, other = addresses.of("203.0.113.7"), addresses.of("203.0.113.8")
    other.take(1, 0, clock())
    one.take(1, 0, clock())  # its own messages do not hide the other's
    one.take(1, 0, clock())
    assert last_turn(one, 500, clock()) == pytest.approx((500 - AT_ONCE) * 0.004)
    clock.advance(10)
    assert last_turn(one, 500, clock()) == pytest.approx((500 - AT_ONCE) * 0.0005)
    other.take(1, 0, clock())
    assert last_turn(other, AT_ONCE, clock()) == pytest.approx(0.0, abs=1e-9)
