"""Scans of indexes whose fields have defaults: where MongoDB is asked for the documents that lack one."""

from __future__ import annotations

from synovia import keys
from synovia.keys import IndexSpec
from synovia.store.mongo.lacking import parts_of

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
