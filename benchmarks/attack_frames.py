"""What those send who attack one part of a hub: searches, files, jobs, shared documents, rules, the operators' page."""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.attacked import DIMENSIONS
from benchmarks.wire import client_frame
from synovia_protocol.codec import encode
from synovia_protocol.messages import ModifyQuerySet, Mutation, PresenceJoin, PresenceState, QueryAdd

Frames = Iterator[bytes]
_HELD = 300
_SHOWN = 4_000


def _mutations(path: str, args: Callable[[int], dict[str, Any]]) -> Frames:
    for number in itertools.count(1):
        yield client_frame(encode(Mutation(number, path, args(number))))


def _live(path: str, args: Callable[[int], dict[str, Any]], count: int = _HELD) -> Frames:
    """Hold so many live queries for a while, then others."""
    removed = client_frame(encode(ModifyQuerySet((), tuple(range(1, count + 1)))))
    for turn in itertools.count():
        for number in range(1, count + 1):
            yield client_frame(encode(ModifyQuerySet((QueryAdd(number, path, args(count * turn + number)),))))
        yield from itertools.repeat(b"", 200)
        yield removed


def _data_pages() -> Frames:
    """Give the operators' queries that look through a whole table for what is not there, each with many conditions."""
    conditions = [{"field": f"field{n}", "test": "contains", "value": "x" * 50} for n in range(50)]
    return _live("_system/data:rows", lambda n: {"table": "sensors", "where": conditions, "limit": 1 + n}, 1_000)


def _words() -> Frames:
    """Search for two letters, which very many words begin with, and for what differs each time."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return _live("attacked:find", lambda n: {"text": f"common {letters[n % 26]}{n // 26 % 7 or ''}"})


def _long_searches() -> Frames:
    return _live("attacked:find", lambda n: {"text": f"{n} " + "word " * 2_000})


def _long_texts() -> Frames:
    """Write documents of ten thousand distinct words."""
    return _mutations("attacked:add", lambda n: {"text": " ".join(f"{n}w{word}" for word in range(10_000))})


def _vectors() -> Frames:
    draw = random.Random(1)
    return _live("attacked:similar", lambda n: {"vector": [draw.random() for _ in range(DIMENSIONS)], "number": n})


def _wrong_vectors() -> Frames:
    wrong = [[float("nan")] * DIMENSIONS, [1.0], [1.0] * 20_000, [float("inf")] * DIMENSIONS, [0.0] * DIMENSIONS]
    return _live("attacked:similar", lambda n: {"vector": wrong[n % 5], "number": n})


def _begun_uploads() -> Frames:
    body = json.dumps({"path": "attacked:attach", "name": "x", "type": "text/plain", "size": 1 << 20}).encode()
    head = f"POST /api/uploads HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    yield from itertools.repeat(head.encode() + body)


def _jobs() -> Frames:
    return _mutations("attacked:begin_job", lambda n: {})


def _workflows() -> Frames:
    return _mutations("attacked:begin_workflows", lambda n: {"count": 1_000})


def _awareness() -> Frames:
    """Show where one is in documents that all of them have open, each time as much as may be shown."""
    rooms = range(1, 5)
    yield b"".join(client_frame(encode(PresenceJoin(n, "sensors:here", {"room": f"document {n}"}, 0))) for n in rooms)
    while True:
        yield b"".join(client_frame(encode(PresenceState(n, os.urandom(_SHOWN)))) for n in rooms)


def _written(paper: str, updates: Iterator[bytes]) -> Frames:
    return _mutations("attacked:write_body", lambda n: {"id": paper, "update": next(updates)})


def _typed(length: int) -> Iterator[bytes]:
    """Give updates of a document of Yjs, each of which adds so many characters."""
    from pycrdt import Doc, Text

    while True:
        doc: Doc[Text] = Doc()
        doc.get("text", type=Text).insert(0, "x" * length)
        yield doc.get_update()


def _garbage() -> Iterator[bytes]:
    while True:
        yield os.urandom(50_000)


ATTACKS: dict[str, tuple[Callable[[], Frames], int, bool, float]] = {
    # as in flooder.KINDS
    "data pages without a key": (_data_pages, 8, True, 0.002),
    "data pages of an operator": (_data_pages, 1, True, 0.002),
    "data pages of an operator who only looks": (_data_pages, 1, True, 0.002),
    "live searches": (_words, 1, True, 0.002),
    "searches that are too long": (_long_searches, 8, True, 0.002),
    "documents of many words": (_long_texts, 8, True, 0.002),
    "live vector searches": (_vectors, 1, True, 0.002),
    "wrong vectors": (_wrong_vectors, 8, True, 0.002),
    "uploads begun": (_begun_uploads, 32, False, 0.002),
    "jobs": (_jobs, 8, True, 0.002),
    "workflows": (_workflows, 8, True, 0.002),
    "awareness": (_awareness, 8, True, 0.002),
    "dear rules": (lambda: _live("attacked:guarded", lambda n: {"number": n}), 1, True, 0.002),
}
WRITING: dict[str, Callable[[], Iterator[bytes]]] = {
    # into a shared document
    "large updates": lambda: _typed(800_000),
    "tiny updates": lambda: _typed(1),
    "updates of garbage": _garbage,
}
OPERATORS = {"data pages of an operator": "operator", "data pages of an operator who only looks": "operator-read"}
"""The kinds that somebody sends who has a key, and its role."""


def attack(kind: str, paper: str) -> tuple[Callable[[], Frames], int, bool, float]:
    """Give an attack, as in ``flooder.KINDS``; ``paper`` is where shared documents are written."""
    if kind in WRITING:
        return lambda: _written(paper, WRITING[kind]()), 8, True, 0.002
    return ATTACKS[kind]
