"""Tokens of development name an address, and any claims."""

from __future__ import annotations

from typing import Any

import pytest

from synovia.auth.development import DevelopmentAuthenticator, development_identity, parse_identity
from synovia.identity import InvalidToken

ANN = "ann@example.org"


@pytest.mark.parametrize(
    ("query", "claims"),
    [
        ("", {}),
        ("?", {}),
        ("?org=acme", {"org": "acme"}),
        ("?level=3&level2:=3", {"level": "3", "level2": 3}),
        ('?roles:=["admin","x"]&flag:=true&none:=null', {"roles": ["admin", "x"], "flag": True, "none": None}),
        ('?map:={"a":{"b":[1.5]}}', {"map": {"a": {"b": [1.5]}}}),
        ("?empty=&text=a=b:=c", {"empty": "", "text": "a=b:=c"}),
        ("?name=Ann%20O%26Co&x:=%22%25%22", {"name": "Ann O&Co", "x": "%"}),
        ("?https%3A%2F%2Fexample.org%2Fteam=blue", {"https://example.org/team": "blue"}),
        ("?name=Zoë + Ann", {"name": "Zoë + Ann"}),
    ],
)
async def test_claims_follow_the_address(query: str, claims: dict[str, Any]) -> None:
    signed_in = await DevelopmentAuthenticator("127.0.0.1").authenticate(f"dev:{ANN}{query}")
    assert signed_in.identity == development_identity(ANN, claims)
    assert dict(signed_in.identity.claims) == claims


def test_callers_of_one_address_and_other_claims_are_two() -> None:
    assert parse_identity(f"{ANN}?org=a") != parse_identity(f"{ANN}?org=b")
    assert parse_identity(f"{ANN}?a=1&b=2") == parse_identity(f"{ANN}?b=2&a=1")


def test_a_question_mark_may_stand_in_an_address() -> None:
    assert parse_identity("what?@example.org?org=a").email == "what?@example.org"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("?org=acme", "no e-mail address|not an e-mail address"),
        (f"{ANN}?org", "no claim"),
        (f"{ANN}?=x", "no claim"),
        (f"{ANN}?a=1&&b=2", "no claim"),
        (f"{ANN}?a=1&a=2", "twice"),
        (f"{ANN}?a:=acme", "no JSON"),
        (f"{ANN}?a:=", "no JSON"),
        (f"{ANN}?a:=NaN", "no JSON"),
        (f"{ANN}?a:=1e999999&b:={{", "no JSON"),
    ],
)
def test_what_is_no_claim_is_refused(text: str, fault: str) -> None:
    with pytest.raises(InvalidToken, match=fault):
        parse_identity(text)
