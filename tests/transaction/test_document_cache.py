"""Documents in the cache are those at the head of the log; what may be older is not kept, nor what is too much."""

from __future__ import annotations

from typing import Any

from synovia import keys
from synovia.store.base import Gap, Write
from synovia.transaction.document_cache import DocumentCache
from synovia.transaction.keyed import KeyedCommit, Point


def point(number: int) -> Point:
    return "t", keys.encode_value(number)


def changed(ts: int, number: int, **fields: Any) -> KeyedCommit:
    return KeyedCommit(ts, [Write("t", number, {"_id": number}, {"_id": number, **fields})])


def cache_at(ts: int, **options: int) -> DocumentCache:
    cache = DocumentCache(**options)
    cache.head = ts
    return cache


def read(cache: DocumentCache, ts: int, number: int, document: Any) -> None:
    reading = cache.begin([point(number)], ts)
    if reading is not None:
        cache.end(reading, ts, [document])


def test_what_was_read_is_kept_current() -> None:
    cache = cache_at(10)
    read(cache, 10, 1, {"_id": 1})
    read(cache, 10, 2, None)
    assert [found and found[0] for found in (cache.find(point(1), 10), cache.find(point(2), 10))] == [{"_id": 1}, None]
    assert cache.find(point(2), 10) is not None, "that there is none is known, too"
    cache.on_change(changed(12, 1, x=1))
    now = cache.find(point(1), 12)
    assert now is not None
    assert now[0] == {"_id": 1, "x": 1}
    assert cache.find(point(1), 11) is None, "a view of before must ask the database"
    assert cache.find(point(1), 13) is None, "so must one that is ahead of the log"
    assert cache.find(point(2), 12) is not None


def test_what_changes_while_it_is_read_is_not_kept() -> None:
    cache = cache_at(10)
    reading = cache.begin([point(1), point(2)], 10)
    assert reading is not None
    cache.on_change(changed(11, 1, x=1))
    cache.end(reading, 10, [{"_id": 1}, {"_id": 2}])
    now = cache.find(point(1), 11)
    assert now is not None
    assert now[0] == {"_id": 1, "x": 1}, "what was written is, but not what was read before"
    assert cache.find(point(2), 11) is not None
    reading = cache.begin([point(3)], 11)
    assert reading is not None
    cache.on_change(KeyedCommit(12, [Write("t", 3, {"_id": 3}, None)]))
    cache.end(reading, 11, [{"_id": 3}])
    assert cache.find(point(3), 12) is None


def test_what_was_read_of_another_instant_than_the_head_is_not_kept() -> None:
    cache = cache_at(10)
    for ts in (9, 11):
        assert cache.begin([point(1)], ts) is None


def test_a_reading_that_fails_leaves_nothing() -> None:
    cache = cache_at(10)
    reading = cache.begin([point(1)], 10)
    assert reading is not None
    cache.end(reading, 10)
    assert len(cache) == cache.bytes == len(cache._readings) == 0


def test_a_gap_makes_it_forget_everything() -> None:
    cache = cache_at(10)
    read(cache, 10, 1, {"_id": 1})
    reading = cache.begin([point(2)], 10)
    assert reading is not None
    cache.on_change(Gap(20, "lost", 1))
    cache.end(reading, 10, [{"_id": 2}])
    assert len(cache) == cache.bytes == 0


def test_it_takes_no_more_bytes_than_it_may() -> None:
    cache = cache_at(1, most_bytes=20_000)
    for number in range(200):
        read(cache, 1, number, {"_id": number, "text": "x" * 500})
        assert cache.bytes <= 20_000
        assert cache.find(point(0), 1) is not None, "what is used stays"
    assert 10 < len(cache) < 40
    assert cache.bytes == sum(size for _, _, size in cache._kept.values())
    cache.on_change(changed(2, 0, text="x" * 1_000_000))
    assert cache.find(point(0), 2) is None, "what is too large is not kept"
    cache.forget([point(199)])
    assert cache.find(point(199), 2) is None
    assert cache.bytes == sum(size for _, _, size in cache._kept.values())


def test_what_was_written_is_kept_and_drives_out_nothing_that_was_read() -> None:
    cache = cache_at(1, most_bytes=20_000)
    for number in range(5):
        read(cache, 1, number, {"_id": number, "text": "x" * 500})
    for number in range(100, 400):
        for again in range(2):
            cache.on_change(changed(number, number, text="y" * 500, again=again))
        assert cache.bytes <= 20_000
    assert all(cache.find(point(number), 400 - 1) is not None for number in range(5))
    written = [number for number in range(100, 400) if point(number) in cache._kept]
    assert 5 < len(written) < 30
    for number in range(1_000, 1_000 + len(written)):
        read(cache, 399, number, {"_id": number, "text": "x" * 500, "again": 1})  # as large as what was written
    assert not any(point(number) in cache._kept for number in written[:-2]), "it goes first"
    assert all(cache.find(point(number), 399) is not None for number in range(5))
    assert cache.bytes == sum(size for _, _, size in cache._kept.values())


def test_of_a_large_commit_only_what_was_kept_before_is_kept() -> None:
    cache = cache_at(1)
    read(cache, 1, 7, {"_id": 7})
    cache.on_change(KeyedCommit(2, [Write("t", number, None, {"_id": number, "x": 1}) for number in range(1_001)]))
    assert len(cache) == 1
    cache.on_change(KeyedCommit(3, [Write("t", number, None, {"_id": number, "x": 1}) for number in range(1_000)]))
    assert len(cache) == 1_000
