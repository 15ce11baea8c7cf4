"""The tables of the application that the conformance kit of Convex clients expects."""

from __future__ import annotations

from synovia import ConvexValue, Index, Table


class Message(Table, name="messages", indexes=[Index("by_channel", "channel")]):
    channel: str
    author: str
    body: str


class Stored(Table, name="stored"):
    value: ConvexValue = None


class Counter(Table, name="counters", indexes=[Index("by_name", "name", unique=True)]):
    name: str
    value: int = 0
