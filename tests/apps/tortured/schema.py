"""The tables. Nothing here is unique unless it says so: what must not happen twice has to be kept out by the engine."""

from __future__ import annotations

from synovia import Index, Table


class Account(Table, name="accounts", indexes=[Index("by_name", "name"), Index("by_side", "side", "name")]):
    name: str
    side: int
    balance: int


class Entry(Table, name="entries", indexes=[Index("by_ref", "ref")]):
    """One transfer that took place; written together with both balances."""

    ref: str
    source: str
    target: str
    amount: int


class Register(Table, name="registers", indexes=[Index("by_name", "name")]):
    """A list that grows only at its end."""

    name: str
    items: list[int] = []


class Guard(Table, name="guards", indexes=[Index("by_post", "post", "side")]):
    """One of the two guards of a post; at least one of them has to be on duty."""

    post: str
    side: int
    on: bool


class Counter(Table, name="counters", text_ids=True, indexes=[Index("by_name", "name")]):
    """Its name is also its id."""

    name: str
    value: int = 0


class Handle(Table, name="handles", indexes=[Index("by_name", "name", unique=True)]):
    """A name that the database keeps unique."""

    name: str
    owner: str


class Member(Table, name="members", indexes=[Index("by_key", "key")]):
    """Somebody who may hold a role."""

    key: str
    inside: bool


class Seat(Table, name="seats", indexes=[Index("by_name", "name")]):
    """A name that only the reading of an empty range keeps unique."""

    name: str
    owner: str
