"""Searching 100,000 documents, and inserting one more, in one process without sockets.

The peers are a page of 20 documents of the same table through a plain index, and an insertion into a table without a
search index. Each document has a title of three words and notes of twenty, out of 5,000 that are as common as words are (the
first in every fourth document, the hundredth in every four-hundredth).
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Iterator
from itertools import accumulate, islice, product
from typing import Any

from bson import ObjectId

from benchmarks import searched
from benchmarks.calls_compared import Call, compare, filled_apps
from benchmarks.results import Result, Row, Setting
from synovia.schema.search import keep_terms
from synovia.store.base import Write
from synovia.testing import TestApp

DOCUMENTS, FEW = 100_000, 5_000
_WORDS = ["".join(each) for each in islice(product("bcdfghklmnprstvz", "aeiou", "lmnrst", "aeiou", "kxz"), 5_000)]
_SHARES = [*accumulate(1 / (place + 4) for place in range(len(_WORDS)))]


async def run(setting: Setting) -> Result:
    """Measure on both stores."""
    rows: list[Row] = []
    async for store, app in filled_apps(searched, lambda: _writes(setting), setting):
        rows += await _measure(app, setting, store)
    return Result("search", tuple(rows))


def _writes(setting: Setting) -> Iterator[Write]:
    number = FEW if setting.quick else DOCUMENTS
    return (_write(texts, rank // 20) for rank, texts in enumerate(islice(_texts(random.Random(1)), number)))


def _texts(chance: random.Random) -> Iterator[dict[str, str]]:
    while True:
        words = chance.choices(_WORDS, cum_weights=_SHARES, k=23)
        yield {"title": " ".join(words[:3]), "notes": " ".join(words[3:])}


def _write(texts: dict[str, str], rank: int) -> Write:
    document: dict[str, Any] = {"_id": ObjectId(), **texts, "rank": rank}
    keep_terms(searched.Indexed.spec, None, document)
    return Write("indexed", document["_id"], None, document)


async def _measure(app: TestApp, setting: Setting, store: str) -> list[Row]:
    chance, number = random.Random(2), FEW if setting.quick else DOCUMENTS
    texts = _texts(chance)

    def query(path: str, **args: Any) -> Awaitable[object]:
        return app.trusted.query(f"searched:{path}", args)

    def mutation(path: str) -> Awaitable[object]:
        return app.trusted.mutation(f"searched:{path}", next(texts))

    def page() -> Awaitable[object]:
        return query("page", rank=chance.randrange(number // 20))

    def word(first: int, last: int) -> str:
        return _WORDS[chance.randrange(first, last)]

    kinds: list[tuple[str, Call, str, Call]] = [
        ("two words and a beginning", lambda: query("find", text=f"{word(50, 500)} {word(50, 500)} {word(0, 9)[:3]}"),
         "a page", page),
        ("a rare word", lambda: query("find", text=word(1_000, 5_000)), "a page", page),
        ("a word of very many documents, and a rare one", lambda: query("find", text=f"{_WORDS[0]} {word(1_000, 5_000)}"),
         "a page", page),
        ("the first two letters of a word", lambda: query("find", text=word(0, 5_000)[:2]), "a page", page),
        ("inserting a document", lambda: mutation("add_indexed"), "into a table without", lambda: mutation("add")),
    ]  # fmt: skip
    return [await compare(f"{store}: {name}", call, peer, other, setting) for name, call, peer, other in kinds]
