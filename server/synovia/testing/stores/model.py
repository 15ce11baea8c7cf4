"""A brute-force store: every version of everything in lists, and strategies for what is asked of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
from bson import Decimal128, ObjectId
from hypothesis import strategies as st

from synovia import keys
from synovia.aggregates.tally import Kind, Summary
from synovia.keys import BY_ID, IndexSpec, Interval, Order
from synovia.schema.specs import Document, TableSpec
from synovia.store.base import Ts, Write
from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not, matches

BY_A = IndexSpec("by_a", ("a",))
BY_B_A = IndexSpec("by_b_a", ("b", "a"))
BY_INNER = IndexSpec("by_inner", ("a.k",))
INDEXES = (BY_ID, BY_A, BY_B_A, BY_INNER)
THINGS = TableSpec("things", INDEXES[1:])

IDS: list[Any] = ["p", "q", "r", "s", 1, 2, ObjectId("0" * 24), ObjectId("f" * 24)]
SCALARS: list[Any] = [None, False, True, -1, 0, 1, 2, 1.5, -0.0, math.nan, math.inf, 1 << 60, Decimal128("1.5")]
SCALARS += ["", "a", "b\0", b"", b"x", ObjectId("0" * 24), datetime(2024, 1, 1, tzinfo=UTC)]

scalars = st.sampled_from(SCALARS)
inner_maps = st.dictionaries(st.sampled_from(["k", "l"]), scalars | st.lists(scalars, max_size=2), max_size=2)
values = scalars | inner_maps | st.lists(scalars | inner_maps | st.lists(scalars, max_size=2), max_size=3)
fields = st.fixed_dictionaries({}, optional={"a": values, "b": scalars, "n": st.integers(0, 3)})
commits = st.lists(
    st.dictionaries(st.sampled_from(range(len(IDS))), st.none() | fields, min_size=1, max_size=5), max_size=6
)


class Model:
    """What a store should say."""

    def __init__(self) -> None:
        self.present: dict[int, Document] = {}
        self.past: dict[Ts, list[Document]] = {}

    def writes(self, changes: dict[int, dict[str, Any] | None]) -> list[Write]:
        """Turn wishes (new fields of a document, None to delete it) into the writes of one batch."""
        return [
            Write(
                THINGS.name,
                IDS[number],
                self.present.get(number),
                None if wish is None else {"_id": IDS[number], **wish},
            )
            for number, wish in changes.items()
            if self._is_a_change(number, wish)
        ]

    def _is_a_change(self, number: int, wish: dict[str, Any] | None) -> bool:
        present = self.present.get(number)
        if wish is None or present is None:
            return (wish is None) != (present is None)
        return bson.encode(present) != bson.encode({"_id": IDS[number], **wish})

    def commit(self, ts: Ts, writes: list[Write]) -> None:
        for write in writes:
            number = IDS.index(write.id)
            if write.after is None:
                del self.present[number]
            else:
                self.present[number] = write.after
        self.past[ts] = list(self.present.values())

    def scan(self, ts: Ts, question: Question) -> list[Document]:
        pick = min if question.order is Order.ASC else max
        found = []
        for document in self.past[ts]:
            inside = [key for key in keys.index_keys(question.index, document) if key in question.interval]
            if inside and (question.where is None or matches(question.where, document)):
                found.append((pick(inside), document))
        found.sort(key=lambda each: each[0], reverse=question.order is Order.DESC)
        return [document for _, document in found]


@dataclass(frozen=True)
class Question:
    """The arguments of one scan."""

    index: IndexSpec
    interval: Interval
    order: Order
    where: Filter | None
    limit: int | None
    summary: Summary


summaries = st.sampled_from(
    [
        Summary(Kind.COUNT, IndexSpec("", ("b",)), 1),
        Summary(Kind.TOTAL, IndexSpec("", ("a.k",))),
        Summary(Kind.LEAST, IndexSpec("", ("n", "b")), 1),
        Summary(Kind.GREATEST, IndexSpec("", ("b",)), types=frozenset({keys.Tag.NUMBER})),
        Summary(Kind.LINE, IndexSpec("", ("n", "b"), defaults=((keys.encode_value(7),), (None,)))),
    ]
)
elements = scalars | inner_maps | st.lists(scalars, max_size=2)
bounds = st.none() | st.tuples(scalars | inner_maps, st.booleans())
comparisons = st.builds(
    Comparison, st.sampled_from(["a", "b", "a.k"]), st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), values
) | st.builds(Comparison, st.sampled_from(["a", "b", "a.k"]), st.just("in"), st.lists(scalars, max_size=3))
filters: st.SearchStrategy[Filter] = st.recursive(
    comparisons,
    lambda inner: (
        st.builds(Not, inner) | st.builds(AllOf, st.tuples(inner, inner)) | st.builds(AnyOf, st.tuples(inner, inner))
    ),
    max_leaves=3,
)


def intervals(index: IndexSpec) -> st.SearchStrategy[Interval]:
    """Equality on leading fields, then a range; or the part of that after some key."""
    if not index.fields:
        return st.builds(keys.between, st.just([]), *[st.none() | st.tuples(st.sampled_from(IDS), st.booleans())] * 2)
    leading = st.integers(0, len(index.fields)).flatmap(lambda n: st.lists(elements, min_size=n, max_size=n))
    whole = st.builds(lambda equals, low, high: keys.between(equals, low, high), leading, bounds, bounds)
    key = st.builds(
        lambda values, id_: keys.encode([*values, id_]),
        st.lists(elements, min_size=len(index.fields), max_size=len(index.fields)),
        st.sampled_from(IDS),
    )
    return (
        whole
        | st.builds(lambda low: Interval(keys.after(low), b"\xff"), key)
        | st.builds(lambda high: Interval(b"", high), key)
    )


questions = st.sampled_from(INDEXES).flatmap(
    lambda index: st.builds(
        Question,
        st.just(index),
        intervals(index),
        st.sampled_from(Order),
        st.none() | filters,
        st.none() | st.integers(1, 3),
        summaries,
    )
)
