"""Scans of indexes whose fields have defaults: where MongoDB is asked for the documents that lack one."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from synovia import keys
from synovia.keys import IndexSpec
from synovia.schema import TableSpec
from synovia.store.base import Batch, Write
from synovia.store.mongo.lacking import parts_of
from synovia.store.mongo.store import MongoStore

FORTY = keys.encode_value(40)


def test_what_lacks_a_field_is_looked_for_among_nulls_only() -> None:
    index = IndexSpec("by_age", ("age",), defaults=((FORTY,),))
    everything = keys.between(())
    there, lacking = parts_of(index, everything, None)
    assert (there.interval, lacking.interval) == (everything, keys.between((None,)))


def test_so_it_is_of_a_field_behind_one_that_is_given() -> None:
    index = IndexSpec("by_city_and_age", ("city", "age"), defaults=((None,), (FORTY,)))
    there, lacking = parts_of(index, keys.between(("York",)), None)
    assert (there.interval, lacking.interval) == (keys.between(("York",)), keys.between(("York", None)))
    assert len(parts_of(index, keys.between(("York",), (41, True)), None)) == 1


def test_nulls_that_lie_between_everything_else_are_told_apart() -> None:
    index = IndexSpec("by_city_and_age", ("city", "age"), defaults=((None,), (FORTY,)))
    there, lacking = parts_of(index, keys.between(()), None)
    assert (there.strewn, lacking.strewn) == ((), ("age",))
    assert not any(part.strewn for part in parts_of(index, keys.between(("York",)), None))


async def test_where_nothing_lacks_a_field_behind_others_little_is_looked_at(
    mongodb_uri: str, database_name: str
) -> None:
    index = IndexSpec("by_city_and_age", ("city", "age"), defaults=((None,), (FORTY,)))
    store = MongoStore(mongodb_uri, database_name)
    await store.open([TableSpec("people", (index,))])
    try:
        made = [{"_id": ObjectId(), "city": f"city {n % 5}", "age": n} for n in range(1_000)]
        ts = await store.commit(Batch([Write("people", each["_id"], None, each) for each in made]))
        with MongoClient[dict[str, Any]](mongodb_uri) as client:

            def looked_at() -> int:
                told = client.admin.command("serverStatus")["metrics"]["queryExecutor"]
                return int(told["scanned"] + told["scannedObjects"])

            before = looked_at()
            found = await store.snapshot(ts).scan("people", index, keys.between(()), limit=10)
            assert [each["age"] for each in found] == list(range(0, 50, 5))
            assert looked_at() - before < 200
        for late, place in (({"_id": ObjectId()}, 0), ({"_id": ObjectId(), "city": "city 0"}, 10)):
            ts = await store.commit(Batch([Write("people", late["_id"], None, late)]))
            found = await store.snapshot(ts).scan("people", index, keys.between(()), limit=11)
            assert found[place] == late  # the other one behind that of 40 in its city
    finally:
        await store.close()
