"""A thousand random queries give what a plain filter over all rows gives, on both stores, whatever documents lack."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from bson import ObjectId

from apps.values import Org, Recording
from synovia import field, ge, gt, le, lt
from synovia.functions.conditions import Condition, Range, between
from synovia.functions.pages import Journal
from synovia.functions.query import Query
from synovia.functions.visibility import TableView
from synovia.schema import Document, Id
from synovia.store.base import Batch, Store, Write
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import Transaction

DOCUMENTS = 120
CASES = 1000

OWNERS = [ObjectId(f"6b0a94f2a03c60fb0943a7{number:02x}") for number in range(6)]
WORDS = ["", "a", "open", "closed", "light", "dark", "viewer", "editor", "zz"]
TIMES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(8)]
VALUES: dict[str, list[Any]] = {
    "org_id": ["a", "b", "c", str(OWNERS[0])],
    "owner_id": [*(Id[Org](str(each)) for each in OWNERS), str(OWNERS[1]), OWNERS[2], None],
    "rank": [-1, 0, 1, 2, 3, 2.5, 1.0],
    "weight": [0.5, 1.5, 2, 2.5, -1],
    "status": WORDS,
    "level": [0, 1, 2, 3, 4, 2.5],
    "kind": ["walk", "run"],
    "done": [True, False],
    "at": [*TIMES, None],
    "tags": [*WORDS, ["a", "open"], []],
    "settings.theme": WORDS,
    "settings.depth": [None, 1, 2, 3],
    "marks.role": WORDS,
    "data": ["a", 1, 1.0, True, None, str(OWNERS[0]), Id[Org](str(OWNERS[0]))],
}
"""What each field is compared with."""
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
INDEXES = {
    "by_org": ("org_id", "rank"),
    "by_owner": ("owner_id",),
    "by_status": ("status", "rank"),
    "by_rank_status": ("rank", "status"),
    "by_level": ("level", "status"),
    "by_theme": ("settings.theme", "rank"),
    "by_mark": ("marks.role", "rank"),
    "by_id": ("id",),
}


def document(random: Random, number: int) -> Document:
    """Make a document as an older version of the application, or another program, may have written it."""
    full: Document = {
        "_id": ObjectId(f"7c0a94f2{random.randrange(1 << 40):010x}{number:06x}"),
        "slug": str(number),
        "orgId": random.choice(["a", "b", "c", str(OWNERS[0])]),
    }
    optional: dict[str, Any] = {
        "ownerId": random.choice(OWNERS),
        "rank": random.choice([-1, 0, 1, 2, 3, 1.0]),
        "weight": random.choice([0.5, 1.5, 2, 2.5]),
        "status": random.choice(WORDS),
        "level": random.choice([0, 1, 2, 3, 4]),
        "kind": random.choice(["walk", "run"]),
        "done": random.random() < 0.5,
        "at": random.choice(TIMES),
        "tags": random.sample(WORDS, random.randrange(3)),
        "settings": random.choice([{}, {"theme": random.choice(WORDS)}, {"depth": random.randrange(4)}]),
        "marks": [mark(random) for _ in range(random.randrange(3))],
        "data": random.choice(["a", 1, True, str(OWNERS[0]), {"x": [1]}]),
        "elsewhere": 5,
    }
    return full | {name: value for name, value in optional.items() if random.random() < 0.6}


def mark(random: Random) -> Document:
    return {"by": "x", **({"role": random.choice(WORDS)} if random.random() < 0.6 else {})}


# --- the plain filter -------------------------------------------------------------------------------------------------


def found_at(row: Any, name: str) -> Iterator[Any]:
    """Give what stands at a path of a row: of a list its elements, and the list itself."""
    first, _, rest = name.partition(".")
    value = getattr(row, first)
    if rest:
        for each in value if isinstance(value, list) else [value]:
            yield from found_at(each, rest)
    elif isinstance(value, list):
        yield from [*value, value]
    else:
        yield value


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, ObjectId) else value


def equal(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == plain(other))


def ordered(one: Any, other: Any, compare: Callable[[Any, Any], bool]) -> bool:
    kinds = [(bool,), (int, float), (str, ObjectId), (datetime,)]
    kind = [next((place for place, kind in enumerate(kinds) if isinstance(each, kind)), None) for each in (one, other)]
    return kind[0] is not None and kind[0] == kind[1] and compare(one, plain(other))


@dataclass
class Case:
    """A condition as a query takes it, and as Python says it."""

    text: str
    condition: Condition
    holds: Callable[[Recording], bool]


def comparison(random: Random) -> Case:
    name = random.choice(list(VALUES))
    value, word = random.choice(VALUES[name]), random.choice(["==", "!=", "in", *ORDERS])
    if word == "in":
        values = random.sample(VALUES[name], 2)
        holds = lambda row: any(equal(each, value) for each in found_at(row, name) for value in values)  # noqa: E731
        return Case(f"{name} in {values!r}", field(name).in_(values), holds)
    if word in ORDERS and value is not None and not isinstance(value, list):
        compare = ORDERS[word]
        holds = lambda row: any(ordered(each, value, compare) for each in found_at(row, name))  # noqa: E731
        return Case(f"{name} {word} {value!r}", compare(field(name), value), holds)  # type: ignore[arg-type]

    def is_equal(row: Recording) -> bool:
        return any(equal(each, value) for each in found_at(row, name))

    if word == "!=":
        return Case(f"{name} != {value!r}", field(name) != value, lambda row: not is_equal(row))
    return Case(f"{name} == {value!r}", field(name) == value, is_equal)


def condition(random: Random, depth: int = 2) -> Case:
    word = random.choice(["is", "is", "and", "or", "not"]) if depth else "is"
    if word == "is":
        return comparison(random)
    one, two = condition(random, depth - 1), condition(random, depth - 1)
    if word == "not":
        return Case(f"~({one.text})", ~one.condition, lambda row: not one.holds(row))
    if word == "and":
        both = one.condition & two.condition
        return Case(f"({one.text} & {two.text})", both, lambda row: one.holds(row) and two.holds(row))
    either = one.condition | two.condition
    return Case(f"({one.text} | {two.text})", either, lambda row: one.holds(row) or two.holds(row))


@dataclass
class Choice:
    """Conditions on an index, as ``using`` takes them and as Python says them."""

    index: str
    given: dict[str, Any]
    holds: Callable[[Recording], bool]

    def rank(self, row: Recording) -> tuple[Any, ...]:
        """Give the key under which the index holds a row."""
        values = [row.settings.theme if name == "settings.theme" else getattr(row, name.split(".")[0])
                  for name in INDEXES[self.index]]  # fmt: skip
        return (*((value is not None, value) for value in values), row.id)


def choice(random: Random) -> Choice:
    index = random.choice(list(INDEXES))
    if index == "by_id":
        return Choice(index, {}, lambda row: True)
    fields = INDEXES[index][: random.randrange(len(INDEXES[index]) + 1)]
    given: dict[str, Any] = {}
    tests: list[tuple[str, Callable[[Any], bool]]] = []
    for place, name in enumerate(fields):
        value = random.choice([each for each in VALUES[name] if each is not None])
        keyword = name.replace(".", "__")
        if place == len(fields) - 1 and random.random() < 0.5:
            given[keyword], test = ranged(random, name, value)
        else:
            given[keyword], test = value, partial(equal, plain(value))
        tests.append((name, test))
    return Choice(index, given, lambda row: all(any(map(test, found_at(row, name))) for name, test in tests))


def ranged(random: Random, name: str, value: Any) -> tuple[Range, Callable[[Any], bool]]:
    word = random.choice([*ORDERS, "between"])
    if word == "between":
        high = random.choice([each for each in VALUES[name] if each is not None])
        return between(value, high), lambda each: ordered(each, value, operator.ge) and ordered(each, high, operator.lt)
    made = {"<": lt, "<=": le, ">": gt, ">=": ge}[word](value)
    return made, lambda each: ordered(each, value, ORDERS[word])


# --- the test ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def filled(any_store: Store) -> AsyncIterator[tuple[Store, list[Recording]]]:
    """Give a store with random documents, and these as rows."""
    random = Random("documents")
    documents = [document(random, number) for number in range(DOCUMENTS)]
    await any_store.open([Recording.spec, Org.spec])
    try:
        await any_store.commit(Batch([Write("recordings", each["_id"], None, each) for each in documents]))
        yield any_store, [Recording.from_document(each) for each in documents]
    finally:
        await any_store.close()


@pytest.mark.slow
async def test_a_thousand_random_queries(filled: tuple[Store, list[Recording]]) -> None:
    store, rows = filled
    ts, _ = await store.newest()
    random = Random("queries")
    for number in range(CASES):
        chosen = choice(random)
        limit, descending = random.choice([None, 1, 3, 20]), random.random() < 0.5
        view = TableView(Recording, Transaction(store.snapshot(ts)), None)
        query = Query(view, Journal(), RowCache(), Recording).using(chosen.index, **chosen.given)
        query = query.order("desc" if descending else "asc")
        text, holds = f"{number}: {chosen.index} {chosen.given}", [chosen.holds]
        if random.random() < 0.6:
            case = condition(random)
            query, text = query.where(case.condition), f"{text} where {case.text}"
            holds.append(case.holds)
        expected = [row for row in rows if all(test(row) for test in holds)]
        found = await (query.collect() if limit is None else query.take(limit))
        if chosen.index == "by_mark":  # its rows are in order of one of several keys
            assert {row.id for row in found} <= {row.id for row in expected}, text
            assert len(found) == min(len(expected), limit or DOCUMENTS), text
        else:
            expected.sort(key=chosen.rank, reverse=descending)
            assert [row.id for row in found] == [row.id for row in expected][:limit], text
        if number % 3 == 0:
            assert await query.count() == len(expected), text
