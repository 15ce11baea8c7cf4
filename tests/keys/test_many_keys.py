"""A document with many keys in an index: these are counted without being made, and made one after the other."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from synovia import keys
from synovia.keys import IndexSpec

VALUES = st.integers(0, 3) | st.none()
LISTS = VALUES | st.lists(VALUES, max_size=4)
ROWS = st.builds(lambda x, tag, items: {"x": x, "tag": {"word": tag}, "items": items}, VALUES, VALUES, LISTS)
NESTED = st.builds(
    lambda x, inner: {"x": x, "tag": {"word": x}, "items": [{"word": each} for each in inner]}, VALUES, st.lists(LISTS)
)
INDEXES = [IndexSpec("a", ("x", "items")), IndexSpec("b", ("tag.word",)), IndexSpec("c", ("items.word", "x"))]


@given(st.sampled_from(INDEXES), ROWS | NESTED)
def test_keys_are_at_most_as_many_as_are_counted_and_the_same_one_by_one(
    index: IndexSpec, fields: dict[str, Any]
) -> None:
    document = {"_id": 1, **fields}
    found = keys.index_keys(index, document)
    assert len(found) <= keys.most_keys(index, document)
    assert sorted(set(keys.each_key(index, document))) == found
    assert keys.keys_changed(index, document, dict(document)) == 0
    assert keys.keys_changed(index, None, document) == keys.most_keys(index, document)


def test_only_changes_of_what_an_index_is_over_count() -> None:
    [index, *_] = INDEXES
    before = {"_id": 1, "x": 1, "items": [1, 2, 3], "note": "a"}
    assert keys.keys_changed(index, before, {**before, "note": "b"}) == 0
    assert keys.keys_changed(index, before, {**before, "items": [4]}) == 4
    assert keys.keys_changed(index, before, None) == 3
