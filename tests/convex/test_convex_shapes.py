from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from synovia import ConvexInt64, ConvexValue, Id, Int64, Model, Nullable, Page, Table
from synovia.convex.shapes import shape_of, shape_of_fields
from synovia.convex.values import encode, write


class Team(Table, name="teams"):
    title: str
    members: Int64 = 0
    motto: Nullable[str] = None
    note: str | None = None


class Named(Model):
    name: str
    alias: Nullable[str] = None


class Counted(Model):
    count: Int64
    parts: list[Counted] = []


ID = "00000002" + "00" * 8


def text(value: Any, annotation: Any) -> str:
    return write(encode(value, shape_of(annotation)))


@pytest.mark.parametrize(
    "annotation", [int, str | None, list[dict[str, float]], Any, Id[Team], Annotated[int, Field(ge=0)]]
)
def test_most_annotations_say_nothing(annotation: Any) -> None:
    assert shape_of(annotation) is None


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (5, Int64, '{"$integer":"BQAAAAAAAAA="}'),
        (5, Annotated[Int64, Field(ge=0)], '{"$integer":"BQAAAAAAAAA="}'),
        (5, Int64 | None, '{"$integer":"BQAAAAAAAAA="}'),
        ([5], list[Int64], '[{"$integer":"BQAAAAAAAAA="}]'),
        ({"a": 5}, dict[str, Int64], '{"a":{"$integer":"BQAAAAAAAAA="}}'),
        ({"count": 1, "parts": [{"count": 2, "parts": []}]}, Counted,
         '{"count":{"$integer":"AQAAAAAAAAA="},"parts":[{"count":{"$integer":"AgAAAAAAAAA="},"parts":[]}]}'),
        ([5, {"a": [5, 5.0]}], ConvexValue,
         '[{"$integer":"BQAAAAAAAAA="},{"a":[{"$integer":"BQAAAAAAAAA="},5.0]}]'),
        ([5, 5.0], Any, "[5.0,5.0]"),
    ],
)  # fmt: skip
def test_which_ints_are_bigints(value: Any, annotation: Any, expected: str) -> None:
    assert text(value, annotation) == expected


def test_a_row_has_its_creation_time_and_its_nulls() -> None:
    row = {"_id": ID, "title": "a", "members": 2}
    expected = (
        f'{{"_id":"{ID}","title":"a","members":{{"$integer":"AgAAAAAAAAA="}},"motto":null,"_creationTime":2000.0}}'
    )
    assert text(row, Team) == expected
    assert text([row], list[Team]) == f"[{expected}]"
    assert text({"items": [row]}, Page[Team]) == (
        f'{{"page":[{expected}],"isDone":true,"continueCursor":"_end","splitCursor":null,"pageStatus":null}}'
    )
    assert text(None, Team | None) == "null"


def test_a_creation_time_that_is_there_stays() -> None:
    assert '"_creationTime":5.0' in text({"_id": "text", "title": "a", "_creationTime": 5}, Team)


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"name": "a"}, '{"name":"a","alias":null}'), ({"count": 1}, '{"count":{"$integer":"AQAAAAAAAAA="}}')],
)
def test_of_several_structures_the_one_that_fits(value: Any, expected: str) -> None:
    assert text(value, Named | Counted) == expected


def test_an_int_of_the_class_for_it_needs_no_annotation() -> None:
    assert text({"a": ConvexInt64(5)}, Any) == '{"a":{"$integer":"BQAAAAAAAAA="}}'


def test_the_arguments_of_a_function() -> None:
    shape = shape_of_fields(Named)
    assert shape is not None
    assert shape.nulls == ["alias"]
