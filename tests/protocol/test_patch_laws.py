"""The laws of patches: exact, never larger than the value, nothing mutated, and small where little changed."""

from __future__ import annotations

import copy
import itertools
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from helpers.wire_strategies import bits, edited_documents, edited_values, float_of_bits, small_values, values
from synovia_protocol.codec import pack, unpack, unpack_patch
from synovia_protocol.edits import ListEdit, MapEdit, is_patch
from synovia_protocol.errors import PatchError
from synovia_protocol.patch import apply, diff


def check_laws(a: Any, b: Any) -> Any:
    """Check every law on one pair, through bytes as on the wire, and give the patch."""
    before = pack(a), pack(b)
    change = diff(a, b)
    packed = pack(change)
    arrived = unpack_patch(packed)
    result = apply(a, arrived)
    assert bits(result) == bits(b)
    assert bits(apply(a, change)) == bits(b)
    assert len(packed) <= len(pack(b))
    assert pack(arrived) == packed
    assert (pack(a), pack(b)) == before
    check_sizes(change, b)
    return change


def check_sizes(change: Any, b: Any) -> None:
    """Check that at every level the patch is no longer than the value it leads to."""
    assert len(pack(change)) <= len(pack(b))
    if isinstance(change, MapEdit):
        for key, inner in change.edits.items():
            check_sizes(inner, b[key])
    elif isinstance(change, ListEdit):
        for index, inner in zip(change.edits[::2], change.edits[1::2], strict=True):
            check_sizes(inner, b[index])


@examples(300)
@given(values, values)
def test_laws_hold_for_any_two_values(a: Any, b: Any) -> None:
    check_laws(a, b)


@examples(300)
@given(edited_values())
def test_laws_hold_for_a_value_and_its_edited_self(pair: tuple[Any, Any]) -> None:
    check_laws(*pair)


@pytest.mark.slow
@examples(300)
@given(edited_documents())
def test_laws_hold_for_lists_of_documents(pair: tuple[Any, Any]) -> None:
    check_laws(*pair)
    check_laws({"page": pair[0]}, {"page": pair[1]})


@pytest.mark.slow
@examples(300)
@given(edited_documents())
def test_a_list_made_from_the_one_before_is_patched_as_its_copy_is(pair: tuple[Any, Any]) -> None:
    a, b = pair
    known = {pack(each): each for each in a}
    made = [known.get(pack(each), each) for each in b]
    assert pack(check_laws(a, made)) == pack(check_laws(copy.deepcopy(a), copy.deepcopy(b)))


@examples(300)
@given(st.lists(st.integers(0, 3), max_size=30), st.lists(st.integers(0, 3), max_size=30))
def test_laws_hold_for_lists_with_many_alike(a: list[int], b: list[int]) -> None:
    check_laws(a, b)
    check_laws([f"a longer text {item}" for item in a], [f"a longer text {item}" for item in b])
    check_laws([[item, "x" * 20] for item in a], [[item, "x" * 20] for item in b])


@given(small_values)
def test_a_value_and_its_copy_differ_in_next_to_nothing(value: Any) -> None:
    size = len(pack(value))
    assert len(pack(diff(value, copy.deepcopy(value)))) == (min(4, size) if isinstance(value, (list, dict)) else size)
    check_laws(value, copy.deepcopy(value))


NAN, OTHER_NAN = float_of_bits(0x7FF8_0000_0000_0000), float_of_bits(0x7FF8_0000_0000_0001)


@pytest.mark.parametrize(
    ("a", "b"), [(True, 1), (1, 1.0), (1.0, True), (0.0, -0.0), (NAN, OTHER_NAN), ("", b""), (None, False), ([], {})]
)
@pytest.mark.parametrize(
    "wrap", [lambda v: v, lambda v: {"k": v, "o": 1}, lambda v: [0, v, 0], lambda v: [{"_id": "x", "k": v}]]
)
def test_what_compares_equal_but_is_not_the_same_is_a_change(a: Any, b: Any, wrap: Any) -> None:
    check_laws(wrap(a), wrap(b))
    check_laws(wrap(b), wrap(a))


def test_a_nan_that_stayed_is_no_change() -> None:
    assert pack(
        diff({"a": NAN, "b": 1, "c": "text"}, {"a": float_of_bits(0x7FF8_0000_0000_0000), "b": 1, "c": "text"})
    ) == (pack(MapEdit({})))


def test_the_order_of_keys_is_no_change() -> None:
    a = [{"_id": "1", "x": "some text", "y": 2}, {"x": 1}]
    b = [{"y": 2, "x": "some text", "_id": "1"}, {"x": 1}]
    assert pack(diff(a, b)) == pack(ListEdit())


