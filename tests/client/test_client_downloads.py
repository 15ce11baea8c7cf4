"""Arrays from the server: whole, a range, an outline; resumed after a break; asked for through the query that shows them."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from client.manual_clock import ManualClock
from client.peer import Peer, PeerConnection, eventually
from synovia_client import ArrayRef, Client, ConnectionLost, FunctionError, RequestTimeout
from synovia_protocol.arrays import ref_of
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import ArrayResponse, CancelFetch, FetchArray, ModifyQuerySet, QueryFailed

ARRAY = np.random.default_rng(7).normal(size=(100, 4))
REF = ref_of(ARRAY)


async def shown(client: Client, peer: Peer, ref: ArrayRef = REF) -> PeerConnection:
    """Let a query show an array, and be let go."""
    asked = asyncio.create_task(client.query("list", {"n": 1}))
    connection = await peer.welcome()
    await connection.give("list", [{"_id": "a", "samples": ref}], 5)
    await asked
    assert (await connection.expect(ModifyQuerySet)).remove
    return connection


async def fetching(connection: PeerConnection, ref: ArrayRef = REF, to_ts: int = 5) -> FetchArray:
    """Let the client come back to the query, and take its question."""
    query = await connection.expect_query("list")
    assert query.args == {"n": 1}
    await connection.give("list", [{"_id": "a", "samples": ref}], to_ts)
    fetch = await connection.expect(FetchArray)
    assert (fetch.query_id, fetch.digest) == (query.query_id, ref.digest)
    return fetch


async def test_whole_in_one_frame(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    fetch = await fetching(connection)
    assert (fetch.start, fetch.stop, fetch.points) == (0, None, None)
    await connection.send_array(fetch, ARRAY.reshape(-1))
    array = await asked
    assert array.shape == (100, 4)
    assert array.dtype == np.float64
    assert array.tobytes() == ARRAY.tobytes()
    assert (await connection.expect(ModifyQuerySet)).remove, "the query was held for the fetch only"


async def test_a_single_frame_is_not_copied(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    await connection.send_array(await fetching(connection), ARRAY.reshape(-1))
    root: Any = await asked
    while isinstance(root, np.ndarray):
        assert not root.flags.writeable
        root = root.base
    assert isinstance(root, memoryview)
    assert len(bytes(root.obj)) == ARRAY.nbytes + 56, "it is the frame itself"


async def test_whole_in_many_frames_with_progress(client: Client, peer: Peer) -> None:
    told: list[tuple[int, int]] = []
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, on_progress=lambda *numbers: told.append(numbers)))
    await connection.send_array(await fetching(connection), ARRAY.reshape(-1), [100, 1, 299])
    array = await asked
    assert array.tobytes() == ARRAY.tobytes()
    assert not array.flags.writeable
    assert told == [(800, 3200), (808, 3200), (3200, 3200)]


async def test_a_range_has_one_dimension(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, 10, 30))
    fetch = await fetching(connection)
    assert (fetch.start, fetch.stop) == (10, 30)
    await connection.send_array(fetch, ARRAY.reshape(-1)[10:30], [15, 5])
    array = await asked
    assert array.shape == (20,)
    assert array.tobytes() == ARRAY.reshape(-1)[10:30].tobytes()


async def test_an_outline_has_minimum_and_maximum(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, points=20))
    fetch = await fetching(connection)
    assert fetch.points == 20
    buckets = ARRAY.reshape(10, 40)
    outline = np.stack([buckets.min(axis=1), buckets.max(axis=1)], axis=1)
    await connection.send_array(fetch, outline)
    array = await asked
    assert array.shape == (10, 2)
    assert array.tobytes() == outline.tobytes()


async def test_an_empty_array(client: Client, peer: Peer) -> None:
    empty = np.empty((0, 3), np.int16)
    connection = await shown(client, peer, ref_of(empty))
    asked = asyncio.create_task(client.array(ref_of(empty)))
    fetch = await fetching(connection, ref_of(empty))
    await connection.send(connection.session.send(ArrayResponse(fetch.request_id, "int16", (0,))))
    array = await asked
    assert array.shape == (0, 3)
    assert array.dtype == np.int16


async def test_a_live_query_is_used_as_it_is(client: Client, peer: Peer) -> None:
    async def look() -> Any:
        async with client.subscribe("list", {"n": 1}) as subscription:
            return await client.array(subscription.value[0]["samples"])

    looking = asyncio.create_task(look())
    connection = await peer.welcome()
    await connection.give("list", [{"samples": REF}], 5)
    await connection.send_array(await connection.expect(FetchArray), ARRAY.reshape(-1))
    assert (await looking).tobytes() == ARRAY.tobytes()


async def test_an_array_that_was_never_shown(client: Client, peer: Peer) -> None:
    await peer.welcome()
    with pytest.raises(FunctionError) as caught:
        await client.array(REF)
    assert caught.value.code == "array_not_found"


async def test_a_refusal_of_the_server(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, 5000))
    fetch = await fetching(connection)
    error = ErrorInfo("bad_range", "it has 400 elements")
    await connection.send(connection.session.send(ArrayResponse(fetch.request_id, error=error)))
    with pytest.raises(FunctionError, match="400 elements"):
        await asked


async def test_the_query_that_showed_it_fails_now(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    query = await connection.expect_query("list")
    await connection.transition(6, QueryFailed(query.query_id, ErrorInfo("forbidden", "not yours any more")))
    with pytest.raises(FunctionError, match="not yours any more"):
        await asked


@pytest.mark.parametrize("another", [ARRAY.reshape(-1)[:-1], ARRAY.reshape(-1).view(np.int64)])
async def test_another_array_than_asked_for_is_refused(client: Client, peer: Peer, another: Any) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    await connection.send_array(await fetching(connection), another)
    with pytest.raises(FunctionError) as caught:
        await asked
    assert caught.value.code == "bad_array"


@pytest.mark.parametrize(
    ("dtype", "shape", "points"),
    [("float64", (401,), None), ("float64", (1 << 29,), None), ("int64", (400,), None), ("float64", (3, 2), 4)],
)
async def test_more_than_was_asked_for_is_not_waited_for(
    client: Client, peer: Peer, dtype: str, shape: tuple[int, ...], points: int | None
) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, points=points))
    fetch = await fetching(connection)
    await connection.send(connection.session.send(ArrayResponse(fetch.request_id, dtype, shape)))
    with pytest.raises(FunctionError) as caught:
        await asked
    assert caught.value.code == "bad_array"
    while not isinstance(event := await connection.next(), CancelFetch):
        assert isinstance(event, ModifyQuerySet)
    assert event.request_id == fetch.request_id


@pytest.mark.parametrize(("start", "stop", "points"), [(-1, None, None), (5, 4, None), (0, None, 1)])
async def test_ranges_that_are_none(client: Client, start: int, stop: int | None, points: int | None) -> None:
    with pytest.raises(ValueError, match=r"range|points"):
        await client.array(REF, start, stop, points=points)


async def test_what_is_no_reference(client: Client) -> None:
    with pytest.raises(TypeError, match="references"):
        await client.array(b"digest")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="float128"):
        await client.array(ArrayRef(bytes(32), "float128", (1,)))


# --- the connection breaks


async def test_a_broken_download_goes_on_where_it_was(client: Client, peer: Peer) -> None:
    told: list[tuple[int, int]] = []
    got_two = asyncio.Event()

    def note(done: int, total: int) -> None:
        told.append((done, total))
        if done == 200 * 8:
            got_two.set()

    flat = ARRAY.reshape(-1)
    first = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, on_progress=note))
    fetch = await fetching(first)
    await first.send(first.session.send(ArrayResponse(fetch.request_id, "float64", (400,))))
    for frame in first.array_frames(fetch, flat, [100, 100]):
        await first.send(frame)
    await got_two.wait()
    first.cut()
    second = await peer.welcome()
    again = await fetching(second, to_ts=6)
    assert (again.start, again.stop) == (200, None)
    await second.send_array(again, flat[200:], [50, 150])
    array = await asked
    assert array.shape == (100, 4)
    assert array.tobytes() == ARRAY.tobytes()
    assert told == [(800, 3200), (1600, 3200), (2000, 3200), (3200, 3200)]


async def test_a_broken_range_goes_on_where_it_was_three_times(client: Client, peer: Peer) -> None:
    flat = ARRAY.reshape(-1)
    progress: asyncio.Queue[int] = asyncio.Queue()
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, 100, 300, on_progress=lambda done, _: progress.put_nowait(done)))
    for start in (100, 150, 200):
        fetch = await fetching(connection, to_ts=start)
        assert (fetch.start, fetch.stop) == (start, 300)
        await connection.send(connection.session.send(ArrayResponse(fetch.request_id, "float64", (300 - start,))))
        await connection.send(connection.array_frames(fetch, flat[start:300], [50])[0])
        assert await progress.get() == (start + 50 - 100) * 8
        connection.cut()
        connection = await peer.welcome()
    fetch = await fetching(connection, to_ts=1000)
    assert fetch.start == 250
    await connection.send_array(fetch, flat[250:300])
    assert (await asked).tobytes() == flat[100:300].tobytes()


async def test_a_cut_in_the_middle_of_a_frame(client: Client, peer: Peer) -> None:
    first = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    fetch = await fetching(first)
    await first.send(first.session.send(ArrayResponse(fetch.request_id, "float64", (400,))))
    frame = first.array_frames(fetch, ARRAY.reshape(-1), [400])[0]
    first.websocket.transport.write(bytes([0x82, 126]) + len(frame).to_bytes(2, "big") + frame[:1000])
    first.websocket.transport.close()
    second = await peer.welcome()
    again = await fetching(second, to_ts=6)
    assert again.start == 0
    await second.send_array(again, ARRAY.reshape(-1))
    assert (await asked).tobytes() == ARRAY.tobytes()


async def test_a_broken_outline_is_asked_for_anew(client: Client, peer: Peer) -> None:
    moved = asyncio.Event()
    first = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, points=200, on_progress=lambda *_: moved.set()))
    fetch = await fetching(first)
    outline = np.arange(200.0).reshape(100, 2)
    await first.send(first.session.send(ArrayResponse(fetch.request_id, "float64", (100, 2))))
    await first.send(first.array_frames(fetch, outline, [50])[0])
    await moved.wait()
    first.cut()
    second = await peer.welcome()
    again = await fetching(second, to_ts=6)
    assert (again.start, again.points) == (0, 200)
    await second.send_array(again, outline, [100, 100])
    assert (await asked).tobytes() == outline.tobytes()


# --- the caller gives up, or many ask


async def test_cancelling_tells_the_server_and_late_frames_are_passed_over(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    fetch = await fetching(connection)
    response = connection.session.send(ArrayResponse(fetch.request_id, "float64", (400,)))
    under_way = [response, *connection.array_frames(fetch, ARRAY.reshape(-1), [200, 200])]
    asked.cancel()
    modify = await connection.expect(ModifyQuerySet)
    assert modify.remove == (fetch.query_id,)
    assert await connection.expect(CancelFetch) == CancelFetch(fetch.request_id)
    for frame in under_way:
        await connection.send(frame)
    other = asyncio.create_task(client.query("other"))
    await connection.give("other", 1, 6)
    assert await other == 1
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_fetch_cancelled_before_it_was_asked_is_never_asked(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    await connection.expect_query("list")
    asked.cancel()
    assert (await connection.expect(ModifyQuerySet)).remove
    await connection.silence()


async def test_a_download_times_out_only_when_it_stands_still(client: Client, peer: Peer, clock: ManualClock) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF, timeout=3, on_progress=lambda *_: clock.advance(2)))
    fetch = await fetching(connection)
    await connection.send(connection.session.send(ArrayResponse(fetch.request_id, "float64", (400,))))
    for frame in connection.array_frames(fetch, ARRAY.reshape(-1), [100, 100, 100]):
        await connection.send(frame)
    await eventually(lambda: clock.now == 6)
    clock.advance(3)
    with pytest.raises(RequestTimeout):
        await asked


async def test_only_so_many_fetches_run_at_once(client: Client, peer: Peer) -> None:
    refs = [ref_of(np.arange(float(n))) for n in range(1, 11)]

    async def fetch_all() -> list[Any]:
        async with client.subscribe("list"):
            return list(await asyncio.gather(*(client.array(ref) for ref in refs)))

    fetching = asyncio.create_task(fetch_all())
    connection = await peer.welcome()
    await connection.give("list", refs, 5)
    waiting = [await connection.expect(FetchArray) for _ in range(4)]
    await connection.silence()
    for number in range(10):
        await connection.send_array(waiting[number], np.arange(float(number + 1)))
        if number < 6:
            waiting.append(await connection.expect(FetchArray))
    arrays = await fetching
    assert [array.tolist() for array in arrays] == [np.arange(float(n)).tolist() for n in range(1, 11)]


async def test_unasked_frames_break_the_connection_and_nothing_else(client: Client, peer: Peer) -> None:
    first = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    fetch = await fetching(first)
    await first.send(first.session.send(ArrayResponse(fetch.request_id, "float64", (400,))))
    second_half = first.array_frames(fetch, ARRAY.reshape(-1), [200, 200])[1]
    await first.send(second_half)
    assert await first.closed() == 4400
    second = await peer.welcome()
    again = await fetching(second, to_ts=6)
    await second.send_array(again, ARRAY.reshape(-1))
    assert (await asked).tobytes() == ARRAY.tobytes()


async def test_closing_fails_downloads(client: Client, peer: Peer) -> None:
    connection = await shown(client, peer)
    asked = asyncio.create_task(client.array(REF))
    await fetching(connection)
    await client.close()
    with pytest.raises(Exception, match="closed") as caught:
        await asked
    assert not isinstance(caught.value, ConnectionLost)
