"""The order of encoded keys is the order in which the real server sorts the values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.database import Database

from helpers.bson_values import VALUES
from helpers.examples import examples
from synovia import keys
from synovia.keys import IndexSpec

pytestmark = pytest.mark.mongodb

BY_VALUE = IndexSpec("by_value", ("v",))
PROPERTY = examples(150, share_fixtures=True)


@PROPERTY
@given(values=st.lists(VALUES.filter(lambda value: not isinstance(value, list)), min_size=2, max_size=60))
def test_equal_values_have_one_encoding_and_others_sort_as_the_server_sorts(
    outside: Database[dict[str, Any]], values: list[Any]
) -> None:
    outside.values.delete_many({})
    outside.values.insert_many([{"_id": number, "v": value} for number, value in enumerate(values)])
    window = {"sortBy": {"v": 1}, "output": {"rank": {"$denseRank": {}}}}
    rows = outside.values.aggregate([{"$setWindowFields": window}, {"$project": {"rank": 1}}])
    ranks = {row["_id"]: row["rank"] for row in rows}
    encoded = [keys.encode_value(value) for value in values]
    places = {key: place for place, key in enumerate(sorted(set(encoded)), start=1)}
    assert [places[key] for key in encoded] == [ranks[number] for number in range(len(values))]


@PROPERTY
@given(values=st.lists(VALUES, min_size=2, max_size=40))
def test_an_index_holds_arrays_under_the_keys_that_index_keys_tells(
    outside: Database[dict[str, Any]], values: list[Any]
) -> None:
    outside.arrays.create_index([("v", 1), ("_id", 1)], name="by_value")
    outside.arrays.delete_many({})
    documents = [{"_id": number, "v": value} for number, value in enumerate(values)]
    outside.arrays.insert_many(documents)
    in_index_order = [row["_id"] for row in outside.arrays.find({}, {"_id": 1}).hint("by_value")]
    expected = sorted(documents, key=lambda document: keys.index_keys(BY_VALUE, document)[0])
    assert in_index_order == [document["_id"] for document in expected]