def make_documents(count: int) -> list[dict[str, Any]]:
    return [
        {
            "_id": f"{index:024x}",
            "name": "Ada Lovelace",
            "email": f"ada{index}@example.org",
            "createdAt": 1_700_000_000_000 + index,
            "notes": "hello",
            "score": 1.5 * index,
            "isArchived": False,
            "count": index,
            "owner": None,
            "tag": "x",
        }
        for index in range(count)
    ]


def test_one_field_among_a_thousand_documents_is_a_few_bytes() -> None:
    a, b = make_documents(1000), make_documents(1000)
    b[700]["notes"] = "changed"
    change = check_laws(a, b)
    assert len(pack(change)) < 45


def test_a_moved_and_edited_document_is_a_few_bytes() -> None:
    a, b = make_documents(1000), make_documents(1000)
    b.insert(0, b.pop(700))
    b[0]["count"] = -1
    change = check_laws(a, b)
    assert len(pack(change)) < 45


def test_a_window_that_moves_on_sends_the_new_document_only() -> None:
    documents = make_documents(51)
    change = check_laws(documents[1:], documents[:50])
    assert len(pack(change)) < len(pack(documents[0])) + 20


def test_one_cell_of_a_matrix_is_a_few_bytes() -> None:
    a = [[float(row * 31 + column) for column in range(30)] for row in range(30)]
    b = copy.deepcopy(a)
    b[20][3] = 0.5
    assert len(pack(check_laws(a, b))) < 30


def test_an_element_put_into_a_long_plain_list_is_a_few_bytes() -> None:
    a = list(range(5000))
    assert len(pack(check_laws(a, [*a[:2500], -1, *a[2500:]]))) < 30
    assert len(pack(check_laws(a, [*a[100:], *a[:50]]))) < 30


def test_documents_without_ids_are_patched_between_their_neighbours() -> None:
    a = [{"title": f"title {index}", "text": "lorem ipsum " * 5} for index in range(40)]
    b = copy.deepcopy(a)
    b[10]["title"] = "changed"
    del b[30]
    assert len(pack(check_laws(a, b))) < 60


def test_doubled_ids_are_no_ids() -> None:
    a = [{"_id": "1", "x": 1}, {"_id": "1", "x": 2}, {"_id": "2", "x": 3}]
    check_laws(a, a[::-1])
    check_laws(a, [a[0], a[0], a[2]])


def test_unchanged_parts_are_shared() -> None:
    a: dict[str, Any] = {"items": make_documents(3), "other": [1, [2]]}
    b = copy.deepcopy(a)
    b["items"][1]["count"] = -1
    result = apply(a, diff(a, b))
    assert result["other"] is a["other"]
    assert result["items"][0] is a["items"][0]
    assert result["items"][1] is not a["items"][1]


def test_a_chain_of_patches_leads_to_the_end() -> None:
    versions = [make_documents(20) for _ in range(6)]
    for number, version in enumerate(versions):
        version[number]["count"] = -number - 1
        del version[10 + number]
    value: Any = unpack(pack(versions[0]))
    for old, new in itertools.pairwise(versions):
        value = apply(value, unpack_patch(pack(diff(old, new))))
    assert bits(value) == bits(versions[-1])


@pytest.mark.parametrize(
    ("a", "patch"),
    [
        ([], MapEdit({})),
        (None, MapEdit({"a": 1})),
        ("abc", ListEdit([0, 1])),
        ({}, ListEdit()),
        ({}, MapEdit({}, ["a"])),
        ({"a": 1}, MapEdit({"a": 2}, ["a"])),
        ({}, MapEdit({"a": MapEdit({})})),
        ({"a": 1}, MapEdit({"a": MapEdit({})})),
        ([1], ListEdit([], [1, 5])),
        ([1], ListEdit([], [-1, 5])),
        ([1], ListEdit([[2]], [1, 5])),
        ([1, 2], ListEdit([1, 2])),
        ([1, 2], ListEdit([0, 2, 0, 1])),
        ([1, 2], ListEdit([-1, 1])),
        ([1, 2], ListEdit([3, 0])),
        ([1, 2], ListEdit([0])),
        ([1, 2], ListEdit([], [0, ListEdit()])),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(a: Any, patch: Any) -> None:
    before = pack(a)
    with pytest.raises(PatchError):
        apply(a, patch)
    assert pack(a) == before


@examples(300)
@given(values, edited_values())
def test_a_patch_of_another_value_applies_or_is_refused(a: Any, pair: tuple[Any, Any]) -> None:
    change = diff(*pair)
    if not is_patch(change):
        return
    try:
        pack(apply(a, change))
    except PatchError:
        return


def fastest(work: Any) -> float:
    times = []
    for _ in range(7):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def test_a_diff_costs_a_few_packings() -> None:
    a, b = make_documents(1000), make_documents(1000)
    b[700]["notes"] = "changed"
    ratio = fastest(lambda: diff(a, b)) / fastest(lambda: pack(a))
    assert ratio < 8, f"diff takes {ratio:.1f} times as long as packing one of the two"
