"""Tests of every store: what a snapshot shows, in which order, and that it stays as it is."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from synovia import keys
from synovia.keys import BY_ID, IndexSpec, Interval, Order
from synovia.schema.specs import Document
from synovia.store.base import Store
from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not
from synovia.testing.stores.opening import BY_MEMBER, BY_PLACE, BY_RANK, BY_TAG, StoreTests
from synovia.testing.stores.steps import EVERYTHING, commit, deleted, everything, ids, insert, inserted, replaced

ALL_KINDS: Document = {
    "_id": "all",
    "null": None,
    "yes": True,
    "int": 5,
    "long": Int64(1 << 60),
    "double": -0.0,
    "nan": math.nan,
    "decimal": Decimal128("1.10"),
    "text": "zero \0, é and 😀",
    "bytes": b"\0\xff",
    "uuid": Binary(b"\1" * 16, 4),
    "id": ObjectId("0123456789abcdef01234567"),
    "when": datetime(2024, 2, 29, 12, 0, 0, 123000, tzinfo=UTC),
    "stamp": Timestamp(7, 8),
    "regex": Regex("^a", "im"),
    "code": Code("f()"),
    "scoped": Code("g()", {"a": 1}),
    "map": {"b": 1, "a": {"c": [1, [2]]}},
    "list": [1, "a", None, {"x": []}],
    "least": MinKey(),
    "most": MaxKey(),
}


def note(id_: Any, **fields: Any) -> Document:
    return {"_id": id_, **fields}


async def scan(store: Store, index: IndexSpec, interval: Interval = EVERYTHING, **options: Any) -> list[Any]:
    ts, _ = await store.newest()
    found = await store.snapshot(ts).scan("notes", index, interval, **options)
    options.pop("order", None)
    assert await store.snapshot(ts).count("notes", index, interval, **options) == len(found)
    return ids(found)


# --- intervals --------------------------------------------------------------------------------------------------------

RANKED: list[Any] = [None, math.nan, -math.inf, -1, 0, 0.5, 1, 2, 2.5, math.inf, "", "a", "b", False, True]
RANKED += [datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC), MinKey(), MaxKey(), {"a": 1}, b"x"]


# --- filters ----------------------------------------------------------------------------------------------------------

FILTERED: list[Document] = [
    {"_id": "a", "n": 1, "t": "x", "m": [{"k": 1}, {"k": 5}]},
    {"_id": "b", "n": 2.0, "t": "y", "m": [{"k": 5}]},
    {"_id": "c", "n": None, "t": ["x", "z"]},
    {"_id": "d", "t": "x", "m": {"k": 1}},
    {"_id": "e", "n": math.nan, "m": []},
    {"_id": "f", "n": "1", "m": "k"},
    {"_id": "g", "n": [0, 3], "t": []},
]


class SnapshotContract(StoreTests):
    """A snapshot is the database as of one timestamp."""

    # --- get ----------------------------------------------------------------------------------------------------------

    async def test_get_answers_in_the_order_asked_with_none_for_what_is_missing(self, store: Store) -> None:
        one, two = note(ObjectId(), rank=1), note("two", rank=2)
        ts = await insert(store, "notes", one, two)
        asked = ["two", ObjectId(), one["_id"], "two"]
        assert await store.snapshot(ts).get("notes", asked) == [two, None, one, two]
        assert await store.snapshot(ts).get("notes", []) == []

    async def test_every_kind_of_value_comes_back_as_it_was(self, store: Store) -> None:
        ts = await insert(store, "notes", ALL_KINDS)
        [found] = await store.snapshot(ts).get("notes", ["all"])
        assert found is not None
        assert list(found) == list(ALL_KINDS)
        assert math.isnan(found["nan"])
        assert math.copysign(1, found["double"]) == -1
        same = {name: value for name, value in found.items() if name != "nan"}
        assert same == {name: value for name, value in ALL_KINDS.items() if name != "nan"}
        assert found["when"].tzinfo is not None
        assert type(found["bytes"]) is bytes

    async def test_a_document_that_was_read_is_the_callers_own(self, store: Store) -> None:
        ts = await insert(store, "notes", note("a", tags=["x"]))
        [first] = await everything(store, ts, "notes")
        first["tags"].append("y")
        assert await everything(store, ts, "notes") == [note("a", tags=["x"])]

    # --- a snapshot stays ---------------------------------------------------------------------------------------------

    async def test_a_snapshot_stays_as_it_was_while_commits_go_on(self, store: Store) -> None:
        a, b, c = note("a", rank=1, tags=["x"]), note("b", rank=2), note("c", rank=3, tags=["x", "y"])
        first = await insert(store, "notes", a, b)
        second = await commit(
            store, replaced("notes", a, rank=9, tags=["y"]), deleted("notes", b), *inserted("notes", c)
        )
        old, new = store.snapshot(first), store.snapshot(second)
        assert (old.ts, new.ts) == (first, second)
        assert await old.scan("notes", BY_ID, EVERYTHING) == [a, b]
        assert await old.scan("notes", BY_RANK, EVERYTHING, Order.DESC) == [b, a]
        assert await old.scan("notes", BY_TAG, keys.prefix(["x"])) == [a]
        assert await old.scan("notes", BY_TAG, keys.prefix(["y"])) == []
        assert await old.get("notes", ["a", "b", "c"]) == [a, b, None]
        assert await old.count("notes", BY_TAG, keys.prefix(["x"])) == 1
        changed = {**a, "rank": 9, "tags": ["y"]}
        assert await new.scan("notes", BY_RANK, EVERYTHING) == [c, changed]
        assert await new.scan("notes", BY_TAG, keys.prefix(["y"])) == [changed, c]
        assert await new.get("notes", ["a", "b", "c"]) == [changed, None, c]

    async def test_a_document_deleted_and_inserted_again_is_what_it_was_at_each_time(self, store: Store) -> None:
        first, second = note("a", rank=1), note("a", rank=2)
        times = [await insert(store, "notes", first), await commit(store, deleted("notes", first))]
        times += [await insert(store, "notes", second), await commit(store, deleted("notes", second))]
        states: list[list[Document]] = [[first], [], [second], []]
        for ts, expected in zip(times, states, strict=True):
            assert await everything(store, ts, "notes") == expected
            assert await store.snapshot(ts).scan("notes", BY_RANK, EVERYTHING) == expected
            [found] = await store.snapshot(ts).get("notes", ["a"])
            assert found == (expected[0] if expected else None)

    async def test_a_table_without_documents_is_empty(self, store: Store) -> None:
        assert await scan(store, BY_ID) == []
        assert await scan(store, BY_RANK) == []
        ts, _ = await store.newest()
        assert await store.snapshot(ts).get("notes", ["a"]) == [None]

    # --- order --------------------------------------------------------------------------------------------------------

    async def test_scans_are_ordered_by_the_index_and_then_by_id(self, store: Store) -> None:
        documents = [note(id_, rank=rank) for id_, rank in [("d", 1), ("a", 2), ("c", 1), ("b", 10), ("e", -1)]]
        await insert(store, "notes", *documents)
        assert await scan(store, BY_RANK) == ["e", "c", "d", "a", "b"]
        assert await scan(store, BY_RANK, order=Order.DESC) == ["b", "a", "d", "c", "e"]
        assert await scan(store, BY_ID) == ["a", "b", "c", "d", "e"]
        assert await scan(store, BY_ID, order=Order.DESC) == ["e", "d", "c", "b", "a"]

    async def test_values_of_all_kinds_are_ordered_as_by_their_keys(self, store: Store) -> None:
        values = [value for name, value in ALL_KINDS.items() if name not in ("_id", "list")]
        values += [math.inf, -math.inf, 4.5, "", "z", {}, {"a": 1}, {"b": 0}, b"", False, Decimal128("4.4"), 1 << 62]
        documents = [note(number, rank=value) for number, value in enumerate(values)]
        await insert(store, "notes", *documents, note(len(values)))
        by_key = sorted([*documents, note(len(values))], key=lambda each: keys.index_keys(BY_RANK, each))
        assert await scan(store, BY_RANK) == ids(by_key)
        assert await scan(store, BY_RANK, order=Order.DESC) == ids(by_key)[::-1]

    async def test_a_missing_field_counts_as_null(self, store: Store) -> None:
        await insert(store, "notes", note("a", rank=0), note("b"), note("c", rank=None), note("d", rank=MinKey()))
        assert await scan(store, BY_RANK) == ["d", "b", "c", "a"]
        assert await scan(store, BY_RANK, keys.prefix([None])) == ["b", "c"]

    @pytest.mark.parametrize("order", Order)
    async def test_limit_gives_the_first_in_scan_order(self, store: Store, order: Order) -> None:
        await insert(store, "notes", *(note(number, rank=number % 3) for number in range(12)))
        full = await scan(store, BY_RANK, order=order)
        assert len(full) == 12
        for limit in (0, 1, 5, 12, 13):
            assert await scan(store, BY_RANK, order=order, limit=limit) == full[:limit]

    async def test_limit_counts_documents_that_satisfy_the_filter(self, store: Store) -> None:
        await insert(store, "notes", *(note(number, rank=-number, even=number % 2 == 0) for number in range(10)))
        assert await scan(store, BY_RANK, where=Comparison("even", "eq", True), limit=3) == [8, 6, 4]

    # --- arrays of values and dotted fields ---------------------------------------------------------------------------

    async def test_an_array_is_found_by_each_of_its_elements_once(self, store: Store) -> None:
        await insert(
            store,
            "notes",
            note("a", tags=["x", "y", "x"]),
            note("b", tags=["y"]),
            note("c", tags="y"),
            note("d", tags=[["y"], "z"]),
        )
        assert await scan(store, BY_TAG, keys.prefix(["x"])) == ["a"]
        assert await scan(store, BY_TAG, keys.prefix(["y"])) == ["a", "b", "c"]
        assert await scan(store, BY_TAG, keys.prefix([["y"]])) == ["d"]

    async def test_a_document_with_several_keys_stands_at_the_first_in_scan_order(self, store: Store) -> None:
        await insert(store, "notes", note("a", tags=[1, 9]), note("b", tags=[2]), note("c", tags=[3, 5]))
        assert await scan(store, BY_TAG) == ["a", "b", "c"]
        assert await scan(store, BY_TAG, order=Order.DESC) == ["a", "c", "b"]
        assert await scan(store, BY_TAG, order=Order.DESC, limit=2) == ["a", "c"]
        inside = keys.between([], (2, True), (5, True))
        assert await scan(store, BY_TAG, inside) == ["b", "c"]
        assert await scan(store, BY_TAG, inside, order=Order.DESC) == ["c", "b"]
        assert await scan(store, BY_TAG, inside, order=Order.DESC, limit=1) == ["c"]

    async def test_an_empty_array_lies_below_null(self, store: Store) -> None:
        await insert(store, "notes", note("a", tags=None), note("b", tags=[]), note("c", tags=[None, 1]), note("d"))
        assert await scan(store, BY_TAG) == ["b", "a", "c", "d"]
        assert await scan(store, BY_TAG, keys.prefix([None])) == ["a", "c", "d"]
        assert await scan(store, BY_TAG, keys.prefix([keys.UNDEFINED])) == ["b"]

    async def test_a_dotted_field_reaches_into_maps(self, store: Store) -> None:
        await insert(
            store,
            "notes",
            note("a", place={"city": "Rome"}, rank=2),
            note("b", place={"city": "Rome"}, rank=1),
            note("c", place={"city": "Oslo"}, rank=5),
            note("d", place="Rome", rank=7),
            note("e", rank=6),
        )
        assert await scan(store, BY_PLACE, keys.prefix(["Rome"])) == ["b", "a"]
        assert await scan(store, BY_PLACE, keys.prefix([None])) == ["e", "d"]
        assert await scan(store, BY_PLACE, keys.prefix(["Rome", 2])) == ["a"]
        assert await scan(store, BY_PLACE, keys.between(["Rome"], (1, False))) == ["a"]

    async def test_a_dotted_field_reaches_into_maps_in_arrays(self, store: Store) -> None:
        await insert(
            store,
            "notes",
            note("a", members=[{"userId": 1}, {"userId": 2}]),
            note("b", members=[{"userId": 2}, {"other": 1}]),
            note("c", members={"userId": [2, 3]}),
            note("d", members=[]),
            note("e", members=[{"userId": []}, 5]),
        )
        assert await scan(store, BY_MEMBER, keys.prefix([2])) == ["a", "b", "c"]
        assert await scan(store, BY_MEMBER, keys.prefix([3])) == ["c"]
        assert await scan(store, BY_MEMBER, keys.prefix([None])) == ["b", "d", "e"]
        assert await scan(store, BY_MEMBER, keys.prefix([keys.UNDEFINED])) == ["e"]

    @pytest.mark.parametrize(
        ("interval", "expected"),
        [
            (keys.between([], (0, True)), [0, 0.5, 1, 2, 2.5, math.inf]),
            (keys.between([], (0, False)), [0.5, 1, 2, 2.5, math.inf]),
            (keys.between([], None, (1, True)), [-math.inf, -1, 0, 0.5, 1]),
            (keys.between([], None, (1, False)), [-math.inf, -1, 0, 0.5]),
            (keys.between([], (0.5, True), (2.0, False)), [0.5, 1]),
            (keys.between([], (0.5, False), (2, True)), [1, 2]),
            (keys.between([], ("a", True)), ["a", "b"]),
            (keys.between([], None, ("b", False)), ["", "a"]),
            (keys.between([], (True, True)), [True]),
            (keys.between([], None, (True, True)), [False, True]),
            (keys.between([], (RANKED[15], False)), [RANKED[16]]),
            (keys.between([], (None, True)), [None]),
            (keys.between([], (2, True), (1, True)), []),
            (keys.between([], (1, True), ("b", True)), []),
            (keys.between([], (MinKey(), False)), "everything but MinKey"),
            (keys.between([], (MinKey(), True)), "everything"),
            (keys.between([], None, (MaxKey(), False)), "everything but MaxKey"),
            (keys.prefix([1.0]), [1]),
            (keys.prefix(["c"]), []),
            (keys.EMPTY, []),
        ],
        ids=str,
    )
    async def test_intervals_with_every_kind_of_bound(
        self, store: Store, interval: Interval, expected: list[Any] | str
    ) -> None:
        await insert(store, "notes", *(note(number, rank=value) for number, value in enumerate(RANKED)))
        everything = sorted(range(len(RANKED)), key=lambda number: keys.encode([RANKED[number]]))
        if isinstance(expected, str):
            missing = {"everything but MinKey": MinKey(), "everything but MaxKey": MaxKey()}.get(expected)
            numbers = [number for number in everything if missing is None or RANKED[number] != missing]
        else:
            wanted = {keys.encode([value]) for value in expected}
            numbers = [number for number in everything if keys.encode([RANKED[number]]) in wanted]
            assert len(numbers) == len(expected)
        assert await scan(store, BY_RANK, interval) == numbers
        assert await scan(store, BY_RANK, interval, order=Order.DESC) == numbers[::-1]

    async def test_nan_is_found_by_equality_only(self, store: Store) -> None:
        await insert(store, "notes", note("a", rank=math.nan), note("b", rank=1), note("c", rank=Decimal128("NaN")))
        assert await scan(store, BY_RANK, keys.prefix([math.nan])) == ["a", "c"]
        assert await scan(store, BY_RANK, keys.between([], (math.nan, True))) == ["a", "c"]
        assert await scan(store, BY_RANK, keys.between([], (math.nan, False))) == []
        assert await scan(store, BY_RANK, keys.between([], None, (2, True))) == ["b"]

    async def test_intervals_between_two_keys_continue_a_scan(self, store: Store) -> None:
        documents = [note(number, rank=number // 3) for number in range(10)]
        await insert(store, "notes", *documents)
        [key] = keys.index_keys(BY_RANK, documents[4])
        assert await scan(store, BY_RANK, Interval(keys.after(key), EVERYTHING.high)) == [5, 6, 7, 8, 9]
        assert await scan(store, BY_RANK, Interval(key, EVERYTHING.high)) == [4, 5, 6, 7, 8, 9]
        assert await scan(store, BY_RANK, Interval(b"", key), order=Order.DESC) == [3, 2, 1, 0]
        same_rank = keys.prefix([1])
        assert await scan(store, BY_RANK, Interval(keys.after(key), same_rank.high)) == [5]

    async def test_intervals_of_ids(self, store: Store) -> None:
        first, second = ObjectId("0" * 24), ObjectId("f" * 24)
        await insert(store, "notes", *(note(id_) for id_ in [first, second, 5, "a", "b"]))
        assert await scan(store, BY_ID) == [5, "a", "b", first, second]
        assert await scan(store, BY_ID, keys.prefix(["a"])) == ["a"]
        assert await scan(store, BY_ID, keys.between([], (first, False))) == [second]
        assert await scan(store, BY_ID, keys.between([], None, ("b", True)), order=Order.DESC) == ["b", "a"]

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (Comparison("n", "eq", 1), "a"),
            (Comparison("n", "eq", 1.0), "a"),
            (Comparison("n", "ne", 1), "bcdefg"),
            (Comparison("n", "eq", None), "cd"),
            (Comparison("n", "ne", None), "abefg"),
            (Comparison("n", "gt", 1), "bg"),
            (Comparison("n", "ge", 1), "abg"),
            (Comparison("n", "lt", 2), "ag"),
            (Comparison("n", "le", None), "cd"),
            (Comparison("n", "eq", math.nan), "e"),
            (Comparison("n", "le", math.nan), "e"),
            (Comparison("n", "lt", math.nan), ""),
            (Comparison("n", "in", [1, None, "1"]), "acdf"),
            (Comparison("n", "in", []), ""),
            (Comparison("t", "eq", "x"), "acd"),
            (Comparison("t", "ne", "x"), "befg"),
            (Comparison("t", "eq", []), "g"),
            (Comparison("t", "eq", ["x", "z"]), "c"),
            (Comparison("m.k", "eq", 1), "ad"),
            (Comparison("m.k", "gt", 1), "ab"),
            (Comparison("m", "eq", {"k": 5}), "ab"),
            (AllOf((Comparison("t", "eq", "x"), Comparison("m.k", "eq", 1))), "ad"),
            (AnyOf((Comparison("n", "eq", 1), Comparison("n", "eq", "1"))), "af"),
            (Not(Comparison("t", "eq", "x")), "befg"),
            (Not(AllOf((Comparison("n", "gt", 0), Comparison("n", "lt", 3)))), "cdef"),
            (AllOf(()), "abcdefg"),
            (AnyOf(()), ""),
        ],
        ids=str,
    )
    async def test_filters_hold_as_in_mongodbs_query_language(self, store: Store, where: Filter, expected: str) -> None:
        await insert(store, "notes", *FILTERED)
        assert "".join(await scan(store, BY_ID, where=where)) == expected
        assert "".join(await scan(store, BY_RANK, keys.prefix([None]), where=where)) == expected
