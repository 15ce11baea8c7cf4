"""Results as data frames: every value is there, as itself."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from synovia_client import ArrayRef, Change, Client, FunctionError, to_pandas, to_polars
from synovia_client.changes import NOTHING, Outcome
from synovia_client.tabular import as_html

BIG = 2**53 + 1
MOMENT = datetime(2026, 11, 28, 18, 30, tzinfo=UTC)
REF = ArrayRef(b"x" * 32, "float64", (12_000,))
pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")

ROWS: list[dict[str, Any]] = [
    {"_id": "a", "name": "Ada", "count": BIG, "done": True, "angle": 1.5, "at": MOMENT, "samples": REF, "tags": ["x"]},
    {"_id": "b", "name": "Grace", "angle": None, "tags": []},
]


def test_pandas_holds_every_value() -> None:
    frame = to_pandas(ROWS, index="_id")
    assert list(frame.index) == ["a", "b"]
    assert {name: str(frame[name].dtype) for name in ("count", "done", "angle")} == {
        "count": "Int64",
        "done": "boolean",
        "angle": "float64",
    }
    assert frame["count"]["a"] == BIG
    assert frame["done"]["a"] is True or bool(frame["done"]["a"])
    assert frame["samples"]["a"] == REF
    assert frame["at"]["a"] == MOMENT
    assert [bool(pandas.isna(frame[name]["b"])) for name in ("count", "done", "angle")] == [True] * 3


def test_polars_holds_every_value() -> None:
    frame = to_polars(ROWS)
    assert frame.schema["count"] == polars.Int64
    assert frame["count"].to_list() == [BIG, None]
    assert frame["at"].to_list() == [MOMENT, None]
    assert frame["samples"].to_list() == [REF, None]
    assert frame["tags"].to_list() == [["x"], []]


@pytest.mark.parametrize(
    ("result", "shape"),
    [
        ([], (0, 0)),
        (None, (0, 0)),
        ([{}, {}], (2, 0)),
        ([1, 2, "three"], (3, 1)),
        ({"count": 3}, (1, 1)),
        ({"items": [{"a": 1}, {"b": 2}], "nextCursor": None}, (2, 2)),
        ([{"a": 1}, {"a": "one"}, {"a": 2**70}], (3, 1)),
    ],
)
def test_rows_are_items_and_columns_fields(result: Any, shape: tuple[int, int]) -> None:
    assert to_pandas(result).shape == shape
    if shape[1]:
        frame = to_polars(result)
        assert frame.shape == shape
    if isinstance(result, list) and shape[1] == 1 and len(result) == 3:
        values = [item["a"] if isinstance(item, dict) else item for item in result]
        assert to_pandas(result).iloc[:, 0].tolist() == values
        assert to_polars(result).to_series().to_list() == values


def test_a_single_value_has_no_rows() -> None:
    for convert in (to_pandas, to_polars):
        with pytest.raises(TypeError, match="type int has no rows"):
            convert(5)


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_missing_library_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    convert = to_pandas if name == "pandas" else to_polars
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'synovia-client\[{name}\]'"):
        convert(ROWS)


def test_a_result_is_a_table_for_people() -> None:
    html = as_html([{"name": "<b>", "samples": REF, "at": MOMENT, "n": number} for number in range(30)])
    assert html.count("<tr>") == 21
    for text in ("&lt;b&gt;", "float64[12000]", "2026-11-28 18:30:00+00:00", "30 rows, the first 20 shown"):
        assert text in html
    assert as_html(None) == "<p><i>nothing yet</i></p>"
    assert as_html("<i>") == "<pre>&lt;i&gt;</pre>"


def test_what_is_printed_says_what_it_is() -> None:
    rows = [{"n": number} for number in range(1_000)]
    failed = Outcome(rows, FunctionError("forbidden", "not yours"))
    assert repr(Change(NOTHING, Outcome(rows[:1]))) == "<Change to 1 row>"
    assert repr(Change(NOTHING, failed)) == "<Change to 1,000 rows; not yours (forbidden)>"
    assert repr(Change(NOTHING, Outcome("text"))) == "<Change to text>"
    client = Client("ws://127.0.0.1:9")
    assert repr(client) == "<Client ws://127.0.0.1:9/sync: connecting>"
    assert repr(client.subscribe("board:newest")) == "<Subscription of board:newest: nothing yet>"
