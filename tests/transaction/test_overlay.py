"""A snapshot with commits laid over it is what a search finds after them, whatever is laid on top later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import bson
from bson import Int64, ObjectId
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from helpers.plain_snapshot import CHANGES, SCANS, SUMMARIES, Plain, commit
from synovia.schema.specs import Document
from synovia.store.base import Write
from synovia.transaction.as_stored import as_stored
from synovia.transaction.overlay import OverlaidSnapshot, Overlay


@given(
    st.lists(CHANGES, max_size=2),
    st.lists(CHANGES, max_size=4),
    st.lists(CHANGES, max_size=2),
    st.lists(st.tuples(SCANS, SUMMARIES), min_size=1),
)
async def test_laid_over_is_what_a_search_finds(
    committed: list[Any], staged: list[Any], later: list[Any], scans: list[Any]
) -> None:
    documents: dict[int, Document] = {}
    for changes in committed:
        commit(0, documents, changes)
    below, overlay = Plain(1, documents), Overlay()
    for changes in staged:
        overlay.add(commit(0, documents, changes))
    seen, truth = OverlaidSnapshot(below, overlay), Plain(1, documents)
    for changes in later:
        overlay.add(commit(0, documents, changes))
    for ((index, interval), order, where, limit), summary in scans:
        found = await seen.scan("t", index, interval, order, where=where, limit=limit)
        assert found == await truth.scan("t", index, interval, order, where=where, limit=limit)
        for most in (limit, None):
            count = await seen.count("t", index, interval, where=where, limit=most)
            assert count == await truth.count("t", index, interval, where=where, limit=most)
        tally = await seen.aggregate("t", index, interval, summary, where=where)
        expected = await truth.aggregate("t", index, interval, summary, where=where)
        assert tally.answers() == expected.answers()
    assert await seen.get("t", [0, 1, 2, 3, 4, 5]) == await truth.get("t", [0, 1, 2, 3, 4, 5])


async def test_documents_are_as_a_database_gives_them_back() -> None:
    moment = datetime(2026, 11, 28, 12, 30, 15, 123_456, timezone(timedelta(hours=1)))
    given_ = {"at": moment, "_id": 1, "large": 1 << 40, "pair": (1, 2), "inner": {"raw": b"x"}}
    [after] = [each.after for each in await as_stored([Write("t", 1, None, given_)])]
    assert after == {
        "_id": 1,
        "at": datetime(2026, 11, 28, 11, 30, 15, 123_000, UTC),
        "large": 1 << 40,
        "pair": [1, 2],
        "inner": {"raw": b"x"},
    }
    assert after is not None
    assert next(iter(after)) == "_id"
    assert type(after["large"]) is Int64
    unfit = {"_id": 1, "x": object()}
    assert [each.after for each in await as_stored([Write("t", 1, None, unfit)])] == [unfit]


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-5, 5), st.floats(), st.text(),
    st.binary(), st.builds(ObjectId), st.integers(-5, 5).map(Int64), st.datetimes(),
    st.lists(st.integers(-5, 5), max_size=2),
)  # fmt: skip


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), SCALARS, max_size=4), st.booleans())
async def test_what_is_kept_as_it_is_would_have_been_read_just_so(fields: dict[str, Any], id_first: bool) -> None:
    document = {"_id": "a"} | fields if id_first else fields | {"_id": "a"}
    [write] = await as_stored([Write("t", "a", None, document)])
    read: Document = bson.decode(bson.encode(document), CodecOptions(tz_aware=True, tzinfo=UTC))
    assert repr(write.after) == repr(read)
    assert [type(value) for value in (write.after or {}).values()] == [type(value) for value in read.values()]
