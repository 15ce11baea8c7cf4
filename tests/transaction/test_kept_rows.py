"""What a run keeps of rows is estimated from their documents, near what it takes, without a look at the rows themselves."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import ObjectId

from synovia import Table
from synovia.transaction import footprint as measured
from synovia.transaction.footprint import of_many
from synovia.transaction.rows import Packed, RowCache
from synovia_protocol import codec


class Small(Table, name="kept_small"):
    rank: int


class Person(Table, name="kept_person"):
    name: str
    street: str
    city: str
    born: int
    height: float
    member: bool
    note: str


class Text(Table, name="kept_text"):
    text: str


class Curve(Table, name="kept_curve"):
    values: list[float]


class Counts(Table, name="kept_counts"):
    by_day: list[dict[str, int]]


PERSON = {
    "name": "Anna",
    "street": "Long Road 12",
    "city": "Bern",
    "born": 1970,
    "height": 1.7,
    "member": True,
    "note": "",
}
SHAPES: dict[type[Table], Callable[[int], dict[str, Any]]] = {
    Small: lambda number: {"rank": 1_000 + number},
    Person: lambda number: {**PERSON, "note": f"the {number}th of many"},
    Text: lambda number: {"text": f"{number} " * 500},
    Curve: lambda number: {"values": [number + place / 7 for place in range(200)]},
    Counts: lambda number: {"by_day": [{"steps": number + 300, "stairs": 300 + day} for day in range(20)]},
}


def documents(table: type[Table], count: int) -> list[dict[str, Any]]:
    return [bson.decode(bson.encode({"_id": ObjectId(), **SHAPES[table](number)})) for number in range(count)]


def pack(row: Table) -> Packed:
    value = row.model_dump(mode="json", by_alias=True)
    return Packed(value, codec.pack(value), frozenset())


def unexpected(misfit: object) -> None:
    raise AssertionError(misfit)


@pytest.mark.parametrize("is_packed", [False, True], ids=["read", "shown"])
@pytest.mark.parametrize("table", SHAPES, ids=lambda table: table.__name__)
async def test_an_estimate_of_rows_is_near_what_they_take(table: type[Table], is_packed: bool) -> None:
    for row in RowCache().rows(table, documents(table, 1), unexpected):
        pack(row)  # what is made once for all is there
    tracemalloc.start()
    try:
        found = documents(table, 300)
        rows = RowCache()
        made = rows.rows(table, found, unexpected)
        if is_packed:
            await rows.pack(made, pack)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = of_many(found, len(found))
    assert 0.7 < (size + rows.footprint(size)) / taken < 2.5


def test_rows_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found, rows = documents(Person, 10), RowCache()
    rows.rows(Person, found, unexpected)
    size = of_many(found, len(found))

    def look(value: object) -> int:
        raise AssertionError("something was measured")

    monkeypatch.setattr(measured, "_getsizeof", look)
    assert rows.footprint(size) >= size


def test_no_rows_take_nothing() -> None:
    assert RowCache().footprint(1_000) == 0
