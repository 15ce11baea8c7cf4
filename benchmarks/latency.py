"""Commit to push: from the call of a mutation at one client to the new result at another one.

The peer is the raw change stream: from a plain PyMongo write with the same write concern to the event at a plain PyMongo
reader. No hub on MongoDB can be faster than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from time import perf_counter
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern

from benchmarks.databases import database
from benchmarks.hub import EMBEDDED, hub
from benchmarks.probe import Probe, furnish, probe, room
from benchmarks.results import Aim, Result, Row, Setting, compared, limited, percentile

DOCUMENTS = 10
SAMPLES = 40
_DURABLE = WriteConcern("majority", j=True)
_PEER = "raw change stream"


class RawStream:
    """Plain PyMongo: writes a field, and waits for its event."""

    def __init__(self, documents: Any, stream: Any, key: Any) -> None:
        self._documents = documents
        self._stream = stream
        self._key = key
        self._levels = count(1)

    async def seconds(self) -> float:
        """Give the time from the call of a write to the arrival of its event."""
        level = next(self._levels)
        start = perf_counter()
        write = asyncio.create_task(self._write(level))
        event = await self._stream.next()
        arrival = perf_counter()
        assert event["updateDescription"]["updatedFields"] == {"level": level}
        await write
        return arrival - start

    async def _write(self, level: int) -> None:
        await self._documents.update_one({"_id": self._key}, {"$set": {"level": level}})


@asynccontextmanager
async def _raw_stream(uri: str, name: str) -> AsyncIterator[RawStream]:
    async with (
        AsyncMongoClient[dict[str, Any]](uri) as writing,
        AsyncMongoClient[dict[str, Any]](uri) as reading,
    ):
        documents = writing[name].get_collection("raw", write_concern=_DURABLE)
        inserted = await documents.insert_one({"room": "a", "rank": 0, "label": "sensor", "level": 0})
        async with await reading[name].watch(max_await_time_ms=1000) as stream:
            yield RawStream(documents, stream, inserted.inserted_id)


@asynccontextmanager
async def _probed(store: str, setting: Setting, name: str) -> AsyncIterator[Probe]:
    async with hub(store, setting, name) as running:
        sensors = await furnish(running.url, "a", DOCUMENTS)
        async with probe(running.url, [room("a")], sensors) as probing:
            yield probing


async def _samples(measure: Callable[[], Awaitable[float]]) -> list[float]:
    return [await measure() * 1000 for _ in range(SAMPLES)]


async def run(setting: Setting) -> Result:
    """Measure on both stores, in alternating rounds."""
    async with AsyncExitStack() as stack:
        ours, theirs = [await stack.enter_async_context(database(setting)) for _ in range(2)]
        raw = await stack.enter_async_context(_raw_stream(setting.mongodb, theirs.name))
        mongodb = await stack.enter_async_context(_probed(ours.url, setting, "latency-mongodb"))
        embedded = await stack.enter_async_context(_probed(EMBEDDED, setting, "latency-embedded"))
        measures = raw.seconds, mongodb.seconds, embedded.seconds
        rounds = [[await _samples(measure) for measure in measures] for _ in range(setting.rounds(9))]
    return Result("latency", _rows(rounds))


def _rows(rounds: list[list[list[float]]]) -> tuple[Row, ...]:
    raw, mongodb, embedded = ([each[place] for each in rounds] for place in range(3))
    first = _row("MongoDB", 50, mongodb, raw)
    return (
        first,
        limited(first.name, first.unit, first.figure, 5.0),
        _row("MongoDB", 99, mongodb, raw),
        _row("embedded", 50, embedded, raw, Aim(1.0)),
        _row("embedded", 99, embedded, raw),
    )


def _row(store: str, percent: int, figures: list[list[float]], raw: list[list[float]], aim: Aim | None = None) -> Row:
    name = f"commit to push, p{percent}, {store}"
    return compared(
        name, "ms", [percentile(each, percent) for each in figures], _PEER, [percentile(e, percent) for e in raw], aim
    )
