"""The small parts that everything else stands on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from synovia_client.array_origins import ArrayOrigins
from synovia_client.change_counter import ChangeCounter
from synovia_client.clock import LoopClock
from synovia_client.queries import QuerySet, query_key
from synovia_client.requests import RequestNumbers, Requests
from synovia_client.state import MOVES, ConnectionState, StateWatch
from synovia_protocol.errors import WireValueError
from synovia_protocol.messages import ArrayRef


async def test_a_deadline_of_the_loop_expires_and_can_be_extended_in_it_only() -> None:
    clock = LoopClock()
    deadline = clock.deadline(0.02)
    with pytest.raises(TimeoutError):
        async with deadline:
            await asyncio.get_running_loop().create_future()
    deadline.extend()
    before = clock.time()
    longer = clock.deadline(0.05)
    asyncio.get_running_loop().call_later(0.03, longer.extend)
    with pytest.raises(TimeoutError):
        async with longer:
            await asyncio.get_running_loop().create_future()
    assert clock.time() - before >= 0.075
    async with clock.deadline(None) as endless:
        await clock.sleep(0)
    assert endless is not None
    longer.extend()


async def test_a_change_is_never_missed() -> None:
    changes = ChangeCounter()
    changes.bump()
    assert await changes.after(0) == 1
    waiting = asyncio.create_task(changes.after(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    changes.bump()
    changes.bump()
    assert await waiting == 3


async def test_who_stops_waiting_for_a_change_leaves_nothing_behind() -> None:
    changes = ChangeCounter()
    waiting = asyncio.create_task(changes.after(0))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not changes._waiters
    changes.bump()


def test_illegal_moves_change_nothing() -> None:
    for start, legal in MOVES.items():
        for to in set(ConnectionState) - legal - {start}:
            watch = StateWatch()
            watch.current = start
            with pytest.raises(RuntimeError, match="cannot go"):
                watch.move(to)
            assert watch.current is start


def test_the_key_of_a_query_tells_types_apart_and_not_the_order_of_keys() -> None:
    assert query_key("p", {"a": 1, "b": {"c": 2, "d": 3}}) == query_key("p", {"b": {"d": 3, "c": 2}, "a": 1})
    distinct: list[dict[str, Any]] = [
        {"a": 1},
        {"a": 1.0},
        {"a": True},
        {"a": "1"},
        {"a": None},
        {},
        {"a": 0.0},
        {"a": -0.0},
    ]
    assert len({query_key("p", args) for args in distinct}) == len(distinct)
    assert query_key("p", {}) != query_key("q", {})
    with pytest.raises(WireValueError):
        query_key("p", {"a": object()})


def test_a_query_set_is_told_in_messages_that_fit() -> None:
    queries = QuerySet()
    for number in range(10):
        queries.hold("p", {"n": number, "text": "x" * 100})
    told = []
    while queries.stale:
        added, removed = queries.difference(room=500)
        assert not removed
        assert sum(query.size for query in added) <= 500
        told += [query.query_id for query in added]
    assert told == list(range(1, 11))
    queries.disconnected()
    assert queries.stale


def test_sightings_are_bounded_and_keep_the_newest() -> None:
    queries, array_origins = QuerySet(), ArrayOrigins(limit=3)
    for number in range(5):
        query = queries.hold("p", {"n": number})
        query.succeed([{"deep": [ArrayRef(bytes([number]) * 32, "float64", (1,))]}])
        array_origins.note(query)
    assert len(array_origins) == 3
    empty = QuerySet()
    assert array_origins.find(b"\x01" * 32, empty) is None
    found = array_origins.find(b"\x04" * 32, empty)
    assert found is not None
    assert found.args == {"n": 4}
    live = array_origins.find(b"\x01" * 32, queries)
    assert live is not None
    assert live.args == {"n": 1}, "what is live is found whenever it was noted"


async def test_a_retry_that_still_uploads_holds_later_retries_back_but_nothing_new() -> None:
    class Upload:
        done = False
        amid_array = False

        def restart(self) -> None:
            pass

    upload = Upload()
    requests = Requests(RequestNumbers())
    large = requests.add("mutation", "large", {}, upload)  # type: ignore[arg-type]
    upload.done = True
    for request in (large, requests.add("mutation", "later", {})):
        assert requests.next_message() is request
        requests.sending(request)
    requests.disconnected()
    upload.done = False
    new = requests.add("mutation", "new", {})
    assert requests.next_message() is new
    requests.sending(new)
    assert requests.next_message() is None
    upload.done = True
    assert [_send(requests), _send(requests), requests.next_message()] == ["large", "later", None]


def _send(requests: Requests) -> str:
    request = requests.next_message()
    assert request is not None
    requests.sending(request)
    return request.path
