"""The laws of edits: exact, whether read from patches, made by comparing, or composed; and as small as they can be."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from helpers.wire_strategies import bits, documents, edited_documents, edited_values, values
from synovia_client.edits import (
    Edits,
    FieldEdits,
    ItemEdits,
    Replaced,
    apply,
    compare,
    compose,
    from_patch,
    longest_rising,
)
from synovia_protocol.codec import pack, unpack_patch
from synovia_protocol.edits import ListEdit, MapEdit
from synovia_protocol.patch import apply as apply_patch
from synovia_protocol.patch import diff

MANY = examples(60)
plain_documents = (
    st.lists(st.integers(0, 9), unique=True, max_size=8)
    .flatmap(
        lambda names: st.tuples(
            *[st.fixed_dictionaries({"_id": st.just(str(name)), "n": st.integers(0, 2)}) for name in names]
        )
    )
    .map(list)
)
histories = st.one_of(
    st.lists(values, min_size=2, max_size=5),
    st.lists(documents(), min_size=2, max_size=5),
    st.lists(st.lists(st.integers(0, 4), max_size=8), min_size=2, max_size=5),
    st.lists(documents().map(lambda items: {"items": items, "nextCursor": len(items)}), min_size=2, max_size=5),
)


def check(before: Any, edits: Edits | None, after: Any) -> None:
    untouched = pack(before)
    assert bits(apply(before, edits)) == bits(after)
    assert pack(before) == untouched
    check_parts(before, edits, after)


def check_parts(before: Any, edits: Edits | None, after: Any) -> None:
    """Check at every level that what is said to have come, gone or changed has."""
    if isinstance(edits, FieldEdits):
        assert set(edits.removed) == before.keys() - after.keys()
        for key, change in edits.changed.items():
            if key in before:
                check(before[key], change, after[key])
            else:
                assert isinstance(change, Replaced)
    elif isinstance(edits, ItemEdits):
        assert (edits.length, len(edits.sources)) == (len(before), len(after))
        for index, change in edits.changed.items():
            check(before[edits.sources[index]], change, after[index])
        check_rows(before, edits, after)


def check_rows(before: Any, edits: ItemEdits, after: Any) -> None:
    """Check that going, moving and coming, one after the other, lead to the new order."""
    rows = list(range(edits.length))
    for place in reversed(edits.went):
        del rows[place]
    moving = {source for source, _ in edits.moved}
    order = [source for source in edits.sources if source >= 0]
    assert sorted(rows) == sorted(order)
    assert [row for row in rows if row not in moving] == [source for source in order if source not in moving]
    assert set(edits.came) == {index for index, source in enumerate(edits.sources) if source < 0}


@MANY
@given(st.one_of(edited_values(), edited_documents(), st.tuples(values, values)))
def test_edits_of_a_patch_and_of_a_comparison_lead_to_the_new_value(pair: tuple[Any, Any]) -> None:
    before, after = pair
    check(before, from_patch(before, unpack_patch(pack(diff(before, after)))), after)
    edits = compare(before, after)
    check(before, edits, after)
    assert (edits is None) == (bits(before) == bits(after)), "what is equal has no edits, and nothing else"


@MANY
@given(histories)
def test_composed_edits_lead_from_the_first_value_to_the_last(history: list[Any]) -> None:
    first = history[0]
    edits: Edits | None = None
    for before, after in itertools.pairwise(history):
        edits = compose(first, edits, from_patch(before, unpack_patch(pack(diff(before, after)))))
        check(first, edits, after)


@MANY
@given(histories)
def test_composing_does_not_depend_on_what_is_composed_first(history: list[Any]) -> None:
    steps = [compare(before, after) for before, after in itertools.pairwise(history)]
    edits: Edits | None = None
    for before, step in reversed(list(zip(history, steps, strict=False))):
        edits = compose(before, step, edits)
    check(history[0], edits, history[-1])


@MANY
@given(st.lists(plain_documents, min_size=2, max_size=5))
def test_composed_edits_of_documents_are_as_exact_as_a_comparison(history: list[Any]) -> None:
    edits: Edits | None = None
    for before, after in itertools.pairwise(history):
        edits = compose(history[0], edits, from_patch(before, diff(before, after)))
    compared = compare(history[0], history[-1])
    assert (edits is None) == (compared is None)
    if isinstance(compared, ItemEdits) and isinstance(edits, ItemEdits):
        assert list(edits.sources) == list(compared.sources)
        assert edits.changed.keys() == compared.changed.keys()
        assert (edits.went, edits.moved) == (compared.went, compared.moved)


ROWS = [{"_id": name, "n": 0, "tags": ["a", "b", "c"]} for name in "abcdef"]


def test_edits_say_what_came_went_moved_and_which_fields_changed() -> None:
    after = [ROWS[5], {"_id": "new", "n": 1}, {**ROWS[0], "n": 1}, ROWS[1], {"_id": "d", "tags": ["a", "c"]}]
    edits = from_patch(ROWS, diff(ROWS, after))
    assert isinstance(edits, ItemEdits)
    assert (edits.went, edits.moved, edits.came) == ([2, 4], [(5, 0)], {1: {"_id": "new", "n": 1}})
    assert {index: sorted(each.names) for index, each in edits.changed.items() if isinstance(each, FieldEdits)} == {
        2: ["n"],
        4: ["n", "tags"],
    }


def test_a_whole_value_of_the_server_has_exact_edits_too() -> None:
    after = [*ROWS[:2], {**ROWS[2], "n": 7}, *ROWS[3:]]
    edits = from_patch(ROWS, after)
    assert edits == ItemEdits(6, range(6), {}, {2: FieldEdits({"n": Replaced(7)}, [])})
    assert edits.in_place


def test_what_changed_and_changed_back_is_no_edit() -> None:
    there, back = MapEdit({"n": 1, "new": 1}, ["gone"]), MapEdit({"n": 0, "gone": 5}, ["new"])
    before = {"n": 0, "gone": 5}
    first = from_patch(before, there)
    assert compose(before, first, from_patch(apply(before, first), back)) is None
    away = from_patch(ROWS, ROWS[1:])
    assert compose(ROWS, away, from_patch(ROWS[1:], ROWS)) is None, "the same document, by its id, that was away"


def test_a_patch_that_shows_an_item_twice_shows_it_again_as_a_new_one() -> None:
    patch = ListEdit([0, 1, 0, 1], [1, "changed", 1, "changed again", 0, "x", 0, "y"])
    before = ["a", "b"]
    assert apply_patch(before, patch) == ["y", "changed again"]
    check(before, from_patch(before, patch), ["y", "changed again"])


@given(st.permutations(range(6)))
def test_a_longest_rising_subsequence_is_one(order: list[int]) -> None:
    found = sorted(longest_rising(order))
    assert [order[place] for place in found] == sorted(order[place] for place in found)
    longest = max(
        size for size in range(7) if any(list(pick) == sorted(pick) for pick in itertools.combinations(order, size))
    )
    assert len(found) == longest
