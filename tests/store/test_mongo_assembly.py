"""Events of a change stream become whole commits: when a group is closed, and what is in it."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from synovia.schema.specs import Document, TableSpec
from synovia.store.base import Commit, Write
from synovia.store.mongo.assembly import UNKNOWN, Assembler, Group, PositionLost
from synovia.store.mongo.catalog import FENCE, FENCE_ID, Catalog

A, B = {"_id": 1, "n": "a"}, {"_id": 1, "n": "b"}


def assembler(position: int = 0, *, single_events: bool = True) -> Assembler:
    catalog = Catalog()
    catalog.declare([TableSpec("notes")])
    return Assembler(catalog, position, single_events=single_events)


def event(
    ts: int,
    kind: str,
    before: Document | None = None,
    after: Document | None = None,
    *,
    table: str = "notes",
    txn: bool = True,
) -> dict[str, Any]:
    """Make an event as MongoDB 6.0 sends it."""
    made: dict[str, Any] = {"operationType": kind, "clusterTime": Timestamp(0, ts), "ns": {"db": "app", "coll": table}}
    if txn:
        made["txnNumber"] = 1
    if kind in ("insert", "update", "replace", "delete"):
        made["documentKey"] = {"_id": (before or after or {"_id": 1})["_id"]}
    if kind != "delete":
        made["fullDocument"] = after
    if kind in ("update", "replace", "delete"):
        made["fullDocumentBeforeChange"] = before
    return made


def fence(ts: int, n: int, events: int | None) -> dict[str, Any]:
    state = {"_id": FENCE_ID, "n": n} | ({"events": events} if events is not None else {})
    return event(ts, "replace", {"_id": FENCE_ID}, state, table=FENCE)


def commits(groups: list[Group]) -> list[Commit]:
    return [group.commit() for group in groups]


# --- when a group is closed -------------------------------------------------------------------------------------------


def test_a_fence_tells_how_many_events_make_the_commit() -> None:
    made = assembler()
    assert made.add(fence(5, 7, 3)) == []
    assert made.add(event(5, "insert", None, A)) == []
    assert made.is_open
    [commit] = commits(made.add(event(5, "insert", None, {"_id": 2})))
    assert commit == Commit(5, (Write("notes", 1, None, A), Write("notes", 2, None, {"_id": 2})), 7)
    assert not made.is_open


def test_a_fence_without_a_count_waits_for_the_end() -> None:
    made = assembler()
    assert made.add(fence(5, 7, None)) == []
    assert made.add(event(5, "insert", None, A)) == []
    assert commits(made.close()) == [Commit(5, (Write("notes", 1, None, A),), 7)]


def test_an_event_outside_a_transaction_is_whole_by_itself() -> None:
    assert commits(assembler().add(event(5, "insert", None, A, txn=False))) == [
        Commit(5, (Write("notes", 1, None, A),))
    ]


def test_a_server_that_puts_several_documents_into_one_entry_is_waited_for() -> None:
    made = assembler(single_events=False)
    assert made.add(event(5, "insert", None, A, txn=False)) == []
    assert made.add(event(5, "insert", None, {"_id": 2}, txn=False)) == []
    assert [len(commit.writes) for commit in commits(made.close())] == [2]


def test_a_transaction_is_closed_by_a_later_event() -> None:
    made = assembler()
    assert made.add(event(5, "insert", None, A)) == []
    first, second = commits(made.add(event(6, "delete", A, None, txn=False)))
    assert (first.ts, second.ts) == (5, 6)


@given(st.integers(0, 10), st.integers(0, 10))
def test_the_clock_closes_only_what_it_has_passed(event_ts: int, clock: int) -> None:
    made = assembler(-1)
    made.add(event(event_ts, "insert", None, A))
    closed = made.reach(clock)
    assert [group.ts for group in closed] == ([event_ts] if event_ts <= clock else [])
    assert made.position == (max(event_ts, clock) if closed else -1)
    assert made.is_open is not bool(closed)


@pytest.mark.parametrize("table", ["elsewhere", "_other"])
def test_other_collections_make_empty_groups(table: str) -> None:
    [group] = assembler().add(event(5, "insert", None, A, table=table, txn=False))
    assert group.is_empty


# --- what is in it ----------------------------------------------------------------------------------------------------


def merged(*events: dict[str, Any]) -> Group:
    made = assembler()
    for each in events:
        assert made.add(each) == []
    [group] = made.close()
    return group


def test_of_several_events_to_one_document_the_ends_count() -> None:
    group = merged(
        event(5, "delete", A, None), event(5, "insert", None, B), event(5, "update", B, {"_id": 1, "n": "c"})
    )
    assert group.commit().writes == (Write("notes", 1, A, {"_id": 1, "n": "c"}),)


def test_what_came_and_went_within_a_transaction_is_no_write() -> None:
    assert merged(event(5, "insert", None, A), event(5, "delete", A, None)).commit().writes == ()


def test_equal_ids_of_different_types_are_different_documents() -> None:
    group = merged(event(5, "insert", None, {"_id": True}), event(5, "insert", None, {"_id": 1}))
    assert [write.id for write in group.commit().writes] == [True, 1]


def test_an_image_that_is_missing_is_unknown_until_it_is_read() -> None:
    group = merged(event(5, "update", None, None))
    [change] = group.unknown
    assert change.before is UNKNOWN
    assert change.after is UNKNOWN
    with pytest.raises(ValueError, match="unknown"):
        group.commit()
    change.before, change.after = A, B
    assert group.commit().writes == (Write("notes", 1, A, B),)


def test_an_unknown_image_in_the_middle_does_not_matter() -> None:
    group = merged(event(5, "update", A, None), event(5, "update", None, B))
    assert group.unknown == []
    assert group.commit().writes == (Write("notes", 1, A, B),)


# --- losses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop", "rename", "dropDatabase", "invalidate"])
def test_a_table_that_goes_is_a_lost_position(kind: str) -> None:
    with pytest.raises(PositionLost, match="dropped"):
        assembler().add(event(5, kind, txn=False))


def test_a_collection_renamed_to_a_table_is_a_lost_position() -> None:
    with pytest.raises(PositionLost, match="'notes'"):
        assembler().add(event(5, "rename", table="temporary", txn=False) | {"to": {"db": "app", "coll": "notes"}})


def test_another_collection_may_go() -> None:
    [group] = assembler().add(event(5, "drop", table="elsewhere", txn=False))
    assert group.is_empty


def test_a_deleted_fence_is_a_lost_position() -> None:
    with pytest.raises(PositionLost, match="fence"):
        assembler().add(event(5, "delete", {"_id": FENCE_ID}, None, table=FENCE, txn=False))


def test_time_does_not_go_back() -> None:
    made = assembler(position=5)
    with pytest.raises(PositionLost, match="back"):
        made.add(event(5, "insert", None, A, txn=False))
