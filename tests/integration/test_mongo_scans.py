"""Scans, counts and filters on the real server give what the definitions in ``keys`` and ``filters`` say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from bson import MaxKey, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st
from pymongo.database import Database

from helpers.bson_values import VALUES
from helpers.examples import examples
from synovia import keys
from synovia.keys import BY_ID, IndexSpec, Interval, Order
from synovia.schema.specs import Document, TableSpec
from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not, matches
from synovia.store.mongo import MongoStore
from synovia.store.mongo.conditions import to_query

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]
PROPERTY = examples(120, share_fixtures=True)

BY_A = IndexSpec("by_a", ("a", "b"))
BY_M = IndexSpec("by_m", ("m.k", "m.l"))
BY_MIXED = IndexSpec("by_mixed", ("b", "m.k"))
THINGS = TableSpec("things", (BY_A, BY_M, BY_MIXED))

SMALL = st.sampled_from([None, True, 0, 1, 2, 1.5, "x", "y", ""])
ELEMENTS = st.one_of(SMALL, st.sampled_from([{}, {"k": 1}, {"k": 2, "l": "x"}, [], [1, 2]]))
IDS = st.one_of(st.integers(0, 12), st.sampled_from(["p", "q", "r", ObjectId(bytes(12)), None, 1.5]))
MAPS = st.dictionaries(st.sampled_from(["k", "l"]), SMALL, max_size=2)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.one_of(SMALL, st.lists(ELEMENTS, max_size=4)),
        "b": SMALL,
        "m": st.one_of(SMALL, MAPS, st.lists(st.one_of(MAPS, SMALL), max_size=3)),
    },
)
DOCUMENTS = st.lists(st.tuples(IDS, FIELDS), max_size=14, unique_by=lambda pair: keys.encode_value(pair[0])).map(
    lambda pairs: [{"_id": key, **fields} for key, fields in pairs]
)
CONDITIONS: st.SearchStrategy[Filter] = st.recursive(
    st.one_of(
        st.builds(
            Comparison,
            st.sampled_from(["a", "b", "m", "m.k", "_id"]),
            st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]),
            ELEMENTS,
        ),
        st.builds(Comparison, st.sampled_from(["a", "m.k"]), st.just("in"), st.lists(ELEMENTS, max_size=3)),
    ),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, max_size=2).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=2).map(tuple)),
    ),
    max_leaves=3,
)


@pytest.fixture
async def things(mongodb_uri: str, database_name: str) -> AsyncIterator[MongoStore]:
    store = MongoStore(mongodb_uri, database_name)
    await store.open([THINGS])
    yield store
    await store.close()


@st.composite
def intervals(draw: st.DrawFn, index: IndexSpec, documents: list[Document]) -> Interval:
    """Draw an interval as the engine makes them, or one between two ends that keys of the documents make."""
    equals = draw(st.lists(SMALL, max_size=len(index.fields)))
    if len(equals) < len(index.fields) and draw(st.booleans()):
        bound = st.one_of(st.none(), st.tuples(SMALL, st.booleans()))
        return keys.between(equals, draw(bound), draw(bound))
    entries = [key for document in documents for key in keys.index_keys(index, document)]
    heads = [keys.encode([]), keys.encode(equals), keys.encode([*equals, keys.UNDEFINED]), *entries]
    ends = [*heads, *(keys.after(head) for head in heads), *(keys.encode(equals) + bytes([tag]) for tag in _TYPES)]
    low, high = sorted([draw(st.sampled_from(ends)), draw(st.sampled_from(ends))])
    return Interval(low, high)


_TYPES = [keys.Tag.NUMBER, keys.Tag.STRING, keys.Tag.OBJECT, keys.Tag.ARRAY, keys.Tag.BOOL, keys.Tag.REGEX]


def expected(
    documents: list[Document], index: IndexSpec, interval: Interval, order: Order, where: Filter | None
) -> list[Document]:
    """Scan as the contract defines it."""
    found = []
    for document in documents:
        inside = [key for key in keys.index_keys(index, document) if key in interval]
        if inside and (where is None or matches(where, document)):
            found.append((inside[0] if order is Order.ASC else inside[-1], document))
    found.sort(key=lambda pair: pair[0], reverse=order is Order.DESC)
    return [document for _, document in found]


@PROPERTY
@given(data=st.data(), documents=DOCUMENTS)
async def test_a_scan_is_what_the_contract_says(
    things: MongoStore, outside: Outside, data: st.DataObject, documents: list[Document]
) -> None:
    outside.things.delete_many({})
    if documents:
        outside.things.insert_many(documents)
    ts, _ = await things.newest()
    snapshot = things.snapshot(ts)
    for _ in range(4):
        index = data.draw(st.sampled_from([BY_ID, BY_A, BY_M, BY_MIXED]), label="index")
        interval = data.draw(intervals(index, documents), label="interval")
        where = data.draw(st.one_of(st.none(), CONDITIONS), label="where")
        order = data.draw(st.sampled_from(Order), label="order")
        limit = data.draw(st.one_of(st.none(), st.integers(0, 5)), label="limit")
        whole = expected(documents, index, interval, order, where)
        found = await snapshot.scan("things", index, interval, order, where=where, limit=limit)
        assert [row["_id"] for row in found] == [row["_id"] for row in whole[:limit]]
        assert found == whole[:limit]
        assert await snapshot.count("things", index, interval, where=where) == len(whole)


@PROPERTY
@given(values=st.lists(VALUES, min_size=1, max_size=20), condition=st.data())
async def test_a_filter_means_the_same_to_the_server(
    things: MongoStore, outside: Outside, values: list[Any], condition: st.DataObject
) -> None:
    documents = [{"_id": number, "a": value, "m": value} for number, value in enumerate(values)]
    outside.things.drop()
    outside.things.insert_many(documents)
    for _ in range(4):
        field = condition.draw(st.sampled_from(["a", "m.a", "m.b", "absent"]), label="field")
        bounds = st.one_of(st.sampled_from(values), VALUES)
        comparison = condition.draw(
            st.one_of(
                st.builds(Comparison, st.just(field), st.sampled_from(["eq", "ne"]), bounds),
                st.builds(
                    Comparison, st.just(field), st.sampled_from(["lt", "le", "gt", "ge"]), bounds.filter(_has_order)
                ),
                st.builds(Comparison, st.just(field), st.just("in"), st.lists(bounds, max_size=3)),
            ),
            label="comparison",
        )
        found = {row["_id"] for row in outside.things.find(to_query(comparison), {"_id": 1})}
        assert found == {document["_id"] for document in documents if matches(comparison, document)}


def _has_order(value: Any) -> bool:
    """Tell whether the server takes the value for ``$lt`` and its like."""
    return not isinstance(value, Regex)


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("array", [False, True])
async def test_scans_by_an_equality_do_not_sort_on_the_server(
    things: MongoStore, outside: Outside, order: Order, array: bool
) -> None:
    outside.things.insert_many([{"_id": n, "a": [n % 3, 7] if array else n % 3, "b": n} for n in range(30)])
    direction = 1 if order is Order.ASC else -1
    command = {
        "find": "things",
        "hint": "synovia_by_a",
        "min": {"a": 1, "b": 4, "_id": 0},
        "max": {"a": 1, "b": MaxKey(), "_id": MaxKey()},
        "sort": {"b": direction, "_id": direction},
    }
    plan = outside.command({"explain": command, "verbosity": "queryPlanner"})
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
    assert "SORT" not in str(plan["queryPlanner"]["winningPlan"])
    ts, _ = await things.newest()
    interval = Interval(keys.encode([1, 4]), keys.after(keys.encode([1])))
    rows = await things.snapshot(ts).scan("things", BY_A, interval, order, limit=3)
    assert [row["b"] for row in rows] == ([4, 7, 10] if order is Order.ASC else [28, 25, 22])


async def test_an_array_that_comes_from_outside_does_not_spoil_the_order(things: MongoStore, outside: Outside) -> None:
    """Nothing tells the store that a field holds arrays; the first one must be noticed by the very scan that meets it."""
    outside.things.insert_many([{"_id": n, "a": n} for n in range(10)])
    everything, upper = keys.prefix([]), keys.between([], (5, True))
    before, _ = await things.newest()
    assert len(await things.snapshot(before).scan("things", BY_A, upper)) == 5
    outside.things.insert_one({"_id": "array", "a": [0, 7.5]})
    ts, _ = await things.newest()
    for limit in (None, 4):
        rows = await things.snapshot(ts).scan("things", BY_A, upper, limit=limit)
        assert [row["_id"] for row in rows] == [5, 6, 7, "array", 8, 9][:limit]
        rows = await things.snapshot(ts).scan("things", BY_A, upper, Order.DESC, limit=limit)
        assert [row["_id"] for row in rows] == [9, 8, "array", 7, 6, 5][:limit]
    rows = await things.snapshot(ts).scan("things", BY_A, everything, limit=2)
    assert [row["_id"] for row in rows] == [0, "array"]
