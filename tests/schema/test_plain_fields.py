"""Plain fields are changed as they are, and what comes of it is what the table itself would have made of it."""

from __future__ import annotations

from typing import Annotated, Any

import bson
import pytest
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_serializer, field_validator

from synovia import Id, Table
from synovia.errors import InvalidArguments
from synovia.functions.given import Given, brought, changed
from synovia.schema import Model
from synovia.schema.kept import Timestamps
from synovia.schema.plain import plain_fields


class Sub(Model):
    n: int


class Thing(Table, Timestamps, name="plain_things"):
    name: str
    count: int | None = None
    share: float = 0.5
    is_open: bool = False
    raw: bytes | None = None
    level: Annotated[int, Ge(0)] = 0
    rank: int = Field(default=0, le=9)
    either: Annotated[int, Ge(0)] | str = 0
    owner: Id[Thing] | None = None
    sub: Sub | None = None
    tags: list[str] = Field(default=[], max_length=3)


class Checked(Table, name="plain_checked"):
    count: int

    @field_validator("count")
    @classmethod
    def _at_most_nine(cls, count: int) -> int:
        return min(count, 9)


class Written(Table, name="plain_written"):
    count: int

    @field_serializer("count")
    def _text(self, count: int) -> str:
        return str(count)


def test_plain_is_what_nothing_has_to_be_asked_of() -> None:
    assert {*plain_fields(Thing).by_name} == {"name", "count", "share", "is_open", "raw", "created_at", "updated_at"}
    assert not plain_fields(Checked).by_name
    assert not plain_fields(Written).by_name


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None}, {"count": None}, {"count": True}, {"count": 1 << 63}, {"share": 1}, {"name": Id("x")},
        {"count": bson.Int64(1)}, {"raw": bytearray(b"x")}, {"level": 1}, {"name": "a", "level": 1}, {"missing": 1},
    ],
)  # fmt: skip
def test_what_has_to_be_made_fit_or_refused_is_not_plain(changes: dict[str, Any]) -> None:
    assert not plain_fields(Thing).take(changes)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(),
        "count": st.integers(-(1 << 63), (1 << 63) - 1),
        "share": st.floats(),
        "is_open": st.booleans(),
        "raw": st.binary(),
    },
)
STORED = {"_id": "a", "other": 1, "name": "before", "count": 1, "share": 2.0, "isOpen": True, "level": 3.0}


@given(CHANGES)
def test_they_are_changed_as_the_table_would_change_them(changes: dict[str, Any]) -> None:
    found, document = changed(Thing, STORED, brought(Thing, changes))
    row, expected = changed(Thing, STORED, Given(changes))
    assert brought(Thing, changes).are_plain
    assert bson.encode(document) == bson.encode(expected)
    assert repr(found) == repr(row)
    assert found.model_fields_set == row.model_fields_set


def test_what_does_not_fit_is_refused_as_before() -> None:
    for changes in ({"count": 1 << 63}, {"share": "x"}, {"missing": 1}, {"id": "b"}, {"level": -1}):
        with pytest.raises(InvalidArguments):
            changed(Thing, STORED, brought(Thing, changes))


def test_a_table_with_ways_of_its_own_goes_them() -> None:
    row, document = changed(Checked, {"_id": "a", "count": 1}, brought(Checked, {"count": 12}))
    assert (row.count, document["count"]) == (9, 9)
    _, document = changed(Written, {"_id": "a", "count": 1}, brought(Written, {"count": 12}))
    assert document["count"] == "12"
