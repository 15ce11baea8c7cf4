"""A database that is searched from end to end, and scans and changes of it drawn at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from synovia import keys
from synovia.aggregates.tally import Kind, Summary, Tally, tally_of
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema.specs import Document
from synovia.store.base import Write
from synovia.store.filters import Comparison, Filter
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import RangeRead
from synovia.turns import Turns

BY_X = IndexSpec("by_x", ("x",))
BY_TAGS = IndexSpec("by_tags", ("tags", "x"))
SMALL = st.integers(0, 5)


class Plain:
    """A snapshot of a handful of documents, searched from end to end; it counts how often it is asked."""

    def __init__(self, ts: int, documents: dict[int, Document]) -> None:
        self.ts = ts
        self.documents = dict(documents)
        self.asked = 0

    async def get(self, table: str, ids: Any) -> list[Document | None]:
        self.asked += 1
        return [self.documents.get(id_) for id_ in ids]

    async def scan(
        self,
        table: str,
        index: IndexSpec,
        interval: Interval,
        order: Order = Order.ASC,
        *,
        where: Filter | None = None,
        limit: int | None = None,
    ) -> list[Document]:
        self.asked += 1
        read = RangeRead(table, index, interval, where)
        met: list[tuple[bytes, Document]] = []
        for document in self.documents.values():
            inside = [key for key in keys.index_keys(index, document) if key in interval]
            if inside and read.admits(document):
                met.append((inside[0] if order is Order.ASC else inside[-1], document))
        met.sort(key=lambda entry: entry[0], reverse=order is Order.DESC)
        return [document for _, document in met][:limit]

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        return len(await self.scan(table, index, interval, where=where, limit=limit))

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        return await tally_of(summary, await self.scan(table, index, interval, where=where), Turns())


DOCUMENT = st.fixed_dictionaries({"x": SMALL, "tags": st.lists(SMALL, max_size=3), "y": SMALL})
CHANGES = st.lists(st.tuples(SMALL, st.one_of(st.none(), DOCUMENT)), min_size=1, max_size=3)
SCANS = st.tuples(
    st.sampled_from(
        [
            (BY_X, keys.prefix([])),
            (BY_X, keys.between([], (1, True), (4, False))),
            (BY_TAGS, keys.prefix([2])),
            (BY_TAGS, keys.between([], (1, False), None)),
        ]
    ),
    st.sampled_from(Order),
    st.sampled_from([None, Comparison("y", "ge", 2)]),
    st.sampled_from([None, 1, 2, 3]),
)


def commit(ts: int, documents: dict[int, Document], changes: list[tuple[int, Any]]) -> KeyedCommit:
    writes: dict[int, Write] = {}
    for id_, fields in changes:
        before = writes[id_].before if id_ in writes else documents.get(id_)
        after = None if fields is None else {"_id": id_, **fields}
        writes[id_] = Write("t", id_, before, after)
        documents.pop(id_, None)
        if after is not None:
            documents[id_] = after
    return KeyedCommit(ts, [write for write in writes.values() if (write.before, write.after) != (None, None)])


SUMMARIES = st.sampled_from(
    [
        Summary(Kind.COUNT, IndexSpec("", ("y",)), 1),
        Summary(Kind.TOTAL, IndexSpec("", ("y",))),
        Summary(Kind.TOTAL, IndexSpec("", ("y", "x")), 1),
        Summary(Kind.LINE, IndexSpec("", ("y", "x", "y")), 1),
        Summary(Kind.LEAST, IndexSpec("", ("y",))),
        Summary(Kind.GREATEST, IndexSpec("", ("y", "x")), 1),
    ]
)
