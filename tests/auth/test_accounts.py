"""When two identities are one user."""

from __future__ import annotations

import pytest

from synovia.auth.accounts import normal_email, same_user
from synovia.identity import Identity

VOUCHED = Identity("https://accounts.google.com", "1", "alice@example.org")
UNVOUCHED = Identity("https://other.example", "2")


@pytest.mark.parametrize(
    ("identity", "by_key", "by_email", "user"),
    [
        (VOUCHED, None, None, None),
        (VOUCHED, "alice", None, "alice"),
        (VOUCHED, None, "alice", "alice"),
        (VOUCHED, "alice", "somebody who has the address now", "alice"),
        (UNVOUCHED, None, "alice", None),
        (UNVOUCHED, "mallory", "alice", "mallory"),
    ],
)
def test_the_key_goes_before_the_address_and_only_a_verified_address_counts(
    identity: Identity, by_key: str | None, by_email: str | None, user: str | None
) -> None:
    assert same_user(identity, by_key=by_key, by_email=by_email) == user


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Alice@Example.ORG", " alice@example.org ", True),
        ("zoe\u0308@example.org", "zo\u00eb@example.org", True),
        ("a.lice@example.org", "alice@example.org", False),
        ("alice+x@example.org", "alice@example.org", False),
        ("J\u030can@example.org", "\u01f0an@example.org", True),
        ("\u0430lice@example.org", "alice@example.org", False),
        ("alice@example.org", "\uff41lice@example.org", False),
    ],
)
def test_addresses_are_folded_as_far_as_all_providers_do(one: str, other: str, same: bool) -> None:
    assert (normal_email(one) == normal_email(other)) is same


@pytest.mark.parametrize("mark", ["", "\u030c", "\u0331", "\u0308\u0301", "\u0345"])
def test_an_address_is_written_one_way_however_often_it_has_been(mark: str) -> None:
    for letter in map(chr, range(0x21, 0x2000)):
        once = normal_email(f"{letter}{mark}@example.org")
        assert normal_email(once) == once
